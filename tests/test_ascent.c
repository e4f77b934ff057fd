/* Ascent in tiles beside ascent on the whole; guides beside brute force. */
#include "core/generate/ascent.h"
#include "core/generate/guide.h"
#include "tests/generate_bed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEIGHT 300
#define WIDTH  420
#define N      (3 * HEIGHT * WIDTH)

/* Gray noise that no step takes to the ends of the range. */
static void noise(struct luc_rng *rng, float *picture)
{
    for (size_t i = 0; i < N; i++)
        picture[i] = 128 + 20 * (float)luc_rng_uniform(rng);
}

/* What one step adds; *tiles: how many it took. */
static void change(struct bed *b, size_t tile, const float *picture, float *by, size_t *tiles)
{
    struct luc_loss loss = { .kind = LUC_LOSS_ENERGY,
                             .value = net_value(&b->net, "a"),
                             .weight = 1 };
    struct luc_ascent *a = NULL;
    struct luc_rng rng;
    double before = 0;
    const struct luc_ascent_spec spec = { .model = &b->model,
                                          .losses = &loss,
                                          .n_losses = 1,
                                          .height = HEIGHT,
                                          .width = WIDTH,
                                          .tile = tile,
                                          .rate = 1 };
    luc_rng_seed(&rng, tile);
    assert_int_equal(luc_ascent_create(&spec, b->arena, &a, NULL), LUC_OK);
    memcpy(by, picture, N * sizeof(*by));
    assert_int_equal(luc_ascent_step(a, by, &rng, NULL, NULL, &before, NULL), LUC_OK);
    assert_true(before < 0);
    for (size_t i = 0; i < N; i++)
        by[i] -= picture[i];
    *tiles = luc_ascent_tiles(a);
}

/* A layer of stride 1 answers the same wherever it lies: but for the border, where a rolled picture
 * goes on, and the common factor 1 / mean |g|, tiles change the picture as the whole does. */
static void ascent__tiles_leave_no_seams(void **state)
{
    struct bed *b = *state;
    float *picture = malloc(N * sizeof(float)), *whole = malloc(N * sizeof(float));
    float *tiled = malloc(N * sizeof(float));
    static const size_t sides[] = { 128, 200, 301 }, expected[] = { 20, 6, 2 };
    size_t tiles = 0;
    noise(&b->run.rng, picture);
    change(b, 0, picture, whole, &tiles);
    assert_int_equal(tiles, 1);
    for (size_t k = 0; k < 3; k++) {
        double both = 0, one = 0, most = 0;
        change(b, sides[k], picture, tiled, &tiles);
        assert_int_equal(tiles, expected[k]);
        for (size_t i = 0; i < N; i++) {
            both += (double)whole[i] * (double)tiled[i];
            one += (double)whole[i] * (double)whole[i];
        }
        const double factor = both / one;
        assert_true(fabs(factor - 1) < 0.02);
        for (size_t i = 0; i < N; i++) {
            const size_t y = i / WIDTH % HEIGHT, x = i % WIDTH;
            if (y >= 4 && y < HEIGHT - 4 && x >= 4 && x < WIDTH - 4)
                most = fmax(most, fabs((double)tiled[i] - factor * (double)whole[i]));
        }
        assert_true(most < 0.005); /* of changes of 1 in the mean */
    }
    free(picture);
    free(whole);
    free(tiled);
}

static enum luc_status stop(void *ctx, double done, struct luc_error *err)
{
    size_t *calls = ctx;
    return ++*calls == 3 ? luc_fail(err, LUC_CANCELLED, "enough at %g", done) : LUC_OK;
}

static void ascent__a_tick_that_fails_leaves_the_picture(void **state)
{
    struct bed *b = *state;
    float *picture = malloc(N * sizeof(float)), *before = malloc(N * sizeof(float));
    struct luc_loss loss = { .kind = LUC_LOSS_ENERGY,
                             .value = net_value(&b->net, "b"),
                             .weight = 1 };
    struct luc_ascent *a = NULL;
    double latest = 0;
    size_t calls = 0;
    const struct luc_ascent_spec spec = { .model = &b->model,
                                          .losses = &loss,
                                          .n_losses = 1,
                                          .height = HEIGHT,
                                          .width = WIDTH,
                                          .tile = 200,
                                          .rate = 1 };
    noise(&b->run.rng, picture);
    memcpy(before, picture, N * sizeof(float));
    assert_int_equal(luc_ascent_create(&spec, b->arena, &a, NULL), LUC_OK);
    assert_int_equal(luc_ascent_step(a, picture, &b->run.rng, stop, &calls, &latest, NULL),
                     LUC_CANCELLED);
    assert_int_equal(calls, 3);
    assert_memory_equal(picture, before, N * sizeof(float));
    free(picture);
    free(before);
}

#define CHANNELS 5
#define GUIDES   6
#define PLACES   77 /* more than a block */

static void guide__each_place_gets_the_feature_that_fits_best(void **state)
{
    struct bed *b = *state;
    float y[CHANNELS * GUIDES], f[CHANNELS * PLACES], g[CHANNELS * PLACES] = { 0 };
    for (size_t i = 0; i < CHANNELS * GUIDES; i++)
        y[i] = (float)luc_rng_normal(&b->run.rng);
    for (size_t i = 0; i < CHANNELS * PLACES; i++)
        f[i] = (float)luc_rng_normal(&b->run.rng);
    const struct luc_tensor guide = { luc_shape4(1, CHANNELS, 2, 3), LUC_F32, y };
    const struct luc_tensor features = { luc_shape4(1, CHANNELS, 7, 11), LUC_F32, f };
    struct luc_tensor gradient = { features.shape, LUC_F32, g };
    struct luc_loss loss;
    double sum = 0;
    assert_int_equal(luc_loss_guide(&loss, 0, 2.0, &guide, b->arena, NULL), LUC_OK);
    const double got = luc_loss_eval(&loss, NULL, &features, &gradient);
    for (size_t i = 0; i < PLACES; i++) {
        double most = -1e9;
        size_t best = 0;
        for (size_t j = 0; j < GUIDES; j++) {
            double dot = 0;
            for (size_t c = 0; c < CHANNELS; c++)
                dot += (double)f[c * PLACES + i] * (double)y[c * GUIDES + j];
            if (dot > most) {
                most = dot;
                best = j;
            }
        }
        sum += most;
        for (size_t c = 0; c < CHANNELS; c++)
            assert_true(fabs((double)g[c * PLACES + i] +
                             2.0 * (double)y[c * GUIDES + best] / (CHANNELS * PLACES)) < 1e-6);
    }
    assert_true(fabs(got + 2.0 * sum / (CHANNELS * PLACES)) < 1e-5);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(ascent__tiles_leave_no_seams),
        ON(ascent__a_tick_that_fails_leaves_the_picture),
        ON(guide__each_place_gets_the_feature_that_fits_best),
    };
    return cmocka_run_group_tests_name("ascent", tests, NULL, NULL);
}
