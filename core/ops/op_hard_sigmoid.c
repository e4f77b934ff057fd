/* HardSigmoid -- https://onnx.ai/onnx/operators/onnx__HardSigmoid.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *   attr alpha, beta  slope and value at 0
 *
 *   y  = max(0, min(1, alpha * x + beta))
 *   dx += 0 < y < 1 ? alpha * dy : 0
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double alpha;
    double beta;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 0.2, -HUGE_VAL, HUGE_VAL, "", "Slope"),
    LUC_REAL(struct attrs, beta, 0.5, -HUGE_VAL, HUGE_VAL, "", "Value at 0"),
    LUC_PARAM_END,
};

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha, beta = (float)a->beta;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = fmaxf(0.0f, fminf(1.0f, alpha * x[i] + beta));
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha;
    (void)x;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = ((y[i] > 0.0f) & (y[i] < 1.0f)) ? alpha * dy[i] : 0.0f;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_hard_sigmoid = {
    .name = "HardSigmoid",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = luc_infer_same_float,
    .reads = luc_reads_out,
    .forward = forward,
    .backward = backward,
};
