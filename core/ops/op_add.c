/* Add -- https://onnx.ai/onnx/operators/onnx__Add.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   y = a + b;  da += dy, db += dy, summed over what was broadcast
 */
#include "core/ops/common.h"

LUC_BINARY(add, p + q)

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, add);
    luc_wrap_ints(c->out[0]->dtype, c->out[0]->data, luc_numel(&c->out[0]->shape));
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, NULL);
    luc_call_binary_backward(c, 1, NULL);
}

const struct luc_op luc_op_add = {
    .name = "Add",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_broadcast,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
