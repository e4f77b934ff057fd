/* Max -- https://onnx.ai/onnx/operators/onnx__Max.html
 *
 *   in   x_k  one or more, broadcast together
 *   out  y    their common shape
 *
 *   y = the largest of x_0, x_1, ...;  dy goes to the first x_k that equals y
 */
#include "core/ops/common.h"

LUC_BINARY(choose, ((p > q) | (p != p)) ? p : q)

static void forward(const struct luc_op_call *c)
{
    luc_call_fold(c, choose);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_extreme_backward(c);
}

const struct luc_op luc_op_max = {
    .name = "Max",
    .since = 8,
    .n_in_min = 1,
    .n_in_max = SIZE_MAX,
    .flags = LUC_OP_SETS_DIN,
    .infer = luc_infer_broadcast,
    .scratch = luc_scratch_extreme,
    .forward = forward,
    .backward = backward,
};
