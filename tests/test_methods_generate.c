#include "tests/generate_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAYERS                                                                                     \
    { "style_layers", "a,b" },                                                                     \
    {                                                                                              \
        "content_layer", "b"                                                                       \
    }

extern const struct luc_method luc_method_style, luc_method_dream;

static void style__lowers_its_losses_and_keeps_the_content_shape(void **state)
{
    struct bed *b = *state;
    const char *const one[][2] = { LAYERS, { "sizes", "64" }, { "steps", "1" }, { NULL, NULL } };
    const char *const many[][2] = { LAYERS, { "sizes", "64" }, { "steps", "40" }, { NULL, NULL } };
    size_t size = 0;
    free(bed_make(b, &luc_method_style, one, &size));
    const double before = luc_result_find(&b->result, "losses")->table.cells[2].number;
    bed_again(b);
    free(bed_make(b, &luc_method_style, many, &size));
    const double after = luc_result_find(&b->result, "losses")->table.cells[2].number;
    assert_true(after < 0.5 * before);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 64);
    assert_int_equal(image->height, 51);
}

static void style__every_way_to_ask_gives_the_same_picture_twice(void **state)
{
    struct bed *b = *state;
    static const char *const ways[][2] = {
        { "parametrisation", "pixel" },
        { "parametrisation", "fourier" },
        { "optimiser", "lbfgs" },
        { "init", "noise" },
        { "init", "content" },
        { "preserve_color", "luminance" },
        { "preserve_color", "histogram" },
        { "style_scale", "0.5" },
        { "jitter", "0" },
        { "tv", "10" },
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32,48" },
                                       { "steps", "3" },
                                       { ways[i][0], ways[i][1] },
                                       { NULL, NULL } };
        size_t n = 0, m = 0;
        bed_again(b);
        uint8_t *first = bed_make(b, &luc_method_style, set, &n);
        bed_again(b);
        uint8_t *second = bed_make(b, &luc_method_style, set, &m);
        assert_int_equal(n, m);
        assert_memory_equal(first, second, n);
        free(first);
        free(second);
    }
}

/* Cancelled after any step and resumed from the checkpoint, it ends with the same bytes. */
static void style__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    struct bed *b = *state;
    static const char *const optimisers[] = { "adam", "lbfgs" };
    for (size_t k = 0; k < 2; k++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32,48" },
                                       { "steps", "4,3" },
                                       { "init", "noise" },
                                       { "optimiser", optimisers[k] },
                                       { NULL, NULL } };
        size_t n = 0, m = 0;
        bed_again(b);
        b->keep_after = -1;
        bed_hook(b);
        uint8_t *whole = bed_make(b, &luc_method_style, set, &n);
        assert_int_equal(b->reported, 7);
        assert_int_equal(b->previews, 7);
        b->previews = 0;
        for (int stop = 1; stop < 7; stop++) {
            bed_again(b);
            bed_hook(b);
            b->keep_after = stop; /* luc_method_run() itself ticks once */
            assert_int_equal(bed_run(b, &luc_method_style, set, NULL), LUC_CANCELLED);
            const size_t done = b->reported;
            bed_again(b);
            bed_hook(b);
            b->keep_after = -1;
            b->reported = done;
            struct luc_str from = b->checkpoint;
            b->checkpoint = (struct luc_str){ 0 };
            b->hooks.checkpoint = from.data;
            b->hooks.checkpoint_size = from.len;
            uint8_t *resumed = bed_make(b, &luc_method_style, set, &m);
            assert_int_equal(b->reported, 7);
            assert_int_equal(n, m);
            assert_memory_equal(whole, resumed, n);
            free(resumed);
            luc_str_done(&from);
        }
        b->previews = 0;
        free(whole);
    }
}

static void style__a_foreign_checkpoint_is_left_alone(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { LAYERS, { "sizes", "32" }, { "steps", "2" }, { NULL, NULL } };
    size_t n = 0, m = 0;
    uint8_t *plain = bed_make(b, &luc_method_style, set, &n);
    unsigned char junk[4096];
    for (size_t i = 0; i < sizeof(junk); i++)
        junk[i] = (unsigned char)(i * 37);
    for (size_t size = 0; size < sizeof(junk); size += 819) {
        bed_again(b);
        bed_hook(b);
        b->keep_after = -1;
        b->hooks.checkpoint = junk;
        b->hooks.checkpoint_size = size;
        uint8_t *other = bed_make(b, &luc_method_style, set, &m);
        assert_memory_equal(plain, other, n);
        free(other);
    }
    free(plain);
}

static void style__what_does_not_fit_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][3] = {
        { "style_layers", "a,nowhere", "style_layers" },
        { "content_layer", "nowhere", "content_layer" },
        { "style_layers", "auto", "style_layers" },
        { "layer_weights", "1,2,3", "layer_weights" },
        { "style_weights", "1,2", "style_weights" },
        { "sizes", "32,33,34,35,36", "sizes" },
        { "steps", "1,2,3", "steps" },
        { "style_layers", ",", "style_layers" },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32" },
                                       { "steps", "1" },
                                       { wrong[i][0], wrong[i][1] },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        bed_again(b);
        assert_int_not_equal(bed_run(b, &luc_method_style, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][2]);
        assert_null(luc_result_find(&b->result, "picture"));
    }
}

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        T(style__lowers_its_losses_and_keeps_the_content_shape),
        T(style__every_way_to_ask_gives_the_same_picture_twice),
        T(style__goes_on_from_any_checkpoint_bit_for_bit),
        T(style__a_foreign_checkpoint_is_left_alone),
        T(style__what_does_not_fit_is_refused_by_name),
        T(dream__raises_what_the_layer_answers_and_repeats),
        T(dream__layers_and_weights_that_do_not_fit_are_refused_by_name),
        T(dream__is_cancelled_at_any_step),
    };
#undef T
    return cmocka_run_group_tests_name("methods_generate", tests, NULL, NULL);
}
