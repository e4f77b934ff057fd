/* Abs -- https://onnx.ai/onnx/operators/onnx__Abs.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = |x|
 *   dx += dy * sign(x)                   (0 at the kink)
 */
#include "core/ops/common.h"

#include <math.h>

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = fabsf(x[i]);
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    (void)attrs, (void)y;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = x[i] > 0.0f ? dy[i] : x[i] < 0.0f ? -dy[i] : 0.0f;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_abs = {
    .name = "Abs",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_same,
    .reads = luc_reads_in0,
    .forward = forward,
    .backward = backward,
};
