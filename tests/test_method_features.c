/* features and receptive-field on a small network of convolutions. */
#include "tests/method_case.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_features, luc_method_receptive_field;

/* x -> c0 (3x3, pad 1) -> p0 (2x2, stride 2) -> c1 (1x1) -> pool -> logits */
static void small_network(struct linear_model *m)
{
    struct net n;
    net_init(&n);
    net_input(&n, LINEAR_SIZE, LINEAR_SIZE);
    net_conv(&n, "x", "c0", 3, 6, 3, "pads=1,1,1,1");
    net_node(&n, "MaxPool", "c0", "p0", "kernel_shape=2,2 strides=2,2");
    net_conv(&n, "p0", "c1", 6, LINEAR_CLASSES, 1, "");
    net_node(&n, "GlobalAveragePool", "c1", "pool", "");
    net_node(&n, "Flatten", "pool", "logits", "");
    net_finish(&n);
    luc_graph_destroy(m->model.graph);
    m->model.graph = n.g;
    m->model.input = luc_graph_find(n.g, "x");
    m->model.logits = luc_graph_find(n.g, "logits");
}

static void features__are_the_layers_means_over_positions(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(method_run(&m->run, &luc_method_features, SETTINGS({ "layer", "x" }), NULL),
                     LUC_OK);
    const struct luc_table *t = &method_item(m, "features")->table;
    double squares = 0, mean[3] = { 0 };
    assert_int_equal(t->n_rows, 3);
    for (size_t c = 0; c < 3; c++) {
        for (size_t p = 0; p < PLANE; p++)
            mean[c] += (double)m->photo.data[3 * p + c] / (double)PLANE;
        assert_true(fabs(t->cells[2 * c + 1].number - mean[c]) < 1e-9);
        squares += mean[c] * mean[c];
    }
    assert_true(fabs(method_item(m, "norm")->number - sqrt(squares)) < 1e-9);
    linear_model_again(m);
    assert_int_equal(method_run(&m->run, &luc_method_features,
                                SETTINGS({ "layer", "x" }, { "l2", "true" }), NULL),
                     LUC_OK);
    t = &method_item(m, "features")->table;
    for (size_t c = 0; c < 3; c++)
        assert_true(fabs(t->cells[2 * c + 1].number - mean[c] / sqrt(squares)) < 1e-9);
}

static void features__by_default_are_what_the_last_linear_layer_reads(void **state)
{
    struct linear_model *m = *state;
    small_network(m);
    assert_int_equal(method_run(&m->run, &luc_method_features, NULL, NULL), LUC_OK);
    assert_string_equal(method_item(m, "layer")->text, "p0");
    assert_true(method_item(m, "length")->number == 6);
}

static void features__wrong_settings_name_the_parameter(void **state)
{
    struct linear_model *m = *state;
    method_check_refused(m, &luc_method_features, SETTINGS({ "layer", "q" }), LUC_NOT_FOUND,
                         "layer");
    method_check_refused(m, &luc_method_features, NULL, LUC_INVALID, "layer"); /* no linear layer */
    m->model.logits = LUC_NONE;
    method_check_refused(m, &luc_method_features, NULL, LUC_INVALID, "layer");
}

/* c0: 3 wide from -1; p0: 4 wide, in steps of 2, from -1. */
static void receptive_field__is_drawn_where_the_unit_sees(void **state)
{
    struct linear_model *m = *state;
    small_network(m);
    assert_int_equal(method_run(&m->run, &luc_method_receptive_field,
                                SETTINGS({ "layer", "p0" }, { "row", "0" }, { "column", "1" }),
                                NULL),
                     LUC_OK);
    const float *map = method_item(m, "field")->map.data;
    for (size_t p = 0; p < PLANE; p++) /* rows -1..3, columns 1..5, cut at the border */
        assert_true(map[p] == (p / LINEAR_SIZE < 3 && p % LINEAR_SIZE >= 1 ? 1.0f : 0.0f));
    assert_true(method_item(m, "height")->number == 4 && method_item(m, "width")->number == 4);
    assert_true(method_item(m, "stride")->number == 2 && method_item(m, "start")->number == -1);
    assert_true(fabs(method_item(m, "inside")->number - 9.0 / 16) < 1e-9);
    linear_model_again(m); /* the middle unit of two is the second */
    assert_int_equal(
        method_run(&m->run, &luc_method_receptive_field, SETTINGS({ "layer", "p0" }), NULL),
        LUC_OK);
    assert_true(method_item(m, "row")->number == 1 && method_item(m, "column")->number == 1);
}

static void receptive_field__of_pooled_values_is_the_whole_picture(void **state)
{
    struct linear_model *m = *state;
    small_network(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_receptive_field, SETTINGS({ "layer", "logits" }), NULL),
        LUC_OK);
    for (size_t p = 0; p < PLANE; p++)
        assert_true(method_item(m, "field")->map.data[p] == 1.0f);
    const struct luc_table *t = &method_item(m, "layers")->table;
    assert_true(t->n_rows >= 4);
    assert_string_equal(t->cells[0].text, "c0");
    assert_true(t->cells[3].number == 3 && t->cells[4].number == 1 && t->cells[5].number == -1);
}

static void receptive_field__wrong_settings_name_the_parameter(void **state)
{
    struct linear_model *m = *state;
    small_network(m);
    const struct luc_method *method = &luc_method_receptive_field;
    method_check_refused(m, method, SETTINGS({ "layer", "q" }), LUC_NOT_FOUND, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "p0" }, { "row", "2" }), LUC_RANGE, "row");
    method_check_refused(m, method, SETTINGS({ "layer", "p0" }, { "column", "9" }), LUC_RANGE,
                         "column");
}

static void features__and_receptive_field_are_cancelled_at_any_tick(void **state)
{
    struct linear_model *m = *state;
    small_network(m);
    method_check_cancel(m, &luc_method_features, NULL, 2);
    method_check_cancel(m, &luc_method_receptive_field, SETTINGS({ "layer", "c1" }), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(features__are_the_layers_means_over_positions),
        T(features__by_default_are_what_the_last_linear_layer_reads),
        T(features__wrong_settings_name_the_parameter),
        T(receptive_field__is_drawn_where_the_unit_sees),
        T(receptive_field__of_pooled_values_is_the_whole_picture),
        T(receptive_field__wrong_settings_name_the_parameter),
        T(features__and_receptive_field_are_cancelled_at_any_tick),
    };
#undef T
    return cmocka_run_group_tests_name("method_features", tests, NULL, NULL);
}
