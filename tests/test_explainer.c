/* One method asks another for its map, on the linear model. */
#include "core/judge/explainer.h"
#include "tests/method_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_saliency, luc_method_rise, luc_method_classify,
    luc_method_occlusion;

static enum luc_status run_nothing(struct luc_run *run, const void *params, struct luc_error *err)
{
    (void)run;
    (void)params;
    (void)err;
    return LUC_OK;
}

static const struct luc_method asker = { .name = "asker",
                                         .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
                                         .images_min = 1,
                                         .images_max = 1,
                                         .asks_others = true,
                                         .run = run_nothing };
static const struct luc_method *const all[] = {
    &luc_method_saliency,  &luc_method_rise, &luc_method_classify,
    &luc_method_occlusion, &asker,           NULL
};

static void ready(struct linear_model *m)
{
    linear_model_again(m);
    m->run.methods = all;
    luc_rng_seed(&m->run.rng, 4);
}

static void open_explainer(struct linear_model *m, const char *name, const char *given,
                           struct luc_explainer *e)
{
    struct luc_error err = { 0 };
    ready(m);
    if (luc_explainer_find(&m->run, name, given, e, &err))
        fail_msg("%s", err.text);
}

static void explainer__gives_the_map_that_asking_directly_gives(void **state)
{
    struct linear_model *m = *state;
    struct luc_explainer e;
    struct luc_explained found;
    float direct[PLANE], grid[PLANE];
    ready(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_rise, SETTINGS({ "masks", "30" }, { "cells", "3" }), NULL),
        LUC_OK);
    memcpy(direct, method_item(m, "rise")->map.data, sizeof(direct));
    open_explainer(m, "rise", " masks=30  cells=3 ", &e);
    const size_t before = luc_arena_used(m->run.arena);
    for (int turn = 0; turn < 2; turn++) { /* and the same again */
        assert_int_equal(
            luc_explainer_run(&m->run, &e, &(struct luc_question){ .to = 1 }, &found, NULL),
            LUC_OK);
        assert_int_equal(luc_arena_used(m->run.arena), before);
        assert_null(m->result.first);
        assert_true(luc_explained_number(&found, "passes", 0) == 30);
        assert_true(luc_explained_number(&found, "nothing", -3) == -3);
        const struct luc_box whole = { 0, 0, LINEAR_SIZE, LINEAR_SIZE };
        assert_int_equal(luc_explained_on(&found, &whole, LINEAR_SIZE, LINEAR_SIZE, grid, NULL),
                         LUC_OK);
        assert_memory_equal(grid, direct, sizeof(grid));
        luc_explained_done(&found);
        luc_explained_done(&found);
        luc_rng_bits(&m->run.rng); /* what this run draws is not the other one's business */
    }
}

static void explainer__refuses_what_gives_no_map_and_names_the_parameter(void **state)
{
    static const struct {
        const char *name, *given, *param;
        enum luc_status status;
    } cases[] = {
        { "nonsense", "", "method", LUC_NOT_FOUND },  { "classify", "", "method", LUC_INVALID },
        { "asker", "", "method", LUC_INVALID },       { "rise", "masks=0", "params", LUC_RANGE },
        { "rise", "mask=10", "params", LUC_INVALID }, { "rise", "masks", "params", LUC_INVALID },
        { "rise", "seed=4", "params", LUC_INVALID }, /* the seed is the asking method's */
    };
    struct linear_model *m = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct luc_explainer e;
        struct luc_error err = { 0 };
        ready(m);
        assert_int_equal(luc_explainer_find(&m->run, cases[i].name, cases[i].given, &e, &err),
                         cases[i].status);
        assert_string_equal(err.param, cases[i].param);
    }
    m->run.methods = NULL;
    struct luc_explainer e;
    assert_int_equal(luc_explainer_find(&m->run, "rise", "", &e, NULL), LUC_NOT_FOUND);
}

static void explainer__errors_of_the_other_method_name_a_parameter_of_this_one(void **state)
{
    static const char *const cases[][3] = { { "saliency", "target=zebra", "target" },
                                            { "occlusion", "patch=100", "params" } };
    struct linear_model *m = *state;
    for (size_t i = 0; i < 2; i++) {
        struct luc_explainer e;
        struct luc_explained found = { 0 };
        struct luc_error err = { 0 };
        open_explainer(m, cases[i][0], cases[i][1], &e);
        assert_true(luc_explainer_run(&m->run, &e, &(struct luc_question){ .to = 1 }, &found,
                                      &err) != LUC_OK);
        assert_string_equal(err.param, cases[i][2]);
        assert_null(found.arena);
    }
}

static void explainer__sets_what_the_other_method_takes(void **state)
{
    struct linear_model *m = *state;
    struct luc_explainer e;
    struct luc_explained found;
    open_explainer(m, "saliency", "", &e);
    assert_true(luc_explainer_takes(&e, "target") && !luc_explainer_takes(&e, "masks"));
    assert_int_equal(luc_explainer_set(&e, "target", "eel", NULL), LUC_OK);
    assert_int_equal(
        luc_explainer_run(&m->run, &e, &(struct luc_question){ .to = 1 }, &found, NULL), LUC_OK);
    assert_true(luc_explained_number(&found, "class_index", -1) == 4);
    luc_explained_done(&found);
}

struct seen {
    double last;
    int left;
};

static bool watch(void *ctx, double progress)
{
    struct seen *s = ctx;
    assert_true(progress >= 0.25 && progress <= 0.75 && progress >= s->last);
    s->last = progress;
    return s->left-- != 0;
}

static void explainer__progress_is_scaled_and_cancelling_passes_through(void **state)
{
    struct linear_model *m = *state;
    const struct luc_question q = { .from = 0.25, .to = 0.75 };
    enum luc_status st = LUC_CANCELLED;
    int after = 0;
    for (; st == LUC_CANCELLED; after++) {
        struct luc_explainer e;
        struct luc_explained found = { 0 };
        struct seen seen = { 0.25, after };
        open_explainer(m, "rise", "masks=50", &e);
        m->run.tick = watch;
        m->run.tick_ctx = &seen;
        st = luc_explainer_run(&m->run, &e, &q, &found, NULL);
        assert_true(st == LUC_OK ? seen.last == 0.75 : st == LUC_CANCELLED);
        luc_explained_done(&found);
    }
    assert_true(after > 3);
}

static void explainer__looks_at_the_picture_and_the_model_that_are_given(void **state)
{
    struct linear_model *m = *state;
    struct luc_explainer e;
    struct luc_explained found;
    float black[LINEAR_PIXELS] = { 0 };
    const struct luc_tensor given = { .shape = luc_shape4(1, 3, LINEAR_SIZE, LINEAR_SIZE),
                                      .data = black };
    struct luc_model other = m->model;
    static const char *const labels[] = { "1", "2", "three", "4", "5" };
    other.labels = labels;
    open_explainer(m, "saliency", "target=2", &e);
    assert_int_equal(luc_explainer_run(&m->run, &e,
                                       &(struct luc_question){ .model = &other, .given = &given },
                                       &found, NULL),
                     LUC_OK);
    assert_true(luc_explained_number(&found, "logit", 1) == 0);
    assert_string_equal(luc_result_find(&found.result, "class")->text, "three");
    luc_explained_done(&found);
}

/* A centre crop: what the network did not see is zero, what it saw lies where it was. */
static void explainer__puts_the_map_where_the_network_looked(void **state)
{
    struct linear_model *m = *state;
    struct luc_explainer e;
    struct luc_explained found;
    struct luc_image wide;
    const size_t w = 4 * LINEAR_SIZE, h = 2 * LINEAR_SIZE;
    float grid[8 * PLANE];
    assert_int_equal(luc_image_create(w, h, 3, &wide, NULL), LUC_OK);
    memset(wide.data, 99, w * h * 3);
    open_explainer(m, "saliency", "target=2", &e);
    m->run.pictures = luc_source_of(&wide);
    m->input.fit = 1 + LUC_FIT_CROP;
    assert_int_equal(
        luc_explainer_run(&m->run, &e, &(struct luc_question){ .to = 1 }, &found, NULL), LUC_OK);
    const struct luc_box whole = { 0, 0, (double)w, (double)h };
    assert_int_equal(luc_explained_on(&found, &whole, w, h, grid, NULL), LUC_OK);
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++)
            assert_true((grid[y * w + x] != 0) == (x >= LINEAR_SIZE && x < 3 * LINEAR_SIZE));
    assert_float_equal(grid[LINEAR_SIZE], found.map->map.data[0], 1e-9f);
    luc_explained_done(&found);
    luc_image_done(&wide);
    m->input.fit = 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(explainer__gives_the_map_that_asking_directly_gives),
        T(explainer__refuses_what_gives_no_map_and_names_the_parameter),
        T(explainer__errors_of_the_other_method_name_a_parameter_of_this_one),
        T(explainer__sets_what_the_other_method_takes),
        T(explainer__progress_is_scaled_and_cancelling_passes_through),
        T(explainer__looks_at_the_picture_and_the_model_that_are_given),
        T(explainer__puts_the_map_where_the_network_looked),
    };
#undef T
    return cmocka_run_group_tests_name("explainer", tests, NULL, NULL);
}
