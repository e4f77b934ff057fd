/* ReduceSumSquare -- https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = the sum of x^2;  dx += dy * 2 x
 */
#include "core/ops/reduce_common.h"

static double add_square(double sum, double x)
{
    return sum + x * x;
}

static double slope(double x, double y, double n)
{
    (void)y, (void)n;
    return 2.0 * x;
}

static const struct luc_reduction kind = { .fold = add_square, .slope = slope };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_sum_square = {
    .name = "ReduceSumSquare",
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
