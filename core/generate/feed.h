/* feed.h -- between pictures, RGB of 0..255, plane after plane, and what a network reads. */
#ifndef LUC_GENERATE_FEED_H
#define LUC_GENERATE_FEED_H

#include "core/graph/exec.h"
#include "core/model/model.h"

/* An executor for `count` pictures of height x width. Of `ask`, graph, inputs, lanes and fast are
 * filled in. LUC_INVALID: the network takes gray pictures; LUC_SHAPE, LUC_INVALID: it cannot take
 * this size or number, or a layer gives no gradient. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_feed_exec(const struct luc_model *model,
                                           const struct luc_threads *threads, size_t count,
                                           size_t height, size_t width, struct luc_plan_spec ask,
                                           struct luc_arena *arena, struct luc_exec **exec,
                                           struct luc_error *err);

/* Pictures [count, 3, pixels] -> the network's channels and scale, in place. */
void luc_feed_in(const struct luc_model *model, size_t count, size_t pixels, float *x);
/* The gradient with respect to the network's input -> to the pictures, in place. */
void luc_feed_out(const struct luc_model *model, size_t count, size_t pixels, float *d);
/* The network's mean colour as a picture's: RGB, 0..255. */
void luc_feed_centre(const struct luc_model *model, float rgb[3]);

/* Features of a picture [3, H, W] at some layers; *exec (in `arena`) holds them as taps. */
LUC_MUST_USE enum luc_status luc_features(const struct luc_model *model,
                                          const struct luc_threads *threads, const float *picture,
                                          size_t height, size_t width, const size_t *layers,
                                          size_t n_layers, struct luc_arena *arena,
                                          struct luc_exec **exec, struct luc_error *err);

#endif
