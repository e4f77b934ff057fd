#include "tests/linear_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_saliency, luc_method_classify;

static int setup(void **state)
{
    struct linear_model *m = malloc(sizeof(*m));
    linear_model_init(m);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    linear_model_done(*state);
    free(*state);
    return 0;
}

static enum luc_status run(struct linear_model *m, const struct luc_method *method,
                           const char *const (*settings)[2], struct luc_error *err)
{
    void *params = calloc(1, method->params_size);
    luc_params_default(method->params, params);
    for (; settings && (*settings)[0]; settings++)
        assert_int_equal(
            luc_param_set(method->params, (*settings)[0], (*settings)[1], params, NULL), LUC_OK);
    const enum luc_status st = luc_method_run(method, &m->run, params, err);
    free(params);
    return st;
}

static float weight(const struct linear_model *m, size_t k, size_t c, size_t p)
{
    return m->weights[k * LINEAR_PIXELS + c * LINEAR_SIZE * LINEAR_SIZE + p];
}

static void saliency__of_a_linear_model_is_the_largest_weight(void **state)
{
    struct linear_model *m = *state;
    const char *const set[][2] = { { "target", "honeybee" }, { NULL, NULL } };
    assert_int_equal(run(m, &luc_method_saliency, set, NULL), LUC_OK);
    const struct luc_item *map = luc_result_first(&m->result, LUC_ITEM_MAP);
    assert_string_equal(map->key, "saliency");
    assert_false(map->is_signed);
    for (size_t p = 0; p < LINEAR_SIZE * LINEAR_SIZE; p++) {
        const float want = fmaxf(fmaxf(fabsf(weight(m, 1, 0, p)), fabsf(weight(m, 1, 1, p))),
                                 fabsf(weight(m, 1, 2, p)));
        assert_true(map->map.data[p] == want);
    }
    assert_true(luc_result_find(&m->result, "class_index")->number == 1.0);
    assert_string_equal(luc_result_find(&m->result, "class")->text, "bee, honeybee");
}

static void saliency__l2_signed_times_input_is_what_it_says(void **state)
{
    struct linear_model *m = *state;
    const char *const set[][2] = { { "target", "3" },
                                   { "channel", "l2" },
                                   { "signed", "true" },
                                   { "times_input", "true" },
                                   { NULL, NULL } };
    assert_int_equal(run(m, &luc_method_saliency, set, NULL), LUC_OK);
    const struct luc_item *map = luc_result_first(&m->result, LUC_ITEM_MAP);
    assert_true(map->is_signed);
    for (size_t p = 0; p < LINEAR_SIZE * LINEAR_SIZE; p++) {
        float sum = 0, squares = 0;
        for (size_t c = 0; c < 3; c++) {
            const float v = weight(m, 3, c, p) * (float)m->photo.data[3 * p + c];
            sum += v;
            squares += v * v;
        }
        assert_float_equal(map->map.data[p], copysignf(sqrtf(squares), sum), 1e-6f);
    }
}

static void classify__probabilities_are_the_softmax_in_falling_order(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(run(m, &luc_method_classify, NULL, NULL), LUC_OK);
    const struct luc_table *t = &luc_result_find(&m->result, "classes")->table;
    double sum = 0, total = 0;
    double logit[LINEAR_CLASSES] = { 0 };
    assert_int_equal(t->n_rows, LINEAR_CLASSES);
    for (size_t k = 0; k < LINEAR_CLASSES; k++) {
        for (size_t c = 0; c < 3; c++)
            for (size_t p = 0; p < LINEAR_SIZE * LINEAR_SIZE; p++)
                logit[k] += (double)weight(m, k, c, p) * (double)m->photo.data[3 * p + c];
        sum += exp(logit[k]);
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct luc_cell *row = t->cells + i * t->n_columns;
        assert_true(fabs(row[2].number - exp(logit[(size_t)row[0].number]) / sum) < 1e-6);
        assert_true(i == 0 || row[2].number <= (row - t->n_columns)[2].number);
        total += row[2].number;
    }
    assert_true(fabs(total - 1.0) < 1e-9);
}

static void target__top_k_counts_from_the_likeliest(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(run(m, &luc_method_classify, NULL, NULL), LUC_OK);
    double ranked[LINEAR_CLASSES];
    const struct luc_table *t = &luc_result_find(&m->result, "classes")->table;
    for (size_t i = 0; i < t->n_rows; i++)
        ranked[i] = t->cells[i * t->n_columns].number;
    for (size_t i = 0; i < LINEAR_CLASSES; i++) {
        const char name[] = { 't', 'o', 'p', ':', (char)('1' + (int)i), '\0' };
        const char *const set[][2] = { { "target", name }, { NULL, NULL } };
        linear_model_again(m);
        assert_int_equal(run(m, &luc_method_saliency, set, NULL), LUC_OK);
        assert_true(luc_result_find(&m->result, "class_index")->number == ranked[i]);
    }
}

static void target__wrong_ones_name_the_parameter_and_leave_no_map(void **state)
{
    struct linear_model *m = *state;
    static const char *const wrong[] = { "top:0", "top:6", "top:", "5", "-1", "unicorn", "" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const set[][2] = { { "target", wrong[i] }, { NULL, NULL } };
        struct luc_error err = { 0 };
        linear_model_again(m);
        assert_int_not_equal(run(m, &luc_method_saliency, set, &err), LUC_OK);
        assert_string_equal(err.param, "target");
        assert_null(m->result.first);
    }
}

static bool refuse(void *ctx, double progress)
{
    int *left = ctx;
    (void)progress;
    return (*left)-- > 0;
}

static void saliency__is_cancelled_at_any_tick(void **state)
{
    struct linear_model *m = *state;
    for (int after = 0; after < 3; after++) {
        int left = after;
        linear_model_again(m);
        m->run.tick = refuse;
        m->run.tick_ctx = &left;
        assert_int_equal(run(m, &luc_method_saliency, NULL, NULL), LUC_CANCELLED);
    }
}

static void saliency__a_network_without_classes_needs_a_layer(void **state)
{
    struct linear_model *m = *state;
    struct luc_error err = { 0 };
    const char *const set[][2] = { { "of_layer", "logits" },
                                   { "of_channel", "3" },
                                   { NULL, NULL } };
    const char *const wrong[][2] = { { "of_layer", "logits" },
                                     { "of_channel", "7" },
                                     { NULL, NULL } };
    m->model.logits = LUC_NONE;
    assert_int_equal(run(m, &luc_method_saliency, NULL, &err), LUC_INVALID);
    assert_string_equal(err.param, "of_layer");
    assert_int_equal(strncmp(err.text, "of_layer: ", 10), 0);
    assert_int_equal(run(m, &luc_method_saliency, wrong, &err), LUC_RANGE);
    assert_string_equal(err.param, "of_channel");
    assert_int_equal(run(m, &luc_method_saliency, set, &err), LUC_OK);
    assert_true(luc_result_find(&m->result, "channel")->number == 3);
    const float *map = luc_result_find(&m->result, "saliency")->map.data;
    assert_true(map[5] == fmaxf(fmaxf(fabsf(weight(m, 3, 0, 5)), fabsf(weight(m, 3, 1, 5))),
                                fabsf(weight(m, 3, 2, 5))));
}

static void saliency__of_a_difference_is_that_of_the_weights(void **state)
{
    struct linear_model *m = *state;
    const char *const set[][2] = { { "target", "3" }, { "vs", "1" }, { NULL, NULL } };
    assert_int_equal(run(m, &luc_method_saliency, set, NULL), LUC_OK);
    for (size_t p = 0; p < LINEAR_SIZE * LINEAR_SIZE; p++) {
        float want = 0;
        for (size_t c = 0; c < 3; c++)
            want = fmaxf(want, fabsf(weight(m, 3, c, p) - weight(m, 1, c, p)));
        assert_float_equal(luc_result_find(&m->result, "saliency")->map.data[p], want, 1e-9f);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(saliency__of_a_linear_model_is_the_largest_weight),
        T(saliency__l2_signed_times_input_is_what_it_says),
        T(classify__probabilities_are_the_softmax_in_falling_order),
        T(target__top_k_counts_from_the_likeliest),
        T(target__wrong_ones_name_the_parameter_and_leave_no_map),
        T(saliency__is_cancelled_at_any_tick),
        T(saliency__a_network_without_classes_needs_a_layer),
        T(saliency__of_a_difference_is_that_of_the_weights),
    };
#undef T
    return cmocka_run_group_tests_name("method_saliency", tests, NULL, NULL);
}
