/* bench_peak THREADS: what this machine can do at most, as a JSON object: GFLOP/s of fused
 * multiply-adds in float32 from registers, GB/s of reading memory far larger than the caches. */
#include "core/base/parallel.h"
#include "core/kernels/clones.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHAINS 12 /* independent sums: more than a unit's latency times their number */
#define ROUNDS 2000000
#define FLOATS ((size_t)64 << 20)
#define TURNS  5

typedef float wide __attribute__((vector_size(64), may_alias));

struct job {
    size_t n_items;
    float *memory, *sums;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

LUC_CLONES static float multiply_add(float seed)
{
    wide sum[CHAINS], a = { seed }, b = { seed }, total = { 0 };
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; i++)
        sum[i] = a + (float)i; /* equal chains would be computed once */
    for (int round = 0; round < ROUNDS; round++) {
        __asm__ volatile(""); /* a round is not thought away */
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * a + b;
    }
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; i++)
        total += sum[i];
    return total[0];
}

LUC_CLONES static float read_all(const float *p, size_t n)
{
    wide sum[4] = { { 0 } };
    for (size_t i = 0; i + 64 <= n; i += 64)
        for (size_t k = 0; k < 4; k++)
            sum[k] += *(const wide *)(const void *)(p + i + 16 * k);
    return sum[0][0] + sum[1][0] + sum[2][0] + sum[3][0];
}

static void fma_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    (void)lane;
    j->sums[item] = multiply_add(j->sums[item]);
}

static void read_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t n = FLOATS / j->n_items;
    (void)lane;
    j->sums[item] += read_all(j->memory + item * n, n);
}

static double best(const struct luc_threads *threads, struct job *j, luc_parallel_body *body)
{
    double least = 1e9;
    for (int turn = 0; turn < TURNS; turn++) {
        const double start = now_s();
        luc_parallel_for(threads, j->n_items, body, j);
        const double s = now_s() - start;
        least = s < least ? s : least;
    }
    return least;
}

int main(int argc, char **argv)
{
    const size_t width = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    const struct luc_threads threads = { .pool = luc_pool_create(width - 1), .width = width };
    struct job j = { .n_items = width };
    j.memory = aligned_alloc(64, FLOATS * sizeof(float));
    j.sums = calloc(width, sizeof(float));
    if (!j.memory || !j.sums)
        return 1;
    for (size_t i = 0; i < FLOATS; i++)
        j.memory[i] = 1.0f;
    const double fma = best(&threads, &j, fma_item), read = best(&threads, &j, read_item);
    printf("{\"gflops\": %.1f, \"gb_per_s\": %.1f}\n",
           (double)width * ROUNDS * CHAINS * 32.0 / fma / 1e9, (double)FLOATS * 4 / read / 1e9);
    luc_pool_destroy(threads.pool);
    free(j.memory), free(j.sums);
    return 0;
}
