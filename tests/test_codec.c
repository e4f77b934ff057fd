#include "core/base/rng.h"
#include "core/tensor/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR       "tests/golden/images/"
#define W         48
#define H         32
#define END_MAX   12 /* bytes of the longest end mark: IEND */
#define TOLERANCE 6  /* gray levels, away from edges; JPEG at quality 95 */

static const struct luc_decode plain = { .max_pixels = 1 << 20, .background = { 10, 20, 30 } };
static const uint8_t quarters[4][3] = {
    { 220, 30, 40 }, { 30, 180, 60 }, { 40, 60, 200 }, { 250, 250, 250 }
};
static const char *const pictures[] = {
    "orient1.jpg",    "progressive.jpg", "gray.jpg",      "cmyk_adobe.jpg",    "ycck_adobe.jpg",
    "subsampled.jpg", "rgb.png",         "palette.png",   "palette_clear.png", "interlaced.png",
    "rgb16.png",      "alpha.png",       "lossless.webp", "lossy.webp",        "alpha.webp",
};
#define N_PICTURES (sizeof(pictures) / sizeof(*pictures))

struct file {
    uint8_t *bytes;
    size_t size;
};

static struct file read_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), DIR "%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    struct file file = { malloc(1 << 20), 0 };
    assert_non_null(file.bytes);
    file.size = fread(file.bytes, 1, 1 << 20, f);
    fclose(f);
    return file;
}

static enum luc_status decode(const char *name, const struct luc_decode *how,
                              struct luc_image *image, struct luc_error *err)
{
    const struct file f = read_file(name);
    const enum luc_status st = luc_image_decode(f.bytes, f.size, how, image, err);
    free(f.bytes);
    return st;
}

static void assert_near(const uint8_t *got, const uint8_t *want, size_t n, int tolerance,
                        const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (abs(got[i] - want[i]) > tolerance)
            fail_msg("%s: channel %zu is %d, want %d", what, i, got[i], want[i]);
}

static const uint8_t *pixel(const struct luc_image *im, size_t x, size_t y)
{
    return im->data + (y * im->width + x) * im->channels;
}

static void assert_quarters(const struct luc_image *im, int tolerance, const char *what)
{
    assert_int_equal(im->width, W);
    assert_int_equal(im->height, H);
    assert_int_equal(im->channels, 3);
    for (size_t q = 0; q < 4; q++)
        for (size_t y = 2; y < H / 2 - 2; y++)
            for (size_t x = 2; x < W / 2 - 2; x++)
                assert_near(pixel(im, x + q % 2 * W / 2, y + q / 2 * H / 2), quarters[q], 3,
                            tolerance, what);
}

static void assert_shows_quarters(const char *name, int tolerance)
{
    struct luc_image im = { 0 };
    struct luc_error err = { 0 };
    if (decode(name, &plain, &im, &err))
        fail_msg("%s: %s", name, err.text);
    assert_quarters(&im, tolerance, name);
    luc_image_done(&im);
}

static void codec__all_eight_orientations_come_out_upright(void **state)
{
    (void)state;
    for (int i = 1; i <= 8; i++) {
        char name[32];
        snprintf(name, sizeof(name), "orient%d.jpg", i);
        assert_shows_quarters(name, TOLERANCE);
        const struct file f = read_file(name);
        struct luc_image_info info = { 0 };
        assert_int_equal(luc_image_probe(f.bytes, f.size, &info, NULL), LUC_OK);
        assert_int_equal(info.orientation, i);
        assert_int_equal(info.width, W);
        assert_int_equal(info.height, H);
        free(f.bytes);
    }
    assert_shows_quarters("orient6.png", 0);
    assert_shows_quarters("orient8.webp", 0);
}

static void codec__every_kind_shows_the_same_picture(void **state)
{
    (void)state;
    static const char *const exact[] = { "rgb.png", "palette.png", "rgb16.png", "interlaced.png",
                                         "lossless.webp" };
    static const char *const lossy[] = { "progressive.jpg", "cmyk_adobe.jpg", "cmyk_bare.jpg",
                                         "ycck_adobe.jpg",  "lossy.webp",     "subsampled.jpg" };
    for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++)
        assert_shows_quarters(exact[i], 0);
    for (size_t i = 0; i < sizeof(lossy) / sizeof(*lossy); i++)
        assert_shows_quarters(lossy[i], TOLERANCE);
    assert_shows_quarters("linear16.png", 1); /* gAMA 1.0 is turned into sRGB */
}

static void codec__gray_files_become_rgb(void **state)
{
    (void)state;
    static const char *const files[] = { "gray.png", "gray.jpg", "bits.png" };
    for (size_t i = 0; i < 3; i++) {
        struct luc_image im = { 0 };
        assert_int_equal(decode(files[i], &plain, &im, NULL), LUC_OK);
        assert_int_equal(im.channels, 3);
        const uint8_t *p = pixel(&im, 40, 28);
        assert_true(p[0] == p[1] && p[1] == p[2] && p[0] >= 248);
        luc_image_done(&im);
    }
    struct luc_image ramp = { 0 };
    assert_int_equal(decode("gray16.png", &plain, &ramp, NULL), LUC_OK);
    for (size_t x = 0; x < 16; x++)
        assert_int_equal(pixel(&ramp, x, 0)[1], x * 17);
    luc_image_done(&ramp);
}

static void codec__alpha_is_laid_over_the_background(void **state)
{
    (void)state;
    static const char *const files[] = { "alpha.png", "alpha.webp" };
    for (size_t i = 0; i < 2; i++) {
        struct luc_image im = { 0 };
        assert_int_equal(decode(files[i], &plain, &im, NULL), LUC_OK);
        assert_memory_equal(pixel(&im, 5, 5), quarters[0], 3);
        assert_memory_equal(pixel(&im, 40, 28), plain.background, 3);
        const uint8_t half[3] = { (30 * 128 + 10 * 127 + 127) / 255,
                                  (180 * 128 + 20 * 127 + 127) / 255,
                                  (60 * 128 + 30 * 127 + 127) / 255 };
        assert_memory_equal(pixel(&im, 40, 5), half, 3);
        luc_image_done(&im);
        struct luc_decode keep = plain;
        keep.keep_alpha = true;
        assert_int_equal(decode(files[i], &keep, &im, NULL), LUC_OK);
        assert_int_equal(im.channels, 4);
        assert_int_equal(pixel(&im, 40, 5)[3], 128);
        luc_image_done(&im);
    }
    struct luc_image im = { 0 };
    assert_int_equal(decode("palette_clear.png", &plain, &im, NULL), LUC_OK);
    assert_memory_equal(pixel(&im, 5, 5), plain.background, 3);
    assert_memory_equal(pixel(&im, 40, 28), quarters[3], 3);
    luc_image_done(&im);
}

static void codec__a_size_over_the_limit_is_refused_before_decoding(void **state)
{
    (void)state;
    const struct luc_decode unlimited = { .max_pixels = 40u * 1000 * 1000 };
    struct luc_image im = { 0 };
    struct luc_error err = { 0 };
    struct luc_image_info info = { 0 };
    const struct file f = read_file("huge.png");
    assert_int_equal(luc_image_probe(f.bytes, f.size, &info, NULL), LUC_OK);
    assert_int_equal(info.width, 60000);
    assert_int_equal(luc_image_decode(f.bytes, f.size, &unlimited, &im, &err), LUC_TOO_LARGE);
    assert_non_null(strstr(err.text, "60000 x 60000"));
    assert_null(im.data);
    free(f.bytes);
    for (size_t i = 0; i < N_PICTURES; i++) {
        const struct luc_decode small = { .max_pixels = W * H - 1 };
        assert_int_equal(decode(pictures[i], &small, &im, &err), LUC_TOO_LARGE);
        const struct luc_decode enough = { .max_pixels = W * H };
        assert_int_equal(decode(pictures[i], &enough, &im, &err), LUC_OK);
        luc_image_done(&im);
    }
}

static void codec__what_is_no_picture_is_named_so(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "hello", "RIFF0000WAVEfmt " };
    for (size_t i = 0; i < 3; i++) {
        struct luc_image im = { 0 };
        struct luc_error err = { 0 };
        assert_int_equal(luc_image_decode(texts[i], strlen(texts[i]), &plain, &im, &err),
                         LUC_FORMAT);
        assert_non_null(strstr(err.text, "not a JPEG, PNG, WebP"));
    }
    static const struct {
        const char *bytes, *says;
    } others[] = { { "<svg></svg>", "an SVG" },
                   { "II*\0....", "a TIFF" },
                   { "BM......", "a BMP" } };
    for (size_t i = 0; i < 3; i++) {
        struct luc_image im = { 0 };
        struct luc_error err = { 0 };
        assert_int_equal(luc_image_decode(others[i].bytes, 8, &plain, &im, &err), LUC_UNSUPPORTED);
        assert_non_null(strstr(err.text, others[i].says));
        assert_non_null(strstr(err.text, "convert it to"));
    }
}

static void codec__of_an_animation_the_first_frame_is_shown(void **state)
{
    (void)state;
    const struct file f = read_file("animated.webp");
    struct luc_image_info info = { 0 };
    struct luc_image im = { 0 };
    assert_int_equal(luc_image_probe(f.bytes, f.size, &info, NULL), LUC_OK);
    assert_true(info.animated);
    assert_int_equal(luc_image_decode(f.bytes, f.size, &plain, &im, NULL), LUC_OK);
    assert_int_equal(im.width, info.width);
    luc_image_done(&im);
    free(f.bytes);
}

static void codec__a_jpeg_of_a_hundred_scans_is_refused(void **state)
{
    (void)state;
    struct luc_image im = { 0 };
    struct luc_error err = { 0 };
    assert_int_equal(decode("scans.jpg", &plain, &im, &err), LUC_UNSUPPORTED);
    assert_non_null(strstr(err.text, "scans"));
}

/* Decodes a copy of exactly `size` bytes, so that reading past the end shows. */
static enum luc_status decode_copy(const uint8_t *bytes, size_t size, struct luc_error *err)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, bytes, size);
    struct luc_image im = { 0 };
    struct luc_image_info info;
    const enum luc_status probed = luc_image_probe(copy, size, &info, NULL);
    const enum luc_status st = luc_image_decode(copy, size, &plain, &im, err);
    assert_true(st != LUC_OK || (probed == LUC_OK && im.data && im.channels == 3 &&
                                 im.width == info.width && im.height == info.height));
    assert_true(st == LUC_OK || im.data == NULL);
    luc_image_done(&im);
    free(copy);
    return st;
}

static void codec__a_cut_off_file_is_a_clear_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PICTURES; i++) {
        const struct file f = read_file(pictures[i]);
        for (size_t k = 0; k < 50; k++) {
            struct luc_error err = { 0 };
            const size_t size = f.size * k / 50;
            if (size + END_MAX >= f.size)
                break;
            if (decode_copy(f.bytes, size, &err) != LUC_FORMAT)
                fail_msg("%s cut at %zu of %zu: %s", pictures[i], size, f.size, err.text);
            if (size > 16 && !strstr(err.text, "truncated"))
                fail_msg("%s cut at %zu: says '%s'", pictures[i], size, err.text);
        }
        free(f.bytes);
    }
}

/* Whether the bytes decode to these very pixels. */
static bool decodes_to(const uint8_t *bytes, size_t size, const struct luc_image *want)
{
    struct luc_image im = { 0 };
    const bool same = luc_image_decode(bytes, size, &plain, &im, NULL) == LUC_OK &&
                      im.width == want->width && im.height == want->height &&
                      memcmp(im.data, want->data, im.width * im.height * 3) == 0;
    luc_image_done(&im);
    return same;
}

static void codec__an_end_that_costs_no_pixel_may_be_missing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t cut; /* off its end: of EOI, of IEND */
    } files[] = { { "orient1.jpg", 1 }, { "orient1.jpg", 2 },    { "progressive.jpg", 2 },
                  { "gray.jpg", 2 },    { "rgb.png", 1 },        { "rgb.png", 12 },
                  { "alpha.png", 12 },  { "interlaced.png", 12 } };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const struct file f = read_file(files[i].name);
        struct luc_image whole = { 0 };
        assert_int_equal(luc_image_decode(f.bytes, f.size, &plain, &whole, NULL), LUC_OK);
        struct luc_error err = { 0 };
        if (decode_copy(f.bytes, f.size - files[i].cut, &err))
            fail_msg("%s without its last %zu bytes: %s", files[i].name, files[i].cut, err.text);
        if (!decodes_to(f.bytes, f.size - files[i].cut, &whole))
            fail_msg("%s without its last %zu bytes is another picture", files[i].name,
                     files[i].cut);
        memset(f.bytes + f.size, 0xab, 100); /* and a trailer may follow */
        assert_true(decodes_to(f.bytes, f.size + 100, &whole));
        luc_image_done(&whole);
        free(f.bytes);
    }
}

static void codec__a_flipped_bit_in_a_png_never_changes_a_pixel(void **state)
{
    (void)state;
    const struct file f = read_file("rgb.png");
    struct luc_image whole = { 0 };
    size_t harmless = 0;
    assert_int_equal(luc_image_decode(f.bytes, f.size, &plain, &whole, NULL), LUC_OK);
    for (size_t i = 8; i < f.size; i++) {
        f.bytes[i] ^= 1;
        if (decode_copy(f.bytes, f.size, NULL) == LUC_OK) {
            harmless++;
            assert_true(decodes_to(f.bytes, f.size, &whole));
        }
        f.bytes[i] ^= 1;
    }
    assert_true(harmless <= 12); /* the end mark's */
    luc_image_done(&whole);
    free(f.bytes);
}

static void codec__mutated_files_never_crash_or_leak(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 1);
    size_t refused = 0;
    for (size_t i = 0; i < N_PICTURES; i++) {
        const struct file f = read_file(pictures[i]);
        uint8_t *bytes = malloc(f.size);
        assert_non_null(bytes);
        for (size_t turn = 0; turn < 300; turn++) {
            memcpy(bytes, f.bytes, f.size);
            const size_t n = 1 + luc_rng_below(&rng, 8);
            for (size_t k = 0; k < n; k++)
                bytes[12 + luc_rng_below(&rng, f.size - 12)] = (uint8_t)luc_rng_bits(&rng);
            refused += decode_copy(bytes, f.size, NULL) != LUC_OK;
        }
        free(bytes);
        free(f.bytes);
    }
    printf("mutated: %zu of %zu refused\n", refused, 300 * N_PICTURES);
    assert_true(refused > 300 * N_PICTURES / 2);
}

/* A smooth picture with some noise. */
static struct luc_image synthetic(size_t channels)
{
    struct luc_image im = { 0 };
    assert_int_equal(luc_image_create(61, 43, channels, &im, NULL), LUC_OK);
    struct luc_rng rng;
    luc_rng_seed(&rng, 5);
    for (size_t y = 0; y < im.height; y++)
        for (size_t x = 0; x < im.width; x++)
            for (size_t c = 0; c < channels; c++)
                im.data[(y * im.width + x) * channels + c] =
                    (uint8_t)(x * 2 + y * (c + 1) + luc_rng_below(&rng, 4));
    return im;
}

static void codec__png_reads_back_the_same_bytes(void **state)
{
    (void)state;
    static const size_t channels[] = { 1, 3, 4 };
    const struct luc_image_text texts[] = {
        { "Lucida-Method", "saliency" }, { "Lucida-Manifest", "{\"seed\": 1, \"x\": \"\xc3\xa4\"}" }
    };
    for (size_t i = 0; i < 9; i++) {
        struct luc_image im = synthetic(channels[i % 3]), back = { 0 };
        struct luc_str out = { 0 };
        const struct luc_png_options options = { (enum luc_png_effort)(i / 3), texts, 2 };
        assert_int_equal(luc_image_encode_png(&im, &options, &out, NULL), LUC_OK);
        const struct luc_decode keep = { .keep_alpha = true };
        assert_int_equal(luc_image_decode(out.data, out.len, &keep, &back, NULL), LUC_OK);
        if (im.channels == 1)
            assert_int_equal(pixel(&back, 60, 42)[2], *pixel(&im, 60, 42));
        else
            assert_memory_equal(back.data, im.data, im.width * im.height * im.channels);
        luc_image_done(&im), luc_image_done(&back), luc_str_done(&out);
    }
}

static void codec__png_texts_are_in_the_file_and_bad_keys_are_refused(void **state)
{
    (void)state;
    struct luc_image im = synthetic(3);
    struct luc_str out = { 0 };
    struct luc_image_text text = { "Lucida-Manifest", "{\"seed\": 1}" };
    const struct luc_png_options options = { .texts = &text, .n_texts = 1 };
    assert_int_equal(luc_image_encode_png(&im, &options, &out, NULL), LUC_OK);
    bool found = false;
    for (size_t i = 0; i + 15 < out.len; i++)
        found = found || memcmp(out.data + i, "{\"seed\": 1}", 11) == 0;
    assert_true(found);
    const size_t before = out.len;
    text.key = "";
    assert_int_equal(luc_image_encode_png(&im, &options, &out, NULL), LUC_INVALID);
    text.key = "k\n";
    assert_int_equal(luc_image_encode_png(&im, &options, &out, NULL), LUC_INVALID);
    im.channels = 2;
    assert_int_equal(luc_image_encode_png(&im, NULL, &out, NULL), LUC_INVALID);
    assert_int_equal(out.len, before);
    luc_image_done(&im), luc_str_done(&out);
}

static void codec__jpeg_reads_back_nearly_the_same(void **state)
{
    (void)state;
    for (size_t channels = 1; channels <= 3; channels += 2) {
        struct luc_image im = synthetic(channels), back = { 0 };
        struct luc_str out = { 0 };
        assert_int_equal(luc_image_encode_jpeg(&im, 95, &out, NULL), LUC_OK);
        assert_int_equal(luc_image_decode(out.data, out.len, &plain, &back, NULL), LUC_OK);
        for (size_t i = 0; i < im.width * im.height; i++)
            for (size_t c = 0; c < channels; c++)
                assert_true(abs(back.data[i * 3 + c] - im.data[i * channels + c]) <= 12);
        luc_image_done(&back);
        out.len = 0;
        assert_int_equal(luc_image_encode_jpeg(&im, 40, &out, NULL), LUC_OK);
        assert_int_equal(luc_image_decode(out.data, out.len, &plain, &back, NULL), LUC_OK);
        assert_int_equal(luc_image_encode_jpeg(&im, 0, &out, NULL), LUC_RANGE);
        luc_image_done(&im), luc_image_done(&back), luc_str_done(&out);
    }
    struct luc_image four = synthetic(4);
    struct luc_str out = { 0 };
    assert_int_equal(luc_image_encode_jpeg(&four, 90, &out, NULL), LUC_INVALID);
    luc_image_done(&four), luc_str_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec__all_eight_orientations_come_out_upright),
        cmocka_unit_test(codec__every_kind_shows_the_same_picture),
        cmocka_unit_test(codec__gray_files_become_rgb),
        cmocka_unit_test(codec__alpha_is_laid_over_the_background),
        cmocka_unit_test(codec__a_size_over_the_limit_is_refused_before_decoding),
        cmocka_unit_test(codec__what_is_no_picture_is_named_so),
        cmocka_unit_test(codec__of_an_animation_the_first_frame_is_shown),
        cmocka_unit_test(codec__a_jpeg_of_a_hundred_scans_is_refused),
        cmocka_unit_test(codec__a_cut_off_file_is_a_clear_error),
        cmocka_unit_test(codec__an_end_that_costs_no_pixel_may_be_missing),
        cmocka_unit_test(codec__a_flipped_bit_in_a_png_never_changes_a_pixel),
        cmocka_unit_test(codec__mutated_files_never_crash_or_leak),
        cmocka_unit_test(codec__png_reads_back_the_same_bytes),
        cmocka_unit_test(codec__png_texts_are_in_the_file_and_bad_keys_are_refused),
        cmocka_unit_test(codec__jpeg_reads_back_nearly_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
