#include "core/base/rng.h"
#include "core/generate/regular.h"
#include "core/tensor/blur.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H 5
#define W 6
#define N (3 * H * W)

static void fill(float *p, uint64_t seed)
{
    struct luc_rng rng;
    luc_rng_seed(&rng, seed);
    for (size_t i = 0; i < N; i++)
        p[i] = (float)(255 * luc_rng_uniform(&rng));
}

static const struct luc_regular penalties[] = {
    { .centre = { 120, 115, 100 }, .l2 = 3 },
    { .centre = { 120, 115, 100 }, .l1 = 3 },
    { .tv = 500 },
    { .centre = { 120, 115, 100 }, .alpha_weight = 4, .alpha = 6 },
    { .centre = { 120, 115, 100 }, .alpha_weight = 4, .alpha = 3.5 },
    { .beta_tv_weight = 9, .beta = 2 },
    { .beta_tv_weight = 9, .beta = 1 },
    { .beta_tv_weight = 9, .beta = 1.5 },
};
#define N_PENALTIES (sizeof(penalties) / sizeof(penalties[0]))

static void penalties__gradients_match_finite_differences(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_PENALTIES; k++) {
        const struct luc_regular *r = &penalties[k];
        float p[N], g[N], unused[N] = { 0 };
        fill(p, 11 + k);
        for (size_t i = 0; i < N; i++)
            g[i] = 1;
        luc_regular_loss(r, p, H, W, g); /* adds */
        for (size_t i = 0; i < N; i++) {
            const float at = p[i];
            p[i] = at + 0.5f;
            const double up = luc_regular_loss(r, p, H, W, unused);
            p[i] = at - 0.5f;
            const double down = luc_regular_loss(r, p, H, W, unused);
            p[i] = at;
            const double want = up - down, is = (double)(g[i] - 1);
            if (!(fabs(want - is) < 2e-4 + 5e-3 * fabs(want)))
                fail_msg("penalty %zu, pixel %zu: %g, should be %g", k, i, is, want);
        }
    }
}

static void penalties__are_what_they_are_called(void **state)
{
    (void)state;
    float p[N], g[N] = { 0 };
    for (size_t i = 0; i < N; i++)
        p[i] = (float)(10 * (i % W)); /* a ramp of 10 per pixel */
    const struct luc_regular zero = { .centre = { 1, 2, 3 } };
    assert_true(luc_regular_loss(&zero, p, H, W, g) == 0);
    for (size_t i = 0; i < N; i++)
        assert_true(g[i] == 0);
    const double step = 10.0 / 255, inner = (double)(W - 1) / W;
    assert_true(fabs(luc_regular_loss(&(struct luc_regular){ .tv = 2 }, p, H, W, g) -
                     2 * step * step) < 1e-9);
    assert_true(
        fabs(luc_regular_loss(&(struct luc_regular){ .beta_tv_weight = 1, .beta = 1 }, p, H, W, g) -
             (inner * step + (1 - inner) * 1e-4)) < 1e-5);
    assert_true(fabs(luc_regular_loss(&(struct luc_regular){ .l1 = 1 }, p, H, W, g) - 25.0 / 255) <
                1e-9);
    assert_true(
        fabs(luc_regular_loss(&(struct luc_regular){ .alpha_weight = 1, .alpha = 2 }, p, H, W, g) -
             5500.0 / 6 / 128 / 128) < 1e-9);
}

static void blur__comes_every_few_steps(void **state)
{
    (void)state;
    const struct luc_regular r = { .blur = 0.8, .blur_every = 3 };
    float p[N], was[N], scratch[2 * H * W];
    fill(was, 5);
    for (uint64_t step = 1; step < 8; step++) {
        memcpy(p, was, sizeof(p));
        assert_int_equal(luc_regular_projects(&r, step), step % 3 == 0);
        luc_regular_project(&r, step, p, H, W, NULL, scratch);
        for (size_t c = 0; step % 3 == 0 && c < 3; c++)
            luc_blur(was + c * H * W, H, W, 0.8, scratch);
        assert_memory_equal(p, was, sizeof(p));
    }
}

/* Exactly the stated part goes to the centre, and it is the part with the smallest scores. */
static void clips__move_the_smallest_to_the_centre(void **state)
{
    (void)state;
    for (int contributions = 0; contributions < 2; contributions++) {
        const struct luc_regular r = { .centre = { 120, 110, 100 },
                                       .small_pixels = contributions ? 0 : 40,
                                       .small_contributions = contributions ? 40 : 0 };
        float p[N], was[N], d[N], scratch[2 * H * W];
        double kept_least = INFINITY, gone_most = 0;
        size_t gone = 0;
        fill(was, 6);
        fill(d, 7);
        memcpy(p, was, sizeof(p));
        for (size_t i = 0; i < N; i++)
            d[i] -= 127;
        luc_regular_project(&r, 1, p, H, W, d, scratch);
        for (size_t i = 0; i < H * W; i++) {
            double score = 0;
            bool moved = true, same = true;
            for (size_t c = 0; c < 3; c++) {
                const size_t k = c * H * W + i;
                const double v = (double)was[k] - (double)r.centre[c];
                score += contributions ? v * (double)d[k] : v * v;
                moved = moved && p[k] == r.centre[c];
                same = same && p[k] == was[k];
            }
            assert_true(moved != same);
            score = fabs(score);
            gone += moved;
            if (moved)
                gone_most = fmax(gone_most, score);
            else
                kept_least = fmin(kept_least, score);
        }
        assert_int_equal(gone, H * W * 40 / 100);
        assert_true(gone_most < kept_least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties__gradients_match_finite_differences),
        cmocka_unit_test(penalties__are_what_they_are_called),
        cmocka_unit_test(blur__comes_every_few_steps),
        cmocka_unit_test(clips__move_the_smallest_to_the_centre),
    };
    return cmocka_run_group_tests_name("regular", tests, NULL, NULL);
}
