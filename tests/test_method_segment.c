#include "core/segment/regions.h"
#include "core/segment/seeds.h"
#include "tests/method_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_segment, luc_method_saliency, luc_method_classify;

#define W 24
#define H 20
#define N (W * H)

/* ---- seeds ---------------------------------------------------------------------------------------- */

struct seeded {
    uint8_t seeds[N];
    size_t fore, back, open;
    struct luc_seeding_report report;
};

static struct seeded seed(const float *map, double fore, double back)
{
    struct seeded s = { 0 };
    struct luc_arena *arena = luc_arena_create(1 << 20);
    const struct luc_seeding how = { fore, back, true, true };
    assert_int_equal(luc_seeds_from_map(map, W, H, &how, s.seeds, arena, &s.report, NULL), LUC_OK);
    luc_arena_destroy(arena);
    for (size_t i = 0; i < N; i++) {
        s.fore += s.seeds[i] == LUC_SEED_FORE;
        s.back += s.seeds[i] == LUC_SEED_BACK;
        s.open += s.seeds[i] == LUC_SEED_OPEN;
    }
    assert_int_equal(s.fore + s.back + s.open, N);
    return s;
}

static void seeds__are_the_percentiles_of_the_map(void **state)
{
    (void)state;
    float map[N];
    for (size_t i = 0; i < N; i++)
        map[i] = (float)(i * 7 % N); /* each value once */
    const struct seeded s = seed(map, 95, 30);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(s.seeds[i] == LUC_SEED_FORE, map[i] >= 455);
        assert_int_equal(s.seeds[i] == LUC_SEED_BACK, map[i] <= 143);
    }
    assert_string_equal(s.report.text, "");
    assert_int_equal(s.report.fore, s.fore);
    assert_int_equal(s.report.back, s.back);
}

static void seeds__of_degenerate_maps_are_widened_and_told(void **state)
{
    (void)state;
    float map[N] = { 0 };
    struct seeded s = seed(map, 95, 30); /* nothing */
    assert_true(s.fore > N / 10 && s.back > N / 10);
    assert_non_null(strstr(s.report.text, "the same everywhere"));
    map[N / 2 + 5] = 1; /* a single pixel */
    s = seed(map, 95, 30);
    assert_true(s.fore >= 3 && s.fore < 30);
    assert_int_equal(s.seeds[N / 2 + 5], LUC_SEED_FORE);
    assert_non_null(strstr(s.report.text, "too few for the foreground"));
    for (size_t i = 0; i < N; i++)
        map[i] = 1; /* everywhere but one pixel */
    map[40] = 0;
    s = seed(map, 95, 30);
    assert_true(s.back >= 3 && s.fore > N / 2);
    assert_int_equal(s.seeds[40], LUC_SEED_BACK);
    assert_non_null(strstr(s.report.text, "too few for the background"));
    for (size_t i = 0; i < N; i++)
        map[i] = i < N / 2; /* two values */
    s = seed(map, 95, 30);
    assert_int_equal(s.fore, N / 2);
    assert_int_equal(s.back, N / 2);
}

enum { EMPTY, ONE_PIXEL, ALL_BUT_ONE, RISING, N_KINDS };

static void check_tiny(size_t w, size_t h, int kind)
{
    struct luc_arena *arena = luc_arena_create(1 << 20);
    const struct luc_seeding how = { 95, 30, false, false };
    struct luc_seeding_report report;
    float map[25] = { 0 };
    uint8_t seeds[25];
    for (size_t i = 0; i < w * h && kind != EMPTY; i++)
        map[i] = kind == ONE_PIXEL ? i == 0 : kind == ALL_BUT_ONE ? i > 0 : (float)i;
    assert_int_equal(luc_seeds_from_map(map, w, h, &how, seeds, arena, &report, NULL), LUC_OK);
    if (!luc_seeds_count(seeds, w * h, 0) || !luc_seeds_count(seeds, w * h, 1))
        fail_msg("%zux%zu, map %d", w, h, kind);
    luc_arena_destroy(arena);
}

static void seeds__of_tiny_pictures_have_both_sides(void **state)
{
    (void)state;
    for (size_t w = 1; w <= 5; w++)
        for (size_t h = w == 1 ? 2 : 1; h <= 5; h++)
            for (int kind = 0; kind < N_KINDS; kind++)
                check_tiny(w, h, kind);
}

/* ---- masks ---------------------------------------------------------------------------------------- */

static const uint8_t shape[6 * 8] = {
    1, 1, 0, 0, 0, 0, 0, 0, /**/
    1, 0, 0, 0, 1, 1, 1, 0, /**/
    0, 0, 0, 0, 1, 0, 1, 0, /**/
    0, 0, 0, 0, 0, 1, 0, 0, /**/
    0, 1, 0, 0, 0, 0, 0, 0, /**/
    0, 0, 0, 0, 0, 0, 0, 1, /**/
};

static void regions__come_largest_first_with_their_boxes(void **state)
{
    (void)state;
    static const struct luc_region want[] = {
        { 4, 1, 3, 3, 6 }, { 0, 0, 2, 2, 3 }, { 1, 4, 1, 1, 1 }, { 7, 5, 1, 1, 1 }
    };
    struct luc_arena *arena = luc_arena_create(1 << 20);
    for (size_t room = 1; room <= 5; room++) {
        struct luc_region r[5];
        size_t n = 0, all = 0;
        assert_int_equal(luc_regions_find(shape, 8, 6, r, room, &n, &all, arena, NULL), LUC_OK);
        assert_int_equal(all, 4);
        assert_int_equal(n, room < 4 ? room : 4);
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(&r[i], &want[i], sizeof(r[i]));
    }
    luc_arena_destroy(arena);
}

static void mask__is_drawn_as_asked(void **state)
{
    (void)state;
    struct luc_image photo, out;
    const struct luc_region box = { 1, 1, 6, 4, 24 };
    assert_int_equal(luc_image_create(8, 6, 3, &photo, NULL), LUC_OK);
    for (size_t i = 0; i < 8 * 6 * 3; i++)
        photo.data[i] = (uint8_t)(100 + i);
    for (int view = 0; view < 4; view++) {
        static const size_t channels[] = { 1, 4, 3, 3 };
        assert_int_equal(
            luc_mask_draw(shape, &photo, (enum luc_mask_view)view, &box, 1, &out, NULL), LUC_OK);
        assert_int_equal(out.channels, channels[view]);
        for (size_t i = 0; i < 8 * 6 && view == LUC_MASK_PLAIN; i++)
            assert_int_equal(out.data[i], shape[i] ? 255 : 0);
        for (size_t i = 0; i < 8 * 6 && view == LUC_MASK_CUTOUT; i++) {
            assert_memory_equal(out.data + 4 * i, photo.data + 3 * i, 3);
            assert_int_equal(out.data[4 * i + 3], shape[i] ? 255 : 0);
        }
        if (view == LUC_MASK_CONTOUR || view == LUC_MASK_BOXES)
            assert_int_equal(out.data[3 * (8 + 6)],
                             255); /* a rim, and the box's upper right corner */
        luc_image_done(&out);
    }
    luc_image_done(&photo);
}

/* ---- the method ----------------------------------------------------------------------------------- */

static const struct luc_method *const others[] = { &luc_method_classify, &luc_method_saliency,
                                                   &luc_method_segment, NULL };

static const char *const (*small)[2] = SETTINGS({ "components", "2" }, { "smooth", "0" });

static int setup(void **state)
{
    method_setup(state);
    ((struct linear_model *)*state)->run.methods = others;
    return 0;
}

static void segment__gives_what_is_asked_for_and_tells_its_extent(void **state)
{
    struct linear_model *m = *state;
    static const char *const outputs[] = { "mask", "cutout", "contour", "boxes" };
    for (int i = 0; i < 4; i++) {
        linear_model_again(m);
        m->run.methods = others;
        struct luc_error err = { 0 };
        if (method_run(&m->run, &luc_method_segment,
                       SETTINGS({ "output", outputs[i] }, { "components", "2" }, { "smooth", "0" }),
                       &err))
            fail_msg("%s", err.text);
        const struct luc_item *first = luc_result_first(&m->result, LUC_ITEM_PICTURE);
        assert_string_equal(first->key, outputs[i]);
        assert_int_equal(first->picture.width, LINEAR_SIZE);
        double area = 0;
        for (size_t k = 0; k < LINEAR_SIZE * LINEAR_SIZE && i < 2; k++)
            area += first->picture.data[i ? 4 * k + 3 : k] == 255;
        if (i < 2)
            assert_true(method_item(m, "area")->number == area && area > 0 && area < 16);
        assert_true(method_item(m, "area_share")->number < 1);
        assert_true(method_item(m, "box_width")->number >= 1);
        assert_true(method_item(m, "regions")->table.n_rows >= 1);
        assert_int_equal(method_item(m, "seeds")->picture.channels, 1);
        assert_string_equal(method_item(m, "class")->text, "cat");
    }
}

static void segment__survives_a_picture_of_one_colour_and_says_so(void **state)
{
    struct linear_model *m = *state;
    memset(m->photo.data, 90, LINEAR_PIXELS);
    assert_int_equal(method_run(&m->run, &luc_method_segment, small, NULL), LUC_OK);
    const double share = method_item(m, "area_share")->number;
    assert_true(share > 0 && share < 1);
}

static void segment__names_the_parameter_at_fault(void **state)
{
    struct linear_model *m = *state;
    static const struct {
        const char *key, *text, *param;
        enum luc_status status;
    } bad[] = { { "method", "nonsense", "method", LUC_NOT_FOUND },
                { "method", "classify", "method", LUC_INVALID },
                { "method", "segment", "method", LUC_INVALID },
                { "params", "nonsense=1", "params", LUC_INVALID },
                { "target", "unicorn", "target", LUC_NOT_FOUND },
                { "bg_percentile", "96", "bg_percentile", LUC_INVALID } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct luc_error err = { 0 };
        linear_model_again(m);
        m->run.methods = others;
        assert_int_equal(
            method_run(&m->run, &luc_method_segment, SETTINGS({ bad[i].key, bad[i].text }), &err),
            bad[i].status);
        assert_string_equal(err.param, bad[i].param);
        assert_null(m->result.first);
    }
}

static bool refuse(void *ctx, double progress)
{
    int *left = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return (*left)-- > 0;
}

static void segment__can_be_cancelled_at_every_tick(void **state)
{
    struct linear_model *m = *state;
    enum luc_status st = LUC_CANCELLED;
    int after = 0;
    for (; st == LUC_CANCELLED && after < 100; after++) {
        int left = after;
        linear_model_again(m);
        m->run.methods = others;
        m->run.tick = refuse;
        m->run.tick_ctx = &left;
        st = method_run(&m->run, &luc_method_segment, small, NULL);
    }
    assert_int_equal(st, LUC_OK);
    assert_true(after > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds__are_the_percentiles_of_the_map),
        cmocka_unit_test(seeds__of_degenerate_maps_are_widened_and_told),
        cmocka_unit_test(seeds__of_tiny_pictures_have_both_sides),
        cmocka_unit_test(regions__come_largest_first_with_their_boxes),
        cmocka_unit_test(mask__is_drawn_as_asked),
        cmocka_unit_test_setup_teardown(segment__gives_what_is_asked_for_and_tells_its_extent,
                                        setup, method_teardown),
        cmocka_unit_test_setup_teardown(segment__survives_a_picture_of_one_colour_and_says_so,
                                        setup, method_teardown),
        cmocka_unit_test_setup_teardown(segment__names_the_parameter_at_fault, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(segment__can_be_cancelled_at_every_tick, setup,
                                        method_teardown),
    };
    return cmocka_run_group_tests_name("method_segment", tests, NULL, NULL);
}
