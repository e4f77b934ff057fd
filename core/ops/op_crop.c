/* Crop -- of the experimental ONNX operators that WinML's older converters wrote.
 *
 *   in   x       [N, C, H, W]
 *   out  y       [N, C, h, w]
 *   attr border  left, top, right, bottom: what is cut off
 *   attr scale   height, width of what stays; none: up to the borders on the right and below
 *
 *   y[n,c,i,j] = x[n,c,i + top,j + left],  dx there += dy
 */
#include "core/ops/common.h"

struct attrs {
    struct luc_ints border, scale;
};

static const struct luc_param attr_table[] = {
    LUC_INTS(struct attrs, border, "", 0, 0x1p31, "px", "Cut off: left, top, right, bottom"),
    LUC_INTS(struct attrs, scale, "", 0, 0x1p31, "px", "Height and width of what stays"),
    LUC_PARAM_END,
};

enum { LEFT, TOP, RIGHT, BOTTOM };

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    const enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    struct luc_shape *s = &x->out[0].shape;
    if (s->rank != 4 || a->border.n != 4 || (a->scale.n != 0 && a->scale.n != 2))
        return luc_fail(err, LUC_SHAPE, "x must be [N, C, H, W], border four numbers, scale two");
    const int64_t h = (int64_t)s->dim[2] - a->border.v[TOP],
                  w = (int64_t)s->dim[3] - a->border.v[LEFT];
    const int64_t oh = a->scale.n ? a->scale.v[0] : h - a->border.v[BOTTOM];
    const int64_t ow = a->scale.n ? a->scale.v[1] : w - a->border.v[RIGHT];
    if (oh < 1 || ow < 1 || oh > h || ow > w)
        return luc_fail(err, LUC_SHAPE, "nothing stays of %zu x %zu pixels, or more than there is",
                        s->dim[2], s->dim[3]);
    s->dim[2] = (size_t)oh, s->dim[3] = (size_t)ow;
    return LUC_OK;
}

/* Over y. `picture`: the operand that is x or dx. */
static struct luc_walk walk_of(const struct luc_op_call *c, size_t picture)
{
    struct luc_walk w = luc_walk_of(&c->out[0]->shape);
    const struct luc_shape *in = &c->in[0]->shape;
    ptrdiff_t step = 1;
    luc_walk_broadcast(&w, 1 - picture, &c->out[0]->shape);
    for (size_t d = 4; d-- > 0;) {
        w.step[picture][d] = step;
        step *= (ptrdiff_t)in->dim[d];
    }
    return w;
}

static size_t corner(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    return (size_t)a->border.v[TOP] * c->in[0]->shape.dim[3] + (size_t)a->border.v[LEFT];
}

static void forward(const struct luc_op_call *c)
{
    luc_walk_copy(walk_of(c, 0), c->threads, c->in[0]->data + corner(c), c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    if (c->din[0])
        luc_walk_copy(walk_of(c, 1), c->threads, c->dout[0]->data, c->din[0]->data + corner(c),
                      true);
}

const struct luc_op luc_op_crop = {
    .name = "Crop",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
