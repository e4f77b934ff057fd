/* Mul -- https://onnx.ai/onnx/operators/onnx__Mul.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   y = a * b;  da += dy * b, db += dy * a, summed over what was broadcast
 */
#include "core/ops/common.h"

LUC_BINARY(multiply, (p * q))
LUC_BINARY_GRAD(by_b, dy[i] * b[i * sb])
LUC_BINARY_GRAD(by_a, dy[i] * a[i * sa])

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, multiply);
    luc_wrap_ints(c->out[0]->dtype, c->out[0]->data, luc_numel(&c->out[0]->shape));
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, by_b);
    luc_call_binary_backward(c, 1, by_a);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return (wanted & 1 ? LUC_READS_IN(1) : 0) | (wanted & 2 ? LUC_READS_IN(0) : 0);
}

const struct luc_op luc_op_mul = {
    .name = "Mul",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_broadcast,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
