#include "server/store/store_collections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The rows of collections, in the SQLite store. */
struct kept {
    char data[64];
    struct srv_store *store;
    struct luc_error err;
};

static const struct srv_collection_limits wide = { 100, 1000 };

static int make(void **state)
{
    struct kept *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    strcpy(k->data, "/tmp/lucida-coll-XXXXXX");
    assert_non_null(mkdtemp(k->data));
    assert_int_equal(srv_store_open(&srv_sql_sqlite, k->data, &k->store, &k->err), LUC_OK);
    *state = k;
    return 0;
}

static int clear(void **state)
{
    struct kept *k = *state;
    char command[128];
    srv_store_close(k->store);
    snprintf(command, sizeof(command), "rm -rf '%s'", k->data);
    assert_int_equal(system(command), 0);
    free(k);
    return 0;
}

/* A picture whose hash is one letter, 64 times. */
static struct api_new_picture picture(char letter, const char *label)
{
    static char hashes[26][65];
    char *hash = hashes[letter - 'a'];
    memset(hash, letter, 64);
    return (struct api_new_picture){ .ref = { hash, "p.png", label, 10, 3, 2 },
                                     .bytes = "0123456789",
                                     .type = "image/png" };
}

static enum luc_status add(struct kept *k, const char *owner, const char *id, const char *letters,
                           const char *label, const struct srv_collection_limits *limits,
                           size_t *n_added)
{
    struct api_new_picture all[16];
    const size_t n = strlen(letters);
    for (size_t i = 0; i < n; i++)
        all[i] = picture(letters[i], label);
    *n_added = 99;
    return srv_store_collection_add(k->store, owner, id, all, n, limits, n_added, &k->err);
}

static void append_letter(void *to, const struct api_kept_picture *p)
{
    strncat(to, p->ref.sha256, 1);
    strcat(to, p->ref.label);
}

/* "ab": the pictures in order, each with its label behind it. */
static const char *letters_of(struct kept *k, const char *id)
{
    static char text[256];
    text[0] = '\0';
    assert_int_equal(
        srv_store_collection_pictures(k->store, "", id, NULL, 0, 100, append_letter, text, &k->err),
        LUC_OK);
    return text;
}

static void add__keeps_each_picture_once_in_order(void **state)
{
    struct kept *k = *state;
    struct api_collection row;
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(srv_store_collection_create(k->store, "", "two", "Two", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "cabc", "", &wide, &n), LUC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(add(k, "", "one", "bd", "!", &wide, &n), LUC_OK);
    assert_int_equal(n, 1);
    assert_string_equal(letters_of(k, "one"), "cab!d!");
    assert_int_equal(add(k, "", "one", "b", "", &wide, &n), LUC_OK); /* the label stays */
    assert_string_equal(letters_of(k, "one"), "cab!d!");
    assert_int_equal(srv_store_collection_get(k->store, "", "one", &row, &k->err), LUC_OK);
    assert_int_equal(row.n_images, 4);
    assert_int_equal(row.bytes, 40);
    assert_string_equal(row.name, "One");
    assert_true(row.created_ms > 0);
    assert_int_equal(srv_store_collection_get(k->store, "", "two", &row, &k->err), LUC_OK);
    assert_int_equal(row.n_images, 0);
    assert_int_equal(row.bytes, 0);
}

static void add__over_a_limit_leaves_nothing(void **state)
{
    static const struct srv_collection_limits three = { 3, 1000 }, bytes = { 100, 35 };
    struct kept *k = *state;
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "ab", "", &three, &n), LUC_OK);
    assert_int_equal(add(k, "", "one", "cd", "!", &three, &n), LUC_TOO_LARGE);
    assert_int_equal(n, 99);
    assert_int_equal(add(k, "", "one", "cd", "!", &bytes, &n), LUC_TOO_LARGE);
    assert_string_equal(letters_of(k, "one"), "ab");
    assert_false(srv_store_uses(k->store, picture('c', "").ref.sha256));
    assert_true(srv_store_uses(k->store, picture('a', "").ref.sha256));
    assert_int_equal(add(k, "", "one", "ac", "", &three, &n), LUC_OK);
}

static void create__over_the_limit_is_refused(void **state)
{
    struct kept *k = *state;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 1, &k->err), LUC_OK);
    assert_int_equal(srv_store_collection_create(k->store, "", "two", "Two", 1, &k->err),
                     LUC_INVALID);
    assert_int_equal(srv_store_collection_remove(k->store, "", "one", NULL, &k->err), LUC_OK);
    assert_int_equal(srv_store_collection_create(k->store, "", "two", "Two", 1, &k->err), LUC_OK);
}

static void append_id(void *to, const struct api_collection *row)
{
    strcat(to, row->id);
}

static void others__collections_do_not_exist(void **state)
{
    struct kept *k = *state;
    struct api_collection row;
    char ids[64] = "";
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "k1", "one", "One", 10, &k->err),
                     LUC_OK);
    assert_int_equal(srv_store_collection_create(k->store, "k2", "two", "Two", 10, &k->err),
                     LUC_OK);
    assert_int_equal(srv_store_collection_get(k->store, "k2", "one", &row, &k->err), LUC_NOT_FOUND);
    assert_int_equal(add(k, "k2", "one", "a", "", &wide, &n), LUC_NOT_FOUND);
    assert_int_equal(srv_store_collection_remove(k->store, "k2", "one", NULL, &k->err),
                     LUC_NOT_FOUND);
    assert_int_equal(srv_store_collection_list(k->store, "k1", 0, 10, append_id, ids, &k->err),
                     LUC_OK);
    assert_string_equal(ids, "one");
}

static void list__goes_on_at_its_cursor(void **state)
{
    struct kept *k = *state;
    struct api_collection row;
    char ids[64] = "", letters[64] = "";
    size_t n = 0;
    for (char c = 'a'; c < 'e'; c++)
        assert_int_equal(
            srv_store_collection_create(k->store, "", (char[]){ c, '\0' }, "N", 10, &k->err),
            LUC_OK);
    assert_int_equal(srv_store_collection_list(k->store, "", 0, 2, append_id, ids, &k->err),
                     LUC_OK);
    assert_string_equal(ids, "dc");
    assert_int_equal(srv_store_collection_get(k->store, "", "c", &row, &k->err), LUC_OK);
    assert_int_equal(
        srv_store_collection_list(k->store, "", row.cursor, 9, append_id, ids, &k->err), LUC_OK);
    assert_string_equal(ids, "dcba");
    assert_int_equal(add(k, "", "a", "xyz", "", &wide, &n), LUC_OK);
    assert_int_equal(srv_store_collection_pictures(k->store, "", "a", NULL, 1, 1, append_letter,
                                                   letters, &k->err),
                     LUC_OK);
    assert_string_equal(letters, "y");
}

static void append_count(void *to, const char *label, size_t n)
{
    char *end = (char *)to + strlen(to);
    snprintf(end, 32, "%s%zu ", label, n);
}

static void labels__are_counted_most_frequent_first(void **state)
{
    struct kept *k = *state;
    char text[128] = "";
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "a", "cat", &wide, &n), LUC_OK);
    assert_int_equal(add(k, "", "one", "bc", "dog", &wide, &n), LUC_OK);
    assert_int_equal(add(k, "", "one", "d", "", &wide, &n), LUC_OK);
    assert_int_equal(
        srv_store_collection_labels(k->store, "", "one", 9, append_count, text, &k->err), LUC_OK);
    assert_string_equal(text, "dog2 cat1 ");
}

static bool knows(struct kept *k, const char *name, char letter)
{
    void *bytes = NULL;
    size_t size = 0;
    assert_int_equal(
        srv_store_recall(k->store, name, picture(letter, "").ref.sha256, &bytes, &size, &k->err),
        LUC_OK);
    const bool is = bytes != NULL;
    free(bytes);
    return is;
}

static enum luc_status keep(struct kept *k, const char *name, char letter, const char *text)
{
    return srv_store_keep(k->store, name, picture(letter, "").ref.sha256, text, strlen(text),
                          &k->err);
}

static void features__live_as_long_as_some_collection_has_the_picture(void **state)
{
    struct kept *k = *state;
    size_t n = 0, size = 0;
    void *bytes = NULL;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(srv_store_collection_create(k->store, "", "two", "Two", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "ab", "", &wide, &n), LUC_OK);
    assert_int_equal(add(k, "", "two", "b", "", &wide, &n), LUC_OK);
    assert_int_equal(keep(k, "f", 'a', "of a"), LUC_OK);
    assert_int_equal(keep(k, "f", 'b', "first"), LUC_OK);
    assert_int_equal(keep(k, "f", 'b', "of b"), LUC_OK);
    assert_int_equal(keep(k, "f", 'c', "of c"), LUC_OK); /* in no collection: not kept */
    assert_false(knows(k, "f", 'c'));
    assert_false(knows(k, "g", 'a'));
    assert_int_equal(
        srv_store_recall(k->store, "f", picture('b', "").ref.sha256, &bytes, &size, &k->err),
        LUC_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "of b", 4);
    free(bytes);
    assert_int_equal(
        srv_store_collection_remove(k->store, "", "one", picture('a', "").ref.sha256, &k->err),
        LUC_OK);
    assert_false(knows(k, "f", 'a'));
    assert_int_equal(srv_store_collection_remove(k->store, "", "one", NULL, &k->err), LUC_OK);
    assert_true(knows(k, "f", 'b'));
    assert_int_equal(srv_store_collection_remove(k->store, "", "two", NULL, &k->err), LUC_OK);
    assert_false(knows(k, "f", 'b'));
    assert_false(srv_store_uses(k->store, picture('b', "").ref.sha256));
}

static void trim__forgets_the_oldest(void **state)
{
    struct kept *k = *state;
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "abc", "", &wide, &n), LUC_OK);
    assert_int_equal(keep(k, "f", 'a', "1234"), LUC_OK);
    assert_int_equal(keep(k, "f", 'b', "1234"), LUC_OK);
    assert_int_equal(keep(k, "f", 'c', "1234"), LUC_OK);
    assert_int_equal(srv_store_trim(k->store, 8, &k->err), LUC_OK);
    assert_false(knows(k, "f", 'a'));
    assert_true(knows(k, "f", 'b') && knows(k, "f", 'c'));
}

static void collections__are_there_after_reopening(void **state)
{
    struct kept *k = *state;
    size_t n = 0;
    assert_int_equal(srv_store_collection_create(k->store, "", "one", "One", 10, &k->err), LUC_OK);
    assert_int_equal(add(k, "", "one", "ab", "x", &wide, &n), LUC_OK);
    k->store = srv_store_close(k->store);
    assert_int_equal(srv_store_open(&srv_sql_sqlite, k->data, &k->store, &k->err), LUC_OK);
    assert_string_equal(letters_of(k, "one"), "axbx");
    assert_int_equal(srv_store_check(k->store, &k->err), LUC_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, clear)
    const struct CMUnitTest tests[] = {
        T(add__keeps_each_picture_once_in_order),
        T(add__over_a_limit_leaves_nothing),
        T(create__over_the_limit_is_refused),
        T(others__collections_do_not_exist),
        T(list__goes_on_at_its_cursor),
        T(labels__are_counted_most_frequent_first),
        T(features__live_as_long_as_some_collection_has_the_picture),
        T(trim__forgets_the_oldest),
        T(collections__are_there_after_reopening),
    };
    return cmocka_run_group_tests_name("collections", tests, NULL, NULL);
}
