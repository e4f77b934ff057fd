/* Sign -- https://onnx.ai/onnx/operators/onnx__Sign.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = -1, 0 or 1; no gradient
 */
#include "core/ops/common.h"

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((x[i] > 0.0f) - (x[i] < 0.0f));
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

const struct luc_op luc_op_sign = {
    .name = "Sign",
    .since = 9,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_IN_PLACE,
    .infer = luc_infer_same,
    .forward = forward,
};
