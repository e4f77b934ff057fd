/* Shape -- https://onnx.ai/onnx/operators/onnx__Shape.html
 *
 *   in   x           any shape
 *   out  y           [end - start] int64: x's sizes
 *   attr start, end  since opset 15: which of them; negative from the end, clamped
 */
#include "core/ops/common.h"

struct attrs {
    int64_t start, end;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, start, 0, -0x1p63, 0x1p63, "", "First dimension"),
    LUC_INT(struct attrs, end, 0x1p63, -0x1p63, 0x1p63, "", "One past the last dimension"),
    LUC_PARAM_END,
};

static size_t clamp(int64_t i, size_t rank)
{
    const int64_t n = (int64_t)rank;
    i = i < -n ? 0 : i < 0 ? i + n : i;
    return (size_t)(i > n ? n : i);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    const enum luc_status st = luc_infer_need(x, 1, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape;
    const size_t start = clamp(a->start, in->rank), end = clamp(a->end, in->rank);
    for (size_t d = start; d < end; d++)
        if ((double)in->dim[d] > LUC_EXACT_INT)
            return luc_fail(err, LUC_UNSUPPORTED, "sizes over 2^24");
    x->out[0].shape = (struct luc_shape){ 1, { end > start ? end - start : 0 } };
    x->out[0].dtype = LUC_I64;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape;
    const size_t start = clamp(((const struct attrs *)c->attrs)->start, in->rank);
    for (size_t i = 0; i < c->out[0]->shape.dim[0]; i++)
        c->out[0]->data[i] = (float)in->dim[start + i];
}

const struct luc_op luc_op_shape = {
    .name = "Shape",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SHAPE_ONLY,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
};
