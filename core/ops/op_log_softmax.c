/* LogSoftmax -- https://onnx.ai/onnx/operators/onnx__LogSoftmax.html
 *
 *   in   x     any shape
 *   out  y     shape of x
 *   attr axis  since opset 13 the axis to normalise over (default -1); before, everything from
 *              this axis on is one axis (default 1)
 *
 *   y  = x - max x - log sum exp(x - max x)
 *   dx += dy - exp(y) * sum(dy)
 */
#include "core/ops/common.h"

static void forward(const struct luc_op_call *c)
{
    luc_call_softmax(c, true);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_softmax_backward(c, true);
}

const struct luc_op luc_op_log_softmax = {
    .name = "LogSoftmax",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct luc_softmax_attrs),
    .attrs = luc_softmax_attrs,
    .infer = luc_infer_softmax,
    .reads = luc_reads_out,
    .forward = forward,
    .backward = backward,
};
