#include "api/pages.h"
#include "tests/api_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static json_t *get_json(struct api_fake *f, const char *path)
{
    assert_int_equal(api_fake_get(f, path), 200);
    assert_string_equal(f->res.type, "application/json");
    json_t *doc = json_loads(f->res.body.data, 0, NULL);
    assert_non_null(doc);
    return doc;
}

static unsigned with_method(struct api_fake *f, const char *method, const char *path)
{
    return api_fake_send(
        f, &(struct api_request){ .method = method, .path = path, .content_length = -1 });
}

static void routes__answer_only_what_they_allow(void **state)
{
    struct api_fake *f = *state;
    static const char *const gets[] = { "/",        "/livez",  "/readyz",       "/openapi.json",
                                        "/methods", "/models", "/static/lab.js" };
    for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++) {
        assert_int_equal(with_method(f, "GET", gets[i]), 200);
        assert_int_equal(with_method(f, "HEAD", gets[i]), 200);
        assert_int_equal(with_method(f, "OPTIONS", gets[i]), 204);
        assert_string_equal(api_header_find(&f->res, "Allow"), "GET, HEAD, OPTIONS");
        assert_int_equal(with_method(f, "POST", gets[i]), 405);
        assert_string_equal(api_header_find(&f->res, "Allow"), "GET, HEAD, OPTIONS");
        assert_int_equal(with_method(f, "DELETE", gets[i]), 405);
    }
    assert_int_equal(with_method(f, "GET", "/saliency"), 405);
    assert_string_equal(api_header_find(&f->res, "Allow"), "POST, OPTIONS");
    assert_int_equal(with_method(f, "OPTIONS", "/saliency"), 204);
    assert_int_equal(with_method(f, "POST", "/saliency"), 411);
    static const char *const none[] = { "",
                                        "/nope",
                                        "/models/",
                                        "/models/a/b",
                                        "/models//layers",
                                        "/static/",
                                        "/static/../api",
                                        "/static/a/b",
                                        "//",
                                        "/methods/nope",
                                        "/problems/nope",
                                        "/models/nope",
                                        "/models/nope/layers",
                                        "/static/nope" };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(with_method(f, "GET", none[i]), 404);
}

static void readyz__is_false_while_draining(void **state)
{
    struct api_fake *f = *state;
    f->draining = true;
    assert_int_equal(api_fake_get(f, "/readyz"), 503);
    assert_int_equal(api_fake_get(f, "/livez"), 200);
}

static void methods__describe_every_parameter(void **state)
{
    struct api_fake *f = *state;
    json_t *doc = get_json(f, "/methods"), *list = json_object_get(doc, "methods");
    for (size_t i = 0; api_method_at(i); i++) {
        const struct luc_method *m = api_method_at(i)->method;
        json_t *properties =
            json_object_get(json_object_get(json_array_get(list, i), "parameters"), "properties");
        const struct luc_param *rows;
        size_t n = 0;
        for (size_t k = 0; (rows = api_method_table(m, k)); k++)
            for (const struct luc_param *p = rows; p->key; p++, n++)
                assert_non_null(
                    json_object_get(json_object_get(properties, p->key), "description"));
        assert_int_equal(json_object_size(properties), n);
        if (m->groups & LUC_GROUP_INPUT)
            assert_string_equal(
                json_string_value(json_object_get(json_object_get(properties, "model"), "default")),
                api_default_model(m, "linear"));
    }
    json_decref(doc);
    json_decref(get_json(f, "/methods/saliency"));
}

static void models__are_listed_and_opened(void **state)
{
    struct api_fake *f = *state;
    json_t *doc = get_json(f, "/models");
    assert_int_equal(json_array_size(json_object_get(doc, "models")), 2);
    json_decref(doc);
    doc = get_json(f, "/models/linear");
    assert_int_equal(json_integer_value(json_object_get(doc, "classes")), LINEAR_CLASSES);
    assert_int_equal(json_integer_value(json_object_get(doc, "parameters")),
                     LINEAR_CLASSES * LINEAR_PIXELS);
    json_decref(doc);
    doc = get_json(f, "/models/absent");
    assert_true(json_is_false(json_object_get(doc, "installed")));
    json_decref(doc);
    doc = get_json(f, "/models/linear/layers");
    json_t *layer = json_array_get(json_object_get(doc, "layers"), 0);
    assert_string_equal(json_string_value(json_object_get(layer, "operator")), "Linear");
    json_decref(doc);
    assert_int_equal(api_fake_get(f, "/models/absent/layers"), 404);
    const struct api_request layers = { .method = "GET", .path = "/models/linear/layers" };
    const struct api_request livez = { .method = "GET", .path = "/livez" };
    assert_int_equal(api_where(&f->env, &layers), API_WORKER);
    assert_int_equal(api_where(&f->env, &livez), API_HERE);
}

static void files__carry_a_policy_and_are_not_sent_twice(void **state)
{
    struct api_fake *f = *state;
    char tag[64];
    assert_int_equal(api_fake_get(f, "/"), 200);
    assert_string_equal(f->res.type, "text/html; charset=utf-8");
    assert_non_null(strstr(api_header_find(&f->res, "Content-Security-Policy"), "default-src"));
    assert_null(strstr(api_header_find(&f->res, "Content-Security-Policy"), "unsafe"));
    snprintf(tag, sizeof(tag), "%s", api_header_find(&f->res, "ETag"));
    const struct api_request again = {
        .method = "GET", .path = "/", .if_none_match = tag, .content_length = -1
    };
    assert_int_equal(api_fake_send(f, &again), 304);
    assert_int_equal(f->res.fixed_size + f->res.body.len, 0);
}

/* Every "$ref" leads to something. */
static void check_references(json_t *root, json_t *at)
{
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach(at, key, value)
    {
        if (strcmp(key, "$ref") == 0) {
            char path[128];
            json_t *found = root;
            snprintf(path, sizeof(path), "%s", json_string_value(value) + 2);
            for (char *part = strtok(path, "/"); part; part = strtok(NULL, "/"))
                found = json_object_get(found, part);
            assert_non_null(found);
        }
        check_references(root, value);
    }
    json_array_foreach(at, i, value) check_references(root, value);
}

static void openapi__has_every_route_and_whole_references(void **state)
{
    struct api_fake *f = *state;
    json_t *doc = get_json(f, "/openapi.json"), *paths = json_object_get(doc, "paths");
    assert_string_equal(json_string_value(json_object_get(doc, "openapi")), "3.1.0");
    for (size_t i = 0; api_method_at(i); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/%s", api_method_at(i)->method->name);
        assert_non_null(json_object_get(json_object_get(paths, path), "post"));
    }
    assert_non_null(json_object_get(paths, "/models/{model}/layers"));
    check_references(doc, doc);
    json_t *components = json_object_get(doc, "components");
    json_t *problem = json_object_get(json_object_get(components, "schemas"), "Problem");
    assert_non_null(json_object_get(json_object_get(problem, "properties"), "errors"));
    for (size_t i = 0; i < API_PROBLEM_COUNT; i++) {
        char path[64];
        const struct api_problem_info *p = api_problem_info((enum api_problem)i);
        snprintf(path, sizeof(path), "/problems/%s", p->slug);
        json_decref(get_json(f, path));
    }
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(routes__answer_only_what_they_allow, setup, teardown),
        cmocka_unit_test_setup_teardown(readyz__is_false_while_draining, setup, teardown),
        cmocka_unit_test_setup_teardown(methods__describe_every_parameter, setup, teardown),
        cmocka_unit_test_setup_teardown(models__are_listed_and_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(files__carry_a_policy_and_are_not_sent_twice, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(openapi__has_every_route_and_whole_references, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("api_pages", tests, NULL, NULL);
}
