/* ReduceLogSumExp -- https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = ln(the sum of e^x), never leaving the range of x;  dx += dy * e^(x - y)
 */
#include "core/ops/reduce_common.h"

#include <math.h>

static double add_in_logarithms(double a, double b)
{
    const double most = fmax(a, b);
    return isinf(most) ? most : most + log1p(exp(fmin(a, b) - most));
}

static double slope(double x, double y, double n)
{
    (void)n;
    return exp(x - y);
}

static const struct luc_reduction kind = { .start = -HUGE_VAL,
                                           .fold = add_in_logarithms,
                                           .slope = slope };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_log_sum_exp = {
    .name = "ReduceLogSumExp",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct luc_reduce_attrs),
    .attrs = luc_reduce_attrs,
    .infer = luc_infer_reduce,
    .forward = forward,
    .backward = backward,
};
