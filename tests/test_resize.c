#include "core/tensor/npy.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR "tests/golden/images/"

static struct luc_tensor load(struct luc_arena *arena, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), DIR "%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned char *bytes = luc_arena_raw(arena, 1 << 20, 1);
    assert_non_null(bytes);
    const size_t size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    struct luc_tensor t;
    assert_int_equal(luc_npy_read(bytes, size, arena, &t, NULL), LUC_OK);
    return t;
}

static struct luc_image source_picture(struct luc_arena *arena)
{
    const struct luc_tensor t = load(arena, "resize_source.npy");
    struct luc_image im = { 0 };
    assert_int_equal(luc_image_create(t.shape.dim[1], t.shape.dim[0], 3, &im, NULL), LUC_OK);
    for (size_t i = 0; i < luc_numel(&t.shape); i++)
        im.data[i] = (uint8_t)t.data[i];
    return im;
}

/* Largest difference from Pillow's picture, of the bytes and of the planes. */
static void compare(struct luc_arena *arena, const struct luc_image *src, const char *golden,
                    const struct luc_box *box, enum luc_filter filter)
{
    const struct luc_tensor want = load(arena, golden);
    const size_t h = want.shape.dim[0], w = want.shape.dim[1];
    struct luc_image got = { 0 };
    float *planes = luc_arena_raw(arena, 3 * h * w, sizeof(float));
    assert_int_equal(luc_image_resize(src, box, w, h, filter, &got, NULL), LUC_OK);
    assert_int_equal(luc_image_resize_planar(src, box, w, h, filter, planes, NULL), LUC_OK);
    double bytes = 0, floats = 0;
    for (size_t i = 0; i < w * h * 3; i++) {
        bytes = fmax(bytes, fabs((double)got.data[i] - (double)want.data[i]));
        const float plane = planes[i % 3 * w * h + i / 3];
        floats = fmax(floats, fabs((double)plane - (double)want.data[i]));
    }
    printf("%s: bytes differ by at most %g, planes by %.2f\n", golden, bytes, floats);
    assert_true(bytes == 0);
    assert_true(floats <= 1.5); /* no rounding between and after the passes */
    luc_image_done(&got);
}

static void resize__matches_pillow(void **state)
{
    struct luc_arena *arena = *state;
    struct luc_image src = source_picture(arena);
    const struct luc_box box = { 3.25, 1.5, 47.5, 35.5 };
    compare(arena, &src, "resize_bicubic_down.npy", NULL, LUC_BICUBIC);
    compare(arena, &src, "resize_bicubic_up.npy", NULL, LUC_BICUBIC);
    compare(arena, &src, "resize_bicubic_box.npy", &box, LUC_BICUBIC);
    compare(arena, &src, "resize_bilinear_down.npy", NULL, LUC_BILINEAR);
    compare(arena, &src, "resize_bilinear_up.npy", NULL, LUC_BILINEAR);
    compare(arena, &src, "resize_bilinear_box.npy", &box, LUC_BILINEAR);
    luc_image_done(&src);
}

static void resize__same_size_is_a_copy(void **state)
{
    struct luc_image src = source_picture(*state), out = { 0 };
    for (int filter = LUC_BILINEAR; filter <= LUC_BICUBIC; filter++) {
        assert_int_equal(luc_image_resize(&src, NULL, src.width, src.height,
                                          (enum luc_filter)filter, &out, NULL),
                         LUC_OK);
        assert_memory_equal(out.data, src.data, src.width * src.height * 3);
        luc_image_done(&out);
    }
    luc_image_done(&src);
}

static void resize__a_flat_picture_stays_flat(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 3, 17, 64 };
    struct luc_image src = { 0 }, out = { 0 };
    assert_int_equal(luc_image_create(13, 7, 1, &src, NULL), LUC_OK);
    memset(src.data, 201, 13 * 7);
    for (size_t i = 0; i < 25; i++) {
        const size_t w = sizes[i / 5], h = sizes[i % 5];
        assert_int_equal(luc_image_resize(&src, NULL, w, h, LUC_BICUBIC, &out, NULL), LUC_OK);
        for (size_t k = 0; k < w * h; k++)
            assert_int_equal(out.data[k], 201);
        luc_image_done(&out);
    }
    luc_image_done(&src);
}

static void resize__bad_boxes_and_sizes_are_refused(void **state)
{
    struct luc_image src = source_picture(*state), out = { 0 };
    const struct luc_box bad[] = { { -1, 0, 5, 5 },      { 0, 0, 57, 5 }, { 0, 36, 5, 5 },
                                   { 0, 0, 0, 5 },       { 0, 0, -5, 5 }, { (double)NAN, 0, 5, 5 },
                                   { 0, 0, HUGE_VAL, 5 } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(luc_image_resize(&src, &bad[i], 4, 4, LUC_BICUBIC, &out, NULL), LUC_RANGE);
    assert_int_equal(luc_image_resize(&src, NULL, 0, 4, LUC_BICUBIC, &out, NULL), LUC_RANGE);
    assert_int_equal(luc_image_resize(&src, NULL, SIZE_MAX / 8, 4, LUC_BICUBIC, &out, NULL),
                     LUC_TOO_LARGE);
    assert_int_equal(luc_image_crop(&src, 50, 0, 7, 5, &out, NULL), LUC_RANGE);
    assert_int_equal(luc_image_crop(&src, SIZE_MAX, 0, 7, 5, &out, NULL), LUC_RANGE);
    assert_null(out.data);
    luc_image_done(&src);
}

static void resize__crop_and_paste_are_inverse(void **state)
{
    struct luc_image src = source_picture(*state), part = { 0 }, copy = { 0 };
    assert_int_equal(luc_image_crop(&src, 5, 6, 20, 10, &part, NULL), LUC_OK);
    assert_int_equal(luc_image_crop(&src, 0, 0, src.width, src.height, &copy, NULL), LUC_OK);
    memset(copy.data + (6 * copy.width + 5) * 3, 0, 20 * 3);
    luc_image_paste(&copy, &part, 5, 6);
    assert_memory_equal(copy.data, src.data, src.width * src.height * 3);
    luc_image_paste(&copy, &part, copy.width - 2, copy.height - 2); /* cut, not overrun */
    luc_image_paste(&copy, &part, copy.width, 0);
    luc_image_done(&src), luc_image_done(&part), luc_image_done(&copy);
}

static void map_resize__is_bilinear_with_half_pixel_centres(void **state)
{
    (void)state;
    const float map[4] = { 0, 1, 2, 3 };
    float out[16];
    assert_int_equal(luc_map_resize(map, 2, 2, NULL, 4, 4, out, NULL), LUC_OK);
    static const float along[4] = { 0, 0.25f, 0.75f, 1 };
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 4; x++)
            assert_true(fabsf(out[y * 4 + x] - (2 * along[y] + along[x])) < 1e-6f);
    float same[4];
    assert_int_equal(luc_map_resize(map, 2, 2, NULL, 2, 2, same, NULL), LUC_OK);
    assert_memory_equal(same, map, sizeof(map));
    const struct luc_box past = { -0.5, -0.5, 3, 3 };
    float three[9];
    assert_int_equal(luc_map_resize(map, 2, 2, &past, 3, 3, three, NULL), LUC_OK);
    assert_true(fabsf(three[0]) < 1e-6f && fabsf(three[8] - 3) < 1e-6f);
}

static void map_resize__smooth_stays_within_the_range(void **state)
{
    (void)state;
    const float map[9] = { 0, 0, 0, 0, 1, 0, 0, 0, 0 };
    float out[30 * 30];
    assert_int_equal(luc_map_resize_smooth(map, 3, 3, NULL, 30, 30, out, NULL), LUC_OK);
    float high = 0;
    for (size_t i = 0; i < 30 * 30; i++) {
        assert_true(out[i] >= 0 && out[i] <= 1);
        high = fmaxf(high, out[i]);
    }
    assert_true(high > 0.95f);
}

static int make_arena(void **state)
{
    *state = luc_arena_create((size_t)1 << 26);
    return *state ? 0 : -1;
}

static int drop_arena(void **state)
{
    luc_arena_destroy(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(resize__matches_pillow),
        TEST(resize__same_size_is_a_copy),
        TEST(resize__a_flat_picture_stays_flat),
        TEST(resize__bad_boxes_and_sizes_are_refused),
        TEST(resize__crop_and_paste_are_inverse),
        TEST(map_resize__smooth_stays_within_the_range),
        TEST(map_resize__is_bilinear_with_half_pixel_centres),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
