#include "tests/generate_bed.h"
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_visualize;
#define METHOD &luc_method_visualize

#define SMALL                                                                                      \
    { "size", "24" },                                                                              \
    {                                                                                              \
        "jitter", "2"                                                                              \
    }

static double cell(struct bed *b, size_t row, const char *column)
{
    const struct luc_table *t = &luc_result_find(&b->result, "pictures")->table;
    for (size_t i = 0; i < t->n_columns; i++)
        if (strcmp(t->columns[i], column) == 0)
            return t->cells[row * t->n_columns + i].number;
    fail_msg("no column %s", column);
    return 0;
}

/* Along the normalised gradient of W x: rate * steps * w / mean |w|, clamped to bytes. */
static void visualize__of_a_linear_class_is_its_weights(void **state)
{
    struct linear_model *m = *state;
    double mean = 0;
    m->run.n_images = 0;
    assert_int_equal(method_run(&m->run, METHOD,
                                SETTINGS({ "target", "3" }, { "preset", "simonyan" }, { "l2", "0" },
                                         { "rate", "20" }, { "steps", "3" }, { "jitter", "0" }),
                                NULL),
                     LUC_OK);
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        mean += fabs((double)m->weights[3 * LINEAR_PIXELS + i]) / LINEAR_PIXELS;
    const struct luc_image *image = &method_item(m, "picture")->picture;
    double logit = 0;
    for (size_t i = 0; i < LINEAR_PIXELS; i++) {
        const size_t plane = i / (LINEAR_SIZE * LINEAR_SIZE), at = i % (LINEAR_SIZE * LINEAR_SIZE);
        const double w = (double)m->weights[3 * LINEAR_PIXELS + i];
        const double want = fmin(fmax(60 * w / mean, 0), 255);
        assert_true(fabs((double)image->data[3 * at + plane] - want) <= 0.51);
        logit += w * (double)image->data[3 * at + plane];
    }
    assert_true(fabs(method_item(m, "logit")->number - logit) < 1e-3 * fabs(logit));
    assert_int_equal((int)method_item(m, "class_index")->number, 3);
}

static void visualize__makes_what_is_asked_answer_more(void **state)
{
    struct bed *b = *state;
    static const char *const asked[][2] = { { "layer", "b" },
                                            { "channel", "2" },
                                            { "position", "center" } };
    b->run.n_images = 0;
    for (size_t n = 1; n <= 3; n++) {
        double response[2];
        for (int k = 0; k < 2; k++) {
            const char *const set[][2] = { { "size", "24" },
                                           { "jitter", "0" },
                                           { "zoom", "0" },
                                           { "rotate", "0" },
                                           { "softplus", "0" },
                                           { "steps", k ? "40" : "1" },
                                           { asked[0][0], asked[0][1] },
                                           { asked[n > 1 ? 1 : 0][0], asked[n > 1 ? 1 : 0][1] },
                                           { asked[n > 2 ? 2 : 0][0], asked[n > 2 ? 2 : 0][1] },
                                           { NULL, NULL } };
            bed_again(b);
            b->run.n_images = 0;
            assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_OK);
            response[k] = cell(b, 0, "response");
        }
        if (!(response[1] > 2 * response[0] && response[1] > 0))
            fail_msg("way %zu: %g, after one step %g", n, response[1], response[0]);
    }
}

/* A unit that is shut so far that softplus answers with e^-800, which is no float, is woken. */
static void visualize__wakes_a_silent_channel(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = {
        SMALL,         { "rate", "0.2" }, { "steps", "20" }, { "layer", "b" }, { "channel", "3" },
        { NULL, NULL }
    };
    size_t n = 0, apart = 0;
    ((float *)(uintptr_t)b->net.g->values[net_value(&b->net, "conv2.b")].constant.data)[3] = -200;
    b->run.n_images = 0;
    uint8_t *picture = bed_make(b, METHOD, set, &n);
    for (size_t i = 3; i < n; i++)
        apart += (size_t)abs(picture[i] - picture[i - 3]);
    if (apart < 10 * n)
        fail_msg("neighbours differ by %g on average: a gray picture", (double)apart / (double)n);
    free(picture);
}

/* Tile 0 of a sheet is the picture that its channel has alone; tiles are in order. */
static void visualize__channels_make_a_sheet(void **state)
{
    struct bed *b = *state;
    const char *const alone[][2] = {
        SMALL, { "steps", "4" }, { "layer", "b" }, { "channel", "1" }, { NULL, NULL }
    };
    const char *const sheet[][2] = {
        SMALL, { "steps", "4" }, { "layer", "b" }, { "channel", "1-3,7" }, { NULL, NULL }
    };
    const char *const all[][2] = {
        SMALL, { "steps", "1" }, { "layer", "b" }, { "channel", "all" }, { NULL, NULL }
    };
    size_t n = 0;
    b->run.n_images = 0;
    uint8_t *one = bed_make(b, METHOD, alone, &n);
    bed_again(b);
    b->run.n_images = 0;
    assert_int_equal(bed_run(b, METHOD, sheet, NULL), LUC_OK);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 2 * (24 + 2) + 2);
    for (size_t y = 0; y < 24; y++)
        assert_memory_equal(one + 3 * 24 * y, image->data + 3 * ((2 + y) * image->width + 2), 72);
    assert_true(cell(b, 3, "channel") == 7);
    free(one);
    bed_again(b);
    b->run.n_images = 0;
    assert_int_equal(bed_run(b, METHOD, all, NULL), LUC_OK);
    assert_int_equal(luc_result_find(&b->result, "pictures")->table.n_rows, 8);
}

/* Every switch does something, and the same again. Shifts by the usual 16 pixels would leave so
 * many of 24 unseen that those which contribute nothing are more than clip_contributions may take. */
static void visualize__every_switch_changes_the_picture_and_repeats(void **state)
{
    struct bed *b = *state;
    static const char *const ways[][2] = {
        { "preset", "yosinski" },
        { "preset", "simonyan" },
        { "parametrisation", "pixel" },
        { "decorrelate", "false" },
        { "decay", "1.5" },
        { "optimiser", "ascent" },
        { "softplus", "0" },
        { "jitter", "0" },
        { "zoom", "0" },
        { "rotate", "0" },
        { "l2", "100" },
        { "l1", "100" },
        { "tv", "1000" },
        { "alpha_norm", "1000" },
        { "beta_tv", "1000" },
        { "blur", "1" },
        { "clip_pixels", "30" },
        { "clip_contributions", "30" },
        { "init", "zero" },
        { "init", "image" },
        { "rate", "0.2" },
        { "steps", "5" },
        { "count", "2" },
    };
    size_t n = 0, m = 0;
    const char *const plain[][2] = {
        SMALL, { "steps", "4" }, { "layer", "b" }, { "channel", "1" }, { NULL, NULL }
    };
    b->run.n_images = 0;
    uint8_t *usual = bed_make(b, METHOD, plain, &n);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        uint8_t *made[2];
        const char *const set[][2] = { SMALL,
                                       { "steps", "4" },
                                       { "layer", "b" },
                                       { "channel", "1" },
                                       { "diversity", "5" },
                                       { ways[i][0], ways[i][1] },
                                       { NULL, NULL } };
        for (int k = 0; k < 2; k++) {
            bed_again(b);
            b->run.n_images = strcmp(ways[i][1], "image") == 0 ? 1 : 0;
            made[k] = bed_make(b, METHOD, set, &m);
        }
        assert_memory_equal(made[0], made[1], m);
        if (m == n && memcmp(usual, made[0], n) == 0)
            fail_msg("%s=%s changes nothing", ways[i][0], ways[i][1]);
        free(made[0]);
        free(made[1]);
    }
    free(usual);
}

static void visualize__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    const char *const set[][2] = {
        SMALL,         { "steps", "3" }, { "layer", "b" }, { "channel", "0,4" }, { "count", "2" },
        { NULL, NULL }
    };
    bed_check_resume(*state, METHOD, set, 0, 6);
}

static void visualize__what_does_not_fit_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const struct {
        const char *key, *text, *param;
        enum luc_status status;
    } wrong[] = {
        { "layer", "nowhere", "layer", LUC_NOT_FOUND },
        { "layer", "a,b", "layer", LUC_INVALID },
        { "channel", "8", "channel", LUC_RANGE },
        { "channel", "3-1", "channel", LUC_INVALID },
        { "channel", "x", "channel", LUC_INVALID },
        { "channel", "1,,2", "channel", LUC_INVALID },
        { "position", "12,0", "position", LUC_RANGE },
        { "position", "1", "position", LUC_INVALID },
        { "init", "image", "init", LUC_INVALID },
        { "target", "3", "target", LUC_INVALID },
        { "rate", "1000", "", LUC_OK },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const set[][2] = { SMALL,
                                       { "steps", "1" },
                                       { "layer", "b" },
                                       { "channel", "0" },
                                       { wrong[i].key, wrong[i].text },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        bed_again(b);
        b->run.n_images = 0;
        assert_int_equal(bed_run(b, METHOD, set, &err), wrong[i].status);
        assert_string_equal(err.param, wrong[i].param);
    }
}

static void visualize__is_cancelled_at_any_step(void **state)
{
    method_check_cancel(*state, METHOD, SETTINGS({ "steps", "5" }, { "jitter", "1" }), 5);
}

int main(void)
{
#define L(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
#define B(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        L(visualize__of_a_linear_class_is_its_weights),
        B(visualize__makes_what_is_asked_answer_more),
        B(visualize__wakes_a_silent_channel),
        B(visualize__channels_make_a_sheet),
        B(visualize__every_switch_changes_the_picture_and_repeats),
        B(visualize__goes_on_from_any_checkpoint_bit_for_bit),
        B(visualize__what_does_not_fit_is_refused_by_name),
        L(visualize__is_cancelled_at_any_step),
    };
    return cmocka_run_group_tests_name("method_visualize", tests, NULL, NULL);
}
