/* HardSwish -- https://onnx.ai/onnx/operators/onnx__HardSwish.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = x * max(0, min(1, x / 6 + 1/2))
 *   dx += dy * (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 1/2)
 *
 *   Source: Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244, section 5.2.
 */
#include "core/ops/common.h"

#include <math.h>

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * fmaxf(0.0f, fminf(1.0f, x[i] / 6.0f + 0.5f));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    (void)attrs, (void)y;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (x[i] <= -3.0f ? 0.0f : x[i] >= 3.0f ? 1.0f : x[i] / 3.0f + 0.5f);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_hard_swish = {
    .name = "HardSwish",
    .since = 14,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_same_float,
    .reads = luc_reads_in0,
    .forward = forward,
    .backward = backward,
};
