#include "core/kernels/moments.h"
#include "core/kernels/wide.h"

#define PART 4096 /* floats: 16 KiB */

typedef double eight __attribute__((vector_size(64), may_alias));

/* Sums side by side: a single one would wait for itself. */
#define WAYS 4
#define STEP (8 * WAYS)

#define LOAD(p) __builtin_convertvector(*(const luc_loose_half *)(p), eight)

LUC_CLONES static double sum_of(const float *x, size_t n)
{
    eight sums[WAYS] = { 0 };
    double sum = 0;
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        LUC_UNROLL for (size_t k = 0; k < WAYS; k++) sums[k] += LOAD(x + i + 8 * k);
    for (; i < n; i++)
        sum += (double)x[i];
    for (size_t k = 0; k < STEP; k++)
        sum += sums[k / 8][k % 8];
    return sum;
}

LUC_CLONES static double squares_of(const float *x, size_t n, double mean)
{
    eight sums[WAYS] = { 0 };
    const eight from = (eight){ 0 } + mean;
    double sum = 0;
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        LUC_UNROLL for (size_t k = 0; k < WAYS; k++)
        {
            const eight d = LOAD(x + i + 8 * k) - from;
            sums[k] += d * d;
        }
    for (; i < n; i++)
        sum += ((double)x[i] - mean) * ((double)x[i] - mean);
    for (size_t k = 0; k < STEP; k++)
        sum += sums[k / 8][k % 8];
    return sum;
}

static void join(struct luc_moments *m, const struct luc_moments *part)
{
    const double all = m->n + part->n, away = part->mean - m->mean;
    m->m2 += part->m2 + away * away * m->n * part->n / all;
    m->mean += away * part->n / all;
    m->n = all;
}

void luc_moments_add(struct luc_moments *m, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += PART) {
        struct luc_moments part = { .n = (double)(n - i < PART ? n - i : PART) };
        part.mean = sum_of(x + i, (size_t)part.n) / part.n;
        part.m2 = squares_of(x + i, (size_t)part.n, part.mean);
        join(m, &part);
    }
}

struct luc_moments luc_moments_ref(const float *x, size_t n)
{
    struct luc_moments m = { .n = (double)n };
    for (size_t i = 0; i < n; i++)
        m.mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        m.m2 += ((double)x[i] - m.mean) * ((double)x[i] - m.mean);
    return m;
}

LUC_CLONES void luc_normalise_row(const float *x, size_t n, float p, float mean, float b, bool relu,
                                  float *y)
{
    const luc_wide zero = { 0 };
    size_t i = 0;
    for (; i + LUC_LANES <= n; i += LUC_LANES) {
        luc_wide v = p * (LUC_LOAD(x + i) - mean) + b;
        if (relu)
            v = (luc_wide)((luc_bits)v & ~(luc_bits)(v < zero));
        LUC_STORE(y + i, v);
    }
    for (; i < n; i++) {
        const float v = p * (x[i] - mean) + b;
        y[i] = relu && v < 0.0f ? 0.0f : v;
    }
}
