#include "core/graph/region_window.h"

#include <string.h>

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_crop *a = x->attrs;
    const struct luc_shape *window = &x->in[0]->shape, *whole = &x->in[1]->shape;
    if (window->rank != 4 || whole->rank != 4 || window->dim[1] != whole->dim[1])
        return luc_fail(err, LUC_SHAPE, "a window that does not belong to its layer");
    x->out[0].shape = luc_shape4(window->dim[0], window->dim[1], a->y.size, a->x.size);
    return LUC_OK;
}

struct job {
    const struct luc_crop *a;
    const struct luc_tensor *window, *whole, *out;
};

/* The part [*from, *to) of a line of `n` places, starting at `start`, that lies in [0, side). */
static void overlap(ptrdiff_t start, size_t n, size_t side, size_t *from, size_t *to)
{
    const ptrdiff_t last = (ptrdiff_t)side - start;
    const ptrdiff_t a = start < 0 ? -start : 0, b = last < (ptrdiff_t)n ? last : (ptrdiff_t)n;
    *from = a < (ptrdiff_t)n ? (size_t)a : n;
    *to = b > (ptrdiff_t)*from ? (size_t)b : *from;
}

/* Copies into `row`, a crop's line that starts at `start`, the part of `line` that it shows; `line`
 * begins at `origin` and has `side` places. */
static void lay(float *row, size_t n, ptrdiff_t start, const float *line, ptrdiff_t origin,
                size_t side)
{
    size_t from, to;
    overlap(start - origin, n, side, &from, &to);
    if (to > from)
        memcpy(row + from, line + (start - origin + (ptrdiff_t)from), (to - from) * sizeof(*row));
}

static void fill_row(float *row, size_t n, float fill)
{
    for (size_t i = 0; i < n; i++)
        row[i] = fill;
}

/* One channel of one slot. */
static void crop_plane(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_shape *w = &j->window->shape, *a = &j->whole->shape;
    const size_t channels = w->dim[1], slot = item / channels, c = item % channels;
    const struct luc_crop_axis *ay = &j->a->y, *ax = &j->a->x;
    const size_t iy = ay->at[slot], ix = ax->at[slot];
    const float *whole = j->whole->data + c * a->dim[2] * a->dim[3];
    const float *window = j->window->data + item * w->dim[2] * w->dim[3];
    float *out = j->out->data + item * ay->size * ax->size;
    (void)lane;
    for (size_t y = 0; y < ay->size; y++) {
        float *row = out + y * ax->size;
        const ptrdiff_t at = ay->crop[iy] + (ptrdiff_t)y, in_window = at - ay->window[iy];
        if (at < 0 || at >= (ptrdiff_t)a->dim[2]) {
            fill_row(row, ax->size, j->a->fill);
            continue;
        }
        if (ax->crop[ix] < 0 || ax->crop[ix] + (ptrdiff_t)ax->size > (ptrdiff_t)a->dim[3])
            fill_row(row, ax->size, j->a->fill);
        lay(row, ax->size, ax->crop[ix], whole + (size_t)at * a->dim[3], 0, a->dim[3]);
        if (in_window >= 0 && in_window < (ptrdiff_t)w->dim[2])
            lay(row, ax->size, ax->crop[ix], window + (size_t)in_window * w->dim[3], ax->window[ix],
                w->dim[3]);
    }
}

static void forward(const struct luc_op_call *c)
{
    struct job j = { c->attrs, c->in[0], c->in[1], c->out[0] };
    luc_parallel_for(c->threads, c->in[0]->shape.dim[0] * c->in[0]->shape.dim[1], crop_plane, &j);
}

const struct luc_op luc_op_region_window = {
    .name = "RegionWindow",
    .since = 1,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct luc_crop),
    .infer = infer,
    .forward = forward,
};
