/* Concat -- https://onnx.ai/onnx/operators/onnx__Concat.html
 *
 *   in   x_i   any number, equal in every dimension but `axis`
 *   out  y     x_0, x_1, ... one after the other along `axis`
 *   attr axis  negative from the end; must be given
 *
 *   dx_i += its part of dy
 */
#include "core/ops/common.h"

struct attrs {
    int64_t axis;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, LUC_NO_AXIS, -9, 7, "", "Axis to join along"),
    LUC_PARAM_END,
};

static bool fits(const struct luc_shape *a, const struct luc_shape *b, size_t axis)
{
    for (size_t d = 0; d < a->rank && a->rank == b->rank; d++)
        if (d != axis && a->dim[d] != b->dim[d])
            return false;
    return a->rank == b->rank;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, x->n_in, err);
    if (st)
        return st;
    struct luc_shape out = x->in[0]->shape;
    size_t axis = 0;
    st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, out.rank, &axis, err);
    if (st)
        return st;
    for (size_t i = 1; i < x->n_in; i++) {
        char a[LUC_SHAPE_TEXT], b[LUC_SHAPE_TEXT];
        if (!fits(&out, &x->in[i]->shape, axis))
            return luc_fail(err, LUC_SHAPE, "cannot join %s and %s along axis %zu",
                            luc_shape_print(&out, a), luc_shape_print(&x->in[i]->shape, b), axis);
        out.dim[axis] += x->in[i]->shape.dim[axis];
        st = luc_shape_check(&out, "concatenation", err);
        if (st)
            return st;
    }
    x->out[0].shape = out;
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

static size_t axis_of(const struct luc_op_call *c)
{
    const int64_t axis = ((const struct attrs *)c->attrs)->axis;
    return (size_t)(axis < 0 ? axis + (int64_t)c->out[0]->shape.rank : axis);
}

/* Rows of one input (operand `small`) in the output (the other operand). */
static struct luc_walk rows_of(const struct luc_op_call *c, size_t i, size_t axis, size_t small)
{
    const struct luc_shape *in = &c->in[i]->shape, *out = &c->out[0]->shape;
    const size_t row = luc_dims(in, axis, in->rank);
    struct luc_walk w = { .rank = 2, .dim = { luc_dims(in, 0, axis), row } };
    w.step[small][0] = (ptrdiff_t)row;
    w.step[1 - small][0] = (ptrdiff_t)luc_dims(out, axis, out->rank);
    w.step[0][1] = w.step[1][1] = 1;
    return w;
}

static void forward(const struct luc_op_call *c)
{
    const size_t axis = axis_of(c);
    float *to = c->out[0]->data;
    for (size_t i = 0; i < c->n_in; i++) {
        luc_walk_copy(rows_of(c, i, axis, 0), c->threads, c->in[i]->data, to, false);
        to += luc_dims(&c->in[i]->shape, axis, c->in[i]->shape.rank);
    }
}

static void backward(const struct luc_op_call *c)
{
    const size_t axis = axis_of(c);
    const float *from = c->dout[0]->data;
    for (size_t i = 0; i < c->n_in; i++) {
        if (c->din[i])
            luc_walk_copy(rows_of(c, i, axis, 1), c->threads, from, c->din[i]->data,
                          !luc_call_fresh(c, i));
        from += luc_dims(&c->in[i]->shape, axis, c->in[i]->shape.rank);
    }
}

const struct luc_op luc_op_concat = {
    .name = "Concat",
    .since = 4,
    .n_in_min = 1,
    .n_in_max = SIZE_MAX,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
