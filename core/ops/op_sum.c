/* Sum -- https://onnx.ai/onnx/operators/onnx__Sum.html
 *
 *   in   x_k  one or more, broadcast together
 *   out  y    their common shape
 *
 *   y = x_0 + x_1 + ...;  dx_k += dy, summed over what was broadcast
 */
#include "core/ops/common.h"

LUC_BINARY(add, p + q)

static void forward(const struct luc_op_call *c)
{
    luc_call_fold(c, add);
}

static void backward(const struct luc_op_call *c)
{
    for (size_t k = 0; k < c->n_in; k++)
        luc_call_fold_backward(c, k, 1.0f);
}

const struct luc_op luc_op_sum = {
    .name = "Sum",
    .since = 8,
    .n_in_min = 1,
    .n_in_max = SIZE_MAX,
    .flags = LUC_OP_SETS_DIN,
    .infer = luc_infer_broadcast,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
