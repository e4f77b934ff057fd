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

/* Of two convolutions those behind b are all, behind a half; conv2 itself has no ReLU yet. */
static void dream__takes_a_deep_layer_by_itself(void **state)
{
    struct bed *b = *state;
    uint8_t *made[2];
    size_t n = 0;
    for (int named = 0; named < 2; named++) {
        const char *const set[][2] = { { "layers", named ? "b" : "auto" },
                                       { "layer_weights", "2" },
                                       { "size", "64" },
                                       { "steps", "2" },
                                       { NULL, NULL } };
        bed_again(b);
        b->run.n_images = 1;
        made[named] = bed_make(b, &luc_method_dream, set, &n);
    }
    assert_memory_equal(made[0], made[1], n);
    free(made[0]);
    free(made[1]);
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

#define SMALL                                                                                      \
    { "layers", "a" }, { "size", "96" }, { "octaves", "2" }, { "steps", "2" }, { "tile", "48" },   \
    {                                                                                              \
        "frames", "2"                                                                              \
    }

/* Cancelled in any tile of any step and resumed, it ends with the same bytes. */
static void dream__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { SMALL, { NULL, NULL } };
    size_t n = 0, m = 0;
    bed_hook(b);
    b->run.n_images = 1;
    b->keep_after = -1;
    uint8_t *whole = bed_make(b, &luc_method_dream, set, &n);
    assert_int_equal(b->reported, 8);
    assert_int_equal(b->previews, 8);
    for (int stop = 1; stop < 60; stop += 5) {
        bed_again(b);
        b->checkpoint.len = 0;
        b->run.n_images = 1;
        bed_hook(b);
        b->keep_after = stop;
        const enum luc_status st = bed_run(b, &luc_method_dream, set, NULL);
        assert_true(st == LUC_CANCELLED || st == LUC_OK);
        const size_t done = b->reported;
        struct luc_str from = b->checkpoint;
        b->checkpoint = (struct luc_str){ 0 };
        bed_again(b);
        bed_hook(b);
        b->run.n_images = 1;
        b->keep_after = -1;
        b->reported = done < 8 ? done : 7;
        b->hooks.checkpoint = done < 8 ? from.data : NULL;
        b->hooks.checkpoint_size = done < 8 ? from.len : 0;
        if (done == 8)
            b->reported = 0;
        uint8_t *resumed = bed_make(b, &luc_method_dream, set, &m);
        assert_int_equal(b->reported, 8);
        assert_int_equal(n, m);
        assert_memory_equal(whole, resumed, n);
        free(resumed);
        luc_str_done(&from);
    }
    free(whole);
}

static void dream__a_foreign_checkpoint_is_left_alone(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { SMALL, { NULL, NULL } };
    const char *const other[][2] = { { "layers", "a" }, { "size", "80" }, { "octaves", "1" },
                                     { "steps", "2" },  { "tile", "48" }, { "frames", "2" },
                                     { NULL, NULL } };
    size_t n = 0, m = 0;
    bed_hook(b);
    b->run.n_images = 1;
    b->keep_after = -1;
    uint8_t *plain = bed_make(b, &luc_method_dream, set, &n);
    bed_again(b);
    bed_hook(b);
    b->run.n_images = 1;
    b->keep_after = -1;
    free(bed_make(b, &luc_method_dream, other, &m));
    struct luc_str from = b->checkpoint;
    b->checkpoint = (struct luc_str){ 0 };
    for (size_t size = 0; size <= from.len; size += from.len / 7) {
        bed_again(b);
        bed_hook(b);
        b->run.n_images = 1;
        b->keep_after = -1;
        b->hooks.checkpoint = from.data;
        b->hooks.checkpoint_size = size;
        uint8_t *made = bed_make(b, &luc_method_dream, set, &m);
        assert_memory_equal(plain, made, n);
        free(made);
    }
    luc_str_done(&from);
    free(plain);
}

/* The first of several frames is the one that is made alone; the next begins from it. */
static void dream__frames_follow_one_another(void **state)
{
    struct bed *b = *state;
    const char *const one[][2] = { { "layers", "b" }, { "size", "64" },   { "octaves", "2" },
                                   { "steps", "3" },  { "zoom", "1.25" }, { NULL, NULL } };
    const char *const three[][2] = { { "layers", "b" }, { "size", "64" },   { "octaves", "2" },
                                     { "steps", "3" },  { "zoom", "1.25" }, { "frames", "3" },
                                     { NULL, NULL } };
    size_t n = 0, m = 0;
    b->run.n_images = 1;
    uint8_t *alone = bed_make(b, &luc_method_dream, one, &n);
    assert_null(luc_result_find(&b->result, "frame_1"));
    bed_again(b);
    b->run.n_images = 1;
    uint8_t *last = bed_make(b, &luc_method_dream, three, &m);
    const struct luc_item *first = luc_result_find(&b->result, "frame_1");
    const struct luc_item *second = luc_result_find(&b->result, "frame_2");
    assert_int_equal(n, m);
    assert_memory_equal(first->picture.data, alone, n);
    assert_memory_not_equal(second->picture.data, alone, n);
    assert_memory_not_equal(second->picture.data, last, n);
    assert_null(luc_result_find(&b->result, "frame_3"));
    free(alone);
    free(last);
}

static void dream__a_guide_changes_what_is_dreamt(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { "layers", "a,b" },        { "size", "64" },
                                   { "octaves", "1" },         { "steps", "3" },
                                   { "layer_weights", "1,2" }, { NULL, NULL } };
    size_t n = 0, m = 0;
    b->run.n_images = 1;
    uint8_t *alone = bed_make(b, &luc_method_dream, set, &n);
    bed_again(b);
    uint8_t *guided = bed_make(b, &luc_method_dream, set, &m);
    assert_int_equal(n, m);
    assert_memory_not_equal(alone, guided, n);
    assert_true(luc_result_find(&b->result, "octaves")->table.cells[1].number < 0);
    free(alone);
    free(guided);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(dream__raises_what_the_layer_answers_and_repeats),
        ON(dream__layers_and_weights_that_do_not_fit_are_refused_by_name),
        ON(dream__takes_a_deep_layer_by_itself),
        ON(dream__is_cancelled_at_any_step),
        ON(dream__goes_on_from_any_checkpoint_bit_for_bit),
        ON(dream__a_foreign_checkpoint_is_left_alone),
        ON(dream__frames_follow_one_another),
        ON(dream__a_guide_changes_what_is_dreamt),
    };
    return cmocka_run_group_tests_name("method_dream", tests, NULL, NULL);
}
