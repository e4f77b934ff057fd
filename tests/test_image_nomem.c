/* Fails the first, second, ... allocation of our own code (linked with --wrap) in every step from an
 * upload to a drawn map: each time a clear LUC_NOMEM or success, never a crash or a leak. */
#include "core/tensor/codec.h"
#include "core/tensor/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static long countdown = -1; /* allocations until one fails; negative: none does */

static int fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

struct upload {
    unsigned char bytes[8192];
    size_t size;
};

static void read_upload(const char *path, struct upload *u)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    u->size = fread(u->bytes, 1, sizeof(u->bytes), f);
    fclose(f);
}

static enum luc_status upload_to_picture(const struct upload *u, struct luc_error *err)
{
    static const float map[4] = { 1, 2, 3, 4 };
    struct luc_image photo = { 0 }, small = { 0 }, drawn = { 0 };
    struct luc_str png = { 0 }, jpeg = { 0 };
    struct luc_view_params view;
    luc_params_default(luc_view_rows, &view);
    const struct luc_decode how = { .max_pixels = 1 << 20 };
    enum luc_status st = luc_image_decode(u->bytes, u->size, &how, &photo, err);
    if (!st)
        st = luc_image_resize(&photo, NULL, 20, 20, LUC_BICUBIC, &small, err);
    if (!st)
        st = luc_draw_map(map, 2, 2, false, &small, NULL, &view, &drawn, err);
    if (!st)
        st = luc_image_encode_png(&drawn, NULL, &png, err);
    if (!st)
        st = luc_image_encode_jpeg(&drawn, 90, &jpeg, err);
    luc_image_done(&photo), luc_image_done(&small), luc_image_done(&drawn);
    luc_str_done(&png), luc_str_done(&jpeg);
    return st;
}

static void image__every_failed_allocation_is_reported(void **state)
{
    (void)state;
    static const char *const files[] = { "orient6.jpg", "alpha.png", "orient8.webp" };
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        struct upload u;
        snprintf(path, sizeof(path), "tests/golden/images/%s", files[i]);
        read_upload(path, &u);
        size_t reported = 0;
        for (long n = 0;; n++) {
            struct luc_error err = { 0 };
            countdown = n;
            const enum luc_status st = upload_to_picture(&u, &err);
            const int happened = countdown < 0;
            countdown = -1;
            if (!happened) {
                assert_int_equal(st, LUC_OK);
                break;
            }
            assert_true(st == LUC_NOMEM || st == LUC_OK);
            assert_true(st == LUC_OK || err.text[0]);
            reported += st == LUC_NOMEM;
        }
        printf("%s: %zu failed allocations reported\n", files[i], reported);
        assert_true(reported >= 15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image__every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
