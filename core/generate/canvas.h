/* canvas.h -- pictures while they are worked on: RGB, plane after plane, floats of 0..255. */
#ifndef LUC_GENERATE_CANVAS_H
#define LUC_GENERATE_CANVAS_H

#include "core/base/arena.h"
#include "core/tensor/image.h"

struct luc_canvas {
    float *data; /* [3, height, width]; in an arena */
    size_t height, width;
};

static inline size_t luc_canvas_pixels(const struct luc_canvas *c)
{
    return c->height * c->width;
}

/* `image` (RGB) with its long side `side` pixels, antialiased. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_canvas_load(struct luc_canvas *c, const struct luc_image *image,
                                             size_t side, struct luc_arena *arena,
                                             struct luc_error *err);
/* An empty one. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_canvas_create(struct luc_canvas *c, size_t height, size_t width,
                                               struct luc_arena *arena, struct luc_error *err);
/* `from`, smoothly enlarged to the size of `to`, into to->data. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_canvas_enlarge(const struct luc_canvas *from,
                                                struct luc_canvas *to, struct luc_error *err);
/* Rounded to bytes, clamped; the caller ends *out with luc_image_done(). */
LUC_MUST_USE enum luc_status luc_canvas_picture(const struct luc_canvas *c, struct luc_image *out,
                                                struct luc_error *err);

#endif
