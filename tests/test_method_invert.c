#include "tests/generate_bed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_invert;
#define METHOD &luc_method_invert

static double cell(struct bed *b, size_t row, size_t column)
{
    const struct luc_table *t = &luc_result_find(&b->result, "layers")->table;
    return t->cells[row * t->n_columns + column].number;
}

/* The first layer still knows the picture; what is made comes near it by either optimiser. */
static void invert__gives_a_shallow_layer_back(void **state)
{
    struct bed *b = *state;
    static const char *const ways[][2] = {
        { "adam", "fourier" }, { "adam", "pixel" }, { "lbfgs", "pixel" }, { "lbfgs", "fourier" }
    };
    for (size_t i = 0; i < 4; i++) {
        double distance[2], loss[2];
        for (int k = 0; k < 2; k++) {
            const char *const set[][2] = { { "layers", "a" },
                                           { "size", "32" },
                                           { "alpha_norm", "0" },
                                           { "beta_tv", "0.01" },
                                           { "optimiser", ways[i][0] },
                                           { "parametrisation", ways[i][1] },
                                           { "steps", k ? "120" : "1" },
                                           { NULL, NULL } };
            bed_again(b);
            b->run.n_images = 1;
            assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_OK);
            loss[k] = cell(b, 0, 1);
            distance[k] = cell(b, 0, 2);
        }
        assert_true(loss[1] < 0.05 * loss[0]);
        assert_true(distance[1] < 0.4 * distance[0]);
    }
}

static void invert__layers_make_a_sheet_with_the_upload_first(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = {
        { "layers", "a,b" }, { "size", "40" }, { "steps", "1" }, { NULL, NULL }
    };
    b->run.n_images = 1;
    assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_OK);
    const struct luc_image *sheet = &luc_result_find(&b->result, "picture")->picture;
    const struct luc_table *t = &luc_result_find(&b->result, "layers")->table;
    assert_int_equal(sheet->width, 2 * (40 + 2) + 2);
    assert_int_equal(sheet->height, 2 * (32 + 2) + 2);
    assert_string_equal(t->cells[3].text, "b");
    double upload = 0, shown = 0; /* the upload, smaller: the same mean */
    for (size_t i = 0; i < 3 * 80 * 64; i++)
        upload += b->images[0].data[i] / (3.0 * 80 * 64);
    for (size_t y = 0; y < 32; y++)
        for (size_t x = 0; x < 3 * 40; x++)
            shown += sheet->data[3 * ((2 + y) * sheet->width + 2) + x] / (3.0 * 40 * 32);
    assert_true(fabs(upload - shown) < 1.5);
}

static void invert__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    static const char *const optimisers[] = { "adam", "lbfgs" };
    for (size_t k = 0; k < 2; k++) {
        const char *const set[][2] = { { "layers", "a,b" },
                                       { "size", "32" },
                                       { "steps", "3" },
                                       { "optimiser", optimisers[k] },
                                       { NULL, NULL } };
        bed_check_resume(*state, METHOD, set, 1, 6);
    }
}

static void invert__what_does_not_fit_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][2] = { { "layers", "a,nowhere" },
                                            { "layers", "," },
                                            { "jitter", "3" } };
    for (size_t i = 0; i < 3; i++) {
        const char *const set[][2] = {
            { "steps", "1" }, { "optimiser", "lbfgs" }, { wrong[i][0], wrong[i][1] }, { NULL, NULL }
        };
        struct luc_error err = { 0 };
        bed_again(b);
        b->run.n_images = 1;
        assert_int_not_equal(bed_run(b, METHOD, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][0]);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        T(invert__gives_a_shallow_layer_back),
        T(invert__layers_make_a_sheet_with_the_upload_first),
        T(invert__goes_on_from_any_checkpoint_bit_for_bit),
        T(invert__what_does_not_fit_is_refused_by_name),
    };
#undef T
    return cmocka_run_group_tests_name("method_invert", tests, NULL, NULL);
}
