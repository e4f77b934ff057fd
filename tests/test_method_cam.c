/* cam and grad-cam, on a network whose maps are the picture's own colours. */
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_cam, luc_method_grad_cam, luc_method_score_cam;

static size_t value(struct luc_graph *g, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(g, name, &v, NULL), LUC_OK);
    return v;
}

static void *node(struct luc_graph *g, const char *op, const char *in, const char *out)
{
    void *attrs = NULL;
    const size_t from[] = { value(g, in), value(g, "w"), value(g, "b") }, to = value(g, out);
    assert_int_equal(luc_graph_add_node(g, luc_op_find(op), out, from,
                                        strcmp(op, "Gemm") == 0 ? 3 : 1, &to, 1, &attrs, NULL),
                     LUC_OK);
    return attrs;
}

/* x -> pooling -> flat -> w x + b. Weights of class k, channel c: bent[k][c]. */
static const float bent[LINEAR_CLASSES][3] = {
    { 0.01f, -0.02f, 0.03f }, { 0.04f, 0.01f, -0.01f }, { -0.03f, -0.01f, -0.02f },
    { 0.02f, 0.02f, 0.01f },  { -0.01f, 0.05f, 0.01f },
};
static const float bias[LINEAR_CLASSES] = { 0.5f, -0.25f, 1.0f, -2.0f, 0.75f };

static void pooled_model(struct linear_model *m, const char *pooling, const char *after)
{
    const struct luc_shape in = luc_shape4(1, 3, LINEAR_SIZE, LINEAR_SIZE);
    struct luc_tensor w = { .shape = { 2, { LINEAR_CLASSES, 3 } } };
    struct luc_tensor b = { .shape = { 1, { LINEAR_CLASSES } } };
    luc_graph_destroy(m->model.graph);
    struct luc_graph *g = m->model.graph = luc_graph_create((size_t)1 << 20);
    g->opset = 13;
    w.data = luc_arena_alloc(g->arena, sizeof(bent), 1);
    b.data = luc_arena_alloc(g->arena, sizeof(bias), 1);
    memcpy(w.data, bent, sizeof(bent));
    memcpy(b.data, bias, sizeof(bias));
    assert_int_equal(luc_graph_add_input(g, value(g, "x"), &in, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, value(g, "w"), &w, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, value(g, "b"), &b, NULL), LUC_OK);
    node(g, pooling, "x", "pool");
    node(g, "Flatten", "pool", "flat");
    node(g, after, "flat", "after");
    void *gemm = node(g, "Gemm", "after", "logits");
    assert_int_equal(luc_param_set(luc_op_find("Gemm")->attrs, "transB", "1", gemm, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_output(g, value(g, "logits"), NULL), LUC_OK);
    assert_int_equal(luc_graph_finish(g, NULL), LUC_OK);
    m->model.input = luc_graph_find(g, "x");
    m->model.logits = luc_graph_find(g, "logits");
}

static double map_of(const struct linear_model *m, size_t k, size_t p)
{
    double sum = 0;
    for (size_t c = 0; c < 3; c++)
        sum += (double)bent[k][c] * (double)m->photo.data[3 * p + c];
    return sum;
}

static void cam__is_the_weighted_sum_of_maps_and_its_mean_plus_bias_the_logit(void **state)
{
    struct linear_model *m = *state;
    pooled_model(m, "GlobalAveragePool", "Identity");
    for (size_t k = 0; k < LINEAR_CLASSES; k++) {
        const char name[] = { (char)('0' + (int)k), '\0' };
        linear_model_again(m);
        assert_int_equal(method_run(&m->run, &luc_method_cam, SETTINGS({ "target", name }), NULL),
                         LUC_OK);
        const struct luc_item *map = method_item(m, "cam");
        assert_true(map->is_signed);
        double mean = 0;
        for (size_t p = 0; p < PLANE; p++) {
            assert_true(fabs((double)map->map.data[p] - map_of(m, k, p)) < 1e-4);
            mean += map_of(m, k, p) / (double)PLANE;
        }
        assert_true(fabs(method_item(m, "bias")->number - (double)bias[k]) < 1e-4);
        assert_true(fabs(method_item(m, "mean")->number - mean) < 1e-4);
        assert_true(fabs(mean + (double)bias[k] - method_item(m, "logit")->number) < 1e-4);
        assert_true(method_item(m, "gap")->number < 1e-4);
    }
}

static void cam__other_endings_are_refused_with_the_way_out(void **state)
{
    struct linear_model *m = *state;
    struct luc_error err = { 0 };
    method_check_refused(m, &luc_method_cam, NULL, LUC_UNSUPPORTED, "model");
    assert_int_equal(method_run(&m->run, &luc_method_cam, NULL, &err), LUC_UNSUPPORTED);
    assert_non_null(strstr(err.text, "Linear before its classes; use grad-cam"));
    pooled_model(m, "GlobalAveragePool", "Relu");
    method_check_refused(m, &luc_method_cam, NULL, LUC_UNSUPPORTED, "model");
}

static void grad_cam__on_a_cam_network_is_cam_up_to_scale(void **state)
{
    struct linear_model *m = *state;
    pooled_model(m, "GlobalAveragePool", "Identity");
    for (size_t k = 0; k < LINEAR_CLASSES; k++) {
        const char name[] = { (char)('0' + (int)k), '\0' };
        linear_model_again(m);
        assert_int_equal(method_run(&m->run, &luc_method_grad_cam,
                                    SETTINGS({ "target", name }, { "layer", "x" }), NULL),
                         LUC_OK);
        const struct luc_item *map = method_item(m, "grad_cam");
        assert_false(map->is_signed);
        for (size_t p = 0; p < PLANE; p++)
            assert_true(fabs((double)map->map.data[p] * (double)PLANE - fmax(map_of(m, k, p), 0)) <
                        1e-4);
    }
}

/* The logit of class 1 as a neuron of the layer that holds the logits, for those who weigh maps. */
static void grad_cam__of_a_neuron_is_that_of_the_class_it_is(void **state)
{
    struct linear_model *m = *state;
    static const struct luc_method *const methods[] = { &luc_method_grad_cam,
                                                        &luc_method_score_cam };
    for (size_t i = 0; i < 2; i++) {
        float map[PLANE];
        pooled_model(m, "GlobalAveragePool", "Identity");
        linear_model_again(m);
        assert_int_equal(
            method_run(&m->run, methods[i], SETTINGS({ "target", "1" }, { "layer", "x" }), NULL),
            LUC_OK);
        memcpy(map, luc_result_first(&m->result, LUC_ITEM_MAP)->map.data, sizeof(map));
        linear_model_again(m);
        assert_int_equal(
            method_run(&m->run, methods[i],
                       SETTINGS({ "of_layer", "logits" }, { "of_channel", "1" }, { "layer", "x" }),
                       NULL),
            LUC_OK);
        assert_memory_equal(map, luc_result_first(&m->result, LUC_ITEM_MAP)->map.data, sizeof(map));
        assert_true(map[5] > 0);
        assert_string_equal(method_item(m, "maps_layer")->text, "x");
        assert_true(method_item(m, "channel")->number == 1);
    }
}

static void grad_cam__an_empty_map_says_why_and_signed_shows_it(void **state)
{
    struct linear_model *m = *state;
    pooled_model(m, "GlobalAveragePool", "Identity");
    assert_int_equal(method_run(&m->run, &luc_method_grad_cam,
                                SETTINGS({ "target", "2" }, { "layer", "x" }), NULL),
                     LUC_OK); /* all weights of class 2 are negative */
    assert_non_null(strstr(method_item(m, "note")->text, "zero everywhere"));
    linear_model_again(m);
    assert_int_equal(method_run(&m->run, &luc_method_grad_cam,
                                SETTINGS({ "target", "2" }, { "layer", "x" }, { "signed", "true" }),
                                NULL),
                     LUC_OK);
    assert_null(luc_result_find(&m->result, "note"));
    assert_true(method_item(m, "grad_cam")->map.data[3] < 0);
}

/* The formulas, plainly, in double: a are the picture's colours, g the linear model's weights. */
static double by_hand(const struct linear_model *m, const char *variant, size_t k, size_t p)
{
    double out = 0;
    for (size_t c = 0; c < 3; c++) {
        double mean = 0, total = 0, plus = 0;
        const double a = (double)m->photo.data[3 * p + c], g = (double)linear_weight(m, k, c, p);
        for (size_t i = 0; i < PLANE; i++) {
            mean += (double)linear_weight(m, k, c, i) / (double)PLANE;
            total += (double)m->photo.data[3 * i + c];
        }
        for (size_t i = 0; i < PLANE; i++) {
            const double v = (double)linear_weight(m, k, c, i);
            plus += v > 0 ? v * v * v / (2 * v * v + v * v * v * total) : 0;
        }
        out += a * (strcmp(variant, "plain") == 0      ? mean
                    : strcmp(variant, "plusplus") == 0 ? plus
                    : strcmp(variant, "layercam") == 0 ? fmax(g, 0)
                                                       : g);
    }
    return out;
}

static void grad_cam__variants_are_their_formulas(void **state)
{
    static const char *const variants[] = { "plain", "plusplus", "layercam", "hirescam" };
    struct linear_model *m = *state;
    for (size_t i = 0; i < 4; i++) {
        linear_model_again(m);
        assert_int_equal(method_run(&m->run, &luc_method_grad_cam,
                                    SETTINGS({ "target", "3" }, { "layer", "x" },
                                             { "variant", variants[i] }, { "signed", "true" }),
                                    NULL),
                         LUC_OK);
        for (size_t p = 0; p < PLANE; p++)
            assert_true(fabs((double)method_item(m, "grad_cam")->map.data[p] -
                             by_hand(m, variants[i], 3, p)) < 1e-4);
    }
}

static void grad_cam__guided_is_the_gradient_times_the_map(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_grad_cam,
                   SETTINGS({ "target", "0" }, { "layer", "x" }, { "variant", "guided" }), NULL),
        LUC_OK);
    for (size_t p = 0; p < PLANE; p++) {
        double want = 0;
        for (size_t c = 0; c < 3; c++)
            want = fmax(want, fabs((double)linear_weight(m, 0, c, p)) *
                                  fmax(by_hand(m, "plain", 0, p), 0));
        assert_true(fabs((double)method_item(m, "grad_cam")->map.data[p] - want) < 1e-6);
    }
    assert_non_null(method_item(m, "colours")->picture.data);
}

static void grad_cam__wrong_settings_name_the_parameter(void **state)
{
    struct linear_model *m = *state;
    const struct luc_method *method = &luc_method_grad_cam;
    method_check_refused(m, method, SETTINGS({ "layer", "fc9" }), LUC_NOT_FOUND, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "logits" }), LUC_SHAPE, "layer");
    method_check_refused(m, method,
                         SETTINGS({ "layer", "x" }, { "variant", "guided" }, { "signed", "yes" }),
                         LUC_INVALID, "signed");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "target", "yak" }), LUC_NOT_FOUND,
                         "target");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "vs", "top" }), LUC_INVALID, "vs");
}

static void cam__and_grad_cam_are_cancelled_at_any_tick(void **state)
{
    struct linear_model *m = *state;
    method_check_cancel(m, &luc_method_grad_cam, SETTINGS({ "layer", "x" }), 3);
    method_check_cancel(m, &luc_method_grad_cam,
                        SETTINGS({ "layer", "x" }, { "variant", "guided" }), 4);
    pooled_model(m, "GlobalAveragePool", "Identity");
    method_check_cancel(m, &luc_method_cam, NULL, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(cam__is_the_weighted_sum_of_maps_and_its_mean_plus_bias_the_logit),
        T(cam__other_endings_are_refused_with_the_way_out),
        T(grad_cam__on_a_cam_network_is_cam_up_to_scale),
        T(grad_cam__of_a_neuron_is_that_of_the_class_it_is),
        T(grad_cam__an_empty_map_says_why_and_signed_shows_it),
        T(grad_cam__variants_are_their_formulas),
        T(grad_cam__guided_is_the_gradient_times_the_map),
        T(grad_cam__wrong_settings_name_the_parameter),
        T(cam__and_grad_cam_are_cancelled_at_any_tick),
    };
#undef T
    return cmocka_run_group_tests_name("method_cam", tests, NULL, NULL);
}
