#include "core/graph/region_window.h"

#include <stdbool.h>

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

/* One axis of a crop, in its own places: outside of the layer, then the layer [from, to), of which
 * [inner, end) is the window's. */
struct parts {
    size_t from, to, inner, end;
    ptrdiff_t whole, window; /* place 0 of the crop, counted in the layer and in the window */
};

static size_t clamp(ptrdiff_t at, size_t low, size_t high)
{
    return at <= (ptrdiff_t)low ? low : (size_t)at < high ? (size_t)at : high;
}

static struct parts parts_of(const struct luc_crop_axis *a, size_t i, size_t side, size_t window)
{
    struct parts p = { .whole = a->crop[i], .window = a->crop[i] - a->window[i] };
    p.from = clamp(-p.whole, 0, a->size);
    p.to = clamp((ptrdiff_t)side - p.whole, p.from, a->size);
    p.inner = clamp(-p.window, p.from, p.to);
    p.end = clamp((ptrdiff_t)window - p.window, p.inner, p.to);
    return p;
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Rows are short: a call to memcpy for each takes longer than the copying. */
static inline void copy(float *restrict to, const float *restrict from, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        *(four *)(to + i) = *(const four *)(from + i);
    if (i < n && n >= 4) {
        *(four *)(to + n - 4) = *(const four *)(from + n - 4);
        return;
    }
    for (; i < n; i++)
        to[i] = from[i];
}

static void fill_places(float *to, size_t n, float fill)
{
    for (size_t i = 0; i < n; i++)
        to[i] = fill;
}

/* One row; place 0 of the crop is at whole[at] and, in the window's rows, at window[in]. */
static void crop_row(const struct parts *x, size_t size, float fill, const float *whole,
                     ptrdiff_t at, const float *window, ptrdiff_t in, float *out)
{
    const size_t inner = window ? x->inner : x->to, end = window ? x->end : x->to;
    if (x->from > 0)
        fill_places(out, x->from, fill);
    copy(out + x->from, whole + (at + (ptrdiff_t)x->from), inner - x->from);
    if (window)
        copy(out + inner, window + (in + (ptrdiff_t)inner), end - inner);
    copy(out + end, whole + (at + (ptrdiff_t)end), x->to - end);
    if (x->to < size)
        fill_places(out + x->to, size - x->to, fill);
}

/* One channel of one slot. */
static void crop_plane(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_shape *w = &j->window->shape, *a = &j->whole->shape;
    const size_t channels = w->dim[1], slot = item / channels, c = item % channels;
    const struct luc_crop_axis *ay = &j->a->y, *ax = &j->a->x;
    const struct parts y = parts_of(ay, ay->at[slot], a->dim[2], w->dim[2]);
    const struct parts x = parts_of(ax, ax->at[slot], a->dim[3], w->dim[3]);
    const float *whole = j->whole->data + c * a->dim[2] * a->dim[3];
    const float *window = j->window->data + item * w->dim[2] * w->dim[3];
    float *out = j->out->data + item * ay->size * ax->size;
    (void)lane;
    for (size_t i = 0; i < ay->size; i++, out += ax->size) {
        if (i < y.from || i >= y.to) {
            fill_places(out, ax->size, j->a->fill);
            continue;
        }
        const ptrdiff_t at = (y.whole + (ptrdiff_t)i) * (ptrdiff_t)a->dim[3] + x.whole;
        const ptrdiff_t in = (y.window + (ptrdiff_t)i) * (ptrdiff_t)w->dim[3] + x.window;
        const bool reached = i >= y.inner && i < y.end;
        crop_row(&x, ax->size, j->a->fill, whole, at, reached ? window : NULL, in, out);
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
