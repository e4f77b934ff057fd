/* ascent.h -- normalised gradient ascent on a picture of any size, tile by tile.
 *
 *   x += rate * g / mean |g|,  clamped to 0..255
 *
 * Each step rolls the picture by a random amount and cuts it into tiles that overlap; the network sees
 * one at a time, and each tile's middle gives its part of the gradient. As no seam lies twice in one
 * place, none shows. Along an axis of one tile it is rolled by up to `jitter`. The state between
 * steps is the picture and the caller's generator: nothing else needs to be saved.
 *
 * Source: the code published with Mordvintsev, Olah & Tyka, "Inceptionism", 2015 (shifts), and the
 * TensorFlow tutorial after it (tiles). Differs: tiles overlap, and are all of one size.
 */
#ifndef LUC_GENERATE_ASCENT_H
#define LUC_GENERATE_ASCENT_H

#include "core/base/rng.h"
#include "core/generate/canvas.h"
#include "core/generate/feed.h"
#include "core/generate/loss.h"

struct luc_ascent_spec {
    const struct luc_model *model;
    const struct luc_threads *threads;
    struct luc_loss *losses; /* of one picture */
    size_t n_losses, height, width;
    size_t tile; /* most pixels of a tile's side, overlap included; 0: the picture is one tile */
    size_t jitter;
    double rate;
};

struct luc_ascent; /* opaque; lives in an arena */

/* LUC_SHAPE, LUC_INVALID: the network cannot take tiles of this size, or a layer gives no gradient.
 * LUC_NOMEM: smaller tiles may fit. */
LUC_MUST_USE enum luc_status luc_ascent_create(const struct luc_ascent_spec *spec,
                                               struct luc_arena *arena, struct luc_ascent **ascent,
                                               struct luc_error *err);
size_t luc_ascent_tiles(const struct luc_ascent *ascent);

/* One step on picture [3, height, width]; *loss: the mean over tiles before it. `tick` (may be NULL)
 * is called after each tile with the share of the step that is done; what it fails with ends the
 * step, the picture being as it was. */
typedef enum luc_status luc_ascent_tick(void *ctx, double done, struct luc_error *err);
LUC_MUST_USE enum luc_status luc_ascent_step(struct luc_ascent *a, float *picture,
                                             struct luc_rng *rng, luc_ascent_tick *tick, void *ctx,
                                             double *loss, struct luc_error *err);

#endif
