/* SpaceToDepth -- https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html
 *
 *   in   x          [N, C, H, W]
 *   out  y          [N, b b C, H / b, W / b]
 *   attr blocksize  b
 *
 *   y[n, (i b + j) C + c, h, w] = x[n, c, h b + i, w b + j],  dx += dy, moved back
 */
#include "core/ops/common.h"

struct attrs {
    int64_t blocksize;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, blocksize, 1, 1, 0x1p31, "px", "Side of the squares that are stacked"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const size_t b = (size_t)((const struct attrs *)x->attrs)->blocksize;
    const enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    struct luc_shape *s = &x->out[0].shape;
    if (s->rank != 4 || s->dim[2] % b != 0 || s->dim[3] % b != 0)
        return luc_fail(err, LUC_SHAPE, "x must be [N, C, H, W] with H and W multiples of %zu", b);
    s->dim[1] *= b * b, s->dim[2] /= b, s->dim[3] /= b;
    return luc_shape_check(s, "output", err);
}

/* Over y as [N, b, b, C, H / b, W / b]. Operand 0: x, 1: y. */
static struct luc_walk walk_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape, *out = &c->out[0]->shape;
    const size_t b = (size_t)((const struct attrs *)c->attrs)->blocksize;
    const size_t row = in->dim[3], plane = in->dim[2] * row;
    const size_t dim[] = { out->dim[0], b, b, in->dim[1], out->dim[2], out->dim[3] };
    const size_t from[] = { in->dim[1] * plane, row, 1, plane, b * row, b };
    struct luc_walk w = { .rank = 6 };
    ptrdiff_t to = 1;
    for (size_t d = 6; d-- > 0;) {
        w.dim[d] = dim[d];
        w.step[0][d] = (ptrdiff_t)from[d], w.step[1][d] = to;
        to *= (ptrdiff_t)dim[d];
    }
    return w;
}

static void forward(const struct luc_op_call *c)
{
    luc_walk_copy(walk_of(c), c->threads, c->in[0]->data, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    struct luc_walk w = walk_of(c);
    for (size_t d = 0; d < w.rank; d++) {
        const ptrdiff_t step = w.step[0][d];
        w.step[0][d] = w.step[1][d], w.step[1][d] = step;
    }
    if (c->din[0])
        luc_walk_copy(w, c->threads, c->dout[0]->data, c->din[0]->data, !luc_call_fresh(c, 0));
}

const struct luc_op luc_op_space_to_depth = {
    .name = "SpaceToDepth",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
