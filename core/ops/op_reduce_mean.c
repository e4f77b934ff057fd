/* ReduceMean -- https://onnx.ai/onnx/operators/onnx__ReduceMean.html
 *
 * Inputs, output and attributes as core/ops/reduce_common.h says.
 *
 *   y = the sum / n;  dx += dy / n
 */
#include "core/ops/reduce_common.h"

static double divide(double sum, double n)
{
    return sum / n;
}

static const struct luc_reduction kind = { .finish = divide };

static void forward(const struct luc_op_call *c)
{
    luc_call_reduce(c, &kind);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_reduce_backward(c, &kind);
}

const struct luc_op luc_op_reduce_mean = {
    .name = "ReduceMean",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct luc_reduce_attrs),
    .attrs = luc_reduce_attrs,
    .infer = luc_infer_reduce,
    .reads = luc_reads_reduce_linear,
    .forward = forward,
    .backward = backward,
};
