/* ReduceL1 -- https://onnx.ai/onnx/operators/onnx__ReduceL1.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = the sum of |x|;  dx += dy * sign(x)
 */
#include "core/ops/reduce_common.h"

#include <math.h>

static double add_magnitude(double sum, double x)
{
    return sum + fabs(x);
}

static double slope(double x, double y, double n)
{
    (void)y, (void)n;
    return (x > 0.0) - (x < 0.0);
}

static const struct luc_reduction kind = { .fold = add_magnitude, .slope = slope };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_l1 = {
    .name = "ReduceL1",
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
