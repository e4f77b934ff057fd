/* Gelu -- https://onnx.ai/onnx/operators/onnx__Gelu.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *   attr approximate  "none", or "tanh"
 *
 *   y = x P(x),  P(x) = (1 + erf(x / sqrt 2)) / 2, or (1 + tanh(u)) / 2 with
 *                u = sqrt(2 / pi) (x + 0.044715 x^3)
 *   dx += dy (P(x) + x P'(x))
 *
 * Source: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016, arXiv:1606.08415.
 */
#include "core/ops/common.h"

#include <math.h>

#define ROOT_HALF   0.70710678f
#define ROOT_TWO_PI 0.79788456f /* sqrt(2 / pi) */
#define DENSITY     0.39894228f /* 1 / sqrt(2 pi) */
#define CUBIC       0.044715f

struct attrs {
    int64_t approximate;
};

static const char *const ways[] = { "none", "tanh", NULL };

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, approximate, 0, 2, ways, "How the normal distribution is computed"),
    LUC_PARAM_END,
};

static float bent(float x)
{
    return tanhf(ROOT_TWO_PI * (x + CUBIC * x * x * x));
}

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    const bool tanh_way = ((const struct attrs *)attrs)->approximate != 0;
    for (size_t i = 0; i < n; i++)
        y[i] = 0.5f * x[i] * (1 + (tanh_way ? bent(x[i]) : erff(x[i] * ROOT_HALF)));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const bool tanh_way = ((const struct attrs *)attrs)->approximate != 0;
    (void)y;
    for (size_t i = 0; i < n; i++) {
        const float v = x[i], t = tanh_way ? bent(v) : erff(v * ROOT_HALF);
        const float slope = tanh_way ? 0.5f * (1 - t * t) * ROOT_TWO_PI * (1 + 3 * CUBIC * v * v)
                                     : DENSITY * expf(-0.5f * v * v);
        dx[i] = dy[i] * (0.5f * (1 + t) + v * slope);
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

const struct luc_op luc_op_gelu = {
    .name = "Gelu",
    .since = 20,
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
