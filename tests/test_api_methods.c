#include "api/job.h"
#include "api/pages.h"
#include "core/tensor/codec.h"
#include "tests/api_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static int setup(void **state)
{
    struct api_fake *f = malloc(sizeof(*f));
    api_fake_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    api_fake_done(*state);
    free(*state);
    return 0;
}

static void registry__every_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; api_method_at(i); i++) {
        const struct luc_method *m = api_method_at(i)->method;
        struct luc_error err = { 0 };
        const struct luc_param *rows;
        assert_ptr_equal(api_method_find(m->name), api_method_at(i));
        assert_true(m->name && m->title && m->summary && m->paper && m->run);
        assert_true(strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(m->name));
        assert_true(m->images_min <= m->images_max);
        for (size_t k = 0; (rows = api_method_table(m, k)); k++) {
            assert_int_equal(luc_params_verify(rows, &err), LUC_OK);
            for (size_t other = 0; other < k; other++) /* no key in two tables */
                for (const struct luc_param *p = rows; p->key; p++)
                    assert_null(luc_param_find(api_method_table(m, other), p->key));
        }
    }
    assert_null(api_method_find(""));
}

/* Every bound of every parameter of every method is accepted, one step past it is not. */
static void registry__accepts_each_bound_and_refuses_just_outside(void **state)
{
    (void)state;
    for (size_t i = 0; api_method_at(i); i++) {
        const struct luc_method *m = api_method_at(i)->method;
        const struct luc_param *rows;
        struct api_params p;
        assert_int_equal(api_params_init(&p, m, NULL), LUC_OK);
        for (size_t k = 0; (rows = api_method_table(m, k)); k++)
            for (const struct luc_param *row = rows; row->key; row++) {
                const double bound[2] = { row->min, row->max };
                for (int side = 0; side < 2; side++) {
                    char text[64];
                    if (row->type != LUC_PARAM_INT && row->type != LUC_PARAM_REAL)
                        continue;
                    snprintf(text, sizeof(text), "%.17g", bound[side]);
                    assert_int_equal(api_params_set(&p, row->key, text, NULL), LUC_OK);
                    if (bound[side] > 1e15)
                        continue; /* one more is the same double */
                    snprintf(text, sizeof(text), "%.17g", bound[side] + (side ? 1 : -1));
                    assert_int_equal(api_params_set(&p, row->key, text, NULL), LUC_RANGE);
                }
            }
        api_params_done(&p);
    }
}

/* Sets `row` to `text`; what it then prints must be read back, and be printed the same. */
static void check_prints_back(struct api_params *p, const struct luc_param *row, const char *text)
{
    char before[LUC_TEXT_MAX];
    assert_int_equal(api_params_set(p, row->key, text, NULL), LUC_OK);
    for (int turn = 0; turn < 2; turn++) {
        json_t *all = api_params_json(p), *v = json_object_get(all, row->key);
        char *now = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;
        const char *plain = json_is_string(v) ? json_string_value(v) : now;
        if (now) { /* what chooses the answer is not among them */
            assert_true(turn == 0 || strcmp(before, now) == 0);
            snprintf(before, sizeof(before), "%s", now);
            assert_int_equal(api_params_set(p, row->key, plain, NULL), LUC_OK);
        }
        free(now);
        json_decref(all);
    }
}

static void registry__every_row_reads_back_what_it_prints(void **state)
{
    (void)state;
    for (size_t i = 0; api_method_at(i); i++) {
        const struct luc_param *rows;
        struct api_params p;
        assert_int_equal(api_params_init(&p, api_method_at(i)->method, NULL), LUC_OK);
        for (size_t k = 0; (rows = api_method_table(p.method, k)); k++)
            for (const struct luc_param *row = rows; row->key; row++) {
                struct luc_str usual = { 0 };
                char third[64];
                luc_param_print_default(row, &usual);
                check_prints_back(&p, row, usual.data ? usual.data : "");
                luc_str_done(&usual);
                snprintf(third, sizeof(third), "%.17g", row->min + (row->max - row->min) / 3);
                if (luc_param_kind(row)->json == LUC_JSON_NUMBER)
                    check_prints_back(&p, row, third);
            }
        api_params_done(&p);
    }
}

/* Neither forms nor OpenAPI know a number that means another: it is auto, and the old number is
 * read where it was written. */
static void registry__what_need_not_be_given_is_auto(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t i = 0; api_method_at(i); i++) {
        const struct luc_method *m = api_method_at(i)->method;
        json_t *schema = api_schema(m, NULL);
        const struct luc_param *rows;
        for (size_t k = 0; (rows = api_method_table(m, k)); k++)
            for (const struct luc_param *row = rows; row->key; row++) {
                json_t *o = json_object_get(json_object_get(schema, "properties"), row->key);
                struct api_params p;
                char old[64];
                assert_null(strstr(row->doc, "-1:"));
                if (!luc_param_kind(row)->automatic)
                    continue;
                found++;
                assert_string_equal(json_string_value(json_object_get(o, "default")), "auto");
                assert_int_equal(json_array_size(json_object_get(o, "oneOf")), 2);
                assert_int_equal(api_params_init(&p, m, NULL), LUC_OK);
                snprintf(old, sizeof(old), "%.17g", row->def);
                check_prints_back(&p, row, old);
                snprintf(old, sizeof(old), "%.17g", row->max + 1);
                assert_int_equal(api_params_set(&p, row->key, old, NULL), LUC_RANGE);
                api_params_done(&p);
            }
        json_decref(schema);
    }
    assert_true(found >= 16);
}

static void post__answers_with_what_was_asked_for(void **state)
{
    struct api_fake *f = *state;
    assert_int_equal(api_fake_photo(f, "/saliency", NULL), 200);
    assert_string_equal(f->res.type, "image/png");
    assert_memory_equal(f->res.body.data, "\x89PNG", 4);
    assert_string_equal(api_header_find(&f->res, "Lucida-Model"), "linear");
    assert_non_null(api_header_find(&f->res, "Lucida-Class"));
    assert_non_null(api_header_find(&f->res, "Lucida-Probability"));
    assert_int_equal(strlen(api_header_find(&f->res, "Lucida-Manifest")), 64);
    assert_int_equal(api_fake_photo(f, "/saliency", "format=jpeg"), 200);
    assert_string_equal(f->res.type, "image/jpeg");
    assert_memory_equal(f->res.body.data, "\xff\xd8", 2);
    assert_int_equal(api_fake_photo(f, "/saliency", "format=npy"), 200);
    assert_memory_equal(f->res.body.data, "\x93NUMPY", 6);
    assert_int_equal(api_fake_photo(f, "/classify", "k=2"), 200);
    assert_string_equal(f->res.type, "application/json");
    json_t *doc = json_loads(f->res.body.data, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "result"), "classes")),
                     2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "parameters"), "k")),
                     2);
    json_decref(doc);
}

static void post__jpeg_of_a_cutout_lies_on_the_background(void **state)
{
    struct api_fake *f = *state;
    assert_int_equal(api_fake_photo(f, "/segment", "output=cutout&background=black&format=jpeg"),
                     200);
    struct luc_image picture = { 0 };
    const struct luc_decode how = { 0 };
    assert_int_equal(luc_image_decode(f->res.body.data, f->res.body.len, &how, &picture, NULL),
                     LUC_OK);
    size_t black = 0, all = picture.width * picture.height;
    for (size_t i = 0; i < all; i++)
        black += picture.data[3 * i] + picture.data[3 * i + 1] + picture.data[3 * i + 2] < 60;
    assert_true(black > 0 && black < all);
    luc_image_done(&picture);
}

static void post__json_describes_the_map_and_embeds_it_when_asked(void **state)
{
    struct api_fake *f = *state;
    assert_int_equal(api_fake_photo(f, "/saliency", "format=json"), 200);
    json_t *doc = json_loads(f->res.body.data, 0, NULL);
    json_t *map = json_object_get(json_object_get(doc, "result"), "saliency");
    assert_string_equal(json_string_value(json_object_get(map, "kind")), "map");
    assert_int_equal(json_integer_value(json_object_get(map, "width")), LINEAR_SIZE);
    assert_null(json_object_get(map, "data"));
    json_decref(doc);
    assert_int_equal(api_fake_photo(f, "/saliency", "format=json&embed=true"), 200);
    assert_true(api_fake_says(f, "data:image/png;base64,iVBORw0KGgo"));
}

static void post__equal_requests_have_equal_answers_and_manifests(void **state)
{
    struct api_fake *f = *state;
    char manifest[65];
    assert_int_equal(api_fake_photo(f, "/saliency", "target=bee"), 200);
    snprintf(manifest, sizeof(manifest), "%s", api_header_find(&f->res, "Lucida-Manifest"));
    struct luc_str first = { 0 };
    luc_str_put(&first, f->res.body.data, f->res.body.len);
    assert_int_equal(api_fake_photo(f, "/saliency", "target=bee&format=png"), 200);
    assert_string_equal(api_header_find(&f->res, "Lucida-Manifest"), manifest);
    assert_int_equal(f->res.body.len, first.len);
    assert_memory_equal(f->res.body.data, first.data, first.len);
    assert_int_equal(api_fake_photo(f, "/saliency", "target=dog"), 200);
    assert_string_not_equal(api_header_find(&f->res, "Lucida-Manifest"), manifest);
    luc_str_done(&first);
}

static unsigned form(struct api_fake *f, const char *path, const char *fields)
{
    struct luc_str body = { 0 };
    luc_str_puts(&body, "--X\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n"
                        "\r\n");
    luc_str_put(&body, f->png.data, f->png.len);
    luc_str_puts(&body, "\r\n");
    luc_str_puts(&body, fields);
    luc_str_puts(&body, "--X--\r\n");
    const unsigned status =
        api_fake_post(f, path, NULL, "multipart/form-data; boundary=X", body.data, body.len);
    luc_str_done(&body);
    return status;
}

#define FIELD(key, value)                                                                          \
    "--X\r\nContent-Disposition: form-data; name=\"" key "\"\r\n\r\n" value "\r\n"

static void post__a_form_says_the_same_as_a_query(void **state)
{
    struct api_fake *f = *state;
    char manifest[65];
    assert_int_equal(api_fake_photo(f, "/saliency", "target=cat&signed=true"), 200);
    snprintf(manifest, sizeof(manifest), "%s", api_header_find(&f->res, "Lucida-Manifest"));
    assert_int_equal(form(f, "/saliency", FIELD("target", "cat") FIELD("signed", "on")), 200);
    assert_string_equal(api_header_find(&f->res, "Lucida-Manifest"), manifest);
}

static void post__blames_the_parameter(void **state)
{
    struct api_fake *f = *state;
    static const char *const bad[][2] = {
        { "k=0", "k" },
        { "k=1.5", "k" },
        { "k=nan", "k" },
        { "k=1e9", "k" },
        { "k=", "k" },
        { "kk=1", "kk" },
        { "k=1&k=1", "k" },
        { "model=nope", "model" },
        { "fit=never", "fit" },
        { "format=bmp", "format" },
        { "background=red", "background" },
        { "k=0x5", "k" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(api_fake_photo(f, "/classify", bad[i][0]), 400);
        assert_string_equal(f->res.type, "application/problem+json");
        json_t *doc = json_loads(f->res.body.data, 0, NULL);
        json_t *one = json_array_get(json_object_get(doc, "errors"), 0);
        assert_string_equal(json_string_value(json_object_get(doc, "type")),
                            "/problems/bad-parameter");
        assert_string_equal(json_string_value(json_object_get(one, "parameter")), bad[i][1]);
        assert_string_equal(json_string_value(json_object_get(doc, "request")), "r1");
        json_decref(doc);
    }
    assert_int_equal(api_fake_photo(f, "/saliency", "target=unicorn"), 400);
    assert_true(api_fake_says(f, "\"parameter\": \"target\""));
    assert_int_equal(form(f, "/classify", FIELD("k", "2") FIELD("k", "2")), 400);
    assert_int_equal(form(f, "/classify", FIELD("image", "x")), 400);
    char longer[400] = "target=";
    memset(longer + 7, 'a', 300);
    assert_int_equal(api_fake_photo(f, "/saliency", longer), 400);
}

static void post__several_networks_go_to_methods_that_take_them(void **state)
{
    struct api_fake *f = *state;
    assert_int_equal(api_fake_photo(f, "/saliency", "model=linear,linear"), 400);
    assert_true(api_fake_says(f, "saliency takes 1 network"));
    assert_int_equal(api_fake_photo(f, "/fast-style", "model=linear,nope"), 400);
    assert_true(api_fake_says(f, "no network is called 'nope'"));
    assert_int_equal(api_fake_photo(f, "/fast-style", "model=linear,linear"), 400);
    assert_true(api_fake_says(f, "does not make pictures"));
    assert_int_equal(f->in_use, 0);
}

static void post__each_failure_has_its_status(void **state)
{
    struct api_fake *f = *state;
    const char *png = f->png.data;
    assert_int_equal(api_fake_photo(f, "/classify", "format=png"), 406);
    assert_int_equal(api_fake_photo(f, "/classify", "format=npy"), 406);
    assert_int_equal(api_fake_post(f, "/classify", NULL, NULL, NULL, 0), 400);
    assert_int_equal(api_fake_post(f, "/classify", NULL, "image/png", png, 0), 415);
    assert_int_equal(api_fake_post(f, "/classify", NULL, "image/png", "hello", 5), 415);
    assert_int_equal(api_fake_post(f, "/classify", NULL, "image/png", png, f->png.len / 2), 415);
    assert_int_equal(api_fake_post(f, "/classify", NULL, "text/plain", png, f->png.len), 415);
    assert_int_equal(api_fake_post(f, "/classify", NULL, "multipart/form-data; boundary=X", "x", 1),
                     400);
    assert_int_equal(api_fake_post(f, "/nope", NULL, "image/png", png, f->png.len), 404);
    f->env.limits.image_pixels = LINEAR_SIZE * LINEAR_SIZE - 1;
    assert_int_equal(api_fake_photo(f, "/classify", NULL), 413);
    f->env.limits.image_pixels = 4096;
    f->env.limits.body_bytes = f->png.len - 1;
    assert_int_equal(api_fake_photo(f, "/classify", NULL), 413);
    f->env.limits.body_bytes = 65536;
    f->env.limits.job_bytes = 64;
    assert_int_equal(api_fake_photo(f, "/classify", NULL), 413);
    f->env.limits.job_bytes = (size_t)16 << 20;
    f->full = true;
    assert_int_equal(api_fake_photo(f, "/classify", NULL), 503);
    assert_non_null(api_header_find(&f->res, "Retry-After"));
    f->full = false;
    f->cancel = true;
    assert_int_equal(api_fake_photo(f, "/saliency", NULL), 503);
    f->cancel = false;
    f->linear.model.logits = LUC_NONE;
    assert_int_equal(api_fake_photo(f, "/classify", NULL), 400);
    assert_true(api_fake_says(f, "\"parameter\": \"model\""));
}

/* A job that runs out of memory at any point gives everything back; the sanitizer watches. */
static void post__any_memory_limit_is_an_answer(void **state)
{
    struct api_fake *f = *state;
    unsigned status = 0;
    for (size_t limit = 0; status != 200; limit += 512) {
        f->env.limits.job_bytes = limit;
        status = api_fake_photo(f, "/saliency", NULL);
        assert_true(status == 200 || status == 413);
        assert_true(limit < 1 << 20);
    }
}

static void job__prints_all_that_it_is(void **state)
{
    struct api_fake *f = *state;
    struct api_job *job = NULL;
    struct luc_str text = { 0 };
    assert_int_equal(api_job_create(api_method_find("saliency"), "j", &job, NULL), LUC_OK);
    assert_int_equal(api_params_set(&job->params, "target", "bee", NULL), LUC_OK);
    assert_int_equal(api_job_add_image(job, "", f->png.data, f->png.len, 0, NULL), LUC_OK);
    assert_int_equal(api_job_choose_format(job, NULL, NULL), LUC_OK);
    api_job_print(job, &text);
    json_t *doc = json_loads(text.data, 0, NULL), *value;
    const char *key;
    assert_string_equal(json_string_value(json_object_get(doc, "method")), "saliency");
    const json_t *image = json_array_get(json_object_get(doc, "images"), 0);
    assert_string_equal(json_string_value(json_object_get(image, "sha256")), job->images[0].sha256);
    struct api_params again;
    assert_int_equal(api_params_init(&again, job->what->method, NULL), LUC_OK);
    json_object_foreach(json_object_get(doc, "parameters"), key, value)
    {
        char number[64];
        const char *word = json_string_value(value);
        if (json_is_number(value))
            snprintf(number, sizeof(number), "%.15g", json_number_value(value));
        else if (!word)
            snprintf(number, sizeof(number), "%s", json_is_true(value) ? "true" : "false");
        assert_int_equal(api_params_set(&again, key, word ? word : number, NULL), LUC_OK);
    }
    assert_memory_equal(again.own, job->params.own, job->what->method->params_size);
    assert_memory_equal(&again.view, &job->params.view, sizeof(again.view));
    assert_memory_equal(&again.input, &job->params.input, sizeof(again.input));
    json_decref(doc);
    api_params_done(&again);
    api_job_destroy(job);
    luc_str_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry__every_row_is_complete),
        cmocka_unit_test(registry__accepts_each_bound_and_refuses_just_outside),
        cmocka_unit_test(registry__every_row_reads_back_what_it_prints),
        cmocka_unit_test(registry__what_need_not_be_given_is_auto),
        cmocka_unit_test_setup_teardown(post__answers_with_what_was_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(post__jpeg_of_a_cutout_lies_on_the_background, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(post__json_describes_the_map_and_embeds_it_when_asked,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(post__equal_requests_have_equal_answers_and_manifests,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(post__a_form_says_the_same_as_a_query, setup, teardown),
        cmocka_unit_test_setup_teardown(post__blames_the_parameter, setup, teardown),
        cmocka_unit_test_setup_teardown(post__several_networks_go_to_methods_that_take_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(post__each_failure_has_its_status, setup, teardown),
        cmocka_unit_test_setup_teardown(post__any_memory_limit_is_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(job__prints_all_that_it_is, setup, teardown),
    };
    return cmocka_run_group_tests_name("api_methods", tests, NULL, NULL);
}
