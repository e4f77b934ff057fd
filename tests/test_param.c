#include "core/base/param.h"

#include <setjmp.h>
#include <stdarg.h>
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
};

static const struct luc_param table[] = {
    LUC_INT(struct params, count, 3, 1, 10, "", "How many"),
    LUC_CHOICE(struct params, colour, 1, 2, colours, "Which colour"),
    LUC_BOOL(struct params, loud, 0, "Whether to shout"),
    LUC_REAL(struct params, ratio, 0.5, 0, 1, "", "A ratio"),
    LUC_TEXT(struct params, name, "bob", "A name"),
    LUC_INTS(struct params, sizes, "128,256", 1, 4096, "px", "Sizes"),
    LUC_REALS(struct params, weights, "", 0, 100, "", "Weights"),
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
        { "weights", "1,2;3" },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(param__defaults_come_from_the_table),
        cmocka_unit_test(param__print_reads_back_to_the_same_bytes),
        cmocka_unit_test(param__a_refused_value_changes_nothing_and_names_the_key),
        cmocka_unit_test(param__seventeen_values_do_not_fit_a_list),
    };
    return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
