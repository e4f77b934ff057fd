/* DequantizeLinear -- https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
 *
 *   in   x           any shape, integers
 *   in   scale       one number, or one per index of `axis`
 *   in   zero_point  optional, of scale's shape
 *   out  y           shape of x, real numbers
 *   attr axis        since opset 13: which axis has its own scales
 *   attr block_size, output_dtype  only their defaults
 *
 *   y = (x - zero_point) * scale; no gradient
 */
#include "core/ops/common.h"

struct attrs {
    int64_t axis, block_size, output_dtype;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, 1, -8, 7, "", "Axis that has its own scales"),
    LUC_INT(struct attrs, block_size, 0, 0, 0x1p62, "", "Only 0, no blocks, is supported"),
    LUC_INT(struct attrs, output_dtype, 0, 0, 99, "", "Of no effect: reals are float32"),
    LUC_PARAM_END,
};

static enum luc_status check_scale(const struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *scale = &x->in[1]->shape, *in = &x->in[0]->shape;
    size_t axis = 0;
    if (luc_infer_has(x, 2) && luc_numel(&x->in[2]->shape) != luc_numel(scale))
        return luc_fail(err, LUC_SHAPE, "%zu scales but %zu zero points", luc_numel(scale),
                        luc_numel(&x->in[2]->shape));
    if (scale->rank == 0 || (scale->rank == 1 && scale->dim[0] == 1))
        return LUC_OK;
    const enum luc_status st =
        luc_infer_axis(((const struct attrs *)x->attrs)->axis, in->rank, &axis, err);
    if (st)
        return st;
    if (scale->rank != 1 || scale->dim[0] != in->dim[axis])
        return luc_fail(err, LUC_SHAPE, "%zu scales for %zu elements of axis %zu", luc_numel(scale),
                        in->dim[axis], axis);
    return LUC_OK;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st && ((const struct attrs *)x->attrs)->block_size != 0)
        st = luc_fail(err, LUC_UNSUPPORTED, "block_size");
    if (!st)
        st = check_scale(x, err);
    if (!st)
        x->out[0].shape = x->in[0]->shape;
    return st;
}

LUC_BINARY(subtract, p - q)
LUC_BINARY(multiply, (p * q))

static void forward(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape;
    const int64_t named = ((const struct attrs *)c->attrs)->axis;
    struct luc_tensor by = *c->in[1];
    if (luc_numel(&by.shape) != 1) { /* [n] becomes [n, 1, 1, ...] up to the last axis */
        const size_t axis = (size_t)(named < 0 ? named + (int64_t)in->rank : named);
        by.shape.rank = in->rank - axis;
        for (size_t d = 1; d < by.shape.rank; d++)
            by.shape.dim[d] = 1;
    } else {
        by.shape.rank = 0;
    }
    const struct luc_tensor zero = { by.shape, LUC_F32,
                                     luc_call_has(c, 2) ? c->in[2]->data : NULL };
    if (zero.data)
        luc_binary_forward(c->threads, subtract, c->in[0], &zero, c->out[0]);
    luc_binary_forward(c->threads, multiply, zero.data ? c->out[0] : c->in[0], &by, c->out[0]);
}

const struct luc_op luc_op_dequantize_linear = {
    .name = "DequantizeLinear",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 3,
    .flags = LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
};
