/* Size -- https://onnx.ai/onnx/operators/onnx__Size.html
 *
 *   in   x  any shape
 *   out  y  scalar int64: how many elements x has
 */
#include "core/ops/common.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 1, err);
    if (st)
        return st;
    if ((double)luc_numel(&x->in[0]->shape) > LUC_EXACT_INT)
        return luc_fail(err, LUC_UNSUPPORTED, "sizes over 2^24");
    x->out[0].shape = (struct luc_shape){ 0 };
    x->out[0].dtype = LUC_I64;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    *c->out[0]->data = (float)luc_numel(&c->in[0]->shape);
}

const struct luc_op luc_op_size = {
    .name = "Size",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SHAPE_ONLY,
    .infer = infer,
    .forward = forward,
};
