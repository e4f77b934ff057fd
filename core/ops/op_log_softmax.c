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
    struct luc_softmax s = luc_softmax_over(c->attrs, c->opset, &c->in[0]->shape);
    s.log = true;
    luc_softmax_forward(c->threads, &s, c->in[0]->data, c->out[0]->data);
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0])
        return;
    struct luc_softmax s = luc_softmax_over(c->attrs, c->opset, &c->in[0]->shape);
    s.log = true;
    s.fresh = luc_call_fresh(c, 0);
    luc_softmax_backward(c->threads, &s, c->out[0]->data, c->dout[0]->data, c->din[0]->data);
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
