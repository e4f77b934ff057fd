/* guided-backprop and deconvnet; and, as they take any, the units that methods explain. */
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_guided_backprop, luc_method_deconvnet;

/* The map is max_c |w[plus] - w[minus]|. */
static void check_map(const struct linear_model *m, const char *key, size_t plus, size_t minus)
{
    const struct luc_item *map = method_item(m, key);
    for (size_t p = 0; p < PLANE; p++) {
        float want = 0;
        for (size_t c = 0; c < 3; c++)
            want = fmaxf(want, fabsf(linear_weight(m, plus, c, p) -
                                     (minus == LUC_NONE ? 0 : linear_weight(m, minus, c, p))));
        assert_true(map->map.data[p] == want);
    }
}

static void guided_backprop__without_relus_is_the_gradient(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop, SETTINGS({ "target", "honeybee" }), NULL),
        LUC_OK);
    check_map(m, "guided_backprop", 1, LUC_NONE);
    assert_string_equal(method_item(m, "class")->text, "bee, honeybee");
    assert_non_null(strstr(method_item(m, "warning")->text, "sanity check"));
    linear_model_again(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_deconvnet, SETTINGS({ "target", "cat" }), NULL), LUC_OK);
    check_map(m, "deconvnet", 2, LUC_NONE);
    assert_non_null(strstr(method_item(m, "warning")->text, "sanity check"));
}

static void guided_backprop__colours_are_the_signed_gradient_around_gray(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop, SETTINGS({ "target", "4" }), NULL),
        LUC_OK);
    const struct luc_image *im = &method_item(m, "colours")->picture;
    assert_ptr_equal(m->result.first->next->next->next->next, method_item(m, "colours"));
    assert_int_equal(im->width, LINEAR_SIZE);
    float top = 0;
    for (size_t i = 0; i < LINEAR_PIXELS; i++) {
        const float w = linear_weight(m, 4, i % 3, i / 3);
        assert_true(w > 0 ? im->data[i] >= 128 : im->data[i] <= 127);
        top = fmaxf(top, fabsf(w));
    }
    for (size_t i = 0; i < LINEAR_PIXELS; i++) /* the strongest is drawn at full strength */
        if (fabsf(linear_weight(m, 4, i % 3, i / 3)) == top)
            assert_true(im->data[i] == 0 || im->data[i] == 255);
}

static void guided_backprop__swaps_a_bgr_networks_colours(void **state)
{
    struct linear_model *m = *state;
    m->model.in.channels = LUC_BGR;
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop, SETTINGS({ "target", "4" }), NULL),
        LUC_OK);
    const struct luc_image *im = &method_item(m, "colours")->picture;
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        assert_true((linear_weight(m, 4, 2 - i % 3, i / 3) > 0) == (im->data[i] >= 128));
}

static void guided_backprop__can_answer_with_the_map_first(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop, SETTINGS({ "show", "map" }), NULL),
        LUC_OK);
    const struct luc_item *it = m->result.first;
    while (it->kind != LUC_ITEM_MAP && it->kind != LUC_ITEM_PICTURE)
        it = it->next;
    assert_string_equal(it->key, "guided_backprop");
}

static void unit__vs_is_the_difference_of_two_classes(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(method_run(&m->run, &luc_method_guided_backprop,
                                SETTINGS({ "target", "bee" }, { "vs", "dog" }), NULL),
                     LUC_OK);
    check_map(m, "guided_backprop", 1, 3);
    assert_string_equal(method_item(m, "vs")->text, "dog");
    method_check_refused(m, &luc_method_guided_backprop,
                         SETTINGS({ "target", "bee" }, { "vs", "honeybee" }), LUC_INVALID, "vs");
    method_check_refused(m, &luc_method_guided_backprop, SETTINGS({ "vs", "unicorn" }),
                         LUC_NOT_FOUND, "vs");
}

static void unit__is_any_neuron_of_any_layer(void **state)
{
    struct linear_model *m = *state;
    double logit = 0;
    m->model.logits = LUC_NONE; /* neurons need no classes */
    assert_int_equal(method_run(&m->run, &luc_method_guided_backprop,
                                SETTINGS({ "layer", "logits" }, { "channel", "2" }), NULL),
                     LUC_OK);
    check_map(m, "guided_backprop", 2, LUC_NONE);
    assert_true(method_item(m, "channel")->number == 2);
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        logit += (double)linear_weight(m, 2, i % 3, i / 3) * (double)m->photo.data[i];
    assert_true(fabs(method_item(m, "activation")->number - logit) < 1e-5);

    linear_model_again(m); /* a neuron of the picture itself: its gradient is one there */
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop,
                   SETTINGS({ "layer", "x" }, { "position", "1,3" }, { "channel", "0" }), NULL),
        LUC_OK);
    for (size_t p = 0; p < PLANE; p++)
        assert_true(method_item(m, "guided_backprop")->map.data[p] ==
                    (p == LINEAR_SIZE + 3 ? 1.0f : 0.0f));
    assert_true(method_item(m, "row")->number == 1 && method_item(m, "column")->number == 3);
}

static void unit__the_default_neuron_answers_most(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_guided_backprop, SETTINGS({ "layer", "x" }), NULL), LUC_OK);
    size_t best = 0;
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        best = m->photo.data[i] > m->photo.data[best] ? i : best;
    assert_true(method_item(m, "activation")->number == (double)m->photo.data[best]);
    assert_true(method_item(m, "channel")->number == (double)(best % 3));
}

static void unit__wrong_settings_name_the_parameter(void **state)
{
    struct linear_model *m = *state;
    const struct luc_method *method = &luc_method_guided_backprop;
    static const char *const wrong[] = { "", "maximum", "1", "1,", ",1", "1,2,3", "-1,0", "1,x" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "position", wrong[i] }),
                             LUC_INVALID, "position");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "position", "0,4" }), LUC_RANGE,
                         "position");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "channel", "3" }), LUC_RANGE,
                         "channel");
    method_check_refused(m, method, SETTINGS({ "layer", "fc9" }), LUC_NOT_FOUND, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "w" }), LUC_NOT_FOUND, "layer");
    method_check_refused(m, method, SETTINGS({ "channel", "1" }), LUC_INVALID, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "vs", "ant" }), LUC_INVALID, "vs");
    method_check_refused(m, method, SETTINGS({ "target", "top:9" }), LUC_RANGE, "target");
    m->model.logits = LUC_NONE;
    method_check_refused(m, method, NULL, LUC_INVALID, "layer");
}

static void guided_backprop__a_zero_gradient_says_so(void **state)
{
    struct linear_model *m = *state;
    memset(m->weights, 0, sizeof(float) * LINEAR_CLASSES * LINEAR_PIXELS);
    assert_int_equal(method_run(&m->run, &luc_method_guided_backprop, NULL, NULL), LUC_OK);
    assert_non_null(strstr(method_item(m, "note")->text, "zero everywhere"));
    const struct luc_image *im = &method_item(m, "colours")->picture;
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        assert_int_equal(im->data[i], 128);
}

static void guided_backprop__is_cancelled_at_any_tick(void **state)
{
    method_check_cancel(*state, &luc_method_guided_backprop, NULL, 3);
    method_check_cancel(*state, &luc_method_deconvnet, NULL, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(guided_backprop__without_relus_is_the_gradient),
        T(guided_backprop__colours_are_the_signed_gradient_around_gray),
        T(guided_backprop__swaps_a_bgr_networks_colours),
        T(guided_backprop__can_answer_with_the_map_first),
        T(unit__vs_is_the_difference_of_two_classes),
        T(unit__is_any_neuron_of_any_layer),
        T(unit__the_default_neuron_answers_most),
        T(unit__wrong_settings_name_the_parameter),
        T(guided_backprop__a_zero_gradient_says_so),
        T(guided_backprop__is_cancelled_at_any_tick),
    };
#undef T
    return cmocka_run_group_tests_name("method_guided_backprop", tests, NULL, NULL);
}
