/* ReduceLogSum -- https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = ln(the sum);  dx += dy / the sum
 */
#include "core/ops/reduce_common.h"

#include <math.h>

static double logarithm(double sum, double n)
{
    (void)n;
    return log(sum);
}

static double slope(double x, double y, double n)
{
    (void)x, (void)n;
    return exp(-y);
}

static const struct luc_reduction kind = { .finish = logarithm, .slope = slope };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_log_sum = {
    .name = "ReduceLogSum",
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
