/* Not -- https://onnx.ai/onnx/operators/onnx__Not.html
 *
 *   in   x  any shape, truth values
 *   out  y  shape of x
 *
 *   y = 1 where x is 0, else 0; no gradient
 */
#include "core/ops/common.h"

static void negate(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] == 0.0f ? 1.0f : 0.0f;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, negate);
}

const struct luc_op luc_op_not = {
    .name = "Not",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_IN_PLACE,
    .infer = luc_infer_same,
    .forward = forward,
};
