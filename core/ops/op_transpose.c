/* Transpose -- https://onnx.ai/onnx/operators/onnx__Transpose.html
 *
 *   in   x     any shape
 *   out  y     dimension d of y is dimension perm[d] of x
 *   attr perm  every dimension once; not given: reversed
 *
 *   dx += dy, transposed back
 */
#include "core/ops/common.h"

struct attrs {
    struct luc_ints perm;
};

static const struct luc_param attr_table[] = {
    LUC_INTS(struct attrs, perm, "", -8, 7, "", "Which dimension of the input comes where"),
    LUC_PARAM_END,
};

static size_t source_of(const struct attrs *a, size_t rank, size_t d)
{
    if (a->perm.n == 0)
        return rank - 1 - d;
    return (size_t)(a->perm.v[d] < 0 ? a->perm.v[d] + (int64_t)rank : a->perm.v[d]);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    bool used[LUC_MAX_RANK];
    enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape;
    if (a->perm.n != 0 && a->perm.n != in->rank)
        return luc_fail(err, LUC_SHAPE, "perm has %zu values for a tensor of rank %zu", a->perm.n,
                        in->rank);
    st = luc_infer_axes(&a->perm, in->rank, used, err);
    if (st)
        return st;
    for (size_t d = 0; d < in->rank; d++)
        x->out[0].shape.dim[d] = in->dim[source_of(a, in->rank, d)];
    return LUC_OK;
}

/* Over y's box; operand `straight` is y, the other x. */
static struct luc_walk make_walk(const struct luc_op_call *c, size_t straight)
{
    const struct luc_shape *in = &c->in[0]->shape;
    struct luc_walk w = luc_walk_of(&c->out[0]->shape), x = luc_walk_of(in);
    luc_walk_broadcast(&w, straight, &c->out[0]->shape);
    luc_walk_broadcast(&x, 0, in);
    for (size_t d = 0; d < in->rank; d++)
        w.step[1 - straight][d] = x.step[0][source_of(c->attrs, in->rank, d)];
    return w;
}

static void forward(const struct luc_op_call *c)
{
    luc_walk_copy(make_walk(c, 1), c->threads, c->in[0]->data, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    if (c->din[0])
        luc_walk_copy(make_walk(c, 0), c->threads, c->dout[0]->data, c->din[0]->data,
                      !luc_call_fresh(c, 0));
}

const struct luc_op luc_op_transpose = {
    .name = "Transpose",
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
