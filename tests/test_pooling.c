#include "core/base/rng.h"
#include "core/kernels/pooling.h"
#include "tests/gradcheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIDE 14

static size_t size(struct luc_rng *rng, size_t most)
{
    return 1 + (size_t)luc_rng_below(rng, 1 + luc_rng_below(rng, most));
}

/* Any geometry luc_window_resolve() accepts. */
static struct luc_window random_window(struct luc_rng *rng)
{
    for (;;) {
        struct luc_window win;
        struct luc_window_attrs a = { .auto_pad = (int64_t)luc_rng_below(rng, 4) };
        a.kernel_shape.n = a.strides.n = a.dilations.n = 2, a.pads.n = 4;
        for (size_t i = 0; i < 4; i++) {
            a.pads.v[i] = (int64_t)luc_rng_below(rng, 4);
            a.kernel_shape.v[i / 2] = (int64_t)size(rng, 4);
            a.strides.v[i / 2] = (int64_t)size(rng, 3);
            a.dilations.v[i / 2] = (int64_t)size(rng, 3);
        }
        const struct luc_shape x = luc_shape4(1, 1, size(rng, SIDE), size(rng, SIDE));
        if (luc_window_resolve(&a, &x, NULL, luc_rng_below(rng, 2), &win, NULL) == LUC_OK)
            return win;
    }
}

static void pooling__agrees_with_the_definition(void **state)
{
    (void)state;
    enum { MOST = (SIDE + 8) * (SIDE + 8) };
    float x[SIDE * SIDE], y[MOST], ref[MOST];
    uint32_t at[MOST], at_ref[MOST];
    struct luc_rng rng;
    luc_rng_seed(&rng, 5);

    for (int turn = 0; turn < 1000; turn++) {
        const struct luc_window win = random_window(&rng);
        const size_t n = win.oh * win.ow;
        assert_true(n <= MOST);
        for (size_t i = 0; i < win.h * win.w; i++)
            x[i] = (float)luc_rng_below(&rng, 20) - 10.0f; /* with ties */
        luc_pool_max(&win, x, y, NULL);
        luc_pool_max_ref(&win, x, ref, at_ref);
        assert_memory_equal(y, ref, n * sizeof(float));
        luc_pool_max(&win, x, y, at);
        assert_memory_equal(y, ref, n * sizeof(float));
        assert_memory_equal(at, at_ref, n * sizeof(uint32_t));
        for (int count_pad = 0; count_pad < 2; count_pad++) {
            luc_pool_mean(&win, x, count_pad, y);
            luc_pool_mean_ref(&win, x, count_pad, ref);
            assert_close("mean", y, ref, n, 1e-5);
        }
    }
}

/* Maps wider than what is worked at a time, and windows wider than that. */
static void pooling__of_wide_maps_agrees_with_the_definition(void **state)
{
    (void)state;
    static const struct luc_window cases[] = {
        { 4, 2500, 4, 2500, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1 },
        { 5, 2501, 2, 1250, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0 },
        { 3, 2500, 2, 833, 2, 4, 1, 3, 1, 1, 0, 1, 0, 0 },
        { 2, 3000, 2, 2, 1, 3, 1, 1500, 1, 1, 0, 1, 0, 0 },
        { 2, 2000, 2, 1951, 1, 700, 1, 1, 1, 1, 0, 300, 0, 350 },
        { 1, 2000, 1, 401, 1, 5, 1, 1, 1, 400, 0, 1, 0, 0 },
    };
    struct luc_rng rng;
    luc_rng_seed(&rng, 6);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        const struct luc_window *win = &cases[k];
        const size_t n_x = win->h * win->w, n_y = win->oh * win->ow;
        float *x = malloc(n_x * sizeof(*x)), *y = malloc(n_y * sizeof(*y));
        float *ref = malloc(n_y * sizeof(*ref));
        assert_true(x && y && ref);
        for (size_t i = 0; i < n_x; i++)
            x[i] = (float)luc_rng_below(&rng, 1000) - 500.0f;
        luc_pool_max(win, x, y, NULL);
        luc_pool_max_ref(win, x, ref, NULL);
        assert_memory_equal(y, ref, n_y * sizeof(*y));
        free(x), free(y), free(ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooling__agrees_with_the_definition),
        cmocka_unit_test(pooling__of_wide_maps_agrees_with_the_definition),
    };
    return cmocka_run_group_tests_name("pooling", tests, NULL, NULL);
}
