/* Less -- https://onnx.ai/onnx/operators/onnx__Less.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape, truth values
 *
 *   y = 1 where a < b, else 0; no gradient
 */
#include "core/ops/common.h"

LUC_BINARY(compare, (p < q) ? 1.0f : 0.0f)

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, compare);
}

const struct luc_op luc_op_less = {
    .name = "Less",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_IN_PLACE,
    .infer = luc_infer_truth,
    .forward = forward,
};
