/* The convolution kernels against their definitions, over random geometries. */
#include "core/base/rng.h"
#include "core/kernels/conv_rows.h"
#include "core/kernels/im2col.h"
#include "core/tensor/blas.h"
#include "tests/gradcheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t below(struct luc_rng *rng, size_t n)
{
    return (size_t)luc_rng_below(rng, n);
}

/* [1, most], small values more likely. */
static size_t size(struct luc_rng *rng, size_t most)
{
    return 1 + below(rng, 1 + below(rng, most));
}

static size_t outputs(size_t in, size_t pads, size_t k, size_t d, size_t s)
{
    return in + pads < luc_extent(k, d) ? 0 : (in + pads - luc_extent(k, d)) / s + 1;
}

static struct luc_conv random_conv(struct luc_rng *rng, size_t most)
{
    for (;;) {
        struct luc_conv g = { .n = size(rng, 3), .groups = size(rng, 3) };
        struct luc_window *w = &g.win;
        g.c_in = g.groups * size(rng, 8), g.c_out = g.groups * size(rng, 20);
        w->h = size(rng, most), w->w = size(rng, most);
        w->kh = size(rng, 5), w->kw = size(rng, 5);
        w->sh = size(rng, 3), w->sw = size(rng, 3), w->dh = size(rng, 3), w->dw = size(rng, 3);
        w->pt = below(rng, 4), w->pl = below(rng, 4);
        w->oh = outputs(w->h, w->pt + below(rng, 4), w->kh, w->dh, w->sh);
        w->ow = outputs(w->w, w->pl + below(rng, 4), w->kw, w->dw, w->sw);
        if (w->oh && w->ow)
            return g;
    }
}

static float *numbers(size_t n, struct luc_rng *rng)
{
    float *p = malloc((n + 1) * sizeof(*p));
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * luc_rng_uniform(rng) - 1.0);
    return p;
}

static float *copy(const float *from, size_t n)
{
    float *p = malloc((n + 1) * sizeof(*p));
    assert_non_null(p);
    memcpy(p, from, n * sizeof(*p));
    return p;
}

struct data {
    size_t n_x, n_y, n_w;
    float *x, *y, *w, *bias;
    void *scratch;
};

static struct data make(const struct luc_conv *g, struct luc_rng *rng)
{
    struct data d = { .n_x = g->n * g->c_in * g->win.h * g->win.w,
                      .n_y = g->n * g->c_out * g->win.oh * g->win.ow,
                      .n_w = g->c_out * (g->c_in / g->groups) * g->win.kh * g->win.kw };
    d.x = numbers(d.n_x, rng), d.y = numbers(d.n_y, rng), d.w = numbers(d.n_w, rng);
    d.bias = numbers(g->c_out, rng);
    d.scratch = malloc(luc_conv_scratch(g, 1) + 1);
    assert_non_null(d.scratch);
    return d;
}

static void done(struct data *d)
{
    free(d->x), free(d->y), free(d->w), free(d->bias), free(d->scratch);
}

static void check_y(const struct luc_conv *g, struct data *d, const struct luc_conv_finish *fin)
{
    float *y = copy(d->y, d->n_y), *ref = copy(d->y, d->n_y);
    luc_conv_y(g, d->x, d->w, fin, y, d->scratch, NULL);
    luc_conv_y_ref(g, d->x, d->w, fin, ref);
    assert_close("y", y, ref, d->n_y, 1e-4);
    free(y), free(ref);
}

static void check_gradients(const struct luc_conv *g, struct data *d)
{
    float *dx = copy(d->x, d->n_x), *dx_ref = copy(d->x, d->n_x);
    float *dw = copy(d->w, d->n_w), *dw_ref = copy(d->w, d->n_w);
    luc_conv_dx(g, d->y, d->w, true, dx, d->scratch, NULL);
    luc_conv_dx_ref(g, d->y, d->w, dx_ref);
    assert_close("dx", dx, dx_ref, d->n_x, 1e-4);
    memset(dx_ref, 0, d->n_x * sizeof(float));
    luc_conv_dx(g, d->y, d->w, false, dx, d->scratch, NULL);
    luc_conv_dx_ref(g, d->y, d->w, dx_ref);
    assert_close("fresh dx", dx, dx_ref, d->n_x, 1e-4);
    luc_conv_dw(g, d->x, d->y, dw, d->scratch, NULL);
    luc_conv_dw_ref(g, d->x, d->y, dw_ref);
    assert_close("dw", dw, dw_ref, d->n_w, 2e-4);
    free(dx), free(dx_ref), free(dw), free(dw_ref);
}

static void check(const struct luc_conv *g, struct luc_rng *rng)
{
    struct data d = make(g, rng);
    const struct luc_conv_finish fins[] = {
        { 0 }, { .bias = d.bias, .relu = true }, { .bias = d.bias }, { .add = true }
    };
    for (size_t i = 0; i < sizeof(fins) / sizeof(fins[0]); i++)
        check_y(g, &d, &fins[i]);
    check_gradients(g, &d);
    done(&d);
}

static void conv__kernels_agree_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 11);
    for (int turn = 0; turn < 100; turn++) {
        const struct luc_conv g = random_conv(&rng, turn % 10 == 0 ? 40 : 12);
        check(&g, &rng);
    }
}

/* Geometries chosen to reach each way of cutting the work. */
static void conv__every_split_agrees_with_the_definition(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = {
        /* columns in blocks; rows of dx in blocks */
        { { 60, 50, 60, 50, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 6, 20, 2 },
        /* few pixels: the unrolled image is shared, in several slabs */
        { { 7, 9, 7, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 200, 70, 1 },
        { { 58, 11, 58, 11, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 100, 40, 1 },
        /* 1x1: rows, columns, strided */
        { { 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 90, 200, 1 },
        { { 60, 50, 60, 50, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 9, 20, 1 },
        { { 15, 15, 8, 8, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0 }, 2, 40, 30, 2 },
        /* 1x1 with padding is not x itself */
        { { 6, 6, 8, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 4, 5, 1 },
        /* depthwise, with two outputs per channel */
        { { 30, 31, 15, 16, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1 }, 2, 8, 16, 8 },
        /* depthwise: blocks of rows, many planes of an item, phases of both, and taps of none */
        { { 90, 101, 90, 101, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 2, 4, 2 },
        { { 171, 90, 86, 45, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1 }, 1, 3, 3, 3 },
        { { 150, 83, 73, 27, 5, 5, 2, 3, 2, 1, 2, 2, 2, 2 }, 2, 3, 3, 3 },
        { { 7, 7, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 70, 70, 70 },
        { { 50, 60, 10, 12, 2, 3, 5, 5, 1, 1, 0, 0, 0, 0 }, 1, 3, 3, 3 },
        /* dilated far beyond the picture; rows that no tap reaches */
        { { 5, 5, 1, 1, 3, 3, 4, 4, 7, 7, 5, 5, 5, 5 }, 1, 3, 4, 1 },
        { { 41, 11, 9, 3, 2, 2, 5, 5, 1, 1, 1, 1, 0, 0 }, 1, 3, 4, 1 },
    };
    struct luc_rng rng;
    luc_rng_seed(&rng, 12);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(&cases[i], &rng);
}

static void check_rows_y(const struct luc_conv *g, struct data *d,
                         const struct luc_conv_finish *fin, bool narrow, void *scratch)
{
    float *y = copy(d->y, d->n_y), *ref = copy(d->y, d->n_y);
    luc_conv_rows_y(g, d->x, d->w, fin, y, narrow, scratch, NULL);
    luc_conv_y_ref(g, d->x, d->w, fin, ref);
    assert_close("rows y", y, ref, d->n_y, 1e-4);
    free(y), free(ref);
}

static void check_rows_dx(const struct luc_conv *g, struct data *d, bool add, bool narrow,
                          void *scratch)
{
    float *dx = copy(d->x, d->n_x), *ref = copy(d->x, d->n_x);
    if (!add)
        memset(ref, 0, d->n_x * sizeof(float));
    luc_conv_rows_dx(g, d->y, d->w, add, dx, narrow, scratch, NULL);
    luc_conv_dx_ref(g, d->y, d->w, ref);
    assert_close("rows dx", dx, ref, d->n_x, 1e-4);
    free(dx), free(ref);
}

/* Both widths of vectors, with scratch that would show if it were read before it is written. */
static void check_rows(const struct luc_conv *g, struct luc_rng *rng)
{
    struct data d = make(g, rng);
    const struct luc_conv_finish fins[] = { { .bias = d.bias, .relu = true },
                                            { .bias = d.bias },
                                            { .add = true } };
    for (int way = 0; way < 4; way++) {
        const bool gradient = way & 1, narrow = way & 2;
        if (!luc_conv_rows_can(g, gradient))
            continue;
        const size_t bytes = luc_conv_rows_scratch(g, gradient, 1);
        void *scratch = malloc(bytes);
        assert_non_null(scratch);
        memset(scratch, 0xFF, bytes);
        for (size_t i = 0; i < sizeof(fins) / sizeof(fins[0]) && !gradient; i++)
            check_rows_y(g, &d, &fins[i], narrow, scratch);
        for (int add = 0; add < 2 && gradient; add++)
            check_rows_dx(g, &d, add, narrow, scratch);
        free(scratch);
    }
    done(&d);
}

static void conv_rows__agrees_with_the_definition(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = {
        /* several columns of items; few outputs, whose sums wait for the next channels */
        { { 4, 300, 4, 300, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 3, 9, 1 },
        { { 9, 270, 9, 270, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 12, 3, 1 },
        { { 17, 140, 9, 132, 9, 9, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 3, 2, 1 },
        /* one pixel, one channel, many channels, a stride */
        { { 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 1, 1, 1 },
        { { 3, 13, 3, 13, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 2, 140, 17, 1 },
        { { 40, 51, 19, 25, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0 }, 1, 5, 11, 1 },
        { { 31, 29, 16, 15, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3 }, 1, 3, 8, 1 },
        { { 20, 60, 7, 20, 3, 5, 3, 3, 2, 2, 2, 4, 2, 4 }, 1, 3, 10, 1 },
    };
    struct luc_rng rng;
    luc_rng_seed(&rng, 14);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_rows(&cases[i], &rng);
    for (int turn = 0; turn < 60; turn++) {
        struct luc_conv g = random_conv(&rng, turn % 10 == 0 ? 60 : 20);
        g.groups = 1;
        check_rows(&g, &rng);
    }
}

static void conv_rows__same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = {
        { { 40, 70, 40, 70, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 20, 30, 1 },
        { { 40, 70, 40, 70, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 40, 3, 1 },
    };
    struct luc_pool *pool = luc_pool_create(3);
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    struct luc_rng rng;
    luc_rng_seed(&rng, 15);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct luc_conv *g = &cases[i];
        const struct luc_conv_finish fin = { .relu = true };
        struct data d = make(g, &rng);
        void *scratch = malloc(luc_conv_rows_scratch(g, false, 4));
        float *y = copy(d.y, d.n_y), *y4 = copy(d.y, d.n_y);
        luc_conv_rows_y(g, d.x, d.w, &fin, y, false, scratch, NULL);
        luc_conv_rows_y(g, d.x, d.w, &fin, y4, false, scratch, &threads);
        assert_memory_equal(y, y4, d.n_y * sizeof(float));
        free(y), free(y4), free(scratch);
        done(&d);
    }
    luc_pool_destroy(pool);
}

static void im2col__blocks_agree_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 13);
    for (int turn = 0; turn < 200; turn++) {
        const struct luc_conv g = random_conv(&rng, 12);
        const struct luc_window *w = &g.win;
        const size_t k = g.c_in * w->kh * w->kw, p = w->oh * w->ow;
        const size_t row = below(&rng, k), rows = 1 + below(&rng, k - row);
        const size_t col = below(&rng, p), cols = 1 + below(&rng, p - col);
        const size_t oh0 = below(&rng, w->oh), oh1 = oh0 + 1 + below(&rng, w->oh - oh0);
        const size_t h0 = below(&rng, w->h), h1 = h0 + 1 + below(&rng, w->h - h0);
        float *x = numbers(g.c_in * w->h * w->w, &rng), *m = numbers(k * p, &rng);
        float *ref = copy(m, k * p), *x_ref = copy(x, g.c_in * w->h * w->w);

        luc_im2col(w, x, row, rows, col, cols, m);
        luc_im2col_ref(w, x, row, rows, col, cols, ref);
        assert_memory_equal(m, ref, k * p * sizeof(float));
        luc_col2im(w, m, g.c_in, oh0, oh1, h0, h1, x);
        luc_col2im_ref(w, m, g.c_in, oh0, oh1, h0, h1, x_ref);
        assert_close("col2im", x, x_ref, g.c_in * w->h * w->w, 1e-5);
        free(x), free(m), free(ref), free(x_ref);
    }
}

int main(void)
{
    luc_blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv__kernels_agree_with_the_definition),
        cmocka_unit_test(conv__every_split_agrees_with_the_definition),
        cmocka_unit_test(conv_rows__agrees_with_the_definition),
        cmocka_unit_test(conv_rows__same_bits_for_any_number_of_threads),
        cmocka_unit_test(im2col__blocks_agree_with_the_definition),
    };
    return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}
