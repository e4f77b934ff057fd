#include "core/tensor/blur.h"
#include "tests/linear_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIXELS (LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_occlusion;

static int setup(void **state)
{
    struct linear_model *m = malloc(sizeof(*m));
    linear_model_init(m);
    luc_rng_seed(&m->run.rng, 1);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    linear_model_done(*state);
    free(*state);
    return 0;
}

static const float *run(struct linear_model *m, const char *const (*settings)[2])
{
    const struct luc_method *method = &luc_method_occlusion;
    struct luc_error err = { 0 };
    void *params = calloc(1, method->params_size);
    luc_params_default(method->params, params);
    for (; (*settings)[0]; settings++)
        assert_int_equal(
            luc_param_set(method->params, (*settings)[0], (*settings)[1], params, NULL), LUC_OK);
    if (luc_method_run(method, &m->run, params, &err))
        fail_msg("%s", err.text);
    free(params);
    return luc_result_first(&m->result, LUC_ITEM_MAP)->map.data;
}

/* What covering [y0, y0 + 2) x [x0, x0 + 2) with black takes from logit 2. */
static double drop(const struct linear_model *m, size_t y0, size_t x0)
{
    double sum = 0;
    for (size_t c = 0; c < 3; c++)
        for (size_t y = y0; y < y0 + 2; y++)
            for (size_t x = x0; x < x0 + 2; x++)
                sum += (double)
                           m->weights[2 * LINEAR_PIXELS + (c * LINEAR_SIZE + y) * LINEAR_SIZE + x] *
                       (double)m->photo.data[3 * (y * LINEAR_SIZE + x) + c];
    return sum;
}

static void occlusion__of_a_linear_model_is_what_the_patch_gives_to_the_logit(void **state)
{
    struct linear_model *m = *state;
    for (int incremental = 0; incremental < 2; incremental++) {
        const char *const set[][2] = {
            { "target", "cat" }, { "patch", "2" },     { "stride", "1" },
            { "fill", "black" }, { "score", "logit" }, { "incremental", incremental ? "1" : "0" },
            { NULL, NULL }
        };
        linear_model_again(m);
        const float *map = run(m, set);
        for (size_t y = 0; y < LINEAR_SIZE; y++)
            for (size_t x = 0; x < LINEAR_SIZE; x++) {
                double sum = 0, n = 0;
                for (size_t y0 = y ? y - 1 : 0; y0 <= y && y0 + 2 <= LINEAR_SIZE; y0++)
                    for (size_t x0 = x ? x - 1 : 0; x0 <= x && x0 + 2 <= LINEAR_SIZE; x0++) {
                        sum += drop(m, y0, x0);
                        n++;
                    }
                assert_true(fabs((double)map[y * LINEAR_SIZE + x] - sum / n) < 1e-5);
            }
        assert_true(luc_result_find(&m->result, "positions")->number == 9.0);
    }
}

static void occlusion__every_filling_gives_the_same_map_both_ways(void **state)
{
    static const char *const fills[] = { "mean", "gray", "black", "blur", "noise" };
    struct linear_model *m = *state;
    for (size_t f = 0; f < 5; f++) {
        float first[PIXELS];
        for (int incremental = 0; incremental < 2; incremental++) {
            const char *const set[][2] = { { "patch", "3" },
                                           { "stride", "2" },
                                           { "fill", fills[f] },
                                           { "incremental", incremental ? "1" : "0" },
                                           { NULL, NULL } };
            linear_model_again(m);
            luc_rng_seed(&m->run.rng, 9);
            const float *map = run(m, set);
            for (size_t i = 0; i < PIXELS; i++) {
                assert_true(isfinite(map[i]));
                assert_true(!incremental || fabsf(map[i] - first[i]) < 1e-5f);
            }
            memcpy(first, map, sizeof(first));
        }
    }
}

static void occlusion__a_patch_larger_than_the_input_is_refused(void **state)
{
    struct linear_model *m = *state;
    struct luc_error err = { 0 };
    void *params = calloc(1, luc_method_occlusion.params_size);
    luc_params_default(luc_method_occlusion.params, params);
    assert_int_equal(luc_method_run(&luc_method_occlusion, &m->run, params, &err), LUC_RANGE);
    assert_string_equal(err.param, "patch");
    free(params);
}

static void blur__keeps_the_mean_and_spreads_by_sigma(void **state)
{
    (void)state;
    float plane[41 * 37] = { 0 }, scratch[41];
    plane[20 * 37 + 18] = 1;
    luc_blur(plane, 41, 37, 2.0, scratch);
    double sum = 0, variance = 0;
    for (size_t y = 0; y < 41; y++)
        for (size_t x = 0; x < 37; x++) {
            sum += (double)plane[y * 37 + x];
            variance += (double)plane[y * 37 + x] * pow((double)y - 20, 2);
        }
    assert_true(fabs(sum - 1) < 1e-5);
    assert_true(fabs(variance - 4) < 0.15); /* cut off at three deviations */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(occlusion__of_a_linear_model_is_what_the_patch_gives_to_the_logit),
        T(occlusion__every_filling_gives_the_same_map_both_ways),
        T(occlusion__a_patch_larger_than_the_input_is_refused),
        T(blur__keeps_the_mean_and_spreads_by_sigma),
    };
#undef T
    return cmocka_run_group_tests_name("method_occlusion", tests, NULL, NULL);
}
