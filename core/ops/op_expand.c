/* Expand -- https://onnx.ai/onnx/operators/onnx__Expand.html
 *
 *   in   x      any shape
 *   in   shape  what to broadcast with; must be known before the run
 *   out  y      x broadcast with that shape
 *
 *   y = x,  dx += dy, summed over what was broadcast
 */
#include "core/ops/common.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints sizes = { 0 };
    struct luc_shape want = { 0 }, out = { 0 };
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_ints(x, 1, "shape", &sizes, err);
    if (!st)
        st = luc_infer_sizes(&sizes, "shape", &want, err);
    if (!st)
        st = luc_shape_broadcast(&x->in[0]->shape, &want, &out, err);
    if (st)
        return st;
    x->out[0].shape = out;
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    struct luc_walk w = luc_walk_of(&c->out[0]->shape);
    luc_walk_broadcast(&w, 0, &c->in[0]->shape);
    luc_walk_broadcast(&w, 1, &c->out[0]->shape);
    luc_walk_copy(w, c->threads, c->in[0]->data, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_fold_backward(c, 0, 1.0f);
}

const struct luc_op luc_op_expand = {
    .name = "Expand",
    .since = 8,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
