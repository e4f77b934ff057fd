#include "tests/generate_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAYERS                                                                                     \
    { "style_layers", "a,b" },                                                                     \
    {                                                                                              \
        "content_layer", "b"                                                                       \
    }

extern const struct luc_method luc_method_style;

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
        bed_check_resume(b, &luc_method_style, set, 2, 7);
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

/* The losses' last row: steps at its size. */
static double last_steps(const struct bed *b)
{
    const struct luc_table *t = &luc_result_find(&b->result, "losses")->table;
    return t->cells[(t->n_rows - 1) * t->n_columns + 1].number;
}

#define BUDGET(s)                                                                                  \
    LAYERS, { "sizes", "32,64" }, { "steps", "20,20" },                                            \
    {                                                                                              \
        "time_budget_s", s                                                                         \
    }

/* Each look at the clock takes a second: what is decided, asked for by name, makes the same picture. */
static void style__a_time_budget_decides_sizes_and_steps_and_says_so(void **state)
{
    struct bed *b = *state;
    static const char *const budgets[] = { "60", "200", "2000" };
    double before = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *const set[][2] = { BUDGET(budgets[i]), { NULL, NULL } };
        size_t n = 0, m = 0;
        bed_again(b);
        bed_hook(b);
        b->keep_after = -1;
        b->tick_s = 1;
        b->clock_s = 0;
        uint8_t *timed = bed_make(b, &luc_method_style, set, &n);
        char sizes[40], steps[40];
        const struct luc_item *it = luc_result_find(&b->result, "sizes");
        assert_true(it->decided);
        snprintf(sizes, sizeof(sizes), "%s", it->text);
        snprintf(steps, sizeof(steps), "%s", luc_result_find(&b->result, "steps")->text);
        assert_true(last_steps(b) > before || strcmp(sizes, "32") != 0);
        before = last_steps(b);
        const char *const again[][2] = {
            LAYERS, { "sizes", sizes }, { "steps", steps }, { NULL, NULL }
        };
        bed_again(b);
        uint8_t *asked = bed_make(b, &luc_method_style, again, &m);
        assert_int_equal(n, m);
        assert_memory_equal(timed, asked, n);
        assert_null(luc_result_find(&b->result, "sizes"));
        free(timed);
        free(asked);
    }
}

/* The clock of the later run goes otherwise, but what was used up and decided is remembered. */
static void style__a_time_budget_holds_over_a_checkpoint(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { BUDGET("150"), { NULL, NULL } };
    bed_again(b);
    bed_hook(b);
    b->keep_after = 12;
    b->tick_s = 3;
    assert_int_equal(bed_run(b, &luc_method_style, set, NULL), LUC_CANCELLED);
    const double used = b->clock_s;
    assert_true(used > 60 && used < 150);
    struct luc_str from = b->checkpoint;
    b->checkpoint = (struct luc_str){ 0 };
    bed_again(b);
    const size_t reported = b->reported;
    bed_hook(b);
    b->reported = reported;
    b->keep_after = -1;
    b->clock_s = 100000; /* another machine */
    b->hooks.checkpoint = from.data;
    b->hooks.checkpoint_size = from.len;
    size_t n = 0;
    free(bed_make(b, &luc_method_style, set, &n));
    const double both = used + b->clock_s - 100000;
    assert_true(both > 100 && both < 175); /* three seconds a look, and the last step's */
    const double seconds = luc_result_find(&b->result, "seconds")->number;
    assert_true(seconds > both - 15 && seconds < both + 15);
    luc_str_done(&from);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(style__lowers_its_losses_and_keeps_the_content_shape),
        ON(style__every_way_to_ask_gives_the_same_picture_twice),
        ON(style__goes_on_from_any_checkpoint_bit_for_bit),
        ON(style__a_foreign_checkpoint_is_left_alone),
        ON(style__what_does_not_fit_is_refused_by_name),
        ON(style__a_time_budget_decides_sizes_and_steps_and_says_so),
        ON(style__a_time_budget_holds_over_a_checkpoint),
    };
    return cmocka_run_group_tests_name("method_style", tests, NULL, NULL);
}
