/* Div -- https://onnx.ai/onnx/operators/onnx__Div.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   y = a / b, for integers without the fraction, and 0 for a division by 0
 *   da += dy / b, db -= dy * a / b^2, summed over what was broadcast
 */
#include "core/ops/common.h"

#include <math.h>

LUC_BINARY(divide, p / q)
LUC_BINARY(divide_ints, q != 0.0f ? truncf(p / q) : 0.0f)
LUC_BINARY_GRAD(by_a, dy[i] / b[i * sb])
LUC_BINARY_GRAD(by_b, -dy[i] * a[i * sa] / (b[i * sb] * b[i * sb]))

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, luc_dtype_is_int(c->out[0]->dtype) ? divide_ints : divide);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, by_a);
    luc_call_binary_backward(c, 1, by_b);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return LUC_READS_IN(1) | (wanted & 2 ? LUC_READS_IN(0) : 0);
}

const struct luc_op luc_op_div = {
    .name = "Div",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_broadcast,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
