/* InstanceNormalization -- https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
 *
 *   in   x         [N, C, ...]
 *        scale, b  [C]
 *   out  y         shape of x
 *
 *   y  = scale h + b,  h = (x - mean) r,  r = 1 / sqrt(var + epsilon)
 *   dx += scale r (dy - mean(dy) - h mean(dy h)),  dscale += sum dy h,  db += sum dy
 *
 * with mean and var over the pixels of one channel of one image, summed in double.
 *
 * Source: Ulyanov, Vedaldi & Lempitsky, "Instance Normalization: The Missing Ingredient for Fast
 * Stylization", 2016, arXiv:1607.08022.
 */
#include "core/kernels/moments.h"
#include "core/ops/op.h"

#include <math.h>

enum { X, SCALE, B };

struct attrs {
    double epsilon;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, epsilon, 1e-5, 0, HUGE_VAL, "", "Added to the variance"),
    LUC_PARAM_END,
};

/* Of one plane; kept from forward to backward. */
struct stats {
    double mean, r;
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[X]->shape;
    if (in->rank < 3 || luc_numel(in) == 0)
        return luc_fail(err, LUC_SHAPE, "x must be [N, C, ...], not empty, got rank %zu", in->rank);
    for (size_t i = SCALE; i <= B; i++) {
        const struct luc_shape *s = &x->in[i]->shape;
        if (s->rank != 1 || s->dim[0] != in->dim[1])
            return luc_fail(err, LUC_SHAPE, "%s must be [%zu]", i == SCALE ? "scale" : "b",
                            in->dim[1]);
    }
    x->out[0].shape = *in;
    return LUC_OK;
}

static size_t saved(const struct luc_infer *x)
{
    return luc_dims(&x->in[X]->shape, 0, 2) * sizeof(struct stats);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return (wanted & 1u ? LUC_READS_IN(X) | LUC_READS_IN(SCALE) : 0) |
           (wanted & 2u ? LUC_READS_IN(X) : 0);
}

static size_t plane(const struct luc_op_call *c)
{
    return luc_dims(&c->in[X]->shape, 2, c->in[X]->shape.rank);
}

static struct stats measure(const float *x, size_t n, double epsilon)
{
    struct luc_moments m = { 0 };
    luc_moments_add(&m, x, n);
    return (struct stats){ m.mean, 1.0 / sqrt(m.m2 / m.n + epsilon) };
}

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c), channel = i % c->in[X]->shape.dim[1];
    const float *x = c->in[X]->data + i * n;
    const struct stats s = measure(x, n, ((const struct attrs *)c->attrs)->epsilon);
    const float p = (float)((double)c->in[SCALE]->data[channel] * s.r), mean = (float)s.mean;
    const float b = c->in[B]->data[channel];
    (void)lane;
    if (c->saved)
        ((struct stats *)c->saved)[i] = s;
    luc_normalise_row(x, n, p, mean, b, c->relu, c->out[0]->data + i * n);
}

static void forward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    luc_parallel_for(c->threads, luc_dims(&c->in[X]->shape, 0, 2), y_plane, &call);
}

/* Sums of dy and dy h over one plane. */
static void sums(const struct luc_op_call *c, size_t i, double *dy_sum, double *dy_h)
{
    const struct stats s = ((const struct stats *)c->saved)[i];
    const size_t n = plane(c);
    const float *x = c->in[X]->data + i * n, *dy = c->dout[0]->data + i * n;
    double sum[4] = { 0 }, with_h[4] = { 0 };
    for (size_t k = 0; k < n; k++) {
        sum[k % 4] += (double)dy[k];
        with_h[k % 4] += (double)dy[k] * ((double)x[k] - s.mean);
    }
    *dy_sum = sum[0] + sum[1] + sum[2] + sum[3];
    *dy_h = (with_h[0] + with_h[1] + with_h[2] + with_h[3]) * s.r;
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const struct stats s = ((const struct stats *)c->saved)[i];
    const size_t n = plane(c);
    const float *x = c->in[X]->data + i * n, *dy = c->dout[0]->data + i * n;
    const bool fresh = c->din_fresh && c->din_fresh[X];
    double dy_sum, dy_h;
    float *dx = c->din[X]->data + i * n;
    (void)lane;

    sums(c, i, &dy_sum, &dy_h);
    const double scale = (double)c->in[SCALE]->data[i % c->in[X]->shape.dim[1]];
    const float p = (float)(scale * s.r), mean = (float)s.mean;
    const float shared = (float)(dy_sum / (double)n), slope = (float)(dy_h / (double)n * s.r);
    for (size_t k = 0; k < n; k++)
        dx[k] = (fresh ? 0.0f : dx[k]) + p * (dy[k] - shared - slope * (x[k] - mean));
}

/* scale and b of one channel: sums over images. Without x, only b. */
static void dparam_channel(void *ctx, size_t channel, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c), channels = c->in[X]->shape.dim[1];
    double db = 0.0, dscale = 0.0;
    (void)lane;
    for (size_t image = 0; image < c->in[X]->shape.dim[0]; image++) {
        const size_t i = image * channels + channel;
        double dy_sum = 0.0, dy_h = 0.0;
        if (c->din[SCALE])
            sums(c, i, &dy_sum, &dy_h);
        else
            for (size_t k = 0; k < n; k++)
                dy_sum += (double)c->dout[0]->data[i * n + k];
        db += dy_sum, dscale += dy_h;
    }
    for (size_t i = SCALE; i <= B; i++)
        if (c->din[i]) {
            float *d = &c->din[i]->data[channel];
            *d = (float)((c->din_fresh && c->din_fresh[i] ? 0.0 : (double)*d) +
                         (i == SCALE ? dscale : db));
        }
}

static void backward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    if (c->din[X])
        luc_parallel_for(c->threads, luc_dims(&c->in[X]->shape, 0, 2), dx_plane, &call);
    if (c->din[SCALE] || c->din[B])
        luc_parallel_for(c->threads, c->in[X]->shape.dim[1], dparam_channel, &call);
}

const struct luc_op luc_op_instance_normalization = {
    .name = "InstanceNormalization",
    .since = 6,
    .n_in_min = 3,
    .n_in_max = 3,
    .flags = LUC_OP_SETS_DIN | LUC_OP_FUSES_RELU,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .saved = saved,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
