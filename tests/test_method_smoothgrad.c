/* smoothgrad and integrated-gradients on a network whose gradient is the same everywhere, and on
 * one where it is not. */
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_smoothgrad, luc_method_integrated_gradients;

static void seed(struct linear_model *m)
{
    linear_model_again(m);
    luc_rng_seed(&m->run.rng, 5);
}

static void smoothgrad__of_a_linear_model_is_the_weights_magnitude(void **state)
{
    static const char *const over[] = { "saliency", "guided-backprop" };
    struct linear_model *m = *state;
    for (size_t i = 0; i < 2; i++) {
        seed(m);
        assert_int_equal(method_run(&m->run, &luc_method_smoothgrad,
                                    SETTINGS({ "target", "2" }, { "over", over[i] }), NULL),
                         LUC_OK);
        for (size_t p = 0; p < PLANE; p++) {
            const float want =
                fmaxf(fmaxf(fabsf(linear_weight(m, 2, 0, p)), fabsf(linear_weight(m, 2, 1, p))),
                      fabsf(linear_weight(m, 2, 2, p)));
            assert_float_equal(method_item(m, "smoothgrad")->map.data[p], want, 1e-8f);
        }
        assert_true(method_item(m, "passes")->number == 25);
    }
}

static void smoothgrad__squared_is_the_weight_squared_and_variance_zero(void **state)
{
    struct linear_model *m = *state;
    seed(m);
    assert_int_equal(method_run(&m->run, &luc_method_smoothgrad,
                                SETTINGS({ "target", "2" }, { "variant", "squared" }), NULL),
                     LUC_OK);
    for (size_t p = 0; p < PLANE; p++) {
        float want = 0;
        for (size_t c = 0; c < 3; c++)
            want = fmaxf(want, linear_weight(m, 2, c, p) * linear_weight(m, 2, c, p));
        assert_float_equal(method_item(m, "smoothgrad")->map.data[p], want, 1e-9f);
    }
    seed(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_smoothgrad, SETTINGS({ "variant", "variance" }), NULL),
        LUC_OK);
    for (size_t p = 0; p < PLANE; p++)
        assert_float_equal(method_item(m, "smoothgrad")->map.data[p], 0, 1e-12f);
}

/* Gradient times input sees the noise: its variance is w^2 s^2. */
static void smoothgrad__noise_is_the_part_of_the_range_that_was_asked_for(void **state)
{
    struct linear_model *m = *state;
    uint8_t low = 255, high = 0;
    double ratio = 0;
    for (size_t i = 0; i < LINEAR_PIXELS; i++) {
        low = m->photo.data[i] < low ? m->photo.data[i] : low;
        high = m->photo.data[i] > high ? m->photo.data[i] : high;
    }
    seed(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_smoothgrad,
                   SETTINGS({ "target", "2" }, { "over", "gradient-times-input" },
                            { "variant", "variance" }, { "samples", "1000" }, { "noise", "0.2" }),
                   NULL),
        LUC_OK);
    for (size_t p = 0; p < PLANE; p++) {
        double w = 0;
        for (size_t c = 0; c < 3; c++)
            w = fmax(w, fabs((double)linear_weight(m, 2, c, p)));
        const double s = w * 0.2 * (high - low);
        ratio += (double)method_item(m, "smoothgrad")->map.data[p] / (s * s) / (double)PLANE;
    }
    assert_true(fabs(ratio - 1) < 0.05);
}

static void smoothgrad__same_seed_same_bits(void **state)
{
    struct linear_model *m = *state;
    float first[LINEAR_PIXELS];
    for (int turn = 0; turn < 3; turn++) {
        linear_model_again(m);
        luc_rng_seed(&m->run.rng, turn == 2 ? 6 : 5);
        assert_int_equal(method_run(&m->run, &luc_method_smoothgrad,
                                    SETTINGS({ "target", "1" }, { "samples", "3" },
                                             { "over", "gradient-times-input" }),
                                    NULL),
                         LUC_OK);
        const float *map = method_item(m, "smoothgrad")->map.data;
        if (turn == 0)
            memcpy(first, map, PLANE * sizeof(*map));
        else
            assert_true((memcmp(first, map, PLANE * sizeof(*map)) == 0) == (turn == 1));
    }
}

static void integrated_gradients__of_a_linear_model_is_weight_times_difference(void **state)
{
    static const char *const rules[] = { "gauss-legendre", "trapezoid", "riemann" };
    struct linear_model *m = *state;
    for (size_t i = 0; i < 3; i++) {
        seed(m);
        assert_int_equal(
            method_run(&m->run, &luc_method_integrated_gradients,
                       SETTINGS({ "target", "3" }, { "rule", rules[i] }, { "steps", "7" }), NULL),
            LUC_OK);
        const struct luc_item *map = method_item(m, "integrated_gradients");
        assert_true(map->is_signed);
        for (size_t p = 0; p < PLANE; p++) {
            double want = 0; /* the black baseline is zero here */
            for (size_t c = 0; c < 3; c++)
                want += (double)linear_weight(m, 3, c, p) * (double)m->photo.data[3 * p + c];
            assert_true(fabs((double)map->map.data[p] - want) < 1e-6);
        }
        assert_true(method_item(m, "baseline_score")->number == 0);
        assert_true(method_item(m, "completeness_gap")->number < 1e-5);
    }
}

static void integrated_gradients__is_complete_for_every_baseline_and_difference(void **state)
{
    static const char *const fills[] = { "mean", "gray", "black", "blur", "noise" };
    struct linear_model *m = *state;
    for (size_t i = 0; i < 5; i++) {
        seed(m);
        assert_int_equal(
            method_run(&m->run, &luc_method_integrated_gradients,
                       SETTINGS({ "target", "1" }, { "vs", "4" }, { "baseline", fills[i] }), NULL),
            LUC_OK);
        const struct luc_item *map = method_item(m, "integrated_gradients");
        double sum = 0;
        for (size_t p = 0; p < PLANE; p++)
            sum += (double)map->map.data[p];
        const double difference =
            method_item(m, "difference")->number - method_item(m, "baseline_score")->number;
        assert_true(fabs(sum - difference) < 1e-4);
        assert_true(method_item(m, "completeness_gap")->number < 1e-4);
    }
}

static void integrated_gradients__unsigned_is_the_magnitude(void **state)
{
    struct linear_model *m = *state;
    float with[PLANE];
    for (int turn = 0; turn < 2; turn++) {
        linear_model_again(m);
        assert_int_equal(method_run(&m->run, &luc_method_integrated_gradients,
                                    SETTINGS({ "signed", turn ? "false" : "true" }), NULL),
                         LUC_OK);
        const struct luc_item *map = method_item(m, "integrated_gradients");
        assert_true(map->is_signed == (turn == 0));
        for (size_t p = 0; p < PLANE && turn; p++)
            assert_true(map->map.data[p] == fabsf(with[p]));
        memcpy(with, map->map.data, sizeof(with));
    }
}

static void integrated_gradients__a_baseline_like_the_picture_is_refused(void **state)
{
    struct linear_model *m = *state;
    memset(m->photo.data, 0, LINEAR_PIXELS);
    method_check_refused(m, &luc_method_integrated_gradients, NULL, LUC_INVALID, "baseline");
}

static void smoothgrad__and_integrated_gradients_are_cancelled_at_any_tick(void **state)
{
    method_check_cancel(*state, &luc_method_smoothgrad, SETTINGS({ "samples", "4" }), 5);
    method_check_cancel(*state, &luc_method_integrated_gradients, SETTINGS({ "steps", "4" }), 5);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(smoothgrad__of_a_linear_model_is_the_weights_magnitude),
        T(smoothgrad__squared_is_the_weight_squared_and_variance_zero),
        T(smoothgrad__noise_is_the_part_of_the_range_that_was_asked_for),
        T(smoothgrad__same_seed_same_bits),
        T(integrated_gradients__of_a_linear_model_is_weight_times_difference),
        T(integrated_gradients__is_complete_for_every_baseline_and_difference),
        T(integrated_gradients__unsigned_is_the_magnitude),
        T(integrated_gradients__a_baseline_like_the_picture_is_refused),
        T(smoothgrad__and_integrated_gradients_are_cancelled_at_any_tick),
    };
#undef T
    return cmocka_run_group_tests_name("method_smoothgrad", tests, NULL, NULL);
}
