#include "tests/generate_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_fast_style;

static const char *const nothing[][2] = { { NULL, NULL } };

static int setup(void **state)
{
    bed_setup(state);
    struct bed *b = *state;
    b->model.task = LUC_TASK_STYLE;
    b->run.n_images = 1;
    return 0;
}

static void fast_style__strength_blends_from_the_picture_to_the_network(void **state)
{
    struct bed *b = *state;
    const char *const none[][2] = { { "strength", "0" }, { NULL, NULL } };
    assert_int_equal(bed_run(b, &luc_method_fast_style, none, NULL), LUC_OK);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 80); /* the network halves; the answer does not */
    assert_memory_equal(image->data, b->images[0].data, 3 * 80 * 64);
    const char *const all[][2] = { { "strength", "1" }, { NULL, NULL } };
    bed_again(b);
    b->run.n_images = 1;
    assert_int_equal(bed_run(b, &luc_method_fast_style, all, NULL), LUC_OK);
    image = &luc_result_find(&b->result, "picture")->picture;
    assert_memory_not_equal(image->data, b->images[0].data, 3 * 80 * 64);
}

static void fast_style__a_network_that_makes_no_pictures_is_refused(void **state)
{
    struct bed *b = *state;
    struct luc_error err = { 0 };
    b->model.task = LUC_TASK_FEATURES;
    assert_int_equal(bed_run(b, &luc_method_fast_style, nothing, &err), LUC_INVALID);
    assert_string_equal(err.param, "model");
}

/* A run with room for `bytes`, on a picture too large for the small ones. */
static const struct luc_item *run_within(struct bed *b, size_t bytes, const char *tile)
{
    const char *const set[][2] = { { "tile", tile }, { NULL, NULL } };
    struct luc_error err = { 0 };
    struct luc_arena *arena = luc_arena_create(bytes);
    b->run.arena = arena;
    if (bed_run(b, &luc_method_fast_style, set, &err))
        fail_msg("%s", err.text);
    luc_arena_destroy(arena);
    return luc_result_find(&b->result, "picture");
}

static void assert_bytes_close(const struct luc_image *a, const uint8_t *b)
{
    size_t apart = 0;
    for (size_t i = 0; i < 3 * a->width * a->height; i++) {
        assert_in_range(a->data[i] - b[i] + 1, 0, 2);
        apart += a->data[i] != b[i];
    }
    assert_true(apart < 30 * a->width * a->height / 1000); /* a half, rounded the other way */
}

static void fast_style__tiles_are_asked_for_or_chosen_by_memory(void **state)
{
    struct bed *b = *state;
    static const struct {
        size_t bytes;
        const char *tile;
        double least, most; /* tiles */
    } cases[] = { { (size_t)64 << 20, "100", 30, 30 },
                  { (size_t)16 << 20, "0", 2, 100 },
                  { (size_t)14 << 20, "0", 2, 100 } };
    luc_image_done(&b->images[0]);
    bed_paint(&b->images[0], 600, 500, 1);
    const struct luc_item *it = run_within(b, (size_t)64 << 20, "0");
    assert_true(luc_result_find(&b->result, "tiles")->number == 1);
    uint8_t *whole = malloc(3 * 600 * 500);
    memcpy(whole, it->picture.data, 3 * 600 * 500);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bed_again(b);
        b->run.n_images = 1;
        it = run_within(b, cases[i].bytes, cases[i].tile);
        const double n = luc_result_find(&b->result, "tiles")->number;
        assert_true(n >= cases[i].least && n <= cases[i].most);
        assert_bytes_close(&it->picture, whole);
    }
    free(whole);
}

static void fast_style__several_networks_give_a_picture_each_and_a_sheet(void **state)
{
    struct bed *b = *state;
    struct luc_model second = b->model;
    const struct luc_model *const models[] = { &b->model, &second };
    second.name = "other";
    second.out.mean[0] = 20; /* other colours */
    assert_int_equal(bed_run(b, &luc_method_fast_style, nothing, NULL), LUC_OK);
    struct luc_image alone = { 0 };
    const struct luc_image *picture = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(luc_image_create(picture->width, picture->height, 3, &alone, NULL), LUC_OK);
    memcpy(alone.data, picture->data, 3 * alone.width * alone.height);
    bed_again(b);
    b->run.n_images = 1;
    b->run.models = models;
    b->run.n_models = 2;
    assert_int_equal(bed_run(b, &luc_method_fast_style, nothing, NULL), LUC_OK);
    const struct luc_item *first = luc_result_find(&b->result, "picture_1");
    const struct luc_item *other = luc_result_find(&b->result, "picture_2");
    const size_t n = 3 * alone.width * alone.height;
    assert_memory_equal(first->picture.data, alone.data, n);
    assert_memory_not_equal(other->picture.data, alone.data, n);
    assert_ptr_equal(luc_result_first(&b->result, LUC_ITEM_PICTURE),
                     luc_result_find(&b->result, "sheet"));
    const struct luc_table *table = &luc_result_find(&b->result, "styles")->table;
    assert_int_equal(table->n_rows, 2);
    assert_string_equal(table->cells[4].text, "other");
    luc_image_done(&alone);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, setup, bed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(fast_style__strength_blends_from_the_picture_to_the_network),
        ON(fast_style__a_network_that_makes_no_pictures_is_refused),
        ON(fast_style__tiles_are_asked_for_or_chosen_by_memory),
        ON(fast_style__several_networks_give_a_picture_each_and_a_sheet),
    };
    return cmocka_run_group_tests_name("method_fast_style", tests, NULL, NULL);
}
