#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/model/model.h"
#include "server/networks/fetch.h"
#include "server/networks/pull.h"
#include "server/networks/unpack.h"
#include "tests/drop_server.h"
#include "tests/tiny_model.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY  300000
#define LIMIT ((size_t)64 << 20)

/* Each test has a folder of its own, a body to download and a models directory. */
struct place {
    char *folder, models[600], *body, hash[LUC_HASH_HEX_MAX];
    size_t size;
    struct luc_arena *arena;
};

static void hash_of(const void *bytes, size_t n, enum luc_hash_kind kind,
                    char text[LUC_HASH_HEX_MAX])
{
    struct luc_hash h = { 0 };
    assert_int_equal(luc_hash_init(&h, kind, NULL), LUC_OK);
    luc_hash_update(&h, bytes, n);
    assert_int_equal(luc_hash_finish_hex(&h, text, NULL), LUC_OK);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    p->folder = tiny_folder();
    snprintf(p->models, sizeof(p->models), "%s/deep/models", p->folder);
    p->body = malloc(BODY);
    p->size = BODY;
    for (size_t i = 0; i < BODY; i++)
        p->body[i] = (char)((i * 2654435761u) >> 13);
    hash_of(p->body, BODY, LUC_SHA256, p->hash);
    p->arena = luc_arena_create(LIMIT);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    tiny_remove(p->folder);
    free(p->body);
    luc_arena_destroy(p->arena);
    free(p);
    return 0;
}

static bool there(const struct place *p, const char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", p->models, name);
    return access(path, F_OK) == 0;
}

/* A catalog of one network from `url`. */
static struct cfg_catalog catalog_of(struct place *p, const char *url)
{
    char json[4096];
    struct cfg_catalog c;
    struct luc_error err = { 0 };
    snprintf(
        json, sizeof(json),
        "{\"default\": [\"net\"], \"models\": [{\"name\": \"net\", \"title\": \"t\", \"task\": "
        "\"classify\", \"licence\": \"l\", \"file\": \"net/n.onnx\", \"input\": {}, "
        "\"sources\": [{\"url\": \"%s\", \"path\": \"n.onnx\", \"bytes\": %zu, \"sha256\": "
        "\"%s\"}]}]}",
        url, p->size, p->hash);
    if (cfg_catalog_parse(json, p->arena, &c, &err))
        fail_msg("%s", err.text);
    return c;
}

static enum luc_status pull_from(struct place *p, const char *url, struct luc_error *err)
{
    const struct cfg_catalog c = catalog_of(p, url);
    const struct srv_pull how = { .models = p->models, .npm_registry = "" };
    return srv_pull(&how, &(const struct cfg_entry *){ c.entries }, 1, err);
}

static void must_be_pulled(struct place *p)
{
    char path[1024], *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/net/n.onnx", p->models);
    assert_int_equal(luc_file_read(path, LIMIT, &bytes, &size, NULL), LUC_OK);
    assert_int_equal(size, p->size);
    assert_memory_equal(bytes, p->body, p->size);
    assert_true(there(p, "net.json"));
    assert_false(there(p, ".partial"));
    free(bytes);
}

static void must_be_nothing(struct place *p)
{
    assert_false(there(p, "net.json"));
    assert_false(there(p, "net"));
    assert_false(there(p, ".partial"));
}

static void pull__from_a_file_then_says_it_is_there(void **state)
{
    struct place *p = *state;
    char url[700];
    tiny_write(p->folder, "body", p->body, p->size);
    snprintf(url, sizeof(url), "file://%s/body", p->folder);
    assert_int_equal(pull_from(p, url, NULL), LUC_OK);
    must_be_pulled(p);
    snprintf(url, sizeof(url), "%s/body", p->folder);
    remove(url); /* a second pull looks at nothing outside */
    assert_int_equal(pull_from(p, "file:///nowhere", NULL), LUC_OK);
}

static void pull__knows_when_a_description_is_not_the_catalogs(void **state)
{
    struct place *p = *state;
    char url[700];
    tiny_write(p->folder, "body", p->body, p->size);
    snprintf(url, sizeof(url), "file://%s/body", p->folder);
    const struct cfg_catalog c = catalog_of(p, url);
    assert_false(srv_is_current(p->models, c.entries));
    assert_int_equal(pull_from(p, url, NULL), LUC_OK);
    assert_true(srv_is_current(p->models, c.entries));
    tiny_write(p->models, "net.json", "{}", 2);
    assert_false(srv_is_current(p->models, c.entries));
}

static void pull__goes_on_where_the_connection_dropped(void **state)
{
    struct place *p = *state;
    struct drop_server s = { .body = p->body, .size = p->size, .drop_after = 100000 };
    struct luc_error err = { 0 };
    drop_server_start(&s);
    const enum luc_status st = pull_from(p, s.url, &err);
    drop_server_stop(&s);
    if (st)
        fail_msg("%s", err.text);
    must_be_pulled(p);
    assert_int_equal(s.n_requests, 3);
    assert_int_equal(s.n_sent, p->size); /* no byte twice */
}

static void pull__broken_off_resumes_the_next_time(void **state)
{
    struct place *p = *state;
    struct drop_server s = { .body = p->body, .size = p->size, .drop_after = 1000 };
    struct luc_error err = { 0 };
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, &err), LUC_IO);
    assert_false(there(p, "net.json"));
    assert_true(there(p, ".partial"));
    const size_t sent = s.n_sent;
    assert_true(sent > 0 && sent < p->size);
    s.drop_after = 0;
    assert_int_equal(pull_from(p, s.url, &err), LUC_OK);
    drop_server_stop(&s);
    assert_int_equal(s.n_sent, p->size);
    must_be_pulled(p);
}

static void pull__starts_over_where_ranges_are_not_served(void **state)
{
    struct place *p = *state;
    struct drop_server s = {
        .body = p->body, .size = p->size, .drop_after = 1000, .no_ranges = true
    };
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, NULL), LUC_IO);
    s.drop_after = 0;
    assert_int_equal(pull_from(p, s.url, NULL), LUC_OK);
    drop_server_stop(&s);
    must_be_pulled(p);
}

static void pull__wrong_hash_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct drop_server s = { .body = p->body, .size = p->size };
    struct luc_error err = { 0 };
    p->body[12345] ^= 1;
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, &err), LUC_FORMAT);
    drop_server_stop(&s);
    assert_non_null(strstr(err.text, "another hash"));
    must_be_nothing(p);
}

static void pull__wrong_size_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct drop_server s = { .body = p->body, .size = p->size - 1 };
    struct luc_error err = { 0 };
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, &err), LUC_FORMAT);
    must_be_nothing(p);
    s.size = p->size;
    p->size -= 1; /* the server now sends one byte too many */
    assert_int_equal(pull_from(p, s.url, &err), LUC_FORMAT);
    drop_server_stop(&s);
    assert_non_null(strstr(err.text, "more than"));
    must_be_nothing(p);
}

static void pull__names_what_the_server_said(void **state)
{
    struct place *p = *state;
    struct drop_server s = { .body = p->body, .size = p->size, .status = 404 };
    struct luc_error err = { 0 };
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, &err), LUC_IO);
    drop_server_stop(&s);
    assert_non_null(strstr(err.text, "404"));
    must_be_nothing(p);
    assert_int_equal(pull_from(p, "ftp://127.0.0.1/x", &err), LUC_IO);
    assert_int_equal(pull_from(p, "file:///no/such/file", &err), LUC_IO);
    must_be_nothing(p);
}

static void pull__does_not_follow_a_plain_redirect(void **state)
{
    struct place *p = *state;
    char url[700];
    tiny_write(p->folder, "body", p->body, p->size);
    snprintf(url, sizeof(url), "file://%s/body", p->folder);
    struct drop_server s = { .redirect = url };
    drop_server_start(&s);
    assert_int_not_equal(pull_from(p, s.url, NULL), LUC_OK);
    drop_server_stop(&s);
    must_be_nothing(p);
}

static void pull__keeps_a_folder_that_is_not_its_own(void **state)
{
    struct place *p = *state;
    char path[1024];
    struct drop_server s = { .body = p->body, .size = p->size };
    struct luc_error err = { 0 };
    snprintf(path, sizeof(path), "%s/deep", p->folder);
    mkdir(path, 0755);
    mkdir(p->models, 0755);
    snprintf(path, sizeof(path), "%s/net", p->models);
    mkdir(path, 0755);
    tiny_write_text(path, "thesis.txt", "years of work");
    drop_server_start(&s);
    assert_int_equal(pull_from(p, s.url, &err), LUC_IO);
    assert_non_null(strstr(err.text, "thesis.txt"));
    assert_true(there(p, "net/thesis.txt"));
    assert_false(there(p, "net.json"));
    /* What a pull left that was killed just before its last step is replaced. */
    snprintf(path, sizeof(path), "%s/net/thesis.txt", p->models);
    remove(path);
    snprintf(path, sizeof(path), "%s/net", p->models);
    tiny_write_text(path, "n.onnx", "half");
    assert_int_equal(pull_from(p, s.url, &err), LUC_OK);
    drop_server_stop(&s);
    must_be_pulled(p);
}

static bool refuse(void *ctx, size_t done)
{
    (void)ctx;
    return done < 1;
}

static void fetch__can_be_given_up(void **state)
{
    struct place *p = *state;
    char path[700];
    struct drop_server s = { .body = p->body, .size = p->size };
    drop_server_start(&s);
    snprintf(path, sizeof(path), "%s/part", p->folder);
    const struct srv_fetch f = {
        .url = s.url, .path = path, .hash = p->hash, .bytes = p->size, .progress = refuse
    };
    assert_int_equal(srv_fetch(&f, NULL), LUC_CANCELLED);
    drop_server_stop(&s);
}

/* Packages: a list of members; a kind other than a file makes a link to `text`. */
struct member {
    const char *name, *text;
    mode_t kind;
};

static void write_package(const char *path, const struct member *m, size_t n)
{
    struct archive *a = archive_write_new();
    archive_write_add_filter_gzip(a);
    archive_write_set_format_pax_restricted(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, m[i].name);
        archive_entry_set_filetype(e, m[i].kind);
        archive_entry_set_perm(e, 0644);
        if (m[i].kind == AE_IFLNK)
            archive_entry_set_symlink(e, m[i].text);
        else
            archive_entry_set_size(e, (la_int64_t)strlen(m[i].text));
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        if (m[i].kind == AE_IFREG)
            archive_write_data(a, m[i].text, strlen(m[i].text));
        archive_entry_free(e);
    }
    archive_write_close(a);
    archive_write_free(a);
}

static enum luc_status unpack(struct place *p, const struct member *m, size_t n, size_t limit,
                              struct luc_error *err)
{
    static const struct cfg_file wanted[] = { { "package/a", "a" }, { "../../escape", "b" } };
    char package[700], out[700];
    snprintf(package, sizeof(package), "%s/p.tgz", p->folder);
    snprintf(out, sizeof(out), "%s/out", p->folder);
    write_package(package, m, n);
    mkdir(out, 0755);
    return srv_unpack(package, wanted, 2, out, limit, err);
}

static void unpack__takes_what_is_listed_and_nothing_else(void **state)
{
    struct place *p = *state;
    const struct member m[] = { { "package/evil", "no", AE_IFREG },
                                { "../out2", "no", AE_IFREG },
                                { "/tmp/lucida-must-not-exist", "no", AE_IFREG },
                                { "package/a", "first", AE_IFREG },
                                { "../../escape", "second", AE_IFREG } };
    char path[700], *text = NULL;
    struct luc_error err = { 0 };
    if (unpack(p, m, 5, 100, &err))
        fail_msg("%s", err.text);
    snprintf(path, sizeof(path), "%s/out/a", p->folder);
    assert_int_equal(luc_file_read(path, 100, &text, NULL, NULL), LUC_OK);
    assert_string_equal(text, "first");
    free(text);
    snprintf(path, sizeof(path), "%s/out/b", p->folder);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/out/evil", p->folder);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/out2", p->folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access("/tmp/lucida-must-not-exist", F_OK), 0);
}

static void unpack__refuses_odd_packages(void **state)
{
    struct place *p = *state;
    struct luc_error err = { 0 };
    const struct member missing[] = { { "package/a", "x", AE_IFREG } };
    assert_int_equal(unpack(p, missing, 1, 100, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "no member ../../escape"));
    char path[700];
    snprintf(path, sizeof(path), "%s/out/a", p->folder);
    remove(path);
    const struct member link[] = { { "package/a", "/etc/passwd", AE_IFLNK } };
    assert_int_equal(unpack(p, link, 1, 100, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "not a plain file"));
    const struct member twice[] = { { "package/a", "x", AE_IFREG },
                                    { "package/a", "y", AE_IFREG } };
    assert_int_equal(unpack(p, twice, 2, 100, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "twice"));
    remove(path);
    const struct member large[] = { { "package/a", "more than ten bytes", AE_IFREG } };
    assert_int_equal(unpack(p, large, 1, 10, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "larger"));
    remove(path);
    snprintf(path, sizeof(path), "%s/not.tgz", p->folder);
    tiny_write(p->folder, "not.tgz", p->body, p->size);
    assert_int_equal(srv_unpack(path, &(struct cfg_file){ "a", "a" }, 1, p->folder, 10, &err),
                     LUC_FORMAT);
}

static char *read_package(struct place *p, size_t *size)
{
    char path[700], *bytes = NULL;
    const struct member m[] = { { "package/one", "the first", AE_IFREG },
                                { "package/two", "the second", AE_IFREG } };
    snprintf(path, sizeof(path), "%s/two.tgz", p->folder);
    write_package(path, m, 2);
    assert_int_equal(luc_file_read(path, LIMIT, &bytes, size, NULL), LUC_OK);
    return bytes;
}

static void pull__fetches_a_shared_package_once(void **state)
{
    struct place *p = *state;
    static const char entry[] =
        "{\"name\": \"%s\", \"title\": \"t\", \"task\": \"style\", \"licence\": \"l\", "
        "\"sources\": "
        "[{\"npm\": \"@scope/pack@1.2.3\", \"bytes\": %zu, \"sha512\": \"%s\", \"paths\": "
        "{\"package/%s\": \"f\"}}]}";
    char json[4096] = "{\"models\": [", hash[LUC_HASH_HEX_MAX];
    size_t size = 0, used = strlen(json);
    char *package = read_package(p, &size);
    hash_of(package, size, LUC_SHA512, hash);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "two" : "one";
        used += (size_t)snprintf(json + used, sizeof(json) - used, i ? ", " : " ");
        used += (size_t)snprintf(json + used, sizeof(json) - used, entry, name, size, hash, name);
    }
    snprintf(json + used, sizeof(json) - used, "]}");
    struct cfg_catalog c;
    struct luc_error err = { 0 };
    if (cfg_catalog_parse(json, p->arena, &c, &err))
        fail_msg("%s", err.text);
    struct drop_server s = { .body = package, .size = size };
    drop_server_start(&s);
    char registry[80];
    snprintf(registry, sizeof(registry), "%s/base/", s.url);
    const struct srv_pull how = { .models = p->models, .npm_registry = registry };
    const struct cfg_entry *both[] = { &c.entries[0], &c.entries[1] };
    const enum luc_status st = srv_pull(&how, both, 2, &err);
    drop_server_stop(&s);
    if (st)
        fail_msg("%s", err.text);
    assert_int_equal(s.n_requests, 1);
    assert_string_equal(s.last_path, "/base/@scope/pack/-/pack-1.2.3.tgz");
    assert_true(there(p, "one/f") && there(p, "two/f") && there(p, "two.json"));
    assert_false(there(p, "one/one") || there(p, ".partial"));
    free(package);
}

static void catalog__of_the_program_is_sound(void **state)
{
    struct place *p = *state;
    struct cfg_catalog c;
    struct luc_error err = { 0 };
    size_t n_default = 0;
    if (cfg_catalog_load("", p->arena, &c, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < c.n; i++) {
        const struct cfg_entry *e = &c.entries[i];
        char file[200];
        n_default += e->by_default;
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(c.entries[k].name, e->name);
        /* Fails where its files are read, so all before that was right. */
        struct luc_model *m = NULL;
        assert_int_equal(luc_model_load(p->folder, e->json, LIMIT, &m, &err), LUC_IO);
        snprintf(file, sizeof(file), "%s/", e->name);
        assert_non_null(strstr(err.text, file));
    }
    assert_int_equal(n_default, 5);
    assert_int_equal(c.n, 20);
}

static void catalog__errors_name_the_entry(void **state)
{
    struct place *p = *state;
#define ENTRY(members)                                                                             \
    "{\"models\": [{\"name\": \"n\", \"title\": \"t\", \"task\": \"style\", "                      \
    "\"licence\": \"l\", \"sources\": [" members "]}]}"
#define H64 "0000000000000000000000000000000000000000000000000000000000000000"
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"models\": [1]}",
        "{\"models\": [{\"name\": \"../x\"}]}",
        ENTRY(""),
        ENTRY("{\"url\": \"https://x\", \"path\": \"f\", \"bytes\": 1, \"sha256\": \"00\"}"),
        ENTRY("{\"url\": \"https://x\", \"path\": \"f\", \"bytes\": 0, \"sha256\": \"" H64 "\"}"),
        ENTRY("{\"url\": \"https://x\", \"path\": \"../f\", \"bytes\": 1, \"sha256\": \"" H64
              "\"}"),
        ENTRY("{\"url\": \"https://x\", \"path\": \"a/f\", \"bytes\": 1, \"sha256\": \"" H64 "\"}"),
        ENTRY("{\"npm\": \"x\", \"bytes\": 1, \"sha256\": \"" H64 "\", \"paths\": {\"a\": \"b\"}}"),
        ENTRY("{\"npm\": \"../x@1\", \"bytes\": 1, \"sha256\": \"" H64
              "\", \"paths\": {\"a\": \"b\"}}"),
        ENTRY("{\"npm\": \"x@1\", \"bytes\": 1, \"sha256\": \"" H64
              "\", \"paths\": {\"a\": \"/b\"}}"),
        ENTRY("{\"npm\": \"x@1\", \"bytes\": 1, \"sha256\": \"" H64 "\", \"paths\": {}}"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cfg_catalog c;
        struct luc_error err = { 0 };
        assert_int_equal(cfg_catalog_parse(cases[i], p->arena, &c, &err), LUC_FORMAT);
        assert_non_null(strstr(err.text, "catalog of networks"));
    }
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(pull__from_a_file_then_says_it_is_there),
        IN_PLACE(pull__knows_when_a_description_is_not_the_catalogs),
        IN_PLACE(pull__goes_on_where_the_connection_dropped),
        IN_PLACE(pull__broken_off_resumes_the_next_time),
        IN_PLACE(pull__starts_over_where_ranges_are_not_served),
        IN_PLACE(pull__wrong_hash_leaves_nothing),
        IN_PLACE(pull__wrong_size_leaves_nothing),
        IN_PLACE(pull__names_what_the_server_said),
        IN_PLACE(pull__does_not_follow_a_plain_redirect),
        IN_PLACE(pull__keeps_a_folder_that_is_not_its_own),
        IN_PLACE(fetch__can_be_given_up),
        IN_PLACE(unpack__takes_what_is_listed_and_nothing_else),
        IN_PLACE(unpack__refuses_odd_packages),
        IN_PLACE(pull__fetches_a_shared_package_once),
        IN_PLACE(catalog__of_the_program_is_sound),
        IN_PLACE(catalog__errors_name_the_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
