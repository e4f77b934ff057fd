/* GlobalMaxPool -- https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html
 *
 *   in   x  [N, C, ...] with at least one more axis
 *   out  y  [N, C, 1, ...]
 *
 *   y = the largest value over all axes but the first two
 *   dx[where y came from] += dy       (the first of equal values)
 */
#include "core/ops/op.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape;
    if (in->rank < 3 || luc_numel(in) == 0)
        return luc_fail(err, LUC_SHAPE, "want [N, C, ...], not empty, got rank %zu", in->rank);
    x->out[0].shape = *in;
    for (size_t i = 2; i < in->rank; i++)
        x->out[0].shape.dim[i] = 1;
    return LUC_OK;
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return wanted & 1u ? LUC_READS_IN(0) : 0;
}

static size_t largest(const struct luc_op_call *c, size_t i)
{
    const size_t n = luc_dims(&c->in[0]->shape, 2, c->in[0]->shape.rank);
    const float *x = c->in[0]->data + i * n;
    size_t best = 0;
    for (size_t p = 1; p < n; p++)
        best = x[p] > x[best] ? p : best;
    return i * n + best;
}

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    (void)lane;
    c->out[0]->data[i] = c->in[0]->data[largest(c, i)];
}

static void forward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    luc_parallel_for(c->threads, luc_numel(&c->out[0]->shape), y_plane, &call);
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    (void)lane;
    c->din[0]->data[largest(c, i)] += c->dout[0]->data[i];
}

static void backward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    if (c->din[0])
        luc_parallel_for(c->threads, luc_numel(&c->out[0]->shape), dx_plane, &call);
}

const struct luc_op luc_op_global_max_pool = {
    .name = "GlobalMaxPool",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
