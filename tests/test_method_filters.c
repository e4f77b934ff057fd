/* filters and activations on a network of two convolutions, and the sheet that both draw on. */
#include "core/tensor/sheet.h"
#include "tests/method_case.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)
#define MAPS  ((size_t)5)

extern const struct luc_method luc_method_filters, luc_method_activations;

/* x -> c0 (3x3) -> r0 (ReLU) -> c1 (3x3, one map) */
static void two_convolutions(struct linear_model *m)
{
    struct net n;
    net_init(&n);
    net_input(&n, LINEAR_SIZE, LINEAR_SIZE);
    net_conv(&n, "x", "c0", 3, MAPS, 3, "pads=1,1,1,1");
    net_node(&n, "Relu", "c0", "r0", "");
    net_conv(&n, "r0", "c1", MAPS, 1, 3, "pads=1,1,1,1");
    net_finish(&n);
    luc_graph_destroy(m->model.graph);
    m->model.graph = n.g;
    m->model.input = luc_graph_find(n.g, "x");
    m->model.logits = LUC_NONE;
}

static const struct luc_tensor *weights(const struct linear_model *m, size_t conv)
{
    const struct luc_graph *g = m->model.graph;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (strcmp(g->nodes[i].op->name, "Conv") == 0 && conv-- == 0)
            return &g->values[g->nodes[i].in[1]].constant;
    fail();
    return NULL;
}

static const uint8_t *pixel(const struct luc_image *im, size_t x, size_t y)
{
    return im->data + (y * im->width + x) * 3;
}

static void sheet__tiles_are_crisp_squares_on_white(void **state)
{
    (void)state;
    struct luc_sheet s = { 0 };
    const uint8_t tile[] = { 10, 0, 0, 20, 0, 0 }; /* two pixels side by side */
    assert_int_equal(luc_sheet_create(2, 1, 3, 2, 4, &s, NULL), LUC_OK);
    assert_int_equal(s.image.width, 4 + 2 * (8 + 4));
    assert_int_equal(s.image.height, 4 + 2 * (4 + 4));
    for (size_t i = 0; i < 3; i++)
        luc_sheet_put(&s, i, tile);
    for (size_t y = 0; y < s.image.height; y++)
        for (size_t x = 0; x < s.image.width; x++) {
            const bool row0 = y >= 4 && y < 8, row1 = y >= 12 && y < 16;
            const size_t in = (x - 4) % 12;
            const bool tiled = x >= 4 && in < 8 && (row0 || (row1 && x < 12));
            assert_int_equal(pixel(&s.image, x, y)[0], !tiled ? 255 : in < 4 ? 10 : 20);
        }
    luc_sheet_done(&s);
}

static void sheet__chooses_its_columns_and_scale(void **state)
{
    (void)state;
    struct luc_sheet s = { 0 };
    assert_int_equal(luc_sheet_create(7, 7, 64, 0, 0, &s, NULL), LUC_OK);
    assert_int_equal(s.columns, 8);
    assert_int_equal(s.scale, 8);
    luc_sheet_done(&s);
    assert_int_equal(luc_sheet_create(100, 3, 5, 0, 0, &s, NULL), LUC_OK);
    assert_int_equal(s.columns, 3);
    assert_int_equal(s.scale, 1);
    luc_sheet_done(&s);
    assert_int_equal(luc_sheet_create(3, 3, 2, 9, 1, &s, NULL), LUC_OK);
    assert_int_equal(s.columns, 2);
    luc_sheet_done(&s);
    struct luc_sheet none = { 0 };
    assert_int_equal(luc_sheet_create(3, 3, 0, 0, 0, &none, NULL), LUC_TOO_LARGE);
    assert_int_equal(luc_sheet_create(0, 0, 4, 0, 0, &none, NULL), LUC_TOO_LARGE);
    assert_int_equal(luc_sheet_create(3, 3, SIZE_MAX / 2, 0, 0, &none, NULL), LUC_TOO_LARGE);
    assert_int_equal(luc_sheet_create(300, 300, 4096, 0, 64, &none, NULL), LUC_TOO_LARGE);
    assert_null(none.image.data);
}

static void check_colours(struct linear_model *m, bool bgr)
{
    const struct luc_tensor *w = weights(m, 0);
    linear_model_again(m);
    m->run.n_images = 0;
    assert_int_equal(method_run(&m->run, &luc_method_filters,
                                SETTINGS({ "scale", "2" }, { "columns", "5" }), NULL),
                     LUC_OK);
    const struct luc_image *im = &method_item(m, "filters")->picture;
    assert_int_equal(im->width, 2 + MAPS * (6 + 2));
    for (size_t k = 0; k < MAPS; k++) {
        const float *f = w->data + k * 27;
        float top = 0;
        for (size_t i = 0; i < 27; i++)
            top = fmaxf(top, fabsf(f[i]));
        for (size_t i = 0; i < 27; i++) {
            const uint8_t *at = pixel(im, 2 + k * 8 + i % 3 * 2, 2 + i % 9 / 3 * 2);
            const double want = 127.5 + 127.5 * (double)(f[i] / top);
            assert_true(fabs((double)at[bgr ? 2 - i / 9 : i / 9] - want) <= 0.51);
        }
    }
    assert_true(method_item(m, "filters_in_all")->number == (double)MAPS);
}

static void filters__of_the_first_layer_are_its_weights_in_colour(void **state)
{
    struct linear_model *m = *state;
    two_convolutions(m);
    check_colours(m, false);
    m->model.in.channels = LUC_BGR;
    check_colours(m, true);
}

static void filters__of_deeper_layers_are_gray_rows(void **state)
{
    struct linear_model *m = *state;
    two_convolutions(m);
    m->run.n_images = 0;
    assert_int_equal(method_run(&m->run, &luc_method_filters,
                                SETTINGS({ "layer", "c1" }, { "scale", "1" }, { "inputs", "4" }),
                                NULL),
                     LUC_OK);
    const struct luc_image *im = &method_item(m, "filters")->picture;
    const float *f = weights(m, 1)->data;
    assert_int_equal(im->width, 2 + 4 * (3 + 2));
    assert_int_equal(im->height, 2 + 3 + 2);
    for (size_t i = 0; i < 4 * 9; i++) {
        const uint8_t *at = pixel(im, 2 + i / 9 * 5 + i % 3, 2 + i % 9 / 3);
        assert_true(at[0] == at[1] && at[1] == at[2]);
        assert_true(f[i] > 0 ? at[0] >= 128 : at[0] <= 127);
    }
    linear_model_again(m); /* a layer after a convolution means that convolution */
    m->run.n_images = 0;
    assert_int_equal(method_run(&m->run, &luc_method_filters,
                                SETTINGS({ "layer", "r0" }, { "sort", "norm" }), NULL),
                     LUC_OK);
    const struct luc_table *t = &method_item(m, "norms")->table;
    assert_int_equal(t->n_rows, MAPS);
    for (size_t k = 1; k < MAPS; k++)
        assert_true(t->cells[2 * k + 1].number <= t->cells[2 * k - 1].number);
}

static void filters__without_a_convolution_say_so(void **state)
{
    struct linear_model *m = *state;
    struct luc_error err = { 0 };
    m->run.n_images = 0;
    assert_int_equal(method_run(&m->run, &luc_method_filters, NULL, &err), LUC_UNSUPPORTED);
    assert_string_equal(err.param, "layer");
    assert_int_equal(
        method_run(&m->run, &luc_method_filters, SETTINGS({ "layer", "logits" }), &err),
        LUC_UNSUPPORTED);
    assert_int_equal(method_run(&m->run, &luc_method_filters, SETTINGS({ "layer", "q" }), &err),
                     LUC_NOT_FOUND);
}

static void activations__show_the_channels_by_falling_energy(void **state)
{
    struct linear_model *m = *state;
    for (size_t p = 0; p < PLANE; p++) { /* the picture's colours are the maps of layer x */
        m->photo.data[3 * p] = (uint8_t)p;
        m->photo.data[3 * p + 1] = 0;
        m->photo.data[3 * p + 2] = (uint8_t)(200 + p);
    }
    assert_int_equal(method_run(&m->run, &luc_method_activations,
                                SETTINGS({ "layer", "x" }, { "scale", "1" }, { "columns", "3" }),
                                NULL),
                     LUC_OK);
    const struct luc_table *t = &method_item(m, "channels")->table;
    assert_true(t->cells[0].number == 2 && t->cells[6].number == 0 && t->cells[12].number == 1);
    assert_true(t->cells[3].number == 200 && t->cells[4].number == 215);
    assert_true(t->cells[17].number == 1); /* all of channel 1 is zero */
    assert_true(fabs(method_item(m, "zeros")->number - (1 + 1.0 / 16) / 3) < 1e-9);
    assert_true(method_item(m, "dead_channels")->number == 1);
    const struct luc_image *im = &method_item(m, "grid")->picture;
    assert_int_equal(im->width, 2 + 3 * (LINEAR_SIZE + 2));
    const uint8_t *bright = pixel(im, 2 + 3, 2 + 3), *dark = pixel(im, 2 + 6, 2);
    assert_true(bright[0] == 0xfd && bright[1] == 0xe7); /* viridis' ends */
    assert_true(dark[0] == 0x44 && dark[1] == 0x01);
    assert_true(method_item(m, "channel")->number == 2);
    assert_true(method_item(m, "activation")->map.data[5] == 205.0f);
}

static void activations__of_one_channel_are_a_map(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(method_run(&m->run, &luc_method_activations,
                                SETTINGS({ "layer", "x" }, { "channel", "1" }), NULL),
                     LUC_OK);
    const struct luc_item *it = m->result.first;
    while (it->kind != LUC_ITEM_MAP && it->kind != LUC_ITEM_PICTURE)
        it = it->next;
    assert_string_equal(it->key, "activation");
    for (size_t p = 0; p < PLANE; p++)
        assert_true(it->map.data[p] == (float)m->photo.data[3 * p + 1]);
}

static void activations__wrong_settings_name_the_parameter(void **state)
{
    struct linear_model *m = *state;
    const struct luc_method *method = &luc_method_activations;
    method_check_refused(m, method, SETTINGS({ "layer", "q" }), LUC_NOT_FOUND, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "logits" }), LUC_SHAPE, "layer");
    method_check_refused(m, method, SETTINGS({ "layer", "x" }, { "channel", "3" }), LUC_RANGE,
                         "channel");
}

static void activations__are_cancelled_at_any_tick(void **state)
{
    method_check_cancel(*state, &luc_method_activations, SETTINGS({ "layer", "x" }), 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(sheet__tiles_are_crisp_squares_on_white),
        T(sheet__chooses_its_columns_and_scale),
        T(filters__of_the_first_layer_are_its_weights_in_colour),
        T(filters__of_deeper_layers_are_gray_rows),
        T(filters__without_a_convolution_say_so),
        T(activations__show_the_channels_by_falling_energy),
        T(activations__of_one_channel_are_a_map),
        T(activations__wrong_settings_name_the_parameter),
        T(activations__are_cancelled_at_any_tick),
    };
#undef T
    return cmocka_run_group_tests_name("method_filters", tests, NULL, NULL);
}
