#include "core/methods/method.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* x [1, 3, any, any] -> a: two maps, the red and the green of each pixel, by 3x3 windows whose only
 * weight is the middle one. */
#define LIMIT ((size_t)64 << 20)
#define SIDE  8

extern const struct luc_method luc_method_maxpatch;

struct bench {
    struct luc_model model;
    struct luc_image photos[3];
    struct luc_arena *arena;
    struct luc_result result;
    struct luc_input_params input;
    struct luc_run run;
    size_t ticks, ticks_allowed;
};

static size_t value(struct luc_graph *g, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(g, name, &v, NULL), LUC_OK);
    return v;
}

static bool tick(void *ctx, double progress)
{
    struct bench *b = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return b->ticks++ < b->ticks_allowed;
}

static void again(struct bench *b)
{
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    b->arena = luc_arena_create(LIMIT);
    luc_result_init(&b->result, b->arena);
    b->ticks = 0;
    b->ticks_allowed = SIZE_MAX;
    b->run = (struct luc_run){ .model = &b->model,
                               .pictures = luc_source_of(b->photos),
                               .n_images = 1,
                               .input = &b->input,
                               .arena = b->arena,
                               .result = &b->result,
                               .tick = tick,
                               .tick_ctx = b };
}

static void begin(struct bench *b, const char *pads)
{
    memset(b, 0, sizeof(*b));
    struct luc_graph *g = luc_graph_create(LIMIT);
    const struct luc_shape any = luc_shape4(0, 3, 0, 0);
    const size_t in[2] = { value(g, "x"), value(g, "w") }, out = value(g, "a");
    struct luc_tensor w = { .shape = luc_shape4(2, 3, 3, 3) };
    void *attrs = NULL;
    w.data = luc_arena_alloc(g->arena, 54, sizeof(float));
    w.data[0 * 27 + 0 * 9 + 4] = 1;
    w.data[1 * 27 + 1 * 9 + 4] = 1;
    assert_int_equal(luc_graph_add_input(g, in[0], &any, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, in[1], &w, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_node(g, luc_op_find("Conv"), "c", in, 2, &out, 1, &attrs, NULL),
                     LUC_OK);
    assert_int_equal(luc_param_set(luc_op_find("Conv")->attrs, "pads", pads, attrs, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_output(g, out, NULL), LUC_OK);
    assert_int_equal(luc_graph_finish(g, NULL), LUC_OK);
    b->model = (struct luc_model){
        .name = "colours",
        .graph = g,
        .in = { .channels = LUC_RGB, .scale = { 1, 1, 1 }, .width = SIDE, .height = SIDE },
        .input = in[0],
        .logits = LUC_NONE,
    };
    luc_params_default(luc_input_rows, &b->input);
    again(b);
}

static void end(struct bench *b)
{
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    for (size_t i = 0; i < 3; i++)
        luc_image_done(&b->photos[i]);
    luc_graph_destroy(b->model.graph);
}

/* A black photo; block() then gives channel c of a square of it the value v. */
static void photo(struct bench *b, size_t i, size_t width, size_t height)
{
    assert_int_equal(luc_image_create(width, height, 3, &b->photos[i], NULL), LUC_OK);
}

static void block(struct bench *b, size_t i, size_t x, size_t y, size_t side, size_t c, uint8_t v)
{
    for (size_t k = 0; k < side * side; k++)
        b->photos[i].data[3 * ((y + k / side) * b->photos[i].width + x + k % side) + c] = v;
}

static enum luc_status run(struct bench *b, const char *const (*settings)[2], struct luc_error *err)
{
    void *params = calloc(1, luc_method_maxpatch.params_size);
    luc_params_default(luc_method_maxpatch.params, params);
    assert_int_equal(luc_param_set(luc_method_maxpatch.params, "layer", "a", params, NULL), LUC_OK);
    for (; settings && (*settings)[0]; settings++)
        assert_int_equal(
            luc_param_set(luc_method_maxpatch.params, (*settings)[0], (*settings)[1], params, NULL),
            LUC_OK);
    const enum luc_status st = luc_method_run(&luc_method_maxpatch, &b->run, params, err);
    free(params);
    return st;
}

static double cell(const struct bench *b, size_t row, size_t column)
{
    const struct luc_table *t = &luc_result_find(&b->result, "patches")->table;
    assert_true(row < t->n_rows);
    return t->cells[row * t->n_columns + column].number;
}

static void check_box(const struct bench *b, size_t row, double x, double y, double w, double h)
{
    assert_true(fabs(cell(b, row, 4) - x) < 1e-9 && fabs(cell(b, row, 5) - y) < 1e-9);
    assert_true(fabs(cell(b, row, 6) - w) < 1e-9 && fabs(cell(b, row, 7) - h) < 1e-9);
}

static void maxpatch__is_the_receptive_field_in_upload_pixels_under_each_fit(void **state)
{
    static const char *const red[][2] = { { "channels", "0" }, { NULL, NULL } };
    static const struct {
        int64_t fit; /* 1 + enum luc_fit */
        size_t width, x0;
        double x, y, size;
    } cases[] = {
        { 1 + LUC_FIT_RESIZE, 16, 4, 2, 4, 6 },
        { 1 + LUC_FIT_CROP, 32, 12, 10, 4, 6 },
        { 1 + LUC_FIT_NATIVE, 16, 4, 3, 5, 3 },
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bench b;
        begin(&b, "0,0,0,0");
        photo(&b, 0, cases[i].width, 16);
        block(&b, 0, cases[i].x0, 6, 2, 0, 200);
        b.input.fit = cases[i].fit;
        assert_int_equal(run(&b, red, NULL), LUC_OK);
        check_box(&b, 0, cases[i].x, cases[i].y, cases[i].size, cases[i].size);
        end(&b);
    }
}

static void maxpatch__a_field_over_the_border_is_cut_there(void **state)
{
    static const char *const red[][2] = { { "channels", "0" }, { NULL, NULL } };
    struct bench b;
    (void)state;
    for (size_t corner = 0; corner < 2; corner++) {
        begin(&b, "1,1,1,1");
        photo(&b, 0, SIDE, SIDE);
        block(&b, 0, corner * 7, corner * 7, 1, 0, 200);
        assert_int_equal(run(&b, red, NULL), LUC_OK);
        check_box(&b, 0, (double)corner * 6, (double)corner * 6, 2, 2);
        assert_true(cell(&b, 0, 3) == 200.0);
        end(&b);
    }
}

static void three_photos(struct bench *b)
{
    for (size_t i = 0; i < 3; i++)
        photo(b, i, SIDE, SIDE);
    block(b, 0, 2, 2, 1, 0, 100);
    block(b, 1, 3, 3, 1, 0, 200);
    block(b, 1, 5, 5, 1, 0, 150);
    block(b, 2, 4, 4, 1, 1, 250);
    b->run.n_images = 3;
}

static void maxpatch__orders_by_activation_and_bounds_each_pictures_share(void **state)
{
    static const char *const one[][2] = { { "channels", "0" }, { "top", "2" }, { NULL, NULL } };
    static const char *const two[][2] = {
        { "channels", "0" }, { "top", "3" }, { "per_image", "2" }, { NULL, NULL }
    };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, one, NULL), LUC_OK);
    assert_true(cell(&b, 0, 3) == 200.0 && cell(&b, 0, 2) == 1.0 && cell(&b, 0, 1) == 0.0);
    assert_true(cell(&b, 1, 3) == 100.0 && cell(&b, 1, 2) == 0.0 && cell(&b, 1, 1) == 1.0);
    again(&b);
    b.run.n_images = 3;
    assert_int_equal(run(&b, two, NULL), LUC_OK);
    assert_true(cell(&b, 0, 3) == 200.0 && cell(&b, 1, 3) == 150.0 && cell(&b, 2, 3) == 100.0);
    check_box(&b, 1, 4, 4, 3, 3);
    end(&b);
}

static void maxpatch__shows_the_strongest_channels_first(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    assert_int_equal(luc_result_find(&b.result, "patches")->table.n_rows, 6);
    assert_true(cell(&b, 0, 0) == 1.0 && cell(&b, 0, 2) == 2.0 && cell(&b, 0, 3) == 250.0);
    assert_true(cell(&b, 3, 0) == 0.0 && cell(&b, 3, 3) == 200.0);
    assert_non_null(luc_result_first(&b.result, LUC_ITEM_PICTURE));
    end(&b);
}

static void maxpatch__stops_at_any_tick(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    const size_t n = b.ticks;
    assert_true(n >= 4);
    for (size_t i = 0; i < n; i++) {
        again(&b);
        b.run.n_images = 3;
        b.ticks_allowed = i;
        assert_int_equal(run(&b, NULL, NULL), LUC_CANCELLED);
    }
    end(&b);
}

static void maxpatch__names_the_parameter_at_fault(void **state)
{
    static const char *const far[][2] = { { "channels", "0,2" }, { NULL, NULL } };
    static const char *const none[][2] = { { "layer", "nope" }, { NULL, NULL } };
    struct luc_error err = { 0 };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, far, &err), LUC_RANGE);
    assert_string_equal(err.param, "channels");
    again(&b);
    assert_int_equal(run(&b, none, &err), LUC_NOT_FOUND);
    assert_string_equal(err.param, "layer");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxpatch__is_the_receptive_field_in_upload_pixels_under_each_fit),
        cmocka_unit_test(maxpatch__a_field_over_the_border_is_cut_there),
        cmocka_unit_test(maxpatch__orders_by_activation_and_bounds_each_pictures_share),
        cmocka_unit_test(maxpatch__shows_the_strongest_channels_first),
        cmocka_unit_test(maxpatch__stops_at_any_tick),
        cmocka_unit_test(maxpatch__names_the_parameter_at_fault),
    };
    return cmocka_run_group_tests_name("method_maxpatch", tests, NULL, NULL);
}
