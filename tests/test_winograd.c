/* Winograd convolutions against their definitions, over random shapes. */
#include "core/base/rng.h"
#include "core/kernels/winograd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t below(struct luc_rng *rng, size_t n)
{
    return (size_t)luc_rng_below(rng, n);
}

static size_t outputs(size_t in, size_t pads)
{
    return in + pads < 3 ? 0 : in + pads - 2;
}

static struct luc_conv random_conv(struct luc_rng *rng, size_t most, size_t channels)
{
    for (;;) {
        struct luc_conv g = { .n = 1 + below(rng, 3), .groups = 1 };
        struct luc_window *w = &g.win;
        g.c_in = 1 + below(rng, channels), g.c_out = 1 + below(rng, channels);
        w->h = 1 + below(rng, most), w->w = 1 + below(rng, most);
        w->kh = w->kw = 3, w->sh = w->sw = w->dh = w->dw = 1;
        w->pt = below(rng, 5), w->pl = below(rng, 5);
        w->oh = outputs(w->h, w->pt + below(rng, 5));
        w->ow = outputs(w->w, w->pl + below(rng, 5));
        if (w->oh && w->ow)
            return g;
    }
}

static void *room(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(p);
    return p;
}

static float *numbers(size_t n, struct luc_rng *rng, bool positive)
{
    float *p = room(n * sizeof(*p));
    for (size_t i = 0; i < n; i++) {
        const double v = luc_rng_normal(rng);
        p[i] = (float)(positive && v < 0 ? 0.0 : v);
    }
    return p;
}

static float *copy(const float *from, size_t n)
{
    float *p = room(n * sizeof(*p));
    memcpy(p, from, n * sizeof(*p));
    return p;
}

struct data {
    size_t n_x, n_y;
    float *x, *y, *w, *u, *bias;
    void *scratch;
};

/* Scratch for `lanes`, filled with what would show: NaN. */
static struct data make(const struct luc_conv *g, struct luc_rng *rng, size_t lanes)
{
    struct data d = { .n_x = g->n * g->c_in * g->win.h * g->win.w,
                      .n_y = g->n * g->c_out * g->win.oh * g->win.ow };
    const size_t y = luc_winograd_scratch(g, false, lanes),
                 dx = luc_winograd_scratch(g, true, lanes);
    d.x = numbers(d.n_x, rng, true), d.y = numbers(d.n_y, rng, false);
    d.w = numbers(g->c_out * g->c_in * 9, rng, false);
    d.bias = numbers(g->c_out, rng, false);
    d.u = room(luc_winograd_floats(g->c_out, g->c_in) * sizeof(float));
    luc_winograd_pack(d.w, g->c_out, g->c_in, d.u, NULL);
    d.scratch = room(y > dx ? y : dx);
    memset(d.scratch, 0xFF, y > dx ? y : dx);
    return d;
}

static void done(struct data *d)
{
    free(d->x), free(d->y), free(d->w), free(d->u), free(d->bias), free(d->scratch);
}

static double relative(const float *got, const float *want, size_t n)
{
    double err = 0, all = 1e-30;
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(got[i]));
        err += pow((double)got[i] - (double)want[i], 2), all += pow((double)want[i], 2);
    }
    return sqrt(err / all);
}

/* Errors are those of sums whose terms are as large as the typical output, whatever cancels: no
 * element is off by more than a small part of the root mean square. */
static void assert_near(const char *what, const float *got, const float *want, size_t n)
{
    double worst = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(got[i]));
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
        all += pow((double)want[i], 2);
    }
    if (worst > 5e-5 * sqrt(all / (double)n) + 1e-5)
        fail_msg("%s is off by %g", what, worst);
}

static void check_y(const struct luc_conv *g, const struct data *d, const struct luc_winograd *w)
{
    const struct luc_conv_finish fins[] = {
        { 0 }, { .bias = d->bias, .relu = true }, { .bias = d->bias }, { .add = true }
    };
    for (size_t i = 0; i < sizeof(fins) / sizeof(fins[0]); i++) {
        float *y = copy(d->y, d->n_y), *ref = copy(d->y, d->n_y);
        luc_winograd_y(g, d->x, w, &fins[i], y, d->scratch, NULL);
        luc_conv_y_ref(g, d->x, d->w, &fins[i], ref);
        assert_near("y", y, ref, d->n_y);
        assert_true(relative(y, ref, d->n_y) < 1e-5);
        free(y), free(ref);
    }
}

/* Way 1 adds, way 2 has a gate. */
static void check_dx(const struct luc_conv *g, const struct data *d, const struct luc_winograd *w,
                     struct luc_rng *rng)
{
    float *gate = numbers(d->n_y, rng, true);
    for (int way = 0; way < 4; way++) {
        float *dx = copy(d->x, d->n_x), *ref = copy(d->x, d->n_x), *dy = copy(d->y, d->n_y);
        for (size_t i = 0; i < d->n_x && !(way & 1); i++)
            ref[i] = 0.0f;
        for (size_t i = 0; i < d->n_y && (way & 2); i++)
            dy[i] = gate[i] > 0.0f ? dy[i] : 0.0f;
        luc_winograd_dx(g, d->y, way & 2 ? gate : NULL, w, way & 1, dx, d->scratch, NULL);
        luc_conv_dx_ref(g, dy, d->w, ref);
        assert_near("dx", dx, ref, d->n_x);
        free(dx), free(ref), free(dy);
    }
    free(gate);
}

static void check(const struct luc_conv *g, struct luc_rng *rng, bool narrow)
{
    struct data d = make(g, rng, 1);
    const struct luc_winograd w = { .u = d.u, .narrow = narrow };
    check_y(g, &d, &w);
    check_dx(g, &d, &w, rng);
    done(&d);
}

static void winograd__agrees_with_the_definition(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 21);
    for (int turn = 0; turn < 48; turn++) {
        const struct luc_conv g = random_conv(&rng, turn % 8 ? 14 : 90, turn % 8 ? 20 : 5);
        check(&g, &rng, turn % 2);
    }
}

#define SHAPE(n, c_in, c_out, h, w)                                                                \
    {                                                                                              \
        { h, w, h, w, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 }, n, c_in, c_out, 1                            \
    }

/* Blocks of each kind: parts of a row, whole rows, many images, shared by all lanes. */
static void winograd__every_split_agrees_with_the_definition(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = {
        SHAPE(1, 3, 9, 5, 600),   SHAPE(1, 5, 34, 38, 70), SHAPE(7, 130, 4, 5, 7),
        SHAPE(1, 9, 131, 13, 14), SHAPE(1, 131, 3, 5, 90), SHAPE(30, 4, 4, 3, 3),
    };
    struct luc_rng rng;
    luc_rng_seed(&rng, 22);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&cases[i], &rng, false);
        check(&cases[i], &rng, true);
    }
}

/* Relative L2 error of y. */
static double error_of(const struct luc_conv *g, struct luc_rng *rng)
{
    struct data d = make(g, rng, 1);
    const struct luc_winograd w = { .u = d.u };
    const struct luc_conv_finish fin = { 0 };
    float *y = copy(d.y, d.n_y), *ref = copy(d.y, d.n_y);
    luc_winograd_y(g, d.x, &w, &fin, y, d.scratch, NULL);
    luc_conv_y_ref(g, d.x, d.w, &fin, ref);
    const double err = relative(y, ref, d.n_y);
    free(y), free(ref);
    done(&d);
    return err;
}

static void winograd__error_is_what_the_header_states(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = { SHAPE(1, 64, 8, 24, 24), SHAPE(1, 512, 4, 16, 16) };
    static const double most[] = { 1.3e-6, 3.2e-6 };
    struct luc_rng rng;
    luc_rng_seed(&rng, 23);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const double err = error_of(&cases[i], &rng);
        print_message("  %zu channels: relative error %.2g\n", cases[i].c_in, err);
        assert_true(err < most[i]);
    }
}

static void check_threads(const struct luc_conv *g, struct luc_pool *pool, struct luc_rng *rng)
{
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    const struct luc_conv_finish fin = { .relu = true };
    struct data d = make(g, rng, 4);
    const struct luc_winograd w = { .u = d.u };
    float *y = copy(d.y, d.n_y), *dx = copy(d.x, d.n_x);
    float *y4 = copy(d.y, d.n_y), *dx4 = copy(d.x, d.n_x);
    luc_winograd_y(g, d.x, &w, &fin, y, d.scratch, NULL);
    luc_winograd_y(g, d.x, &w, &fin, y4, d.scratch, &threads);
    luc_winograd_dx(g, d.y, NULL, &w, false, dx, d.scratch, NULL);
    luc_winograd_dx(g, d.y, NULL, &w, false, dx4, d.scratch, &threads);
    assert_memory_equal(y, y4, d.n_y * sizeof(float));
    assert_memory_equal(dx, dx4, d.n_x * sizeof(float));
    free(y), free(dx), free(y4), free(dx4);
    done(&d);
}

static void winograd__same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const struct luc_conv cases[] = { SHAPE(1, 20, 40, 60, 70), SHAPE(2, 140, 70, 13, 14) };
    struct luc_pool *pool = luc_pool_create(3);
    struct luc_rng rng;
    luc_rng_seed(&rng, 24);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_threads(&cases[i], pool, &rng);
    luc_pool_destroy(pool);
}

static void winograd__packs_the_same_by_any_number_of_threads(void **state)
{
    (void)state;
    enum { OUT = 500, IN = 250 };
    const size_t bytes = luc_winograd_floats(OUT, IN) * sizeof(float);
    struct luc_pool *pool = luc_pool_create(3);
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    struct luc_rng rng;
    luc_rng_seed(&rng, 25);
    float *w = numbers((size_t)OUT * IN * 9, &rng, false), *one = room(bytes), *four = room(bytes);
    memset(one, 0xFF, bytes), memset(four, 0xEE, bytes);
    luc_winograd_pack(w, OUT, IN, one, NULL);
    luc_winograd_pack(w, OUT, IN, four, &threads);
    assert_memory_equal(one, four, bytes);
    free(w), free(one), free(four);
    luc_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(winograd__agrees_with_the_definition),
        cmocka_unit_test(winograd__every_split_agrees_with_the_definition),
        cmocka_unit_test(winograd__error_is_what_the_header_states),
        cmocka_unit_test(winograd__same_bits_for_any_number_of_threads),
        cmocka_unit_test(winograd__packs_the_same_by_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
