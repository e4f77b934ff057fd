/* Convolutions on packed weights against their definitions, over random geometries. */
#include "core/base/rng.h"
#include "core/kernels/conv_panel.h"
#include "core/kernels/conv_point.h"
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

static size_t size(struct luc_rng *rng, size_t most)
{
    return 1 + below(rng, 1 + below(rng, most));
}

/* `n` numbers, and not one byte more than that: what reads further is caught. */
static float *numbers(size_t n, struct luc_rng *rng)
{
    float *p = malloc(n * sizeof(*p));
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * luc_rng_uniform(rng) - 1.0);
    return p;
}

static float *copy(const float *from, size_t n)
{
    float *p = malloc(n * sizeof(*p));
    assert_non_null(p);
    memcpy(p, from, n * sizeof(*p));
    return p;
}

/* Scratch full of NaN. */
static void *room(size_t bytes)
{
    void *p = malloc(bytes);
    assert_non_null(p);
    memset(p, 0xFF, bytes);
    return p;
}

/* -- tiles --------------------------------------------------------------------------------- */

static void tile__sums_agree_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 31);
    for (int turn = 0; turn < 300; turn++) {
        const size_t n = size(&rng, 300), all = LUC_TILE * LUC_PANEL;
        uint32_t *offset = malloc(n * sizeof(*offset));
        float *panel = numbers(n * LUC_PANEL, &rng), *x = numbers(200, &rng);
        float *sum = numbers(all, &rng), *ref = copy(sum, all);
        struct luc_tile t = { .panel = panel, .x = x, .offset = offset, .n = n, .sum = sum };
        t.lines = 1 + below(&rng, 2), t.rows = 1 + below(&rng, LUC_PANEL);
        t.width = 1 + below(&rng, LUC_TILE / t.lines), t.gap = below(&rng, 20);
        t.add = turn % 2;
        for (size_t i = 0; i < n; i++)
            offset[i] = (uint32_t)below(&rng, 200 - t.gap - t.width + 1);
        luc_tile_sum(&t, turn % 3 == 0);
        t.sum = ref;
        luc_tile_sum_ref(&t);
        for (size_t p = 0; p < t.lines * t.width; p++)
            assert_close("sum", sum + p * LUC_PANEL, ref + p * LUC_PANEL, t.rows, 1e-4);
        free(offset), free(panel), free(x), free(sum), free(ref);
    }
}

static void tile__turning_transposes(void **state)
{
    (void)state;
    float sum[LUC_TILE * LUC_PANEL], y[LUC_PANEL * 40];
    for (size_t i = 0; i < LUC_TILE * LUC_PANEL; i++)
        sum[i] = (float)i;
    for (int narrow = 0; narrow < 2; narrow++) {
        memset(y, 0, sizeof(y));
        luc_tile_turn(sum, y, 40, narrow);
        for (size_t r = 0; r < LUC_PANEL; r++)
            for (size_t p = 0; p < LUC_TILE; p++)
                assert_true(y[r * 40 + p] == sum[p * LUC_PANEL + r]);
    }
}

static void strip__sums_agree_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 36);
    for (int turn = 0; turn < 300; turn++) {
        const size_t n = size(&rng, 600), vectors = 1 + below(&rng, 3);
        const size_t pixels = 16 * vectors, pitch = pixels + below(&rng, 20);
        const size_t rows = 1 + below(&rng, LUC_STRIP_ROWS), all = (rows - 1) * pitch + pixels;
        uint32_t *offset = malloc(n * sizeof(*offset));
        float *panel = numbers(n * LUC_PANEL, &rng), *x = numbers(200, &rng);
        float *room = numbers((size_t)LUC_STRIP_ROWS * LUC_STRIP, &rng), *y = numbers(all, &rng);
        float *ref_room = copy(room, (size_t)LUC_STRIP_ROWS * LUC_STRIP), *ref = copy(y, all);
        float *bias = numbers(rows, &rng), *plus = numbers(all, &rng);
        for (size_t i = 0; i < n; i++)
            offset[i] = (uint32_t)below(&rng, 200 - pixels + 1);
        struct luc_strip s = { .panel = panel, .x = x, .offset = offset, .n = n, .sum = room };
        s.vectors = vectors, s.rows = rows, s.pitch = pitch;
        s.bias = turn % 2 ? bias : NULL, s.relu = turn % 4 < 2;
        s.plus = turn % 3 == 0 ? plus : turn % 3 == 1 ? y : NULL;
        s.y = turn % 5 ? y : NULL;
        luc_strip_sum(&s, turn % 7 < 3);
        s.sum = ref_room, s.y = s.y ? ref : NULL, s.plus = s.plus == y ? ref : s.plus;
        luc_strip_sum_ref(&s);
        assert_close("strip", y, ref, all, 1e-4);
        for (size_t r = 0; r < rows && !s.y; r++)
            assert_close("sum", room + r * LUC_STRIP, ref_room + r * LUC_STRIP, pixels, 1e-4);
        free(offset), free(panel), free(x), free(room), free(y), free(ref_room), free(ref);
        free(bias), free(plus);
    }
}

/* -- convolutions -------------------------------------------------------------------------- */

static size_t outputs(size_t in, size_t pads, size_t k, size_t d, size_t s)
{
    return in + pads < luc_extent(k, d) ? 0 : (in + pads - luc_extent(k, d)) / s + 1;
}

static struct luc_conv random_conv(struct luc_rng *rng, size_t most, size_t channels)
{
    for (;;) {
        struct luc_conv g = { .n = size(rng, 3), .groups = 1 };
        struct luc_window *w = &g.win;
        g.c_in = size(rng, channels), g.c_out = size(rng, 2 * channels);
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

struct data {
    size_t n_x, n_y;
    float *x, *y, *w, *bias, *plus;
};

static struct data make(const struct luc_conv *g, struct luc_rng *rng)
{
    struct data d = { .n_x = g->n * g->c_in * g->win.h * g->win.w,
                      .n_y = g->n * g->c_out * g->win.oh * g->win.ow };
    d.x = numbers(d.n_x, rng), d.y = numbers(d.n_y, rng), d.plus = numbers(d.n_y, rng);
    d.w = numbers(g->c_out * g->c_in * g->win.kh * g->win.kw, rng);
    d.bias = numbers(g->c_out, rng);
    return d;
}

static void done(struct data *d)
{
    free(d->x), free(d->y), free(d->w), free(d->bias), free(d->plus);
}

enum way { TILES, STRIPS };

/* conv with the weights of `g` packed, for itself or (mirror) for its gradient. */
static void run(const struct luc_conv *conv, const struct luc_conv *g, bool mirror, const float *x,
                const float *w, const struct luc_conv_finish *fin, float *y, enum way way,
                bool narrow, const struct luc_threads *threads)
{
    const size_t lanes = luc_lanes(threads);
    const struct luc_weights weights = luc_conv_panel_weights(g, w, mirror);
    const size_t floats = luc_panels_floats(weights.rows, weights.channels * weights.taps);
    float *panels = room(floats * sizeof(float));
    void *scratch = room(way == TILES ? luc_conv_panel_scratch(conv, lanes)
                                      : luc_conv_point_scratch(conv, lanes));
    luc_panels_pack(&weights, panels, threads);
    (way == TILES ? luc_conv_panel_y : luc_conv_point_y)(conv, x, panels, fin, y, narrow, scratch,
                                                         threads);
    free(panels), free(scratch);
}

static void check_gradient(const struct luc_conv *g, const struct data *d, enum way way,
                           bool narrow)
{
    struct luc_conv m;
    if (!luc_conv_panel_mirror(g, &m))
        return;
    for (int add = 0; add < 2; add++) {
        const struct luc_conv_finish fin = { .add = add };
        float *dx = copy(d->x, d->n_x), *ref = copy(d->x, d->n_x);
        if (!add)
            memset(ref, 0, d->n_x * sizeof(float));
        run(&m, g, true, d->y, d->w, &fin, dx, way, narrow, NULL);
        luc_conv_dx_ref(g, d->y, d->w, ref);
        assert_close("dx", dx, ref, d->n_x, 1e-4);
        free(dx), free(ref);
    }
}

static void check_way(const struct luc_conv *g, struct luc_rng *rng, enum way way, bool narrow)
{
    struct data d = make(g, rng);
    const struct luc_conv_finish fins[] = { { 0 },
                                            { .bias = d.bias, .relu = true },
                                            { .add = true },
                                            { .bias = d.bias, .plus = d.plus, .relu = true } };
    for (size_t i = 0; i < sizeof(fins) / sizeof(fins[0]); i++) {
        float *y = copy(d.y, d.n_y), *ref = copy(d.y, d.n_y);
        run(g, g, false, d.x, d.w, &fins[i], y, way, narrow, NULL);
        luc_conv_y_ref(g, d.x, d.w, &fins[i], ref);
        assert_close("y", y, ref, d.n_y, 1e-4);
        free(y), free(ref);
    }
    check_gradient(g, &d, way, narrow);
    done(&d);
}

static void check(const struct luc_conv *g, struct luc_rng *rng, bool narrow)
{
    check_way(g, rng, TILES, narrow);
    if (luc_conv_point_can(g))
        check_way(g, rng, STRIPS, narrow);
}

static void panel__agrees_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 32);
    for (int turn = 0; turn < 60; turn++) {
        const struct luc_conv g = random_conv(&rng, turn % 10 ? 10 : 30, turn % 7 ? 8 : 36);
        check(&g, &rng, turn % 2);
    }
}

/* Geometries chosen to reach each way of cutting the work. */
static const struct luc_conv cases[] = {
    /* one pixel, one channel; many channels of one pixel */
    { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 1, 1, 1 },
    { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 2000, 33, 1 },
    /* 1x1: in place, several blocks of channels; staged, several blocks of columns; images */
    { { 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 800, 300, 1 },
    { { 30, 41, 30, 41, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 70, 40, 1 },
    { { 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 2, 600, 9, 1 },
    { { 6, 8, 6, 8, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 2, 5, 1, 1 },
    { { 9, 107, 9, 107, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 1, 3, 35, 1 },
    { { 5, 6, 5, 6, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0 }, 9, 20, 70, 1 },
    { { 15, 15, 8, 8, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0 }, 2, 40, 30, 1 },
    { { 6, 6, 8, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 4, 50, 1 },
    { { 13, 14, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1 }, 3, 40, 300, 1 },
    /* 3x3 on small maps and on large ones, wider than a block; more channels than a block */
    { { 7, 7, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 100, 70, 1 },
    { { 24, 26, 24, 26, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 90, 20, 1 },
    { { 3, 500, 3, 500, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, 1, 9, 10, 1 },
    /* the first layer of a network; dilation beyond the picture */
    { { 50, 50, 25, 25, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3 }, 1, 3, 40, 1 },
    { { 5, 5, 1, 1, 3, 3, 4, 4, 7, 7, 5, 5, 5, 5 }, 1, 3, 4, 1 },
};

static void panel__every_split_agrees_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 33);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&cases[i], &rng, false);
        check(&cases[i], &rng, true);
    }
}

static void panel__same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    struct luc_pool *pool = luc_pool_create(3);
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    struct luc_rng rng;
    luc_rng_seed(&rng, 34);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct luc_conv_finish fin = { .relu = true };
        struct data d = make(&cases[i], &rng);
        float *y = copy(d.y, d.n_y), *y4 = copy(d.y, d.n_y);
        for (enum way way = TILES; way <= (luc_conv_point_can(&cases[i]) ? STRIPS : TILES); way++) {
            run(&cases[i], &cases[i], false, d.x, d.w, &fin, y, way, false, NULL);
            run(&cases[i], &cases[i], false, d.x, d.w, &fin, y4, way, false, &threads);
            assert_memory_equal(y, y4, d.n_y * sizeof(float));
        }
        free(y), free(y4);
        done(&d);
    }
    luc_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tile__sums_agree_with_the_definition),
        cmocka_unit_test(tile__turning_transposes),
        cmocka_unit_test(strip__sums_agree_with_the_definition),
        cmocka_unit_test(panel__agrees_with_the_definition),
        cmocka_unit_test(panel__every_split_agrees_with_the_definition),
        cmocka_unit_test(panel__same_bits_for_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("conv_panel", tests, NULL, NULL);
}
