/* Sub -- https://onnx.ai/onnx/operators/onnx__Sub.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   y = a - b;  da += dy, db -= dy, summed over what was broadcast
 */
#include "core/ops/common.h"

LUC_BINARY(subtract, p - q)
LUC_BINARY_GRAD(negate, -dy[i])

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, subtract);
    luc_wrap_ints(c->out[0]->dtype, c->out[0]->data, luc_numel(&c->out[0]->shape));
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, NULL);
    luc_call_binary_backward(c, 1, negate);
}

const struct luc_op luc_op_sub = {
    .name = "Sub",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_broadcast,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
