/* Sigmoid -- https://onnx.ai/onnx/operators/onnx__Sigmoid.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = 1 / (1 + exp(-x))
 *   dx += dy * y * (1 - y)
 */
#include "core/ops/common.h"

#include <math.h>

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + expf(-x[i]));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    (void)attrs, (void)x;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_sigmoid = {
    .name = "Sigmoid",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_same_float,
    .reads = luc_reads_out,
    .forward = forward,
    .backward = backward,
};
