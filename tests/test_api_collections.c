#include "api/collection.h"
#include "api/stored_job.h"
#include "tests/api_fake.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The pages below /collections over a keeper that holds one collection in memory. */

#define ID      "c1"
#define ROOM    8
#define FORM    "multipart/form-data; boundary=B"
#define PART(s) "--B\r\nContent-Disposition: form-data; name=" s "\r\n\r\n"

struct shelf {
    struct api_fake fake;
    struct api_collections api;
    struct api_jobs jobs;
    bool there;
    struct api_collection row;
    struct {
        char sha256[65], name[API_NAME_MAX], label[API_NAME_MAX];
    } picture[ROOM];
    size_t n, max; /* max: pictures that add() takes */
    char *spec;    /* the job that was submitted last */
};

static enum luc_status find(const struct shelf *s, const char *id, struct luc_error *err)
{
    return s->there && strcmp(id, ID) == 0
               ? LUC_OK
               : luc_fail(err, LUC_NOT_FOUND, "there is no collection %.40s", id);
}

static enum luc_status create(void *ctx, const char *owner, const char *name, char id[API_ID_MAX],
                              struct luc_error *err)
{
    struct shelf *s = ctx;
    assert_string_equal(owner, "");
    if (s->there)
        return luc_fail(err, LUC_INVALID, "there are 1 collections");
    s->there = true;
    s->row = (struct api_collection){ .id = ID, .created_ms = 1000, .cursor = 1 };
    strcpy(s->row.name, name);
    strcpy(id, ID);
    return LUC_OK;
}

static enum luc_status get(void *ctx, const char *owner, const char *id, struct api_collection *row,
                           struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner;
    *row = s->row;
    row->n_images = s->n;
    return find(s, id, err);
}

static enum luc_status list(void *ctx, const char *owner, int64_t cursor, size_t limit,
                            void (*each)(void *, const struct api_collection *), void *to,
                            struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner, (void)err;
    if (s->there && cursor == 0 && limit > 0)
        each(to, &s->row);
    return LUC_OK;
}

static enum luc_status add(void *ctx, const char *owner, const char *id,
                           const struct api_new_picture *pictures, size_t n, size_t *n_added,
                           struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner;
    if (find(s, id, err))
        return LUC_NOT_FOUND;
    if (s->n + n > s->max)
        return luc_fail(err, LUC_TOO_LARGE, "too many");
    for (size_t i = 0; i < n; i++, s->n++) {
        assert_true(pictures[i].ref.width > 0 && pictures[i].ref.size > 0);
        strcpy(s->picture[s->n].sha256, pictures[i].ref.sha256);
        strcpy(s->picture[s->n].name, pictures[i].ref.name);
        strcpy(s->picture[s->n].label, pictures[i].ref.label);
    }
    *n_added = n;
    return LUC_OK;
}

static enum luc_status pictures(void *ctx, const char *owner, const char *id, int64_t cursor,
                                size_t limit, void (*each)(void *, const struct api_kept_picture *),
                                void *to, struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner;
    if (find(s, id, err))
        return LUC_NOT_FOUND;
    for (size_t i = (size_t)cursor; i < s->n && i < (size_t)cursor + (limit < ROOM ? limit : ROOM);
         i++)
        each(to, &(struct api_kept_picture){
                     { s->picture[i].sha256, s->picture[i].name, s->picture[i].label, 10, 4, 4 },
                     "image/png",
                     (int64_t)i + 1 });
    return LUC_OK;
}

static enum luc_status labels(void *ctx, const char *owner, const char *id, size_t limit,
                              void (*each)(void *, const char *, size_t), void *to,
                              struct luc_error *err)
{
    (void)owner, (void)limit;
    each(to, "bird", 2);
    return find(ctx, id, err);
}

static enum luc_status file(void *ctx, const char *owner, const char *id, const char *sha256,
                            char **bytes, size_t *size, struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner;
    if (find(s, id, err))
        return LUC_NOT_FOUND;
    if (s->n == 0 || strcmp(sha256, s->picture[0].sha256) != 0)
        return luc_fail(err, LUC_NOT_FOUND, "the collection has no picture %.70s", sha256);
    *bytes = malloc(s->fake.png.len);
    memcpy(*bytes, s->fake.png.data, s->fake.png.len);
    *size = s->fake.png.len;
    return LUC_OK;
}

static enum luc_status take_out(void *ctx, const char *owner, const char *id, const char *sha256,
                                struct luc_error *err)
{
    struct shelf *s = ctx;
    (void)owner;
    if (find(s, id, err))
        return LUC_NOT_FOUND;
    if (sha256)
        return luc_fail(err, LUC_NOT_FOUND, "the collection has no picture %.70s", sha256);
    s->there = false;
    return LUC_OK;
}

static enum luc_status submit_job(void *ctx, const char *owner, const struct api_job *job,
                                  const char *key, char id[API_ID_MAX], enum api_submitted *how,
                                  struct luc_error *err)
{
    struct shelf *s = ctx;
    struct luc_str text = { 0 };
    (void)owner, (void)key, (void)err;
    assert_true(api_job_is_slow(job));
    api_job_print(job, &text);
    free(s->spec);
    s->spec = text.data;
    strcpy(id, "j1");
    *how = API_SUBMITTED_NEW;
    return LUC_OK;
}

static enum luc_status get_job(void *ctx, const char *id, struct api_job_row *row,
                               struct luc_error *err)
{
    (void)ctx, (void)err;
    *row = (struct api_job_row){ .created_ms = 1, .parameters = strdup("{}") };
    strcpy(row->id, id);
    strcpy(row->method, "maxpatch");
    return LUC_OK;
}

static int make(void **state)
{
    struct shelf *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    api_fake_init(&s->fake);
    s->max = ROOM;
    s->api = (struct api_collections){ .ctx = s,
                                       .create = create,
                                       .get = get,
                                       .list = list,
                                       .add = add,
                                       .pictures = pictures,
                                       .labels = labels,
                                       .file = file,
                                       .remove = take_out };
    s->jobs = (struct api_jobs){ .ctx = s, .submit = submit_job, .get = get_job };
    s->fake.env.collections = &s->api;
    s->fake.env.jobs = &s->jobs;
    *state = s;
    return 0;
}

static int clear(void **state)
{
    struct shelf *s = *state;
    api_fake_done(&s->fake);
    free(s->spec);
    free(s);
    return 0;
}

static unsigned post(struct shelf *s, const char *path, const char *type, const char *body)
{
    return api_fake_post(&s->fake, path, NULL, type, body, strlen(body));
}

static unsigned send_as(struct shelf *s, const char *method, const char *path)
{
    return api_fake_send(
        &s->fake, &(struct api_request){ .method = method, .path = path, .content_length = -1 });
}

static void make_one(struct shelf *s)
{
    assert_int_equal(post(s, "/collections", "application/json", "{\"name\":\"Birds\"}"), 201);
}

/* A form: "L:text" a label, "I:name" the picture under that file name, "X:name" one that is none. */
static unsigned post_pictures(struct shelf *s, const char *const *parts)
{
    struct luc_str body = { 0 };
    for (; *parts; parts++) {
        const char *text = *parts + 2;
        if ((*parts)[0] == 'L')
            luc_str_printf(&body, PART("label") "%s\r\n", text);
        else
            luc_str_printf(&body,
                           "--B\r\nContent-Disposition: form-data; name=image; "
                           "filename=\"%s\"\r\n\r\n",
                           text);
        if ((*parts)[0] == 'I')
            luc_str_put(&body, s->fake.png.data, s->fake.png.len);
        if ((*parts)[0] == 'X')
            luc_str_puts(&body, "no picture");
        if ((*parts)[0] != 'L')
            luc_str_puts(&body, "\r\n");
    }
    luc_str_puts(&body, "--B--\r\n");
    const unsigned status =
        api_fake_post(&s->fake, "/collections/" ID "/images", NULL, FORM, body.data, body.len);
    luc_str_done(&body);
    return status;
}

static void collection__is_made_from_json_or_a_form(void **state)
{
    struct shelf *s = *state;
    make_one(s);
    assert_string_equal(api_header_find(&s->fake.res, "Location"), "/collections/" ID);
    assert_string_equal(s->row.name, "Birds");
    assert_true(api_fake_says(&s->fake, "\"created\": \"1970-01-01T00:00:01.000Z\""));
    assert_int_equal(post(s, "/collections", "application/json", "{\"name\":\"B\"}"), 409);
    s->there = false;
    assert_int_equal(post(s, "/collections", FORM, PART("name") "\xc3\x96l\r\n--B--\r\n"), 201);
    assert_string_equal(s->row.name, "\xc3\x96l");
    assert_int_equal(api_fake_get(&s->fake, "/collections"), 200);
    assert_true(api_fake_says(&s->fake, "\"id\": \"" ID "\""));
}

static void collection__without_a_proper_name_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"name\":1}",
        "{\"name\":\"\"}",
        "{\"name\":",
        "{\"name\":\"a\",\"x\":1}",
        "{\"name\":\"a\\nb\"}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"name\":\"\\u0000\"}",
    };
    struct shelf *s = *state;
    char longer[300] = "{\"name\":\"";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(post(s, "/collections", "application/json", bad[i]), 400);
        assert_true(api_fake_says(&s->fake, "\"parameter\": \"name\""));
    }
    memset(longer + 9, 'a', 200);
    strcpy(longer + 209, "\"}");
    assert_int_equal(post(s, "/collections", "application/json", longer), 400);
    assert_int_equal(post(s, "/collections", FORM, PART("nom") "x\r\n--B--\r\n"), 400);
    assert_int_equal(post(s, "/collections", FORM, "garbage"), 400);
    assert_int_equal(post(s, "/collections", "text/plain", "x"), 415);
    assert_false(s->there);
}

static void label__is_that_of_the_pictures_after_it(void **state)
{
    static const char *const form[] = { "I:a.png", "L:dog", "I:b.png",         "I:c.png", "L:cat",
                                        "I:d.png", "L:",    "I:../e\\f/g.png", NULL };
    static const char *const want[] = { "", "dog", "dog", "cat", "" };
    struct shelf *s = *state;
    make_one(s);
    assert_int_equal(post_pictures(s, form), 201);
    assert_int_equal(s->n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(s->picture[i].label, want[i]);
    assert_string_equal(s->picture[0].name, "a.png");
    assert_string_equal(s->picture[4].name, "g.png");
    assert_true(api_fake_says(&s->fake, "\"added\": 5"));
    assert_true(api_fake_says(&s->fake, "\"label\": \"bird\""));
}

static void pictures__are_all_checked_before_one_is_kept(void **state)
{
    static const char *const spoiled[] = { "I:a.png", "X:b.png", NULL };
    static const char *const none[] = { "L:dog", NULL };
    static const char *const three[] = { "I:a", "I:b", "I:c", NULL };
    static const char *const control[] = { "L:a\tb", "I:a", NULL };
    struct shelf *s = *state;
    assert_int_equal(post_pictures(s, three), 404);
    make_one(s);
    assert_int_equal(post_pictures(s, spoiled), 415);
    assert_true(api_fake_says(&s->fake, "picture 2 (b.png)"));
    assert_int_equal(post_pictures(s, none), 400);
    assert_int_equal(post_pictures(s, control), 400);
    s->fake.env.limits.image_pixels = 4;
    assert_int_equal(post_pictures(s, three), 413);
    s->fake.env.limits.image_pixels = 4096;
    s->max = 2;
    assert_int_equal(post_pictures(s, three), 413);
    assert_int_equal(post(s, "/collections/" ID "/images", FORM, PART("x") "1\r\n--B--\r\n"), 400);
    assert_int_equal(post(s, "/collections/" ID "/images", "application/json", "{}"), 400);
    assert_int_equal(s->n, 0);
}

static void pages__answer_what_they_should_and_refuse_the_rest(void **state)
{
    static const char *const one[] = { "I:a.png", "I:b.png", NULL };
    struct shelf *s = *state;
    char path[160];
    make_one(s);
    assert_int_equal(post_pictures(s, one), 201);
    assert_int_equal(api_fake_get(&s->fake, "/collections/" ID), 200);
    assert_true(api_fake_says(&s->fake, "\"images\": 2"));
    assert_int_equal(api_fake_get(&s->fake, "/collections/other"), 404);
    assert_int_equal(api_fake_get(&s->fake, "/collections/" ID "/images"), 200);
    assert_true(api_fake_says(&s->fake, s->picture[0].sha256));
    snprintf(path, sizeof(path), "/collections/" ID "/images/%s", s->picture[0].sha256);
    assert_int_equal(api_fake_get(&s->fake, path), 200);
    assert_string_equal(s->fake.res.type, "image/png");
    assert_int_equal(s->fake.res.body.len, s->fake.png.len);
    assert_int_equal(api_fake_get(&s->fake, "/collections/" ID "/images/abc"), 404);
    assert_int_equal(api_fake_get(&s->fake, "/collections/" ID "/images/a/b"), 404);
    assert_int_equal(api_fake_get(&s->fake, "/collections//images"), 404);
    assert_int_equal(send_as(s, "DELETE", "/collections/" ID "/images/abc"), 404);
    assert_int_equal(send_as(s, "DELETE", "/collections"), 405);
    assert_string_equal(api_header_find(&s->fake.res, "Allow"), "GET, HEAD, POST, OPTIONS");
    assert_int_equal(send_as(s, "PUT", path), 405);
    assert_string_equal(api_header_find(&s->fake.res, "Allow"), "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(send_as(s, "OPTIONS", "/collections/" ID "/images"), 204);
    assert_int_equal(send_as(s, "POST", "/collections"), 411);
    assert_int_equal(send_as(s, "DELETE", "/collections/" ID), 204);
    assert_int_equal(api_fake_get(&s->fake, "/collections/" ID), 404);
    s->fake.env.collections = NULL;
    assert_int_equal(api_fake_get(&s->fake, "/collections"), 404);
}

static void list__takes_limit_and_cursor_and_nothing_else(void **state)
{
    static const struct {
        const char *key, *value;
        unsigned status;
    } cases[] = {
        { "limit", "1", 200 },    { "limit", "1000", 200 }, { "limit", "0", 400 },
        { "limit", "1001", 400 }, { "limit", "x", 400 },    { "cursor", "7", 200 },
        { "cursor", "-1", 400 },  { "order", "name", 400 },
    };
    struct shelf *s = *state;
    make_one(s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct api_field field = { cases[i].key, cases[i].value };
        const struct api_request req = {
            .method = "GET", .query = &field, .n_query = 1, .content_length = -1
        };
        for (int page = 0; page < 2; page++) {
            struct api_request one = req;
            one.path = page ? "/collections/" ID "/images" : "/collections";
            assert_int_equal(api_fake_send(&s->fake, &one), cases[i].status);
        }
    }
}

static void job__pins_the_pictures_of_its_collection(void **state)
{
    static const char *const two[] = { "L:dog", "I:a.png", "I:b.png", NULL };
    struct shelf *s = *state;
    make_one(s);
    assert_int_equal(api_fake_post(&s->fake, "/maxpatch", "collection=" ID, NULL, "", 0), 400);
    assert_true(api_fake_says(&s->fake, "is empty"));
    assert_int_equal(post_pictures(s, two), 201);
    assert_int_equal(api_fake_post(&s->fake, "/maxpatch", "collection=" ID, NULL, "", 0), 202);
    json_t *doc = json_loads(s->spec, 0, NULL), *images = json_object_get(doc, "images");
    assert_int_equal(json_array_size(images), 2);
    const json_t *second = json_array_get(images, 1);
    assert_string_equal(json_string_value(json_object_get(second, "sha256")), s->picture[1].sha256);
    assert_string_equal(json_string_value(json_object_get(second, "label")), "dog");
    assert_string_equal(json_string_value(json_object_get(second, "name")), "b.png");
    json_decref(doc);
    struct api_job *job = NULL;
    struct luc_str again = { 0 };
    assert_int_equal(api_job_read(s->spec, &job, NULL), LUC_OK);
    assert_null(job->images[1].bytes);
    api_job_print(job, &again);
    assert_string_equal(again.data, s->spec);
    luc_str_done(&again);
    api_job_destroy(job);
    assert_int_equal(api_fake_post(&s->fake, "/maxpatch", "collection=other", NULL, "", 0), 400);
    assert_true(api_fake_says(&s->fake, "\"parameter\": \"collection\""));
    assert_int_equal(api_fake_photo(&s->fake, "/maxpatch", "collection=" ID), 400);
    assert_true(api_fake_says(&s->fake, "not both"));
    assert_int_equal(api_fake_photo(&s->fake, "/saliency", "collection=" ID), 400);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, clear)
    const struct CMUnitTest tests[] = {
        T(collection__is_made_from_json_or_a_form),
        T(collection__without_a_proper_name_is_refused),
        T(label__is_that_of_the_pictures_after_it),
        T(pictures__are_all_checked_before_one_is_kept),
        T(pages__answer_what_they_should_and_refuse_the_rest),
        T(list__takes_limit_and_cursor_and_nothing_else),
        T(job__pins_the_pictures_of_its_collection),
    };
    return cmocka_run_group_tests_name("api_collections", tests, NULL, NULL);
}
