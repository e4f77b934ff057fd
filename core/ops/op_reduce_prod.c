/* ReduceProd -- https://onnx.ai/onnx/operators/onnx__ReduceProd.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = the product;  no gradient
 */
#include "core/ops/reduce_common.h"

static double multiply(double product, double x)
{
    return product * x;
}

static const struct luc_reduction kind = { .start = 1, .fold = multiply };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

const struct luc_op luc_op_reduce_prod = {
    .name = "ReduceProd",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 2,
    .attrs_size = sizeof(struct luc_reduce_attrs),
    .attrs = luc_reduce_attrs,
    .infer = luc_infer_reduce,
    .forward = forward,
};
