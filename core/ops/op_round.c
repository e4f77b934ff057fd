/* Round -- https://onnx.ai/onnx/operators/onnx__Round.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = the nearest integer, halves to even; no gradient
 */
#include "core/ops/common.h"

#include <math.h>

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = rintf(x[i]);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

const struct luc_op luc_op_round = {
    .name = "Round",
    .since = 11,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_IN_PLACE,
    .infer = luc_infer_same_float,
    .forward = forward,
};
