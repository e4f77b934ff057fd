/* GlobalAveragePool -- https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html
 *
 *   in   x  [N, C, ...] with at least one more axis
 *   out  y  [N, C, 1, ...]
 *
 *   y = the mean over all axes but the first two,  dx += dy / their size
 *
 * Source: Lin, Chen & Yan, "Network in Network", 2013, arXiv:1312.4400. Summed in double.
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
    (void)attrs, (void)wanted;
    return 0;
}

static size_t plane(const struct luc_op_call *c)
{
    return luc_dims(&c->in[0]->shape, 2, c->in[0]->shape.rank);
}

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c);
    const float *x = c->in[0]->data + i * n;
    double sum = 0.0;
    (void)lane;
    for (size_t p = 0; p < n; p++)
        sum += (double)x[p];
    c->out[0]->data[i] = (float)(sum / (double)n);
}

static void forward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    luc_parallel_for(c->threads, luc_numel(&c->out[0]->shape), y_plane, &call);
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c);
    const float share = (float)((double)c->dout[0]->data[i] / (double)n);
    const bool fresh = c->din_fresh && c->din_fresh[0];
    float *dx = c->din[0]->data + i * n;
    (void)lane;
    for (size_t p = 0; p < n; p++)
        dx[p] = (fresh ? 0.0f : dx[p]) + share;
}

static void backward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    if (c->din[0])
        luc_parallel_for(c->threads, luc_numel(&c->out[0]->shape), dx_plane, &call);
}

const struct luc_op luc_op_global_average_pool = {
    .name = "GlobalAveragePool",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
