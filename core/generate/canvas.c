#include "core/generate/canvas.h"

#include "core/tensor/resize.h"

#include <math.h>

#define WHITE 255.0f

enum luc_status luc_canvas_create(struct luc_canvas *c, size_t height, size_t width,
                                  struct luc_arena *arena, struct luc_error *err)
{
    struct luc_canvas fresh = { NULL, height, width };
    fresh.data = luc_arena_raw(arena, 3 * luc_canvas_pixels(&fresh), sizeof(float));
    if (!fresh.data)
        return luc_fail_nomem(err, "picture", 3 * luc_canvas_pixels(&fresh) * sizeof(float));
    *c = fresh;
    return LUC_OK;
}

enum luc_status luc_canvas_load(struct luc_canvas *c, const struct luc_image *image, size_t side,
                                struct luc_arena *arena, struct luc_error *err)
{
    const size_t longest = image->width > image->height ? image->width : image->height;
    const double scale = (double)side / (double)longest;
    const size_t width = (size_t)fmax(1, round((double)image->width * scale));
    const size_t height = (size_t)fmax(1, round((double)image->height * scale));
    const enum luc_status st = luc_canvas_create(c, height, width, arena, err);
    return st || luc_arena_is_dry(arena)
               ? st
               : luc_image_resize_planar(image, NULL, width, height, LUC_BICUBIC, c->data, err);
}

enum luc_status luc_canvas_enlarge(const struct luc_canvas *from, struct luc_canvas *to,
                                   struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    for (size_t c = 0; !st && c < 3; c++)
        st = luc_map_resize_smooth(from->data + c * luc_canvas_pixels(from), from->width,
                                   from->height, NULL, to->width, to->height,
                                   to->data + c * luc_canvas_pixels(to), err);
    return st;
}

enum luc_status luc_canvas_picture(const struct luc_canvas *c, struct luc_image *out,
                                   struct luc_error *err)
{
    const size_t n = luc_canvas_pixels(c);
    const enum luc_status st = luc_image_create(c->width, c->height, 3, out, err);
    for (size_t i = 0; !st && i < 3 * n; i++)
        out->data[i % n * 3 + i / n] = (uint8_t)lrintf(fminf(fmaxf(c->data[i], 0.0f), WHITE));
    return st;
}
