/* BatchNormalization -- https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 *
 *   in   x                    [N, C, ...]
 *        scale, b, mean, var  [C]
 *   out  y                    shape of x
 *
 *   y  = scale (x - mean) / sqrt(var + epsilon) + b = p x + q per channel
 *   dx += p dy,  db += sum dy,  dscale += sum dy (x - mean) / sqrt(var + epsilon)
 *   dmean += -p sum dy,  dvar += -scale sum dy (x - mean) / (2 (var + epsilon)^(3/2))
 *
 * Source: Ioffe & Szegedy, "Batch Normalization", 2015, arXiv:1502.03167: as used after training.
 * Constant scale, b, mean and var are made into p and q once.
 */
#include "core/ops/op.h"

#include <math.h>

enum { X, SCALE, B, MEAN, VAR };

struct attrs {
    double epsilon, momentum;
    int64_t spatial, training_mode;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, epsilon, 1e-5, 0, HUGE_VAL, "", "Added to the variance"),
    LUC_REAL(struct attrs, momentum, 0.9, -HUGE_VAL, HUGE_VAL, "", "Only used in training"),
    LUC_INT(struct attrs, spatial, 1, 0, 1, "", "One mean per channel; only 1 (opset 7 and 8)"),
    LUC_INT(struct attrs, training_mode, 0, 0, 1, "", "Statistics of the batch; only 0"),
    LUC_PARAM_END,
};

/* y = p x + q, [C] each, behind one another. */
struct prepared {
    const float *p, *q;
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    const struct luc_shape *in = &x->in[X]->shape;
    if (a->training_mode)
        return luc_fail_param(err, LUC_UNSUPPORTED, "training_mode",
                              "training_mode 1 is not supported: export the network for inference");
    if (!a->spatial)
        return luc_fail_param(err, LUC_UNSUPPORTED, "spatial", "spatial 0 is not supported");
    if (in->rank < 2)
        return luc_fail(err, LUC_SHAPE, "x must be [N, C, ...], got rank %zu", in->rank);
    for (size_t i = SCALE; i <= VAR; i++) {
        static const char *const names[] = { "x", "scale", "b", "mean", "var" };
        const struct luc_shape *s = &x->in[i]->shape;
        if (s->rank != 1 || s->dim[0] != in->dim[1])
            return luc_fail(err, LUC_SHAPE, "%s must be [%zu]", names[i], in->dim[1]);
    }
    x->out[0].shape = *in;
    return LUC_OK;
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    uint32_t need = 0;
    (void)attrs;
    if (wanted & (1u << X | 1u << MEAN))
        need |= LUC_READS_IN(SCALE) | LUC_READS_IN(VAR);
    if (wanted & (1u << SCALE | 1u << VAR))
        need |= LUC_READS_IN(X) | LUC_READS_IN(MEAN) | LUC_READS_IN(VAR);
    if (wanted & 1u << VAR)
        need |= LUC_READS_IN(SCALE);
    return need;
}

static double inverse(const struct luc_op_call *c, size_t channel)
{
    const struct attrs *a = c->attrs;
    return 1.0 / sqrt((double)c->in[VAR]->data[channel] + a->epsilon);
}

static float slope(const struct luc_op_call *c, size_t channel)
{
    const struct prepared *packed = c->prepared;
    return packed ? packed->p[channel]
                  : (float)((double)c->in[SCALE]->data[channel] * inverse(c, channel));
}

static float shift(const struct luc_op_call *c, size_t channel)
{
    const struct prepared *packed = c->prepared;
    return packed ? packed->q[channel]
                  : (float)((double)c->in[B]->data[channel] -
                            (double)c->in[MEAN]->data[channel] *
                                (double)c->in[SCALE]->data[channel] * inverse(c, channel));
}

static enum luc_status prepare(const struct luc_op_call *c, struct luc_arena *arena,
                               const void **prepared, struct luc_error *err)
{
    for (size_t i = SCALE; i <= VAR; i++)
        if (!c->in[i]->data)
            return LUC_OK;
    const size_t n = luc_numel(&c->in[SCALE]->shape);
    struct prepared *packed = luc_arena_alloc(arena, 1, sizeof(*packed));
    float *p = luc_arena_raw(arena, n, sizeof(float)), *q = luc_arena_raw(arena, n, sizeof(float));
    if (!packed || !p || !q)
        return luc_fail_nomem(err, "batch normalisation", 2 * n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        p[i] = slope(c, i), q[i] = shift(c, i);
    packed->p = p, packed->q = q;
    *prepared = packed;
    return LUC_OK;
}

static size_t plane(const struct luc_op_call *c)
{
    return luc_dims(&c->in[X]->shape, 2, c->in[X]->shape.rank);
}

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c), channel = i % c->in[X]->shape.dim[1];
    const float *x = c->in[X]->data + i * n;
    const float p = slope(c, channel), q = shift(c, channel);
    float *y = c->out[0]->data + i * n;
    const bool relu = c->relu;
    (void)lane;
    for (size_t k = 0; k < n; k++) {
        const float v = p * x[k] + q;
        y[k] = relu && v < 0.0f ? 0.0f : v;
    }
}

static void forward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    luc_parallel_for(c->threads, luc_dims(&c->in[X]->shape, 0, 2), y_plane, &call);
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c);
    const float *dy = c->dout[0]->data + i * n;
    const float p = slope(c, i % c->in[X]->shape.dim[1]);
    const bool fresh = c->din_fresh && c->din_fresh[X];
    float *dx = c->din[X]->data + i * n;
    (void)lane;
    for (size_t k = 0; k < n; k++)
        dx[k] = (fresh ? 0.0f : dx[k]) + p * dy[k];
}

static void put(const struct luc_op_call *c, size_t input, size_t channel, double v)
{
    if (!c->din[input])
        return;
    float *d = &c->din[input]->data[channel];
    *d = (float)((c->din_fresh && c->din_fresh[input] ? 0.0 : (double)*d) + v);
}

/* The four gradients of one channel: sums over images and pixels. */
static void dparam_channel(void *ctx, size_t channel, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const size_t n = plane(c), channels = c->in[X]->shape.dim[1];
    const bool need_x = c->din[SCALE] || c->din[VAR];
    const double mean = need_x ? (double)c->in[MEAN]->data[channel] : 0.0;
    double sum = 0.0, sum_x = 0.0;
    (void)lane;
    for (size_t image = 0; image < c->in[X]->shape.dim[0]; image++)
        for (size_t k = 0; k < n; k++) {
            const size_t at = (image * channels + channel) * n + k;
            const double dy = (double)c->dout[0]->data[at];
            sum += dy;
            sum_x += need_x ? dy * ((double)c->in[X]->data[at] - mean) : 0.0;
        }
    put(c, B, channel, sum);
    if (c->din[SCALE])
        put(c, SCALE, channel, sum_x * inverse(c, channel));
    if (c->din[MEAN])
        put(c, MEAN, channel, -(double)slope(c, channel) * sum);
    if (c->din[VAR])
        put(c, VAR, channel,
            -0.5 * (double)c->in[SCALE]->data[channel] * pow(inverse(c, channel), 3.0) * sum_x);
}

static void backward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    if (c->din[X])
        luc_parallel_for(c->threads, luc_dims(&c->in[X]->shape, 0, 2), dx_plane, &call);
    if (c->din[SCALE] || c->din[B] || c->din[MEAN] || c->din[VAR])
        luc_parallel_for(c->threads, c->in[X]->shape.dim[1], dparam_channel, &call);
}

const struct luc_op luc_op_batch_normalization = {
    .name = "BatchNormalization",
    .since = 7,
    .n_in_min = 5,
    .n_in_max = 5,
    .flags = LUC_OP_SETS_DIN | LUC_OP_FUSES_RELU | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
