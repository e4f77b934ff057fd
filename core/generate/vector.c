#include "core/generate/vector.h"

#include "core/kernels/wide.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PARTS_MOST 64
#define PART_LEAST 8192 /* floats: less is not worth a turn */

struct parts {
    luc_part_body *body;
    void *ctx;
    size_t n, each;
    double sums[PARTS_MOST][2];
};

static void run_part(void *ctx, size_t item, size_t lane)
{
    struct parts *p = ctx;
    const size_t from = item * p->each, left = p->n - from;
    (void)lane;
    p->body(p->ctx, from, left < p->each ? left : p->each, p->sums[item]);
}

void luc_parts_run(const struct luc_threads *threads, size_t n, luc_part_body *body, void *ctx,
                   double sums[2])
{
    struct parts p = { .body = body, .ctx = ctx, .n = n, .each = PART_LEAST };
    if (n > PARTS_MOST * p.each)
        p.each = ((n + PARTS_MOST - 1) / PARTS_MOST + LUC_LANES - 1) / LUC_LANES * LUC_LANES;
    const size_t count = (n + p.each - 1) / p.each;
    luc_parallel_for(threads, count, run_part, &p);
    for (size_t k = 0; sums && k < 2; k++) {
        sums[k] = 0;
        for (size_t i = 0; i < count; i++)
            sums[k] += p.sums[i][k];
    }
}

/* ---- sums, eight lanes side by side so that they become vectors ---- */

#define LANES 8

static double add_up(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

LUC_CLONES
static double dot_part(const float *a, const float *b, size_t n)
{
    double lane[LANES] = { 0 }, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)a[i + k] * (double)b[i + k];
    for (; i < n; i++)
        rest += (double)a[i] * (double)b[i];
    return add_up(lane) + rest;
}

LUC_CLONES
static double abs_part(const float *v, size_t n)
{
    double lane[LANES] = { 0 }, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += fabs((double)v[i + k]);
    for (; i < n; i++)
        rest += fabs((double)v[i]);
    return add_up(lane) + rest;
}

struct two {
    const float *a, *b;
};

static void dot_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct two *t = ctx;
    sums[0] = dot_part(t->a + from, t->b + from, n);
}

double luc_vector_dot(const struct luc_threads *threads, const float *a, const float *b, size_t n)
{
    struct two t = { a, b };
    double sums[2];
    luc_parts_run(threads, n, dot_body, &t, sums);
    return sums[0];
}

static void norms_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const float *v = (const float *)ctx + from;
    sums[0] = abs_part(v, n);
    sums[1] = dot_part(v, v, n);
}

void luc_vector_norms(const struct luc_threads *threads, const float *v, size_t n, double *l1,
                      double *squares)
{
    double sums[2];
    luc_parts_run(threads, n, norms_body, (void *)(uintptr_t)v, sums);
    *l1 = sums[0];
    *squares = sums[1];
}

/* ---- updates ---- */

struct step {
    float times, a;
    const float *x, *z;
    float *y;
};

LUC_CLONES
static void step_part(float times, float *restrict y, float a, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = times * y[i] + a * x[i];
}

LUC_CLONES
static void scale_part(float times, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= times;
}

/* By blocks that stay in the first cache between the update and its sum. */
static void step_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct step *s = ctx;
    const size_t block = 2048, end = from + n;
    for (size_t at = from; at < end; at += block) {
        const size_t m = end - at < block ? end - at : block;
        if (s->x)
            step_part(s->times, s->y + at, s->a, s->x + at, m);
        else
            scale_part(s->times, s->y + at, m);
        if (s->z)
            sums[0] += dot_part(s->y + at, s->z + at, m);
    }
}

double luc_vector_step(const struct luc_threads *threads, float times, float *y, float a,
                       const float *x, const float *z, size_t n)
{
    struct step s = { times, a, x, z, y };
    double sums[2];
    luc_parts_run(threads, n, step_body, &s, sums);
    return sums[0];
}

struct move {
    const float *from;
    float *to;
};

static void move_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct move *m = ctx;
    (void)sums;
    if (m->from)
        memcpy(m->to + from, m->from + from, n * sizeof(float));
    else
        memset(m->to + from, 0, n * sizeof(float));
}

void luc_vector_copy(const struct luc_threads *threads, const float *from, float *to, size_t n)
{
    luc_parts_run(threads, n, move_body, &(struct move){ from, to }, NULL);
}

void luc_vector_zero(const struct luc_threads *threads, float *v, size_t n)
{
    luc_parts_run(threads, n, move_body, &(struct move){ NULL, v }, NULL);
}

struct difference {
    const float *a, *b;
    float *g, scale;
    bool sets;
};

LUC_CLONES
static double difference_part(const float *restrict a, const float *restrict b, float scale,
                              float *restrict g, size_t n)
{
    double lane[LANES] = { 0 }, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const float d = a[i + k] - b[i + k];
            lane[k] += (double)d * (double)d;
            g[i + k] += scale * d;
        }
    for (; i < n; i++) {
        const float d = a[i] - b[i];
        rest += (double)d * (double)d;
        g[i] += scale * d;
    }
    return add_up(lane) + rest;
}

static void difference_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct difference *d = ctx;
    if (d->sets) /* g may hold anything */
        memset(d->g + from, 0, n * sizeof(float));
    sums[0] = difference_part(d->a + from, d->b + from, d->scale, d->g + from, n);
}

double luc_vector_difference(const struct luc_threads *threads, const float *a, const float *b,
                             float scale, bool sets, float *g, size_t n)
{
    struct difference d = { a, b, g, scale, sets };
    double sums[2];
    luc_parts_run(threads, n, difference_body, &d, sums);
    return sums[0];
}
