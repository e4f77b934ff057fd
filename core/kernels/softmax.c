#include "core/kernels/softmax.h"

#include <math.h>

#define WIDTH 64 /* columns of `inner` worked on together */

struct job {
    const struct luc_softmax *s;
    const float *x, *y, *dy;
    float *to;
    size_t strips; /* of WIDTH columns, per outer index */
};

/* Offset of the first element of an item's columns; *n of them. */
static size_t strip_at(const struct job *j, size_t item, size_t *n)
{
    const size_t column = item % j->strips * WIDTH;
    *n = j->s->inner - column < WIDTH ? j->s->inner - column : WIDTH;
    return item / j->strips * j->s->axis * j->s->inner + column;
}

static void forward_strip(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t rows = j->s->axis, step = j->s->inner;
    size_t n;
    const size_t at = strip_at(j, item, &n);
    const float *x = j->x + at;
    float *y = j->to + at, max[WIDTH];
    double sum[WIDTH] = { 0 };

    (void)lane;
    for (size_t k = 0; k < n; k++)
        max[k] = -INFINITY;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++)
            max[k] = x[r * step + k] > max[k] ? x[r * step + k] : max[k];
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) {
            const float shifted = x[r * step + k] - max[k], e = expf(shifted);
            sum[k] += (double)e;
            y[r * step + k] = j->s->log ? shifted : e;
        }
    for (size_t k = 0; k < n; k++)
        sum[k] = j->s->log ? log(sum[k]) : 1.0 / sum[k];
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) {
            const double v = (double)y[r * step + k];
            y[r * step + k] = (float)(j->s->log ? v - sum[k] : v * sum[k]);
        }
}

/* dx = y * (dy - sum(dy * y)); for the logarithm dx = dy - exp(y) * sum(dy) */
static void backward_strip(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t rows = j->s->axis, step = j->s->inner;
    size_t n;
    const size_t at = strip_at(j, item, &n);
    const float *y = j->y + at, *dy = j->dy + at;
    float *dx = j->to + at;
    double sum[WIDTH] = { 0 };

    (void)lane;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) {
            const size_t i = r * step + k;
            sum[k] += j->s->log ? (double)dy[i] : (double)dy[i] * (double)y[i];
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) {
            const size_t i = r * step + k;
            const double d = j->s->log ? (double)dy[i] - exp((double)y[i]) * sum[k]
                                       : (double)y[i] * ((double)dy[i] - sum[k]);
            dx[i] = (j->s->fresh ? 0.0f : dx[i]) + (float)d;
        }
}

static void run(const struct luc_threads *threads, struct job *j, luc_parallel_body *body)
{
    if (j->s->axis == 0)
        return;
    j->strips = j->s->inner / WIDTH + (j->s->inner % WIDTH != 0);
    luc_parallel_for(threads, j->s->outer * j->strips, body, j);
}

void luc_softmax_forward(const struct luc_threads *threads, const struct luc_softmax *s,
                         const float *x, float *y)
{
    struct job j = { .s = s, .x = x, .to = y };
    run(threads, &j, forward_strip);
}

void luc_softmax_backward(const struct luc_threads *threads, const struct luc_softmax *s,
                          const float *y, const float *dy, float *dx)
{
    struct job j = { .s = s, .y = y, .dy = dy, .to = dx };
    run(threads, &j, backward_strip);
}
