/* Elu -- https://onnx.ai/onnx/operators/onnx__Elu.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *   attr alpha  y goes to -alpha for very negative x
 *
 *   y  = x > 0 ? x : alpha * (e^x - 1)
 *   dx += x > 0 ? dy : dy * alpha * e^x
 *
 *   Source: Clevert, Unterthiner & Hochreiter, "Fast and Accurate Deep Network Learning by
 *   Exponential Linear Units", 2015, arXiv:1511.07289.
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double alpha;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 1, -HUGE_VAL, HUGE_VAL, "",
             "Limit for very negative inputs, negated"),
    LUC_PARAM_END,
};

static void apply(const void *attrs, const float *x, float *y, size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : alpha * expm1f(x[i]);
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const struct attrs *a = attrs;
    const float alpha = (float)a->alpha;
    (void)y;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = x[i] > 0.0f ? dy[i] : dy[i] * alpha * expf(x[i]);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, apply);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, gradient);
}

const struct luc_op luc_op_elu = {
    .name = "Elu",
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
