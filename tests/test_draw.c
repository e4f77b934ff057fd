#include "core/base/rng.h"
#include "core/tensor/colormap.h"
#include "core/tensor/draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define W 40
#define H 30

static struct luc_image make_photo(void)
{
    struct luc_image im = { 0 };
    assert_int_equal(luc_image_create(W, H, 3, &im, NULL), LUC_OK);
    for (size_t i = 0; i < W * H * 3; i++)
        im.data[i] = (uint8_t)(50 + i * 7 % 150);
    return im;
}

static struct luc_view_params defaults(enum luc_view view)
{
    struct luc_view_params v;
    luc_params_default(luc_view_rows, &v);
    v.view = view;
    return v;
}

static struct luc_image draw(const float *map, size_t w, size_t h, bool is_signed,
                             const struct luc_box *place, const struct luc_view_params *view)
{
    struct luc_image photo = make_photo(), out = { 0 };
    struct luc_error err = { 0 };
    const struct luc_placing at =
        place ? (struct luc_placing){ *place, *place } : (struct luc_placing){ 0 };
    if (luc_draw_map(map, w, h, is_signed, &photo, place ? &at : NULL, view, &out, &err))
        fail_msg("%s", err.text);
    luc_image_done(&photo);
    return out;
}

static const uint8_t *pixel(const struct luc_image *im, size_t x, size_t y)
{
    return im->data + (y * im->width + x) * 3;
}

static void colour_bytes(enum luc_colormap_id id, float t, uint8_t rgb[3])
{
    float f[3];
    luc_colormap_at(luc_colormap_get(id), t, f);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(f[c] + 0.5f);
}

static void assert_colour(const struct luc_image *im, size_t x, size_t y, enum luc_colormap_id id,
                          float t)
{
    uint8_t want[3];
    colour_bytes(id, t, want);
    assert_memory_equal(pixel(im, x, y), want, 3);
}

static void colormap__tables_and_names_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < LUC_N_COLORMAPS; i++) {
        const struct luc_colormap *m = luc_colormap_get((enum luc_colormap_id)i);
        assert_string_equal(m->name, luc_colormap_names[i]);
        assert_ptr_equal(luc_colormap_find(m->name), m);
    }
    assert_null(luc_colormap_names[LUC_N_COLORMAPS]);
    assert_null(luc_colormap_find("jet"));
    assert_int_equal(luc_colormap_find("viridis")->rgb[0], 0x440154);
    assert_int_equal(luc_colormap_find("viridis")->rgb[255], 0xfde725);
    assert_int_equal(luc_colormap_find("coolwarm")->rgb[0], 0x3b4cc0);
    assert_int_equal(luc_colormap_find("coolwarm")->rgb[255], 0xb40426);
}

static void colormap__values_outside_are_clamped(void **state)
{
    (void)state;
    const float odd[] = { -1, (float)NAN, 2, HUGE_VALF };
    for (size_t i = 0; i < 4; i++) {
        float rgb[3];
        luc_colormap_at(luc_colormap_get(LUC_GRAY_SCALE), odd[i], rgb);
        assert_true(rgb[0] == (i < 2 ? 0.0f : 255.0f));
    }
}

static void draw__parameter_rows_are_sound(void **state)
{
    (void)state;
    struct luc_error err;
    if (luc_params_verify(luc_view_rows, &err))
        fail_msg("%s", err.text);
    struct luc_view_params v;
    luc_params_default(luc_view_rows, &v);
    assert_int_equal(v.view, LUC_VIEW_OVERLAY);
    assert_true(v.clip_percentile == 99.0);
    assert_int_equal(luc_param_set(luc_view_rows, "view", "side-by-side", &v, NULL), LUC_OK);
    assert_int_equal(v.view, LUC_VIEW_SIDE);
    assert_int_equal(luc_param_set(luc_view_rows, "clip_percentile", "49", &v, NULL), LUC_RANGE);
}

static void draw__heatmap_uses_the_ends_of_the_colormap(void **state)
{
    (void)state;
    const struct luc_view_params v = defaults(LUC_VIEW_HEATMAP);
    float map[W * H];
    for (size_t i = 0; i < W * H; i++)
        map[i] = i % W < W / 2 ? 3.0f : 7.0f;
    struct luc_image out = draw(map, W, H, false, NULL, &v);
    assert_int_equal(out.width, W);
    assert_colour(&out, 0, 0, LUC_INFERNO, 0);
    assert_colour(&out, W - 1, H - 1, LUC_INFERNO, 1);
    luc_image_done(&out);
}

static void draw__signed_maps_diverge_around_zero(void **state)
{
    (void)state;
    const float map[3] = { -2, 0, 1 };
    const enum luc_view views[] = { LUC_VIEW_HEATMAP, LUC_VIEW_SIGNED };
    for (size_t i = 0; i < 2; i++) {
        struct luc_view_params v = defaults(views[i]);
        v.clip_percentile = 100;
        struct luc_image out = draw(map, 3, 1, true, NULL, &v);
        assert_colour(&out, 0, 3, LUC_COOLWARM, 0);
        assert_colour(&out, W - 1, 3, LUC_COOLWARM, 0.75f);
        luc_image_done(&out);
    }
    const struct luc_view_params over = defaults(LUC_VIEW_OVERLAY);
    struct luc_image out = draw(map, 3, 1, true, NULL, &over);
    assert_true(pixel(&out, 0, 3)[2] > pixel(&out, 0, 3)[0]);         /* negative: blue */
    assert_true(pixel(&out, W - 1, 3)[0] > pixel(&out, W - 1, 3)[2]); /* positive: red */
    luc_image_done(&out);
}

static void draw__a_constant_map_draws_as_zero(void **state)
{
    (void)state;
    static const float levels[] = { 0, 5, -3 };
    for (size_t i = 0; i < 12; i++) {
        const float v0 = levels[i % 3];
        const float map[4] = { v0, v0, v0, v0 };
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            struct luc_view_params v = defaults(i < 6 ? LUC_VIEW_HEATMAP : LUC_VIEW_GRAY);
            v.gamma = i % 2 ? 0.5 : 1;
            struct luc_image out = draw(map, 2, 2, is_signed, NULL, &v);
            const enum luc_colormap_id id = i >= 6      ? LUC_GRAY_SCALE
                                            : is_signed ? LUC_COOLWARM
                                                        : LUC_INFERNO;
            assert_colour(&out, 9, 9, id, is_signed ? 0.5f : 0);
            luc_image_done(&out);
        }
    }
}

static void draw__percentile_clips_outliers(void **state)
{
    (void)state;
    float map[W * H];
    for (size_t i = 0; i < W * H; i++)
        map[i] = i % 2 ? 1.0f : 0.0f;
    map[W * H - 1] = 1e30f;
    struct luc_view_params v = defaults(LUC_VIEW_GRAY);
    struct luc_image out = draw(map, W, H, false, NULL, &v);
    assert_int_equal(*pixel(&out, 1, 0), 255);
    luc_image_done(&out);
    v.clip_percentile = 100;
    out = draw(map, W, H, false, NULL, &v);
    assert_int_equal(*pixel(&out, 1, 0), 0);
    assert_int_equal(*pixel(&out, W - 1, H - 1), 255);
    luc_image_done(&out);
}

static void draw__sparse_and_odd_values_are_shown_without_nan(void **state)
{
    (void)state;
    float map[W * H] = { 0 };
    map[7] = 4; /* far under one percent: the percentile is zero */
    map[8] = (float)NAN, map[9] = HUGE_VALF, map[10] = -HUGE_VALF, map[11] = -3e38f;
    for (int view = 0; view <= LUC_VIEW_SIDE; view++)
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            const struct luc_view_params v = defaults((enum luc_view)view);
            struct luc_image out = draw(map, W, H, is_signed, NULL, &v);
            luc_image_done(&out);
        }
    map[11] = 0;
    const struct luc_view_params v = defaults(LUC_VIEW_GRAY);
    struct luc_image out = draw(map, W, H, false, NULL, &v);
    assert_int_equal(*pixel(&out, 7, 0), 255);
    assert_int_equal(*pixel(&out, 8, 0), 0);
    luc_image_done(&out);
}

static void draw__a_map_stays_in_its_place(void **state)
{
    (void)state;
    const float map[2] = { 0.5f, 1 };
    const struct luc_box place = { 10, 5, 20, 20 };
    struct luc_view_params v = defaults(LUC_VIEW_MASK);
    v.alpha = 1;
    v.clip_percentile = 100;
    struct luc_image out = draw(map, 2, 1, false, &place, &v), photo = make_photo();
    static const uint8_t black[3] = { 0 };
    assert_memory_equal(pixel(&out, 9, 10), black, 3);
    assert_memory_equal(pixel(&out, 30, 10), black, 3);
    assert_memory_equal(pixel(&out, 29, 4), black, 3);
    assert_memory_equal(pixel(&out, 29, 10), pixel(&photo, 29, 10), 3);
    luc_image_done(&out);
    const struct luc_box outside = { -500, -500, 20, 20 };
    out = draw(map, 2, 1, false, &outside, &v);
    assert_memory_equal(pixel(&out, 0, 0), black, 3);
    luc_image_done(&out), luc_image_done(&photo);
}

static void draw__side_by_side_keeps_the_photograph(void **state)
{
    (void)state;
    const float map[2] = { 0, 1 };
    const struct luc_view_params v = defaults(LUC_VIEW_SIDE);
    struct luc_image out = draw(map, 2, 1, false, NULL, &v), photo = make_photo();
    assert_true(out.width >= 2 * W && out.height == H);
    for (size_t y = 0; y < H; y++)
        assert_memory_equal(pixel(&out, 0, y), pixel(&photo, 0, y), 3 * W);
    luc_image_done(&out), luc_image_done(&photo);
}

static void draw__overlay_without_alpha_is_the_photograph(void **state)
{
    (void)state;
    const float map[2] = { 0, 1 };
    struct luc_view_params v = defaults(LUC_VIEW_OVERLAY);
    v.alpha = 0;
    struct luc_image out = draw(map, 2, 1, false, NULL, &v), photo = make_photo();
    assert_memory_equal(out.data, photo.data, W * H * 3);
    luc_image_done(&out), luc_image_done(&photo);
}

static void draw__bad_inputs_are_refused(void **state)
{
    (void)state;
    const float map[1] = { 1 };
    const struct luc_view_params v = defaults(LUC_VIEW_OVERLAY);
    struct luc_image gray = { 0 }, out = { 0 };
    assert_int_equal(luc_image_create(4, 4, 1, &gray, NULL), LUC_OK);
    assert_int_equal(luc_draw_map(map, 1, 1, false, &gray, NULL, &v, &out, NULL), LUC_INVALID);
    luc_image_done(&gray);
    struct luc_image photo = make_photo();
    const struct luc_box bad = { 0, 0, (double)NAN, 3 };
    const struct luc_placing none = { bad, bad };
    assert_int_equal(luc_draw_map(map, 0, 1, false, &photo, NULL, &v, &out, NULL), LUC_INVALID);
    assert_int_equal(luc_draw_map(map, 1, 1, false, &photo, &none, &v, &out, NULL), LUC_INVALID);
    assert_null(out.data);
    luc_image_done(&photo);
}

/* The percentile is found by partitioning; sorting is the plain way. */
static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void draw__percentile_is_that_of_a_sorted_map(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    for (int turn = 0; turn < 20; turn++) {
        float map[W * H], sorted[W * H];
        for (size_t i = 0; i < W * H; i++)
            map[i] = turn % 2 ? (float)luc_rng_below(&rng, 9) : (float)luc_rng_uniform(&rng);
        memcpy(sorted, map, sizeof(map));
        qsort(sorted, W * H, sizeof(float), compare_floats);
        struct luc_view_params v = defaults(LUC_VIEW_GRAY);
        v.clip_percentile = 50 + 2.5 * turn;
        struct luc_image out = draw(map, W, H, false, NULL, &v);
        const float low = sorted[0];
        const float top = sorted[(size_t)(v.clip_percentile / 100 * (W * H - 1))];
        for (size_t i = 0; i < W * H; i++) {
            const float want = 255 * fminf((map[i] - low) / (top - low), 1);
            assert_true(fabsf((float)out.data[3 * i] - want) < 0.51f);
        }
        luc_image_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colormap__tables_and_names_agree),
        cmocka_unit_test(colormap__values_outside_are_clamped),
        cmocka_unit_test(draw__parameter_rows_are_sound),
        cmocka_unit_test(draw__heatmap_uses_the_ends_of_the_colormap),
        cmocka_unit_test(draw__signed_maps_diverge_around_zero),
        cmocka_unit_test(draw__a_constant_map_draws_as_zero),
        cmocka_unit_test(draw__percentile_clips_outliers),
        cmocka_unit_test(draw__sparse_and_odd_values_are_shown_without_nan),
        cmocka_unit_test(draw__a_map_stays_in_its_place),
        cmocka_unit_test(draw__side_by_side_keeps_the_photograph),
        cmocka_unit_test(draw__overlay_without_alpha_is_the_photograph),
        cmocka_unit_test(draw__bad_inputs_are_refused),
        cmocka_unit_test(draw__percentile_is_that_of_a_sorted_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
