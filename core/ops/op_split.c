/* Split -- https://onnx.ai/onnx/operators/onnx__Split.html
 *
 *   in   x      any shape
 *   in   split  since opset 13, optional: sizes of the parts; must be known before the run
 *   out  y_k    up to LUC_OP_MAX_OUT parts of x along `axis`, equal ones when no sizes are given
 *   attr axis, split (before opset 13), num_outputs (since opset 18)
 *
 *   y_k = its part of x,  its part of dx += dy_k
 */
#include "core/ops/common.h"

struct attrs {
    int64_t axis, num_outputs;
    struct luc_ints split;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, 0, -8, 7, "", "Axis to cut"),
    LUC_INT(struct attrs, num_outputs, 0, 0, 1e6, "", "Parts, when no sizes are given"),
    LUC_INTS(struct attrs, split, "", 0, 0x1p63, "", "Sizes of the parts"),
    LUC_PARAM_END,
};

/* Sizes of the parts when none are given: equal, a smaller one last. */
static enum luc_status even_parts(const struct luc_infer *x, size_t size, struct luc_ints *to,
                                  struct luc_error *err)
{
    const size_t n = x->n_out, part = size / n + (size % n != 0);
    if (x->opset < 18 && size % n != 0)
        return luc_fail(err, LUC_SHAPE, "cannot cut %zu into %zu equal parts", size, n);
    to->n = n;
    for (size_t i = 0; i < n; i++) {
        to->v[i] = (int64_t)(size < part ? size : part);
        size -= (size_t)to->v[i];
    }
    return LUC_OK;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    struct luc_ints parts = a->split;
    size_t axis = 0, sum = 0;
    enum luc_status st = luc_infer_need(x, 1, err);
    if (!st)
        st = luc_infer_axis(a->axis, x->in[0]->shape.rank, &axis, err);
    if (!st && luc_infer_has(x, 1))
        st = luc_infer_ints(x, 1, "split", &parts, err);
    if (!st && parts.n == 0 && x->n_out > 0)
        st = even_parts(x, x->in[0]->shape.dim[axis], &parts, err);
    if (st)
        return st;

    const size_t size = x->in[0]->shape.dim[axis];
    if (parts.n != x->n_out || x->n_out > LUC_OP_MAX_OUT)
        return luc_fail(err, LUC_UNSUPPORTED, "%zu parts for %zu outputs (at most %d)", parts.n,
                        x->n_out, LUC_OP_MAX_OUT);
    for (size_t i = 0; i < parts.n; i++) {
        if (parts.v[i] < 0 || (uint64_t)parts.v[i] > size - sum)
            return luc_fail(err, LUC_SHAPE, "the parts do not add up to %zu", size);
        sum += (size_t)parts.v[i];
        x->out[i].shape = x->in[0]->shape;
        x->out[i].shape.dim[axis] = (size_t)parts.v[i];
        x->out[i].dtype = x->in[0]->dtype;
    }
    if (sum != size)
        return luc_fail(err, LUC_SHAPE, "the parts do not add up to %zu", size);
    return LUC_OK;
}

static size_t axis_of(const struct luc_op_call *c)
{
    const int64_t axis = ((const struct attrs *)c->attrs)->axis;
    return (size_t)(axis < 0 ? axis + (int64_t)c->in[0]->shape.rank : axis);
}

/* Rows of one part (operand `small`) in x (the other operand). */
static struct luc_walk rows_of(const struct luc_op_call *c, size_t k, size_t axis, size_t small)
{
    const struct luc_shape *in = &c->in[0]->shape, *part = &c->out[k]->shape;
    const size_t row = luc_dims(part, axis, part->rank);
    struct luc_walk w = { .rank = 2, .dim = { luc_dims(in, 0, axis), row } };
    w.step[small][0] = (ptrdiff_t)row;
    w.step[1 - small][0] = (ptrdiff_t)luc_dims(in, axis, in->rank);
    w.step[0][1] = w.step[1][1] = 1;
    return w;
}

static void forward(const struct luc_op_call *c)
{
    const size_t axis = axis_of(c);
    const float *from = c->in[0]->data;
    for (size_t k = 0; k < c->n_out; k++) {
        luc_walk_copy(rows_of(c, k, axis, 1), c->threads, from, c->out[k]->data, false);
        from += luc_dims(&c->out[k]->shape, axis, c->in[0]->shape.rank);
    }
}

static void backward(const struct luc_op_call *c)
{
    const size_t axis = axis_of(c);
    if (!c->din[0])
        return;
    float *to = c->din[0]->data;
    luc_call_clear(c, 0); /* a part whose gradient does not arrive stays 0 */
    for (size_t k = 0; k < c->n_out; k++) {
        if (c->dout[k])
            luc_walk_copy(rows_of(c, k, axis, 0), c->threads, c->dout[k]->data, to, true);
        to += luc_dims(&c->out[k]->shape, axis, c->in[0]->shape.rank);
    }
}

const struct luc_op luc_op_split = {
    .name = "Split",
    .since = 2,
    .n_in_min = 1,
    .n_in_max = 2,
    .n_out_max = LUC_OP_MAX_OUT,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
