/* The convolution kernels against their definitions, as a program that needs nothing but libc: built for
 * another processor by cross_aarch64.sh. BLAS's part is played by plain loops. */
#include "core/base/rng.h"
#include "core/kernels/conv_panel.h"
#include "core/kernels/conv_point.h"
#include "core/kernels/winograd.h"
#include "core/tensor/blas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void luc_sgemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha,
               const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
               size_t ldc)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += (double)a[trans_a ? l * lda + i : i * lda + l] *
                       (double)b[trans_b ? j * ldb + l : l * ldb + j];
            const double old = beta == 0.0f ? 0.0 : (double)beta * (double)c[i * ldc + j];
            c[i * ldc + j] = (float)((double)alpha * sum + old);
        }
}

static float *numbers(size_t n, struct luc_rng *rng)
{
    float *p = aligned_alloc(64, (n * sizeof(*p) + 127) / 64 * 64);
    for (size_t i = 0; p && i < n; i++)
        p[i] = (float)(2.0 * luc_rng_uniform(rng) - 1.0);
    if (!p)
        exit(1);
    return p;
}

static double worst(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]) / (1.0 + fabs((double)b[i])));
    return most;
}

/* Unrolled, by rows or depthwise; on packed weights and by Winograd where that can be. */
static int check(const struct luc_conv *g, struct luc_rng *rng)
{
    const struct luc_window *w = &g->win;
    const struct luc_conv_finish fin = { .relu = true };
    const struct luc_threads threads = { .width = 1 };
    const size_t n_x = g->n * g->c_in * w->h * w->w, n_y = g->n * g->c_out * w->oh * w->ow;
    const size_t taps = w->kh * w->kw;
    const bool can = luc_winograd_can(g), point = luc_conv_point_can(g);
    float *x = numbers(n_x, rng), *weights = numbers(g->c_out * g->c_in * taps, rng);
    float *y = numbers(n_y, rng), *ref = numbers(n_y, rng);
    float *panels = numbers(luc_panels_floats(g->c_out, g->c_in * taps), rng);
    float *u = numbers(can ? luc_winograd_floats(g->c_out, g->c_in) : 1, rng);
    void *scratch =
        numbers((luc_conv_scratch(g, 1) + luc_conv_panel_scratch(g, 1) +
                 luc_conv_point_scratch(g, 1) + (can ? luc_winograd_scratch(g, false, 1) : 0)) /
                    sizeof(float),
                rng);
    const struct luc_weights packing = luc_conv_panel_weights(g, weights, false);
    double off[4] = { 0 };

    luc_conv_y_ref(g, x, weights, &fin, ref);
    luc_conv_y(g, x, weights, &fin, y, scratch, &threads);
    off[0] = worst(y, ref, n_y);
    if (g->groups == 1) {
        luc_panels_pack(&packing, panels, NULL);
        luc_conv_panel_y(g, x, panels, &fin, y, luc_tile_narrow(), scratch, &threads);
        off[1] = worst(y, ref, n_y);
    }
    if (point) {
        luc_conv_point_y(g, x, panels, &fin, y, luc_tile_narrow(), scratch, &threads);
        off[3] = worst(y, ref, n_y);
    }
    if (can) {
        luc_winograd_pack(weights, g->c_out, g->c_in, u, NULL);
        const struct luc_winograd wino = { .u = u };
        luc_winograd_y(g, x, &wino, &fin, y, scratch, &threads);
        off[2] = worst(y, ref, n_y);
    }
    printf("%zux%zu/%zu %zu > %zu at %zux%zu: %.1g unrolled, %.1g packed, %.1g Winograd, %.1g "
           "strips\n",
           w->kh, w->kw, w->sh, g->c_in, g->c_out, w->h, w->w, off[0], off[1], off[2], off[3]);
    free(x), free(weights), free(y), free(ref), free(panels), free(u), free(scratch);
    return !(off[0] < 1e-4 && off[1] < 1e-4 && off[2] < 1e-3 && off[3] < 1e-4);
}

int main(void)
{
    static const struct luc_conv cases[] = {
        { { 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 300, 70, 1 },
        { { 30, 41, 30, 41, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 20, 40, 1 },
        { { 15, 15, 8, 8, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0 }, 2, 40, 30, 1 },
        { { 7, 7, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 50, 70, 1 },
        { { 24, 26, 24, 26, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 20, 20, 1 },
        { { 40, 45, 20, 23, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1 }, 1, 5, 10, 5 },
        { { 50, 50, 25, 25, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3 }, 1, 3, 40, 1 },
    };
    struct luc_rng rng;
    int failed = 0;
    luc_rng_seed(&rng, 35);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        failed += check(&cases[i], &rng);
    return failed > 0;
}
