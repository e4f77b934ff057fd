#include "api/accept.h"
#include "api/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=X"

static enum luc_status parse(const char *type, const char *body, struct api_form *form)
{
    struct luc_error err = { 0 };
    return api_form_parse(type, body, strlen(body), form, &err);
}

static bool is(struct api_view v, const char *text)
{
    return v.size == strlen(text) && memcmp(v.at, text, v.size) == 0;
}

static void form__gives_each_part_as_it_was_sent(void **state)
{
    (void)state;
    struct api_form f;
    const char *body =
        "preamble\r\n--X\r\nContent-Disposition: form-data; name=\"image\"; "
        "filename=\"a;name=b.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--Y\r\n"
        "--X  \r\ncontent-disposition:form-data;name=k\r\n\r\n\r\n--X\r\n"
        "Content-Type: text/plain\r\nContent-Disposition: form-data; "
        "filename=\"q\"; NAME=\"target\"\r\n\r\ntabby\r\n--X--\r\nepilogue";
    assert_int_equal(parse(TYPE, body, &f), LUC_OK);
    assert_int_equal(f.n_parts, 3);
    assert_true(is(f.part[0].name, "image"));
    assert_true(is(f.part[0].bytes, "\x89PNG\r\n--Y"));
    assert_true(is(f.part[1].name, "k"));
    assert_true(is(f.part[1].bytes, ""));
    assert_true(is(f.part[2].name, "target"));
    assert_true(is(f.part[2].bytes, "tabby"));
}

static void form__finds_the_boundary_in_its_header(void **state)
{
    (void)state;
    struct api_form f;
    const char *body = "--a b\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n--a b--";
    assert_int_equal(parse("Multipart/Form-Data; charset=x; boundary=\"a b\"", body, &f), LUC_OK);
    assert_int_equal(f.n_parts, 1);
    assert_int_equal(parse("multipart/form-data", body, &f), LUC_INVALID);
    assert_int_equal(parse("multipart/form-data; boundary=", body, &f), LUC_INVALID);
    assert_int_equal(parse("multipart/form-data; boundary=\"a", body, &f), LUC_INVALID);
    assert_int_equal(parse("multipart/form-datax; boundary=\"a b\"", body, &f), LUC_INVALID);
    assert_int_equal(parse("image/png", body, &f), LUC_INVALID);
}

static void form__refuses_what_is_damaged(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "--X",
        "--X\r\n",
        "--Xy\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n--X--",
        "--X\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n--X",
        "--X\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv",
        "--X\r\nContent-Disposition: form-data; name=\"k\"\r\nv\r\n--X--",
        "--X\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nv\r\n--X--",
        "--X\r\nContent-Disposition: form-data\r\n\r\nv\r\n--X--",
        "--X\r\nContent-Disposition: form-data; name=\"k\r\n\r\nv\r\n--X--",
        "--X\r\nContent-Disposition: attachment; name=\"k\"\r\n\r\nv\r\n--X--",
        "--X\r\nContent-Type: text/plain\r\n\r\nv\r\n--X--",
        "--X\n\nv\n--X--",
    };
    struct api_form f;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_int_equal(parse(TYPE, bodies[i], &f), LUC_INVALID);
}

/* Every prefix of a good form is damaged; bytes are copied to the heap so that the sanitizer sees
 * a read past the end. */
static void form__cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    const char *body = "--X\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nvalue\r\n"
                       "--X\r\nContent-Disposition: form-data; name=\"l\"\r\n\r\n\r\n--X--";
    struct api_form f;
    struct luc_error err;
    for (size_t n = 0; n < strlen(body); n++) {
        char *cut = malloc(n ? n : 1);
        memcpy(cut, body, n);
        assert_int_equal(api_form_parse(TYPE, cut, n, &f, &err), LUC_INVALID);
        free(cut);
    }
    assert_int_equal(parse(TYPE, body, &f), LUC_OK);
}

static void form__bounds_the_number_of_parts(void **state)
{
    (void)state;
    struct luc_str body = { 0 };
    struct api_form f;
    for (int i = 0; i < API_PARTS_MAX; i++)
        luc_str_puts(&body, "--X\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n");
    luc_str_puts(&body, "--X--");
    assert_int_equal(parse(TYPE, body.data, &f), LUC_OK);
    body.len -= 5;
    luc_str_puts(&body, "--X\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n--X--");
    assert_int_equal(parse(TYPE, body.data, &f), LUC_INVALID);
    luc_str_done(&body);
}

static void accept__takes_the_best_that_both_know(void **state)
{
    (void)state;
    static const char *const types[] = { "image/png", "image/jpeg", "application/json",
                                         "application/x-npy" };
    static const struct {
        const char *accept;
        size_t want;
    } cases[] = {
        { NULL, 0 },
        { "", 0 },
        { "*/*", 0 },
        { "application/json", 2 },
        { "image/*", 0 },
        { "image/jpeg;q=0.9, image/png;q=0.8", 1 },
        { "image/*;q=0.5, application/json;q=0.6", 2 },
        { "image/png;q=0, image/*", 1 },
        { "application/*;q=0.1,*/*;q=0.01", 2 },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
          "image/apng,*/*;q=0.8",
          0 },
        { "Application/X-NPY", 3 },
        { "text/html", 4 },
        { "image/png;q=0", 4 },
        { "application/json;charset=utf-8;q=0.5", 2 },
        { ",,;;q=,/", 4 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(api_accept_best(cases[i].accept, types, 4), cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form__gives_each_part_as_it_was_sent),
        cmocka_unit_test(form__finds_the_boundary_in_its_header),
        cmocka_unit_test(form__refuses_what_is_damaged),
        cmocka_unit_test(form__cut_off_anywhere_is_refused),
        cmocka_unit_test(form__bounds_the_number_of_parts),
        cmocka_unit_test(accept__takes_the_best_that_both_know),
    };
    return cmocka_run_group_tests_name("api_forms", tests, NULL, NULL);
}
