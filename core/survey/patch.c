#include "core/survey/patch.h"

#include <math.h>
#include <string.h>

#define GRAY 128

/* One axis of the network's input, 0..side: the part of the field inside, and what is drawn. */
static void place_axis(const struct luc_field *f, size_t axis, size_t i, double side, double in[2],
                       double span[2])
{
    const double from = f->whole ? 0 : f->start[axis] + (double)i * f->stride[axis];
    const double to = f->whole ? side : from + f->size[axis];
    in[0] = fmin(fmax(from, 0), side);
    in[1] = fmax(fmin(to, side), in[0]);
    span[1] = fmin(to - from, side);
    /* Inside the field, around what is inside the picture, as near to the picture as can be. */
    span[0] = fmin(fmax(0, fmax(from, in[1] - span[1])), fmin(to - span[1], in[0]));
}

void luc_patch_place(const struct luc_field *field, const struct luc_frame *f, size_t row,
                     size_t column, struct luc_patch *patch)
{
    const double sx = f->width / (double)f->in_width, sy = f->height / (double)f->in_height;
    double x[2], y[2], across[2], down[2];
    place_axis(field, 0, row, (double)f->in_height, y, down);
    place_axis(field, 1, column, (double)f->in_width, x, across);
    patch->in = (struct luc_box){ x[0], y[0], x[1] - x[0], y[1] - y[0] };
    patch->seen = (struct luc_box){ f->x + x[0] * sx, f->y + y[0] * sy, patch->in.width * sx,
                                    patch->in.height * sy };
    patch->span = (struct luc_box){ f->x + across[0] * sx, f->y + down[0] * sy, across[1] * sx,
                                    down[1] * sy };
}

/* Where from..from+size of a span of `length` that is centred in `side` pixels begins and ends. */
static void place_pixels(double from, double size, double length, double scale, size_t side,
                         size_t *at, size_t *n)
{
    const double margin = ((double)side - length * scale) / 2;
    const double most = (double)side;
    const double a = fmin(fmax(round(margin + from * scale), 0), most - 1);
    const double b = fmin(fmax(round(margin + (from + size) * scale), a + 1), most);
    *at = (size_t)a;
    *n = (size_t)(b - a);
}

enum luc_status luc_patch_draw(const struct luc_patch *p, const struct luc_image *src,
                               const struct luc_box *box, size_t side, struct luc_image *tile,
                               struct luc_error *err)
{
    const double scale = (double)side / fmax(p->span.width, p->span.height);
    struct luc_image made = { 0 }, part = { 0 };
    size_t x, y, w, h;
    place_pixels(p->seen.x - p->span.x, p->seen.width, p->span.width, scale, side, &x, &w);
    place_pixels(p->seen.y - p->span.y, p->seen.height, p->span.height, scale, side, &y, &h);
    enum luc_status st = luc_image_create(side, side, 3, &made, err);
    if (!st && box->width > 0 && box->height > 0)
        st = luc_image_resize(src, box, w, h, LUC_BICUBIC, &part, err);
    if (st) {
        luc_image_done(&made);
        return st;
    }
    memset(made.data, GRAY, side * side * 3);
    for (size_t i = 0; part.data && i < h; i++)
        memcpy(made.data + ((y + i) * side + x) * 3, part.data + i * w * 3, w * 3);
    luc_image_done(&part);
    *tile = made;
    return LUC_OK;
}
