/* Swish -- https://onnx.ai/onnx/operators/onnx__Swish.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *   attr alpha
 *
 *   y = x s(alpha x),  s(v) = 1 / (1 + e^-v)
 *   dx += dy (s + alpha x s (1 - s))
 *
 * Source: Ramachandran, Zoph & Le, "Searching for Activation Functions", 2017, arXiv:1710.05941.
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double alpha;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 1, -HUGE_VAL, HUGE_VAL, "", "Slope of the sigmoid"),
    LUC_PARAM_END,
};

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    const float alpha = (float)((const struct attrs *)attrs)->alpha;
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + expf(-alpha * x[i]));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const float alpha = (float)((const struct attrs *)attrs)->alpha;
    (void)y;
    for (size_t i = 0; i < n; i++) {
        const float s = 1 / (1 + expf(-alpha * x[i]));
        dx[i] = dy[i] * (s + alpha * x[i] * s * (1 - s));
    }
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_swish = {
    .name = "Swish",
    .since = 24,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = luc_infer_same_float,
    .reads = luc_reads_in0,
    .forward = forward,
    .backward = backward,
};
