/* show.h -- what explanations put into a result: maps in their place, and gradients in colour. */
#ifndef LUC_SHOW_SHOW_H
#define LUC_SHOW_SHOW_H

#include "core/run/method.h"
#include "core/tensor/resize.h"

#define LUC_SHOW_NAMES                                                                             \
    {                                                                                              \
        "colour", "map", NULL                                                                      \
    }
#define LUC_SHOW_DOC                                                                               \
    "What a picture answer shows: the gradient in colour around gray, or one number per pixel"
enum luc_show { LUC_SHOW_COLOUR, LUC_SHOW_MAP };

/* The map [1, 1, h, w], covering what the network saw of upload 0. A map that is the same
 * everywhere comes with a text `note` that says so, and `why` ("": nothing more to say). */
LUC_MUST_USE enum luc_status luc_show_map(struct luc_run *run, const char *key,
                                          const struct luc_tensor *map, bool is_signed,
                                          const struct luc_frame *frame, const char *why,
                                          struct luc_error *err);

/* The map so far, drawn over upload 0 as a preview; nothing where memory is short. */
void luc_show_preview(struct luc_run *run, const float *map, size_t width, size_t height,
                      bool is_signed, const struct luc_frame *frame);

/* What the cells of a layer's map [.., h, w] cover, in pixels of the network's input: each cell is as
 * wide as the layer's stride and centred on its receptive field, so the whole may be shifted against
 * the picture (ResNet-50's last layer by half a stride). The whole input for layers whose units see
 * everything. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_layer_cells(struct luc_run *run, size_t layer,
                                             const struct luc_frame *frame,
                                             const struct luc_shape *map, struct luc_box *cells,
                                             struct luc_error *err);
/* As luc_show_map(), for a map of a layer's own size. */
LUC_MUST_USE enum luc_status luc_show_layer_map(struct luc_run *run, const char *key,
                                                const struct luc_tensor *map, bool is_signed,
                                                size_t layer, const struct luc_frame *frame,
                                                const char *why, struct luc_error *err);
/* A layer's map brought to the network's input size: out[in_height * in_width]. */
LUC_MUST_USE enum luc_status luc_layer_enlarge(struct luc_run *run, size_t layer,
                                               const struct luc_frame *frame,
                                               const struct luc_tensor *map, float *out,
                                               struct luc_error *err);

/* The gradient g [1, C, H, W] as a picture of its own size: zero is mid-gray, the 99.5th percentile
 * of the magnitudes inside `part` (in its pixels) black or white; colours in RGB order whatever the
 * network's. *picture is the caller's. */
LUC_MUST_USE enum luc_status luc_gradient_picture(struct luc_run *run, const struct luc_tensor *g,
                                                  const struct luc_box *part,
                                                  struct luc_image *picture, struct luc_error *err);
/* The same into the result, by the magnitudes of all of it. */
LUC_MUST_USE enum luc_status luc_show_colours(struct luc_run *run, const char *key,
                                              const struct luc_tensor *g, struct luc_error *err);

/* Both: the map max_c |g| under `key`, the picture under "colours"; `first` answers a request for a
 * picture. */
LUC_MUST_USE enum luc_status luc_show_gradient(struct luc_run *run, const char *key,
                                               const struct luc_tensor *g,
                                               const struct luc_frame *frame, enum luc_show first,
                                               struct luc_error *err);

#endif
