/* bench_conv [n_threads]: GFLOP/s of convolutions, forward and gradient to the input, and of the
 * bare matrix product on one core. The best of several runs; not a test. */
#include "core/kernels/conv.h"
#include "core/tensor/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 7

struct layer {
    const char *name;
    struct luc_conv g;
};

#define SAME(c_in, c_out, size, k, stride)                                                         \
    {                                                                                              \
        { size, size, (size) / (stride), (size) / (stride), k,       k,      stride, stride,       \
          1,    1,    (k) / 2,           (k) / 2,           (k) / 2, (k) / 2 },                    \
            1, c_in, c_out, 1                                                                      \
    }

static const struct layer layers[] = {
    { "VGG conv1_1 3>64 512", SAME(3, 64, 512, 3, 1) },
    { "VGG conv1_2 64>64 512", SAME(64, 64, 512, 3, 1) },
    { "VGG conv3_1 128>256 128", SAME(128, 256, 128, 3, 1) },
    { "VGG conv3_1 128>256 56", SAME(128, 256, 56, 3, 1) },
    { "VGG conv4_2 512>512 28", SAME(512, 512, 28, 3, 1) },
    { "VGG conv5_1 512>512 14", SAME(512, 512, 14, 3, 1) },
    { "ResNet 7x7/2 3>64 224", SAME(3, 64, 224, 7, 2) },
    { "ResNet 1x1 64>256 56", SAME(64, 256, 56, 1, 1) },
    { "ResNet 1x1 1024>256 14", SAME(1024, 256, 14, 1, 1) },
    { "ResNet 3x3 64>64 56", SAME(64, 64, 56, 3, 1) },
    { "ResNet 3x3 256>256 14", SAME(256, 256, 14, 3, 1) },
    { "ResNet 3x3 512>512 7", SAME(512, 512, 7, 3, 1) },
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *ones(size_t n)
{
    float *p = malloc((n + 1) * sizeof(*p));
    for (size_t i = 0; p && i < n; i++)
        p[i] = (float)(i % 7) * 0.1f;
    if (!p)
        exit(1);
    return p;
}

static double bare_product(void)
{
    const size_t m = 256, n = 512, k = 1152;
    float *a = ones(m * k), *b = ones(k * n), *c = ones(m * n);
    double best = 1e9;
    for (int run = 0; run < 3 * RUNS; run++) {
        const double start = now();
        luc_sgemm(false, false, m, n, k, 1.0f, a, k, b, n, 0.0f, c, n);
        best = now() - start < best ? now() - start : best;
    }
    free(a), free(b), free(c);
    return 2e-9 * (double)(m * n * k) / best;
}

static void bench(const struct layer *l, const struct luc_threads *threads)
{
    const struct luc_conv *g = &l->g;
    const struct luc_window *w = &g->win;
    const struct luc_conv_finish fin = { .relu = true };
    float *x = ones(g->c_in * w->h * w->w), *y = ones(g->c_out * w->oh * w->ow);
    float *weights = ones(g->c_out * g->c_in * w->kh * w->kw);
    float *scratch = ones(luc_conv_scratch(g, luc_lanes(threads)) / sizeof(float));
    const double flop =
        2e-9 * (double)(g->c_out * g->c_in * w->kh * w->kw) * (double)(w->oh * w->ow);
    double best_y = 1e9, best_dx = 1e9;

    for (int run = 0; run < RUNS; run++) {
        double start = now();
        luc_conv_y(g, x, weights, &fin, y, scratch, threads);
        best_y = now() - start < best_y ? now() - start : best_y;
        start = now();
        luc_conv_dx(g, y, weights, false, x, scratch, threads);
        best_dx = now() - start < best_dx ? now() - start : best_dx;
    }
    printf("%-26s forward %7.1f  dx %7.1f GFLOP/s  (%.2f and %.2f ms)\n", l->name, flop / best_y,
           flop / best_dx, 1e3 * best_y, 1e3 * best_dx);
    free(x), free(y), free(weights), free(scratch);
}

int main(int argc, char **argv)
{
    const size_t width = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    struct luc_pool *pool = width > 1 ? luc_pool_create(width - 1) : NULL;
    const struct luc_threads threads = { pool, width };
    luc_blas_init();
    printf("%s, %zu threads; bare product on one core %.1f GFLOP/s\n", luc_blas_corename(), width,
           bare_product());
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        bench(&layers[i], &threads);
    luc_pool_destroy(pool);
    return 0;
}
