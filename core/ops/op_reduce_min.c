/* ReduceMin -- https://onnx.ai/onnx/operators/onnx__ReduceMin.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = the smallest;  dx += dy where x is it, shared among equals
 */
#include "core/ops/reduce_common.h"

#include <math.h>

static double smaller(double a, double b)
{
    return b < a || isnan(b) ? b : a;
}

static const struct luc_reduction kind = { .start = HUGE_VAL, .fold = smaller, .picks = true };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_min = {
    .name = "ReduceMin",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct luc_reduce_attrs),
    .attrs = luc_reduce_attrs,
    .infer = luc_infer_reduce_some,
    .scratch = luc_scratch_reduce,
    .forward = forward,
    .backward = backward,
};
