/* Identity -- https://onnx.ai/onnx/operators/onnx__Identity.html
 *
 *   in   x  any shape
 *   out  y  the same; shares x's storage
 *
 *   y = x,  dx += dy
 */
#include "core/ops/op.h"

#include <string.h>

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    (void)err;
    x->out[0] = *x->in[0];
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    memcpy(c->out[0]->data, c->in[0]->data, luc_numel(&c->out[0]->shape) * sizeof(float));
}

static void backward(const struct luc_op_call *c)
{
    const size_t n = luc_numel(&c->out[0]->shape);
    for (size_t i = 0; c->din[0] && i < n; i++)
        c->din[0]->data[i] += c->dout[0]->data[i];
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return 0;
}

const struct luc_op luc_op_identity = {
    .name = "Identity",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_VIEW,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
