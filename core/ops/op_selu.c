/* Selu -- https://onnx.ai/onnx/operators/onnx__Selu.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *   attr alpha, gamma  see the formula
 *
 *   y  = gamma * (x > 0 ? x : alpha * (e^x - 1))
 *   dx += dy * gamma * (x > 0 ? 1 : alpha * e^x)
 *
 *   Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017, arXiv:1706.02515.
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double alpha;
    double gamma;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 1.67326319217681884765625, -HUGE_VAL, HUGE_VAL, "",
             "Limit for very negative inputs, negated"),
    LUC_REAL(struct attrs, gamma, 1.05070102214813232421875, -HUGE_VAL, HUGE_VAL, "",
             "Factor on everything"),
    LUC_PARAM_END,
};

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha, gamma = (float)a->gamma;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = gamma * (x[i] > 0.0f ? x[i] : alpha * expm1f(x[i]));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha, gamma = (float)a->gamma;
    (void)y;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * gamma * (x[i] > 0.0f ? 1.0f : alpha * expf(x[i]));
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_selu = {
    .name = "Selu",
    .since = 6,
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
