/* LRN -- https://onnx.ai/onnx/operators/onnx__LRN.html
 *
 *   in   x  [N, C, ...]
 *   out  y  shape of x
 *
 *   y[c] = x[c] d[c]^-beta,  d[c] = bias + alpha / size * sum of x[j]^2 over `size` channels
 *   dx[j] += dy[j] d[j]^-beta - 2 alpha beta / size * x[j] sum_{c near j} dy[c] x[c] d[c]^(-beta-1)
 *
 * The channels around c are c - floor((size - 1) / 2) .. c + ceil((size - 1) / 2).
 *
 * Source: Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
 * Networks", 2012, section 3.3.
 */
#include "core/kernels/clones.h"
#include "core/ops/op.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#define BLOCK 512 /* pixels at a time: the rows that a sum looks at stay in the first cache */

struct attrs {
    double alpha, beta, bias;
    int64_t size;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 1e-4, -HUGE_VAL, HUGE_VAL, "", "Factor of the mean square"),
    LUC_REAL(struct attrs, beta, 0.75, -HUGE_VAL, HUGE_VAL, "", "Exponent"),
    LUC_REAL(struct attrs, bias, 1, -HUGE_VAL, HUGE_VAL, "", "Added to the mean square"),
    LUC_INT(struct attrs, size, 0, 0, INT_MAX, "", "Channels that are summed; required"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape;
    if (((const struct attrs *)x->attrs)->size < 1)
        return luc_fail_param(err, LUC_INVALID, "size", "size is required and at least 1");
    if (in->rank < 3 || luc_numel(in) == 0)
        return luc_fail(err, LUC_SHAPE, "want [N, C, ...], not empty, got rank %zu", in->rank);
    x->out[0].shape = *in;
    return LUC_OK;
}

/* Backward keeps dy x d^(-beta-1) of every channel of a block. */
static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    return backward ? lanes * x->in[0]->shape.dim[1] * BLOCK * sizeof(float) : 0;
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return wanted & 1u ? LUC_READS_IN(0) : 0;
}

/* One block of pixels of one image. */
struct block {
    const struct attrs *a;
    size_t channels, plane; /* channel c of the block is `at + c * plane` */
    size_t at, n;
};

static size_t n_blocks(const struct luc_op_call *c)
{
    const struct luc_shape *s = &c->in[0]->shape;
    return s->dim[0] * ((luc_dims(s, 2, s->rank) + BLOCK - 1) / BLOCK);
}

static struct block block(const struct luc_op_call *c, size_t item)
{
    const struct luc_shape *s = &c->in[0]->shape;
    const size_t plane = luc_dims(s, 2, s->rank), per = (plane + BLOCK - 1) / BLOCK;
    const size_t first = item % per * BLOCK;
    return (struct block){ .a = c->attrs,
                           .channels = s->dim[1],
                           .plane = plane,
                           .at = item / per * s->dim[1] * plane + first,
                           .n = plane - first < BLOCK ? plane - first : BLOCK };
}

/* Channels [*from, *to) around c; `back` swaps the two sides: those that c is near to. */
static void near(const struct block *b, size_t c, bool back, size_t *from, size_t *to)
{
    const size_t less = ((size_t)b->a->size - 1) / 2, more = (size_t)b->a->size - 1 - less;
    const size_t below = back ? more : less, above = back ? less : more;
    *from = c > below ? c - below : 0;
    *to = b->channels - c > above ? c + above + 1 : b->channels;
}

LUC_CLONES static void add_squares(const float *x, size_t n, float *d)
{
    for (size_t i = 0; i < n; i++)
        d[i] += x[i] * x[i];
}

LUC_CLONES static void scale(float bias, float factor, size_t n, float *d)
{
    for (size_t i = 0; i < n; i++)
        d[i] = bias + factor * d[i];
}

/* d[c] of the block's pixels. */
static void denominators(const struct block *b, const float *x, size_t c, float *d)
{
    const float factor = (float)(b->a->alpha / (double)b->a->size), bias = (float)b->a->bias;
    size_t from, to;
    near(b, c, false, &from, &to);
    memset(d, 0, b->n * sizeof(*d));
    for (size_t j = from; j < to; j++)
        add_squares(x + b->at + j * b->plane, b->n, d);
    scale(bias, factor, b->n, d);
}

/* d^-beta */
LUC_CLONES static void to_power(const struct attrs *a, size_t n, float *d)
{
    const float beta = (float)a->beta;
    if (beta == 0.75f)
        for (size_t i = 0; i < n; i++) {
            const float root = sqrtf(d[i]);
            d[i] = 1.0f / (root * sqrtf(root));
        }
    else if (beta == 0.5f)
        for (size_t i = 0; i < n; i++)
            d[i] = 1.0f / sqrtf(d[i]);
    else
        for (size_t i = 0; i < n; i++)
            d[i] = powf(d[i], -beta);
}

LUC_CLONES static void multiply(const float *x, const float *d, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * d[i];
}

static void y_block(void *ctx, size_t item, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const struct block b = block(c, item);
    (void)lane;
    for (size_t k = 0; k < b.channels; k++) {
        const float *x = c->in[0]->data + b.at + k * b.plane;
        float *y = c->out[0]->data + b.at + k * b.plane;
        float d[BLOCK];
        denominators(&b, c->in[0]->data, k, d);
        to_power(b.a, b.n, d);
        multiply(x, d, b.n, y);
    }
}

static void forward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    luc_parallel_for(c->threads, n_blocks(c), y_block, &call);
}

/* Adds the direct part to dx; t = dy x d^(-beta-1). */
LUC_CLONES static void direct_part(const float *x, const float *dy, const float *d,
                                   const float *power, size_t n, float *dx, float *t)
{
    for (size_t i = 0; i < n; i++) {
        dx[i] += dy[i] * power[i];
        t[i] = dy[i] * x[i] * power[i] / d[i];
    }
}

LUC_CLONES static void add_row(const float *t, size_t n, float *sum)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += t[i];
}

LUC_CLONES static void subtract(const float *x, const float *sum, float factor, size_t n, float *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] -= factor * x[i] * sum[i];
}

static void dx_direct(const struct luc_op_call *c, const struct block *b, size_t k, float *t)
{
    const size_t at = b->at + k * b->plane;
    float d[BLOCK], power[BLOCK];
    denominators(b, c->in[0]->data, k, d);
    memcpy(power, d, b->n * sizeof(*d));
    to_power(b->a, b->n, power);
    direct_part(c->in[0]->data + at, c->dout[0]->data + at, d, power, b->n, c->din[0]->data + at,
                t);
}

static void dx_block(void *ctx, size_t item, size_t lane)
{
    const struct luc_op_call *c = ctx;
    const struct block b = block(c, item);
    const float factor = (float)(2.0 * b.a->alpha * b.a->beta / (double)b.a->size);
    float *t = (float *)c->scratch + lane * b.channels * BLOCK;

    for (size_t k = 0; k < b.channels; k++)
        dx_direct(c, &b, k, t + k * BLOCK);
    for (size_t k = 0; k < b.channels; k++) {
        const size_t at = b.at + k * b.plane;
        float sum[BLOCK] = { 0 };
        size_t from, to;
        near(&b, k, true, &from, &to);
        for (size_t j = from; j < to; j++)
            add_row(t + j * BLOCK, b.n, sum);
        subtract(c->in[0]->data + at, sum, factor, b.n, c->din[0]->data + at);
    }
}

static void backward(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    if (c->din[0])
        luc_parallel_for(c->threads, n_blocks(c), dx_block, &call);
}

const struct luc_op luc_op_lrn = {
    .name = "LRN",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
