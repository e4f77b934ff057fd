#include "server/networks/registry.h"
#include "tests/tiny_model.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = tiny_folder();
    tiny_write_onnx(folder, false, 200000);
    tiny_write_text(folder, "a.json", TINY_DESCRIPTION("a"));
    tiny_write_text(folder, "b.json", TINY_DESCRIPTION("b"));
    tiny_write_text(folder, "c.json", TINY_DESCRIPTION("c"));
    tiny_write_text(folder, "broken.json", "{");
    tiny_write_text(folder, "wrong.json", TINY_DESCRIPTION("right"));
    tiny_write_text(folder, "gone.json",
                    "{\"name\": \"gone\", \"file\": \"gone.onnx\", "
                    "\"input\": {}}");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    tiny_remove(folder);
    return 0;
}

static const struct luc_model *get(struct srv_registry *r, const char *name)
{
    const struct luc_model *m = NULL;
    struct luc_error err = { 0 };
    if (srv_registry_get(r, name, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static size_t bytes_of_one(void)
{
    struct srv_registry *r = srv_registry_create(folder, NULL, LIMIT);
    const struct luc_model *m = get(r, "a");
    const size_t bytes = m->bytes;
    srv_registry_put(r, m);
    srv_registry_destroy(r);
    return bytes;
}

static void get__loads_once_and_shares(void **state)
{
    (void)state;
    struct srv_registry *r = srv_registry_create(folder, NULL, LIMIT);
    const struct luc_model *one = get(r, "a"), *two = get(r, "a");
    assert_ptr_equal(one, two);
    assert_int_equal(srv_registry_loads(r), 1);
    assert_int_equal(srv_registry_bytes(r), one->bytes);
    srv_registry_put(r, one);
    srv_registry_put(r, two);
    one = get(r, "a"); /* still there */
    assert_int_equal(srv_registry_loads(r), 1);
    srv_registry_put(r, one);
    srv_registry_destroy(r);
}

/* Convolutions that are large enough to be packed for Winograd's way are no part of the tiny network:
 * any other growth of its arena counts in the same way. */
static void put__counts_what_a_network_has_grown_by(void **state)
{
    (void)state;
    const size_t one = bytes_of_one(), more = one / 2;
    struct srv_registry *r = srv_registry_create(folder, NULL, 2 * one + more / 2);
    const struct luc_model *a = get(r, "a"), *b = get(r, "b");
    assert_int_equal(srv_registry_bytes(r), 2 * one);
    srv_registry_put(r, b);
    assert_non_null(luc_arena_alloc(a->graph->arena, more, 1));
    srv_registry_put(r, a); /* together they are too large now; b was used longer ago */
    assert_in_range(srv_registry_bytes(r), one + more, one + more + LUC_ALIGN);
    a = get(r, "a");
    assert_int_equal(srv_registry_loads(r), 2);
    srv_registry_put(r, a);
    srv_registry_destroy(r);
}

struct worker {
    struct srv_registry *r;
    unsigned seed;
    size_t failures;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    for (int i = 0; i < 200; i++) {
        w->seed = w->seed * 1103515245u + 12345u;
        const char *name = (const char *[]){ "a", "b", "c" }[(w->seed >> 16) % 3];
        const struct luc_model *m = NULL;
        if (srv_registry_get(w->r, name, &m, NULL)) {
            w->failures++;
            continue;
        }
        if (strcmp(m->name, name) || m->n_classes != 4)
            w->failures++;
        srv_registry_put(w->r, m);
    }
    return NULL;
}

static void run_workers(struct srv_registry *r, size_t *failures)
{
    pthread_t threads[8];
    struct worker workers[8];
    for (unsigned i = 0; i < 8; i++) {
        workers[i] = (struct worker){ .r = r, .seed = i };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        *failures += workers[i].failures;
    }
}

static void get__from_many_threads_loads_each_once(void **state)
{
    (void)state;
    struct srv_registry *r = srv_registry_create(folder, NULL, LIMIT);
    size_t failures = 0;
    run_workers(r, &failures);
    assert_int_equal(failures, 0);
    assert_int_equal(srv_registry_loads(r), 3);
    srv_registry_destroy(r);
}

static void get__lets_go_of_what_was_not_used_longest(void **state)
{
    (void)state;
    const size_t one = bytes_of_one();
    struct srv_registry *r = srv_registry_create(folder, NULL, 2 * one + one / 2);
    srv_registry_put(r, get(r, "a"));
    srv_registry_put(r, get(r, "b"));
    srv_registry_put(r, get(r, "a")); /* b is now the older one */
    srv_registry_put(r, get(r, "c")); /* takes b's place */
    assert_int_equal(srv_registry_loads(r), 3);
    assert_true(srv_registry_bytes(r) <= 2 * one + one / 2);
    srv_registry_put(r, get(r, "a"));
    assert_int_equal(srv_registry_loads(r), 3);
    srv_registry_put(r, get(r, "b"));
    assert_int_equal(srv_registry_loads(r), 4);
    srv_registry_destroy(r);
}

static void get__never_takes_what_is_in_use(void **state)
{
    (void)state;
    const size_t one = bytes_of_one();
    const struct luc_model *m = NULL;
    struct luc_error err = { 0 };
    struct srv_registry *r = srv_registry_create(folder, NULL, one + one / 2);
    const struct luc_model *held = get(r, "a");
    assert_int_equal(srv_registry_get(r, "b", &m, &err), LUC_BUSY);
    assert_non_null(strstr(err.text, "models_bytes"));
    assert_null(m);
    assert_string_equal(held->name, "a");
    srv_registry_put(r, held);
    srv_registry_put(r, get(r, "b"));
    srv_registry_destroy(r);
}

static void get__keeps_the_bound_under_load(void **state)
{
    (void)state;
    const size_t one = bytes_of_one();
    struct srv_registry *r = srv_registry_create(folder, NULL, 2 * one + one / 2);
    size_t failures = 0; /* some are told to try again later */
    run_workers(r, &failures);
    assert_true(srv_registry_bytes(r) <= 2 * one + one / 2);
    srv_registry_destroy(r);
}

static void get__says_what_is_wrong(void **state)
{
    (void)state;
    static const char json[] =
        "{\"models\": [{\"name\": \"net\", \"title\": \"t\", \"task\": \"classify\", \"licence\": "
        "\"l\", \"sources\": [{\"url\": \"https://x/\", \"path\": \"f\", \"bytes\": 1, \"sha256\": "
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]}]}";
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct cfg_catalog catalog;
    assert_int_equal(cfg_catalog_parse(json, arena, &catalog, NULL), LUC_OK);
    struct srv_registry *r = srv_registry_create(folder, &catalog, LIMIT);
    static const struct {
        const char *name, *says;
        enum luc_status status;
    } cases[] = {
        { "net", "models pull net", LUC_NOT_FOUND },
        { "nett", "did you mean 'net'?", LUC_NOT_FOUND },
        { "zebra", "no network 'zebra'", LUC_NOT_FOUND },
        { "../a", "letters, digits", LUC_NOT_FOUND },
        { "", "letters, digits", LUC_NOT_FOUND },
        { "broken", "line 1", LUC_FORMAT },
        { "wrong", "must be the file's name", LUC_FORMAT },
        { "gone", "gone.onnx", LUC_IO },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct luc_model *m = NULL;
        struct luc_error err = { 0 };
        assert_int_equal(srv_registry_get(r, cases[i].name, &m, &err), cases[i].status);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_null(m);
    }
    srv_registry_destroy(r);
    luc_arena_destroy(arena);
}

static void gather(void *ctx, const struct srv_model_info *m)
{
    char line[80];
    snprintf(line, sizeof(line), "%s:%s%s%s ", m->name, m->installed ? "i" : "",
             m->loaded ? "l" : "", m->problem ? "p" : "");
    strcat(ctx, line);
}

static void list__tells_what_is_there_and_what_could_be(void **state)
{
    (void)state;
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct cfg_catalog catalog;
    char text[4096] = "";
    assert_int_equal(cfg_catalog_load("", arena, &catalog, NULL), LUC_OK);
    catalog.n = 1;
    struct srv_registry *r = srv_registry_create(folder, &catalog, LIMIT);
    const struct luc_model *m = get(r, "b");
    assert_int_equal(srv_registry_list(r, gather, text, NULL), LUC_OK);
    assert_string_equal(text, "a:i b:il broken:ip c:i gone:i resnet50: wrong:i ");
    srv_registry_put(r, m);
    srv_registry_destroy(r);
    luc_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get__loads_once_and_shares),
        cmocka_unit_test(put__counts_what_a_network_has_grown_by),
        cmocka_unit_test(get__from_many_threads_loads_each_once),
        cmocka_unit_test(get__lets_go_of_what_was_not_used_longest),
        cmocka_unit_test(get__never_takes_what_is_in_use),
        cmocka_unit_test(get__keeps_the_bound_under_load),
        cmocka_unit_test(get__says_what_is_wrong),
        cmocka_unit_test(list__tells_what_is_there_and_what_could_be),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
