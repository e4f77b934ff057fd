#include "core/base/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const colours[] = { "red", "green", NULL };

struct params {
    int64_t count, colour, loud;
    double ratio;
    char name[LUC_TEXT_MAX];
    struct luc_ints sizes;
    struct luc_reals weights;
    struct luc_auto_int shift;
    struct luc_auto_real blur;
    int64_t room, patience;
};

static const struct luc_param table[] = {
    LUC_INT(struct params, count, 3, 1, 10, "", "How many"),
    LUC_CHOICE(struct params, colour, 1, 2, colours, "Which colour"),
    LUC_BOOL(struct params, loud, 0, "Whether to shout"),
    LUC_REAL(struct params, ratio, 0.5, 0, 1, "", "A ratio"),
    LUC_TEXT(struct params, name, "bob", "A name"),
    LUC_INTS(struct params, sizes, "128,256", 1, 4096, "px", "Sizes"),
    LUC_REALS(struct params, weights, "", 0, 100, "", "Weights"),
    LUC_AUTO_INT(struct params, shift, -1, 0, 256, "px", "A shift"),
    LUC_AUTO_REAL(struct params, blur, -1, 0, 2.5, "px", "A blur"),
    LUC_BYTES(struct params, room, 32 << 20, 1024, 0x1p40, "Room"),
    LUC_SECONDS(struct params, patience, 30, 1, 86400, "Patience"),
    LUC_PARAM_END,
};

static void param__defaults_come_from_the_table(void **state)
{
    (void)state;
    struct params p;
    assert_int_equal(luc_params_verify(table, NULL), LUC_OK);
    luc_params_default(table, &p);
    assert_int_equal(p.count, 3);
    assert_int_equal(p.colour, 1);
    assert_string_equal(p.name, "bob");
    assert_int_equal(p.sizes.n, 2);
    assert_int_equal(p.sizes.v[1], 256);
    assert_int_equal(p.weights.n, 0);
}

static void param__print_reads_back_to_the_same_bytes(void **state)
{
    (void)state;
    struct params a, b;
    memset(&a, 0, sizeof(a)), memset(&b, 0, sizeof(b));
    luc_params_default(table, &a), luc_params_default(table, &b);
    assert_int_equal(luc_param_set(table, "ratio", "0.333333333333333", &a, NULL), LUC_OK);
    assert_int_equal(luc_param_set(table, "weights", "1,0.25,100", &a, NULL), LUC_OK);
    assert_int_equal(luc_param_set(table, "loud", "yes", &a, NULL), LUC_OK);
    for (const struct luc_param *row = table; row->key; row++) {
        struct luc_str text = { 0 };
        luc_param_print(row, &a, &text);
        assert_int_equal(luc_param_set(table, row->key, text.data ? text.data : "", &b, NULL),
                         LUC_OK);
        luc_str_done(&text);
    }
    assert_memory_equal(&a, &b, sizeof(a));
}

static void param__a_refused_value_changes_nothing_and_names_the_key(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        { "count", "0" },       { "count", "11" },    { "count", "2.5" },  { "count", "" },
        { "count", "0x3" },     { "count", " 3" },    { "count", "nan" },  { "ratio", "inf" },
        { "ratio", "1.0001" },  { "colour", "blue" }, { "loud", "maybe" }, { "sizes", "1,,2" },
        { "sizes", "1,2," },    { "sizes", "0" },     { "sizes", "1.5" },  { "weights", "x" },
        { "weights", "1,2;3" }, { "shift", "-2" },    { "shift", "257" },  { "shift", "1.5" },
        { "shift", "Auto" },    { "blur", "-0.5" },   { "blur", "2.6" },   { "blur", "auto " },
        { "room", "32MB" },     { "room", "1023" },   { "room", "2T" },    { "room", "M" },
        { "room", "" },         { "room", "0.3K" },   { "room", "32 M" },  { "patience", "2d" },
        { "patience", "0.5s" }, { "patience", "1w" }, { "patience", "0" },
    };
    struct params p, before;
    memset(&p, 0, sizeof(p));
    luc_params_default(table, &p);
    before = p;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct luc_error err = { 0 };
        const enum luc_status st = luc_param_set(table, bad[i][0], bad[i][1], &p, &err);
        assert_true(st == LUC_INVALID || st == LUC_RANGE);
        assert_string_equal(err.param, bad[i][0]);
        assert_memory_equal(&p, &before, sizeof(p));
    }
    assert_int_equal(luc_param_set(table, "nope", "1", &p, NULL), LUC_NOT_FOUND);
}

static void param__seventeen_values_do_not_fit_a_list(void **state)
{
    (void)state;
    struct params p;
    luc_params_default(table, &p);
    assert_int_equal(
        luc_param_set(table, "sizes", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &p, NULL),
        LUC_RANGE);
    assert_int_equal(p.sizes.n, 2);
}

static const char *printed(const char *key, const void *src, char text[64])
{
    struct luc_str out = { 0 };
    luc_param_print(luc_param_find(table, key), src, &out);
    snprintf(text, 64, "%s", out.data);
    luc_str_done(&out);
    return text;
}

static void param__auto_is_no_number_and_is_what_was_written_for_it_before(void **state)
{
    (void)state;
    static const char *const words[] = { "auto", "", "-1" };
    struct params p;
    char text[64];
    luc_params_default(table, &p);
    assert_false(p.shift.given);
    assert_int_equal(luc_int_or(p.shift, 8), 8);
    assert_string_equal(printed("blur", &p, text), "auto");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(luc_param_set(table, "shift", "0", &p, NULL), LUC_OK);
        assert_true(p.shift.given);
        assert_int_equal(luc_int_or(p.shift, 8), 0);
        assert_string_equal(printed("shift", &p, text), "0");
        assert_int_equal(luc_param_set(table, "shift", words[i], &p, NULL), LUC_OK);
        assert_false(p.shift.given);
        assert_int_equal(p.shift.v, 0);
    }
    const double third = 1.0 / 3;
    assert_int_equal(luc_param_set_numbers(table, "blur", &third, 1, &p, NULL), LUC_OK);
    assert_true(luc_real_or(p.blur, 0) == third);
    assert_int_equal(luc_param_set(table, "blur", printed("blur", &p, text), &p, NULL), LUC_OK);
    assert_true(p.blur.v == third); /* to the last bit */
}

static void param__sizes_and_times_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *back;
        int64_t value;
    } all[] = {
        { "room", "1024", "1K", 1024 },          { "room", "1500MiB", "1500M", 1500 << 20 },
        { "room", "1.5G", "1536M", 1536 << 20 }, { "room", "1T", "1T", 1ll << 40 },
        { "room", "4097B", "4097B", 4097 },      { "patience", "90", "90s", 90 },
        { "patience", "90s", "90s", 90 },        { "patience", "1.5h", "90m", 5400 },
        { "patience", "24h", "1d", 86400 },
    };
    struct luc_error err = { 0 };
    struct params p;
    char text[64];
    luc_params_default(table, &p);
    assert_string_equal(printed("room", &p, text), "32M");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_int_equal(luc_param_set(table, all[i].key, all[i].text, &p, NULL), LUC_OK);
        assert_int_equal(*all[i].key == 'r' ? p.room : p.patience, all[i].value);
        assert_string_equal(printed(all[i].key, &p, text), all[i].back);
    }
    assert_int_equal(luc_param_set(table, "room", "2T", &p, &err), LUC_RANGE);
    assert_string_equal(err.text, "room: 2T is outside [1K, 1T]");
}

static void param__help_says_what_may_be_given(void **state)
{
    (void)state;
    static const char *const want[][2] = {
        { "count", "(1 to 10, default 3)" },
        { "colour", "(red | green [default])" },
        { "loud", "(default false)" },
        { "sizes", "(default '128,256')" },
        { "shift", "(0 to 256 px, default auto)" },
        { "room", "(1K to 1T, default 32M)" },
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct luc_str out = { 0 };
        luc_param_help(luc_param_find(table, want[i][0]), &out);
        assert_string_equal(out.data, want[i][1]);
        luc_str_done(&out);
    }
}

static void param__a_number_within_the_bounds_cannot_mean_auto(void **state)
{
    (void)state;
    static const struct luc_param wrong[] = {
        LUC_AUTO_INT(struct params, shift, 0, 0, 256, "px", "A shift"),
        LUC_PARAM_END,
    };
    assert_int_equal(luc_params_verify(wrong, NULL), LUC_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(param__defaults_come_from_the_table),
        cmocka_unit_test(param__print_reads_back_to_the_same_bytes),
        cmocka_unit_test(param__a_refused_value_changes_nothing_and_names_the_key),
        cmocka_unit_test(param__seventeen_values_do_not_fit_a_list),
        cmocka_unit_test(param__auto_is_no_number_and_is_what_was_written_for_it_before),
        cmocka_unit_test(param__sizes_and_times_have_units),
        cmocka_unit_test(param__help_says_what_may_be_given),
        cmocka_unit_test(param__a_number_within_the_bounds_cannot_mean_auto),
    };
    return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
