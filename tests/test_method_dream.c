#include "tests/generate_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_dream;

static void dream__raises_what_the_layer_answers_and_repeats(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { "layers", "b" }, { "size", "64" },  { "octaves", "2" },
                                   { "steps", "6" },  { "jitter", "4" }, { "octave_scale", "1.5" },
                                   { NULL, NULL } };
    const char *const once[][2] = { { "layers", "b" }, { "size", "64" },  { "octaves", "1" },
                                    { "steps", "1" },  { "jitter", "4" }, { NULL, NULL } };
    uint8_t *first = NULL;
    b->run.n_images = 1;
    assert_int_equal(bed_run(b, &luc_method_dream, once, NULL), LUC_OK);
    const double before = luc_result_find(&b->result, "octaves")->table.cells[1].number;
    for (int turn = 0; turn < 2; turn++) {
        bed_again(b);
        b->run.n_images = 1;
        assert_int_equal(bed_run(b, &luc_method_dream, set, NULL), LUC_OK);
        const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
        const struct luc_table *t = &luc_result_find(&b->result, "octaves")->table;
        assert_int_equal(image->width, 64);
        assert_true(t->cells[0].number == 64); /* 43 is too small: one octave is left */
        assert_true(t->cells[1].number < before);
        if (first)
            assert_memory_equal(first, image->data, 3 * image->width * image->height);
        else {
            first = malloc(3 * image->width * image->height);
            memcpy(first, image->data, 3 * image->width * image->height);
        }
    }
    free(first);
}

static void dream__layers_and_weights_that_do_not_fit_are_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][4] = { { "layers", "nowhere", "size", "layers" },
                                            { "layers", ",", "size", "layers" },
                                            { "layers", "a,b", "layer_weights", "layer_weights" } };
    for (size_t i = 0; i < 3; i++) {
        const char *const set[][2] = { { wrong[i][0], wrong[i][1] },
                                       { wrong[i][2], i < 2 ? "64" : "1,2,3" },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        bed_again(b);
        b->run.n_images = 1;
        assert_int_not_equal(bed_run(b, &luc_method_dream, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][3]);
    }
}

static void dream__is_cancelled_at_any_step(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = {
        { "layers", "a" }, { "size", "96" }, { "octaves", "2" }, { "steps", "2" }, { NULL, NULL }
    };
    for (int stop = 0; stop < 5; stop++) {
        bed_again(b);
        b->run.n_images = 1;
        bed_hook(b);
        b->keep_after = stop;
        assert_int_equal(bed_run(b, &luc_method_dream, set, NULL), LUC_CANCELLED);
        assert_null(luc_result_find(&b->result, "picture"));
    }
}

#define ON(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(dream__raises_what_the_layer_answers_and_repeats),
        ON(dream__layers_and_weights_that_do_not_fit_are_refused_by_name),
        ON(dream__is_cancelled_at_any_step),
    };
    return cmocka_run_group_tests_name("method_dream", tests, NULL, NULL);
}
