/* evaluate and compare on networks whose answers are known. */
#include "core/judge/faithful.h"
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

#define METHODS(X)                                                                                 \
    X(saliency) X(integrated_gradients) X(occlusion) X(rise) X(evaluate) X(compare) X(smoothgrad)
#define X(name) extern const struct luc_method luc_method_##name;
METHODS(X)
#undef X

static const struct luc_method *const all[] = {
#define X(name) &luc_method_##name,
    METHODS(X)
#undef X
        NULL
};

static void ready(struct linear_model *m)
{
    linear_model_again(m);
    m->run.methods = all;
    luc_rng_seed(&m->run.rng, 4);
}

/* logits = w x as a matrix product, so that there is a layer with weights. */
static void with_a_layer(struct linear_model *m)
{
    const struct luc_shape in = luc_shape4(1, 3, LINEAR_SIZE, LINEAR_SIZE);
    struct luc_graph *g = luc_graph_create((size_t)1 << 20);
    struct luc_tensor w = { .shape = { 2, { LINEAR_CLASSES, LINEAR_PIXELS } } };
    size_t x, flat, weights, logits;
    void *attrs = NULL;
    g->opset = 13;
    w.data = luc_arena_alloc(g->arena, LINEAR_CLASSES * LINEAR_PIXELS, sizeof(float));
    memcpy(w.data, m->weights, LINEAR_CLASSES * LINEAR_PIXELS * sizeof(float));
    assert_int_equal(luc_graph_value(g, "x", &x, NULL), LUC_OK);
    assert_int_equal(luc_graph_value(g, "flat", &flat, NULL), LUC_OK);
    assert_int_equal(luc_graph_value(g, "w", &weights, NULL), LUC_OK);
    assert_int_equal(luc_graph_value(g, "logits", &logits, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_input(g, x, &in, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, weights, &w, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_node(g, luc_op_find("Flatten"), "", &x, 1, &flat, 1, NULL, NULL),
                     LUC_OK);
    assert_int_equal(luc_graph_add_node(g, luc_op_find("Gemm"), "", (size_t[]){ flat, weights }, 2,
                                        &logits, 1, &attrs, NULL),
                     LUC_OK);
    assert_int_equal(luc_param_set(luc_op_find("Gemm")->attrs, "transB", "1", attrs, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_output(g, logits, NULL), LUC_OK);
    assert_int_equal(luc_graph_finish(g, NULL), LUC_OK);
    luc_graph_destroy(m->model.graph);
    m->model.graph = g;
    m->model.input = x;
    m->model.logits = logits;
    m->weights = w.data;
}

static void evaluate(struct linear_model *m, const char *const (*set)[2])
{
    struct luc_error err = { 0 };
    ready(m);
    if (method_run(&m->run, &luc_method_evaluate, set, &err))
        fail_msg("%s", err.text);
}

static double number(const struct linear_model *m, const char *key)
{
    return method_item(m, key)->number;
}

static double logit(const struct linear_model *m, size_t k, const double *rgb)
{
    double sum = 0;
    for (size_t c = 0; c < 3; c++)
        for (size_t p = 0; p < PLANE; p++)
            sum += (double)linear_weight(m, k, c, p) * rgb[3 * p + c];
    return sum;
}

/* Occlusion by single pixels, in black, gives each pixel's part of the logit; taken away in that
 * order, the score falls by the largest part first. */
static void evaluate__deletion_and_insertion_are_the_plain_curves(void **state)
{
    struct linear_model *m = *state;
    double part[PLANE] = { 0 }, score, black[LINEAR_PIXELS] = { 0 }, photo[LINEAR_PIXELS];
    evaluate(m, SETTINGS({ "method", "occlusion" },
                         { "params", "patch=1 stride=1 fill=black score=logit" }, { "target", "2" },
                         { "steps", "16" }, { "fill", "black" }, { "score", "logit" },
                         { "road", "0" }, { "randomise", "0" }, { "sensitivity", "0" }));
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        photo[i] = (double)m->photo.data[i];
    for (size_t p = 0; p < PLANE; p++)
        for (size_t c = 0; c < 3; c++)
            part[p] += (double)linear_weight(m, 2, c, p) * photo[3 * p + c];
    const struct luc_table *t = &method_item(m, "curve")->table;
    assert_int_equal(t->n_rows, PLANE + 1);
    score = logit(m, 2, photo);
    double area = 0;
    for (size_t step = 0; step <= PLANE; step++) {
        assert_true(fabs(t->cells[3 * step].number - (double)step / (double)PLANE) < 1e-12);
        assert_true(fabs(t->cells[3 * step + 1].number - score) < 1e-4);
        area += score * (step == 0 || step == PLANE ? 0.5 : 1) / (double)PLANE;
        size_t best = 0;
        for (size_t p = 1; p < PLANE; p++)
            best = part[p] > part[best] ? p : best;
        score -= step < PLANE ? part[best] : 0;
        part[best] = -HUGE_VAL;
    }
    assert_true(fabs(t->cells[3 * PLANE + 1].number - logit(m, 2, black)) < 1e-4);
    assert_true(fabs(t->cells[3 * PLANE + 2].number - logit(m, 2, photo)) < 1e-4);
    assert_true(fabs(number(m, "deletion_auc") - area) < 1e-4);
    assert_null(luc_result_find(&m->result, "road"));
    assert_null(luc_result_find(&m->result, "max_sensitivity"));
}

/* A gradient that is the same everywhere does not move with the picture; one times the picture
 * does, and by no more than the picture. */
static void evaluate__max_sensitivity_is_zero_where_the_map_does_not_move(void **state)
{
    struct linear_model *m = *state;
    evaluate(m, SETTINGS({ "method", "saliency" }, { "radius", "0.1" }));
    assert_true(number(m, "max_sensitivity") == 0);
    evaluate(m, SETTINGS({ "method", "saliency" }, { "params", "times_input=1" },
                         { "radius", "0.1" }, { "sensitivity", "5" }));
    assert_true(number(m, "max_sensitivity") > 0.001 && number(m, "max_sensitivity") < 0.3);
}

static void evaluate__completeness_is_what_the_method_says(void **state)
{
    struct linear_model *m = *state;
    evaluate(m, SETTINGS({ "method", "integrated-gradients" }));
    assert_true(number(m, "completeness_gap") < 1e-4);
    assert_null(luc_result_find(&m->result, "completeness"));
    evaluate(m, SETTINGS({ "method", "saliency" }));
    assert_null(luc_result_find(&m->result, "completeness_gap"));
    assert_non_null(strstr(method_item(m, "completeness")->text, "does not share"));
}

/* Random weights are another map; a map that does not ask the network stays. */
static void evaluate__randomised_weights_are_another_map(void **state)
{
    struct linear_model *m = *state;
    with_a_layer(m);
    evaluate(m, SETTINGS({ "method", "saliency" }, { "randomise", "1" }));
    const struct luc_cell *row = method_item(m, "randomised")->table.cells;
    assert_true(row[0].number == 1);
    assert_string_equal(row[1].text, "logits");
    assert_true(fabs(row[2].number) < 0.75);
    assert_null(luc_result_find(&m->result, "warning"));
    for (size_t i = 0; i < LINEAR_CLASSES * LINEAR_PIXELS; i++)
        m->weights[i] = 0.01f;
    assert_true(luc_result_find(&m->result, "report")->picture.width > 0);
}

static void evaluate__says_what_it_cost_and_keeps_to_ten_maps_where_it_can(void **state)
{
    struct linear_model *m = *state;
    evaluate(m, SETTINGS({ "method", "saliency" }, { "randomise", "2" }));
    assert_true(number(m, "map_passes") == 3);
    assert_true(number(m, "steps") == 16);
    /* 1 look, 4 maps (no layer here to randomise), 34 and 8 pictures */
    assert_true(number(m, "passes") == 1 + 4 * 3 + 34 + 8);
    assert_non_null(luc_result_find(&m->result, "cost_note"));
    evaluate(m, SETTINGS({ "method", "rise" }, { "params", "masks=60" }));
    assert_true(number(m, "map_passes") == 61);
    assert_true(number(m, "cost") <= 10);
    assert_true(number(m, "steps") >= 16);
    assert_null(luc_result_find(&m->result, "cost_note"));
}

static void evaluate__same_seed_same_bits(void **state)
{
    struct linear_model *m = *state;
    double first[4] = { 0 };
    for (int turn = 0; turn < 2; turn++) {
        evaluate(m, SETTINGS({ "method", "rise" }, { "params", "masks=20" }));
        const double got[4] = { number(m, "deletion_auc"), number(m, "insertion_auc"),
                                number(m, "road"), number(m, "max_sensitivity") };
        if (turn)
            assert_memory_equal(got, first, sizeof(got));
        memcpy(first, got, sizeof(got));
    }
}

static void evaluate__refuses_what_it_cannot_judge(void **state)
{
    static const char *const cases[][3] = { { "evaluate", "", "method" },
                                            { "compare", "", "method" },
                                            { "nothing", "", "method" },
                                            { "rise", "masks=x", "params" },
                                            { "rise", "layer=nowhere", "params" } };
    struct linear_model *m = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct luc_error err = { 0 };
        ready(m);
        assert_true(method_run(&m->run, &luc_method_evaluate,
                               SETTINGS({ "method", cases[i][0] }, { "params", cases[i][1] }),
                               &err) != LUC_OK);
        assert_string_equal(err.param, cases[i][2]);
    }
}

static bool refuse(void *ctx, double progress)
{
    int *left = ctx;
    assert_true(progress >= 0 && progress <= 1 + 1e-9);
    return (*left)-- > 0;
}

static void check_cancel(struct linear_model *m, const struct luc_method *method,
                         const char *const (*set)[2], int ticks)
{
    enum luc_status st = LUC_CANCELLED;
    int after = 0;
    for (; st == LUC_CANCELLED; after++) {
        int left = after;
        ready(m);
        m->run.tick = refuse;
        m->run.tick_ctx = &left;
        st = method_run(&m->run, method, set, NULL);
        assert_true(st == LUC_CANCELLED || st == LUC_OK);
    }
    assert_true(after > ticks);
}

static void evaluate__and_compare_are_cancelled_at_any_tick(void **state)
{
    struct linear_model *m = *state;
    with_a_layer(m);
    check_cancel(m, &luc_method_evaluate,
                 SETTINGS({ "method", "smoothgrad" }, { "params", "samples=2" }), 15);
    check_cancel(m, &luc_method_compare,
                 SETTINGS({ "methods", "saliency, rise masks=20" }, { "steps", "4" }), 8);
}

/* Of a linear network's logit, what each pixel gives is the right order; the magnitude of the
 * weights is not. */
static void compare__puts_the_faithful_map_first(void **state)
{
    struct linear_model *m = *state;
    struct luc_error err = { 0 };
    ready(m);
    if (method_run(&m->run, &luc_method_compare,
                   SETTINGS({ "methods", " saliency , occlusion patch=1 stride=1 fill=black "
                                         "score=logit,integrated-gradients" },
                            { "target", "2" }, { "steps", "16" }, { "fill", "black" },
                            { "score", "logit" }, { "order", "deletion" }),
                   &err))
        fail_msg("%s", err.text);
    const struct luc_table *t = &method_item(m, "methods")->table;
    assert_int_equal(t->n_rows, 3);
    const struct luc_cell *last = t->cells + 2 * t->n_columns;
    assert_string_equal(last[1].text, "saliency");
    assert_string_equal(last[2].text, "");
    for (size_t i = 0; i < 3; i++) {
        const struct luc_cell *row = t->cells + i * t->n_columns;
        assert_true(row[0].number == (double)(i + 1));
        assert_true(row[3].number == -row[5].number);
        assert_true(i == 0 || row[3].number <= (row - t->n_columns)[3].number);
    }
    assert_true(fabs(t->cells[5].number - (t->cells + t->n_columns)[5].number) < 1e-3);
    assert_true(luc_result_first(&m->result, LUC_ITEM_PICTURE)->picture.width > 0);
}

static void compare__says_of_a_blank_map_that_it_is_blank(void **state)
{
    struct linear_model *m = *state;
    memset(m->weights, 0, LINEAR_CLASSES * LINEAR_PIXELS * sizeof(float));
    ready(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_compare, SETTINGS({ "methods", "saliency" }), NULL),
        LUC_OK);
    assert_non_null(strstr(method_item(m, "methods")->table.cells[8].text, "zero everywhere"));
}

static void compare__names_the_parameter(void **state)
{
    static const char sixteen[] = "rise,rise,rise,rise,rise,rise,rise,rise,rise,rise,rise,rise,"
                                  "rise,rise,rise,rise";
    static const char *const wrong[] = { "",        "saliency,",    "saliency,,rise", "compare",
                                         "nothing", "rise masks=0", "rise 3",         sixteen };
    struct linear_model *m = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct luc_error err = { 0 };
        ready(m);
        assert_true(method_run(&m->run, &luc_method_compare, SETTINGS({ "methods", wrong[i] }),
                               &err) != LUC_OK);
        assert_string_equal(err.param, "methods");
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(evaluate__deletion_and_insertion_are_the_plain_curves),
        T(evaluate__max_sensitivity_is_zero_where_the_map_does_not_move),
        T(evaluate__completeness_is_what_the_method_says),
        T(evaluate__randomised_weights_are_another_map),
        T(evaluate__says_what_it_cost_and_keeps_to_ten_maps_where_it_can),
        T(evaluate__same_seed_same_bits),
        T(evaluate__refuses_what_it_cannot_judge),
        T(evaluate__and_compare_are_cancelled_at_any_tick),
        T(compare__puts_the_faithful_map_first),
        T(compare__says_of_a_blank_map_that_it_is_blank),
        T(compare__names_the_parameter),
    };
#undef T
    return cmocka_run_group_tests_name("method_evaluate", tests, NULL, NULL);
}
