/* ReduceL2 -- https://onnx.ai/onnx/operators/onnx__ReduceL2.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = sqrt(the sum of x^2);  dx += dy * x / y              (0 where y is)
 */
#include "core/ops/reduce_common.h"

#include <math.h>

static double add_square(double sum, double x)
{
    return sum + x * x;
}

static double root(double sum, double n)
{
    (void)n;
    return sqrt(sum);
}

static double slope(double x, double y, double n)
{
    (void)n;
    return y > 0.0 ? x / y : 0.0;
}

static const struct luc_reduction kind = { .fold = add_square, .finish = root, .slope = slope };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_l2 = {
    .name = "ReduceL2",
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
