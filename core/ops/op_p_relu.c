/* PRelu -- https://onnx.ai/onnx/operators/onnx__PRelu.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   b (the slope) must fit a's shape
 *   y  = a > 0 ? a : a * b
 *   da += a > 0 ? dy : dy * b;  db += a > 0 ? 0 : dy * a, summed over what was broadcast
 *
 *   Source: He et al., "Delving Deep into Rectifiers", 2015, arXiv:1502.01852.
 */
#include "core/ops/common.h"

LUC_BINARY(bend, p > 0.0f ? p : p * q)
LUC_BINARY_GRAD(by_a, a[i * sa] > 0.0f ? dy[i] : dy[i] * b[i * sb])
LUC_BINARY_GRAD(by_b, a[i * sa] > 0.0f ? 0.0f : dy[i] * a[i * sa])

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_broadcast(x, err);
    if (!st && !luc_shape_equal(&x->out[0].shape, &x->in[0]->shape))
        return luc_fail(err, LUC_SHAPE, "the slope is larger than what it applies to");
    return st;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, bend);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, by_a);
    luc_call_binary_backward(c, 1, by_b);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return LUC_READS_IN(0) | (wanted & 1 ? LUC_READS_IN(1) : 0);
}

const struct luc_op luc_op_p_relu = {
    .name = "PRelu",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
