#include "core/base/file.h"
#include "core/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void hash__matches_the_published_vectors(void **state)
{
    (void)state;
    struct luc_hash h = { 0 };
    char text[LUC_HASH_HEX_MAX];
    assert_int_equal(luc_hash_init(&h, LUC_SHA256, NULL), LUC_OK);
    luc_hash_update(&h, "a", 1);
    luc_hash_update(&h, "bc", 2);
    assert_int_equal(luc_hash_finish_hex(&h, text, NULL), LUC_OK);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(luc_hash_init(&h, LUC_SHA512, NULL), LUC_OK);
    luc_hash_update(&h, "abc", 3);
    assert_int_equal(luc_hash_finish_hex(&h, text, NULL), LUC_OK);
    assert_string_equal(text, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    luc_hash_done(&h);
}

static void hex__reads_back_and_refuses_the_rest(void **state)
{
    (void)state;
    unsigned char b[3] = { 0 };
    assert_true(luc_hex_decode("00fFa9", b, 3));
    assert_memory_equal(b, "\x00\xff\xa9", 3);
    char text[7];
    luc_hex_encode(b, 3, text);
    assert_string_equal(text, "00ffa9");
    assert_false(luc_hex_decode("00ffa", b, 3));
    assert_false(luc_hex_decode("00ffag", b, 3));
    assert_false(luc_hex_decode("00ffa900", b, 3));
}

static void path__stays_below_its_directory(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "a.bin", "a/b.bin", "..a", "a..", "...", ".x" };
    static const char *const bad[] = { "",     "/a",   "a/",     "a//b", "..",
                                       "../a", "a/..", "a/../b", ".",    "./a",
                                       "a\\b", "a\nb", "a/./b",  "/",    "\x7f" };
    char out[16];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(luc_path_is_below(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(luc_path_join("d", bad[i], out, sizeof(out), NULL), LUC_FORMAT);
    assert_int_equal(luc_path_join("dir", "a/b", out, sizeof(out), NULL), LUC_OK);
    assert_string_equal(out, "dir/a/b");
    assert_int_equal(luc_path_join("dir", "123456789012", out, sizeof(out), NULL), LUC_TOO_LARGE);
}

static void file__is_read_and_mapped_whole_or_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/lucida-file-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
    struct luc_file f = { 0 };
    assert_int_equal(luc_file_map(path, 5, &f, NULL), LUC_OK);
    assert_int_equal(f.size, 5);
    assert_memory_equal(f.bytes, "hello", 5);
    luc_file_unmap(&f);
    assert_null(f.bytes);
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(luc_file_read(path, 5, &text, &n, NULL), LUC_OK);
    assert_int_equal(n, 5);
    assert_string_equal(text, "hello");
    free(text);
    struct luc_error err = { 0 };
    assert_int_equal(luc_file_map(path, 4, &f, &err), LUC_TOO_LARGE);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(luc_file_map("/tmp", 4, &f, &err), LUC_IO);
    unlink(path);
    assert_int_equal(luc_file_read(path, 5, &text, &n, &err), LUC_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash__matches_the_published_vectors),
        cmocka_unit_test(hex__reads_back_and_refuses_the_rest),
        cmocka_unit_test(path__stays_below_its_directory),
        cmocka_unit_test(file__is_read_and_mapped_whole_or_refused),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
