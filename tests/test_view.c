#include "core/generate/view.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 400

static void fill(float *v, size_t n, struct luc_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)luc_rng_normal(rng);
}

static void view__plain_shows_the_picture_itself(void **state)
{
    (void)state;
    struct luc_rng rng;
    float in[MOST], out[MOST];
    luc_rng_seed(&rng, 1);
    fill(in, 2 * 7 * 9, &rng);
    for (int border = 0; border < 2; border++) {
        const struct luc_view v = luc_view_plain((enum luc_border)border);
        luc_view_apply(&v, NULL, 2, 7, 9, in, out);
        assert_memory_equal(in, out, 2 * 7 * 9 * sizeof(float));
    }
}

static void view__wrapped_shifts_are_rolls_bit_for_bit(void **state)
{
    (void)state;
    struct luc_rng rng;
    float in[MOST], out[MOST];
    luc_rng_seed(&rng, 2);
    fill(in, 7 * 9, &rng);
    for (int dy = -15; dy <= 15; dy += 3)
        for (int dx = -20; dx <= 20; dx += 4) {
            struct luc_view v = luc_view_plain(LUC_BORDER_WRAP);
            v.shift_y = dy, v.shift_x = dx;
            luc_view_apply(&v, NULL, 1, 7, 9, in, out);
            for (int y = 0; y < 7; y++)
                for (int x = 0; x < 9; x++)
                    assert_true(out[y * 9 + x] == in[(y + dy + 70) % 7 * 9 + (x + dx + 90) % 9]);
        }
}

static void view__mirrors_beyond_the_border(void **state)
{
    (void)state;
    const float in[4] = { 1, 2, 3, 4 };
    float out[4];
    struct luc_view v = luc_view_plain(LUC_BORDER_REFLECT);
    v.shift_x = 2;
    luc_view_apply(&v, NULL, 1, 1, 4, in, out);
    assert_memory_equal(out, ((const float[]){ 3, 4, 4, 3 }), sizeof(out));
    v.shift_x = -3;
    luc_view_apply(&v, NULL, 1, 1, 4, in, out);
    assert_memory_equal(out, ((const float[]){ 3, 2, 1, 1 }), sizeof(out));
}

/* On a picture that is linear in x and y, bilinear sampling is exact inside. */
static void view__turns_and_scales_about_the_centre(void **state)
{
    (void)state;
    enum { N = 19 };
    float in[N * N], out[N * N];
    for (int i = 0; i < N * N; i++)
        in[i] = (float)(3 * (i / N) - 2 * (i % N));
    const double angle = 0.3, scale = 1.25, c = (N - 1) / 2.0;
    const struct luc_view v = { 1, -2, cos(angle) / scale, sin(angle) / scale, LUC_BORDER_REFLECT };
    luc_view_apply(&v, NULL, 1, N, N, in, out);
    for (int y = 5; y < N - 5; y++)
        for (int x = 5; x < N - 5; x++) {
            const double sy = c + 1 + (cos(angle) * (y - c) + sin(angle) * (x - c)) / scale;
            const double sx = c - 2 + (cos(angle) * (x - c) - sin(angle) * (y - c)) / scale;
            assert_true(fabs(3 * sy - 2 * sx - (double)out[y * N + x]) < 1e-4);
        }
}

/* <A x, y> = <x, A' y> for any view, and bounds of what is drawn. */
static void view__adjoint_is_the_transpose(void **state)
{
    (void)state;
    static const size_t sizes[][2] = { { 1, 1 }, { 1, 6 }, { 5, 3 }, { 11, 12 } };
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    for (int turn = 0; turn < 40; turn++) {
        const size_t h = sizes[turn % 4][0], w = sizes[turn % 4][1], n = 3 * h * w;
        const bool shifts = turn / 8 % 2 == 1; /* by whole pixels only */
        const struct luc_views views = { .jitter = 9,
                                         .zoom = shifts ? 0 : 0.3,
                                         .rotate = shifts ? 0 : 40,
                                         .border = (enum luc_border)(turn / 4 % 2) };
        const struct luc_view v = luc_view_draw(&views, &rng);
        float x[MOST], ax[MOST], y[MOST], aty[MOST];
        double left = 0, right = 0;
        assert_true(fabs(v.shift_y) <= 9 && fabs(v.shift_x) <= 9);
        const double scale = 1 / hypot(v.along, v.across);
        assert_true(scale >= 0.7 - 1e-9 && scale <= 1.3 + 1e-9);
        assert_true(fabs(atan2(v.across, v.along)) <= 0.7);
        fill(x, n, &rng);
        fill(y, n, &rng);
        luc_view_apply(&v, NULL, 3, h, w, x, ax);
        luc_view_adjoint(&v, NULL, 3, h, w, y, aty);
        for (size_t i = 0; i < n; i++) {
            left += (double)ax[i] * (double)y[i];
            right += (double)x[i] * (double)aty[i];
        }
        assert_true(fabs(left - right) < 1e-4 * (1 + fabs(left)));
    }
}

static void view__any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    struct luc_pool *pool = luc_pool_create(3);
    struct luc_rng rng;
    luc_rng_seed(&rng, 4);
    const struct luc_views views = { 4, 0.2, 15, LUC_BORDER_REFLECT };
    const struct luc_view v = luc_view_draw(&views, &rng);
    float x[MOST], out[2][MOST], back[2][MOST];
    fill(x, 3 * 121, &rng);
    for (int k = 0; k < 2; k++) {
        const struct luc_threads threads = { .pool = k ? pool : NULL, .width = k ? 4 : 1 };
        luc_view_apply(&v, &threads, 3, 11, 11, x, out[k]);
        luc_view_adjoint(&v, &threads, 3, 11, 11, x, back[k]);
    }
    assert_memory_equal(out[0], out[1], 3 * 121 * sizeof(float));
    assert_memory_equal(back[0], back[1], 3 * 121 * sizeof(float));
    luc_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view__plain_shows_the_picture_itself),
        cmocka_unit_test(view__wrapped_shifts_are_rolls_bit_for_bit),
        cmocka_unit_test(view__mirrors_beyond_the_border),
        cmocka_unit_test(view__turns_and_scales_about_the_centre),
        cmocka_unit_test(view__adjoint_is_the_transpose),
        cmocka_unit_test(view__any_number_of_threads_gives_the_same_bits),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
