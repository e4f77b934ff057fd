#include "config/config.h"
#include "core/base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(text) ((char[]){ text }) /* argv and environ are not const */

static void table__is_well_formed(void **state)
{
    (void)state;
    struct luc_error err = { 0 };
    assert_int_equal(luc_params_verify(cfg_rows, &err), LUC_OK);
}

static void file__in_the_repository_is_the_table(void **state)
{
    (void)state;
    struct cfg c;
    struct luc_str now = { 0 };
    struct luc_error err = { 0 };
    char *kept = NULL;
    cfg_default(&c);
    cfg_print(&c, &now);
    assert_int_equal(luc_file_read("config/lucida.conf", 1 << 20, &kept, NULL, &err), LUC_OK);
    assert_string_equal(kept, now.data); /* else: lucida config --dump > config/lucida.conf */
    free(kept);
    luc_str_done(&now);
}

static void file__read_back_gives_the_same_settings(void **state)
{
    (void)state;
    struct cfg a, b;
    struct luc_str text = { 0 };
    struct luc_error err = { 0 };
    cfg_default(&a);
    assert_int_equal(cfg_read_text(&a, "queue=7\n\n listen = [::1]:0 # x\ninsecure=yes", "f", &err),
                     LUC_OK);
    assert_int_equal(a.queue, 7);
    assert_string_equal(a.listen, "[::1]:0");
    assert_int_equal(a.insecure, 1);
    cfg_print(&a, &text);
    cfg_default(&b);
    assert_int_equal(cfg_read_text(&b, text.data, "f", &err), LUC_OK);
    assert_memory_equal(&a, &b, sizeof(a));
    luc_str_done(&text);
}

static void file__errors_name_the_line_and_change_nothing(void **state)
{
    (void)state;
    struct cfg c, before;
    struct luc_error err = { 0 };
    cfg_default(&c);
    before = c;
    assert_int_equal(cfg_read_text(&c, "queue = 5\nqueues = 3\n", "a.conf", &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "a.conf:2"));
    assert_int_equal(cfg_read_text(&c, "queue = 0\n", "a.conf", &err), LUC_RANGE);
    assert_int_equal(cfg_read_text(&c, "queue\n", "a.conf", &err), LUC_INVALID);
    assert_memory_equal(&c, &before, sizeof(c));
}

static void load__flag_beats_environment_beats_file_beats_default(void **state)
{
    (void)state;
    char path[] = "/tmp/lucida-conf-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fputs("queue = 2\nconnections = 3\nidle_s = 4s\n", f);
    fclose(f);
    char *env[] = { S("HOME=/h"), S("LUCIDA_CONNECTIONS=5"), S("LUCIDA_IDLE_S=6"), S("OTHER=1"),
                    NULL };
    char *argv[] = { S("serve"),      S("--config"),   path,    S("cat.jpg"),
                     S("--idle-s=7"), S("--insecure"), S("-o"), S("--data"),
                     S("/d"),         S("--unknown"),  NULL };
    int argc = 10;
    struct cfg c;
    struct luc_error err = { 0 };
    assert_int_equal(cfg_load(&c, &argc, argv, env, &err), LUC_OK);
    assert_int_equal(cfg_paths(&c, env, &err), LUC_OK);
    assert_int_equal(c.queue, 2);
    assert_int_equal(c.connections, 5);
    assert_int_equal(c.idle_s, 7);
    assert_int_equal(c.insecure, 1);
    assert_string_equal(c.data, "/d");
    assert_string_equal(c.models, "/h/.local/share/lucida/models");
    assert_int_equal(argc, 4);
    assert_string_equal(argv[1], "cat.jpg");
    assert_string_equal(argv[2], "-o");
    assert_string_equal(argv[3], "--unknown");
    remove(path);
}

static void load__refuses_what_it_cannot_use(void **state)
{
    (void)state;
    struct cfg c;
    struct luc_error err = { 0 };
    char *home[] = { S("HOME=/h"), NULL }, *typo[] = { S("HOME=/h"), S("LUCIDA_QUEUES=1"), NULL };
    char *lone[] = { S("serve"), S("--queue"), NULL },
         *missing[] = { S("serve"), S("--config=/no/file"), NULL };
    char *plain[] = { S("serve"), NULL };
    int argc = 2;
    assert_int_equal(cfg_load(&c, &argc, lone, home, &err), LUC_INVALID);
    argc = 2;
    assert_int_equal(cfg_load(&c, &argc, missing, home, &err), LUC_IO);
    argc = 1;
    assert_int_equal(cfg_load(&c, &argc, plain, typo, &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "LUCIDA_QUEUES"));
    argc = 1;
    assert_int_equal(cfg_load(&c, &argc, plain, home, &err), LUC_OK);
    assert_int_equal(cfg_paths(&c, (char *[]){ NULL }, &err), LUC_INVALID);
}

static void config__every_row_reads_back_what_it_prints(void **state)
{
    (void)state;
    struct cfg c, again;
    cfg_default(&c);
    cfg_default(&again);
    for (const struct luc_param *row = cfg_rows; row->key; row++) {
        const struct luc_param_kind *k = luc_param_kind(row);
        const double all[] = { row->min, row->max, row->def, floor((row->min + row->max) / 3) };
        for (size_t i = 0; i < 4 && k->most; i++) {
            struct luc_str text = { 0 };
            assert_int_equal(luc_param_set_numbers(cfg_rows, row->key, &all[i], 1, &c, NULL),
                             LUC_OK);
            luc_param_print(row, &c, &text);
            assert_int_equal(luc_param_set(cfg_rows, row->key, text.data, &again, NULL), LUC_OK);
            assert_memory_equal((char *)&c + row->offset, (char *)&again + row->offset, k->size);
            luc_str_done(&text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__every_row_reads_back_what_it_prints),
        cmocka_unit_test(table__is_well_formed),
        cmocka_unit_test(file__in_the_repository_is_the_table),
        cmocka_unit_test(file__read_back_gives_the_same_settings),
        cmocka_unit_test(file__errors_name_the_line_and_change_nothing),
        cmocka_unit_test(load__flag_beats_environment_beats_file_beats_default),
        cmocka_unit_test(load__refuses_what_it_cannot_use),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
