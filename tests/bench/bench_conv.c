/* bench_conv [n_threads]: GFLOP/s of convolutions, forward and gradient to the input, unrolled with
 * OpenBLAS and on packed weights, and of the bare matrix product on one core. The best of several
 * runs; not a test. */
#include "core/kernels/conv_panel.h"
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
    { "SqueezeNet 3x3/2 3>64", SAME(3, 64, 224, 3, 2) },
    { "SqueezeNet 1x1 128>16 55", SAME(128, 16, 55, 1, 1) },
    { "SqueezeNet 3x3 16>64 55", SAME(16, 64, 55, 3, 1) },
    { "ResNet 1x1 64>256 56", SAME(64, 256, 56, 1, 1) },
    { "ResNet 1x1 256>64 56", SAME(256, 64, 56, 1, 1) },
    { "ResNet 1x1 512>128 28", SAME(512, 128, 28, 1, 1) },
    { "ResNet 1x1 512>2048 7", SAME(512, 2048, 7, 1, 1) },
    { "ResNet 1x1/2 1024>2048 14", SAME(1024, 2048, 14, 1, 2) },
    { "ResNet 3x3 128>128 28", SAME(128, 128, 28, 3, 1) },
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

struct arrays {
    float *x, *y, *w, *panels, *scratch;
};

/* How: 0 forward, 1 gradient, both unrolled; 2, 3 the same on packed weights. */
static void run_once(const struct luc_conv *g, int how, const struct arrays *a,
                     const struct luc_threads *threads)
{
    const struct luc_conv_finish fin = { .relu = how != 3 };
    struct luc_conv mirrored;
    if (how == 0)
        luc_conv_y(g, a->x, a->w, &fin, a->y, a->scratch, threads);
    else if (how == 1)
        luc_conv_dx(g, a->y, a->w, false, a->x, a->scratch, threads);
    else if (how == 2)
        luc_conv_panel_y(g, a->x, a->panels, &fin, a->y, luc_tile_narrow(), a->scratch, threads);
    else if (luc_conv_panel_mirror(g, &mirrored)) {
        const struct luc_weights weights = luc_conv_panel_weights(g, a->w, true);
        luc_panels_pack(&weights, a->panels, threads);
        luc_conv_panel_y(&mirrored, a->y, a->panels, &fin, a->x, luc_tile_narrow(), a->scratch,
                         threads);
    }
}

static void bench(const struct layer *l, const struct luc_threads *threads)
{
    const struct luc_conv *g = &l->g;
    const struct luc_window *w = &g->win;
    const size_t taps = w->kh * w->kw, lanes = luc_lanes(threads);
    const double flop = 2e-9 * (double)(g->c_out * g->c_in * taps) * (double)(w->oh * w->ow);
    struct luc_conv mirrored = *g;
    (void)luc_conv_panel_mirror(g, &mirrored);
    const size_t bytes = luc_conv_scratch(g, lanes) + luc_conv_panel_scratch(g, lanes) +
                         luc_conv_panel_scratch(&mirrored, lanes);
    const size_t packed = luc_panels_floats(g->c_out, g->c_in * taps),
                 packed_dx = luc_panels_floats(g->c_in, g->c_out * taps);
    const struct arrays a = { .x = ones(g->c_in * w->h * w->w),
                              .y = ones(g->c_out * w->oh * w->ow),
                              .w = ones(g->c_out * g->c_in * taps),
                              .panels = ones(packed > packed_dx ? packed : packed_dx),
                              .scratch = ones(bytes / sizeof(float)) };
    printf("%-26s", l->name);
    for (int how = 0; how < 4; how++) {
        double best = 1e9;
        for (int run = 0; run < RUNS; run++) {
            const double start = now();
            run_once(g, how, &a, threads);
            best = now() - start < best ? now() - start : best;
        }
        printf(" %9.0f", flop / best);
    }
    printf("\n");
    free(a.x), free(a.y), free(a.w), free(a.panels), free(a.scratch);
}

int main(int argc, char **argv)
{
    const size_t width = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    struct luc_pool *pool = width > 1 ? luc_pool_create(width - 1) : NULL;
    const struct luc_threads threads = { .pool = pool, .width = width };
    luc_blas_init();
    printf("%s, %zu threads; bare product on one core %.1f GFLOP/s\n", luc_blas_corename(), width,
           bare_product());
    printf("%-26s %9s %9s %9s %9s\n", "GFLOP/s", "unrolled", "dx", "packed", "dx");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        bench(&layers[i], &threads);
    luc_pool_destroy(pool);
    return 0;
}
