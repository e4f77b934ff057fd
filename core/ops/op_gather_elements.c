/* GatherElements -- https://onnx.ai/onnx/operators/onnx__GatherElements.html
 *
 *   in   x        any shape
 *   in   indices  x's rank, no larger than x but along `axis`; negative from the end. Outside, an
 *                 error when they are known before the run, else the nearest valid index
 *   out  y        indices' shape
 *   attr axis
 *
 *   y[i, j, k] = x[i, indices[i, j, k], k] (axis 1),  dx there += dy[i, j, k]
 */
#include "core/ops/scatter_common.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_along(x, &x->in[0]->shape, &x->in[1]->shape, err);
    if (st)
        return st;
    x->out[0].shape = x->in[1]->shape;
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

struct job {
    const struct luc_op_call *c;
    float *y;
};

static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    for (size_t i = begin; i < end; i++)
        j->y[i] = j->c->in[0]->data[luc_place_along(j->c, i)];
}

static void forward(const struct luc_op_call *c)
{
    struct job j = { c, c->out[0]->data };
    luc_ranges(c->threads, luc_numel(&c->out[0]->shape), LUC_BLOCK, forward_range, &j);
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0])
        return;
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++) /* in order: places may meet */
        c->din[0]->data[luc_place_along(c, i)] += c->dout[0]->data[i];
}

const struct luc_op luc_op_gather_elements = {
    .name = "GatherElements",
    .since = 11,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct luc_along_attrs),
    .attrs = luc_gather_elements_attrs,
    .infer = infer,
    .reads = luc_reads_in1,
    .forward = forward,
    .backward = backward,
};
