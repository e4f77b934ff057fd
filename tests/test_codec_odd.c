/* Odd files beside Pillow's pixels: tests/golden/make_odd_images.py says what each is. */
#include "core/tensor/codec.h"
#include "core/tensor/resize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR      "tests/golden/odd/"
#define FILE_MAX ((size_t)1 << 20)
#define MEAN_MAX 3 /* gray levels */

struct row {
    char name[64], want[64], frames[16];
    int tolerance;
    size_t width, height, offset;
};

static size_t read_file(const char *name, uint8_t **bytes)
{
    char path[128];
    snprintf(path, sizeof(path), DIR "%s", name);
    FILE *f = fopen(path, "rb");
    *bytes = malloc(FILE_MAX);
    assert_true(f && *bytes);
    const size_t size = fread(*bytes, 1, FILE_MAX, f);
    assert_true(size < FILE_MAX);
    fclose(f);
    return size;
}

static void check_error(const struct row *r, enum luc_status st, const char *text)
{
    char says[64];
    snprintf(says, sizeof(says), "%s", r->want);
    for (char *c = says; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    if (st == LUC_OK || !strstr(text, says))
        fail_msg("%s: says '%s', want '%s'", r->name, st ? text : "nothing", says);
}

static void check_pixels(const struct row *r, const struct luc_image *im, const uint8_t *want)
{
    if (im->width != r->width || im->height != r->height || im->channels != 3)
        fail_msg("%s: %zu x %zu x %zu", r->name, im->width, im->height, im->channels);
    for (size_t i = 0; i < im->width * im->height * 3; i++)
        if (abs(im->data[i] - want[i]) > r->tolerance)
            fail_msg("%s: %d where Pillow has %d, at pixel %zu, %zu", r->name, im->data[i], want[i],
                     i / 3 % im->width, i / 3 / im->width);
}

static void check(const struct row *r, const uint8_t *pixels)
{
    const struct luc_decode how = { .max_pixels = 1 << 20, .background = { 10, 20, 30 } };
    struct luc_image_info info = { 0 };
    struct luc_image im = { 0 };
    struct luc_error err = { 0 };
    uint8_t *bytes = NULL;
    const size_t size = read_file(r->name, &bytes);
    const enum luc_status probed = luc_image_probe(bytes, size, &info, &err);
    const enum luc_status st = luc_image_decode(bytes, size, &how, &im, &err);
    if (strcmp(r->want, "pixels") != 0) {
        check_error(r, st, err.text);
    } else {
        if (st || probed)
            fail_msg("%s: %s", r->name, err.text);
        assert_int_equal(info.animated, strcmp(r->frames, "animated") == 0);
        check_pixels(r, &im, pixels + r->offset);
    }
    luc_image_done(&im);
    free(bytes);
}

static void odd__files_have_the_pixels_that_pillow_sees(void **state)
{
    (void)state;
    FILE *index = fopen(DIR "index.txt", "r");
    uint8_t *pixels = NULL;
    struct row r;
    size_t n = 0;
    assert_non_null(index);
    read_file("pixels.bin", &pixels);
    while (fscanf(index, "%63s %63s %d %15s %zu %zu %zu", r.name, r.want, &r.tolerance, r.frames,
                  &r.width, &r.height, &r.offset) == 7) {
        check(&r, pixels);
        n++;
    }
    free(pixels);
    fclose(index);
    printf("%zu files\n", n);
    assert_true(n >= 100);
}

/* Mean distance of two pictures of the same size, in gray levels. */
static double distance(const struct luc_image *a, const struct luc_image *b)
{
    const size_t n = a->width * a->height * a->channels;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += abs(a->data[i] - b->data[i]);
    return sum / (double)n;
}

static void check_smaller(const char *what, const uint8_t *bytes, size_t size, size_t side)
{
    struct luc_decode how = { 0 };
    struct luc_image whole = { 0 }, small = { 0 }, want = { 0 };
    struct luc_image_info info = { 0 };
    size_t width = 0, height = 0;
    assert_int_equal(luc_image_decode(bytes, size, &how, &whole, NULL), LUC_OK);
    assert_int_equal(luc_image_probe(bytes, size, &info, NULL), LUC_OK);
    how.max_side = side;
    luc_image_shown(&info, &how, &width, &height);
    assert_int_equal(width > height ? width : height, side);
    assert_int_equal(luc_image_decode(bytes, size, &how, &small, NULL), LUC_OK);
    assert_int_equal(small.width, width);
    assert_int_equal(small.height, height);
    assert_int_equal(luc_image_resize(&whole, NULL, width, height, LUC_BICUBIC, &want, NULL),
                     LUC_OK);
    const double d = distance(&small, &want);
    printf("%s at %zu: %.2f\n", what, side, d);
    if (d > MEAN_MAX)
        fail_msg("%s at %zu is %.2f from the whole one made smaller", what, side, d);
    luc_image_done(&whole), luc_image_done(&small), luc_image_done(&want);
}

/* Means of blocks and left-out frequencies are no bicubic filter, but nearly. */
static void odd__what_is_decoded_smaller_is_the_picture_made_smaller(void **state)
{
    (void)state;
    static const size_t sides[] = { 400, 300, 200, 120, 90, 40 };
    struct luc_image cat = { 0 };
    struct luc_str png = { 0 };
    uint8_t *jpeg = NULL;
    const size_t size = read_file("../../../static/cat.jpg", &jpeg);
    assert_int_equal(luc_image_decode(jpeg, size, &(struct luc_decode){ 0 }, &cat, NULL), LUC_OK);
    assert_int_equal(luc_image_encode_png(&cat, NULL, &png, NULL), LUC_OK);
    for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
        check_smaller("JPEG", jpeg, size, sides[i]);
        check_smaller("PNG", (uint8_t *)png.data, png.len, sides[i]);
    }
    luc_image_done(&cat), luc_str_done(&png), free(jpeg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd__files_have_the_pixels_that_pillow_sees),
        cmocka_unit_test(odd__what_is_decoded_smaller_is_the_picture_made_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
