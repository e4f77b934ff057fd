/* Equal, Greater, Less and relations of truth values; Where, which uses them. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void compare__gives_truth_values(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        float want[3];
    } rows[] = {
        { "Equal", { 0, 1, 0 } }, { "Greater", { 0, 0, 1 } },     { "GreaterOrEqual", { 0, 1, 1 } },
        { "Less", { 1, 0, 0 } },  { "LessOrEqual", { 1, 1, 0 } }, { "And", { 0, 1, 1 } },
        { "Or", { 1, 1, 1 } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        optest_values(&(struct optest){ .op = rows[i].op,
                                        .n_in = 2,
                                        .in = { { .shape = DIMS(3), .values = LIST(0, 1, 2) },
                                                { .shape = SCALAR, .values = LIST(1) } },
                                        .shape = { DIMS(3) },
                                        .dtype = LUC_BOOL,
                                        .want = { rows[i].want } });
    optest_values(
        &(struct optest){ .op = "Not",
                          .n_in = 1,
                          .in = { { .shape = DIMS(2), .values = LIST(0, 1), .dtype = LUC_BOOL } },
                          .shape = { DIMS(2) },
                          .dtype = LUC_BOOL,
                          .want = { LIST(1, 0) } });
}

static void where__chooses_and_broadcasts(void **state)
{
    (void)state;
    struct optest t = { .op = "Where",
                        .n_in = 3,
                        .in = { { .shape = DIMS(2, 1), .values = LIST(1, 0), .dtype = LUC_BOOL },
                                { .shape = DIMS(3), .values = LIST(1, 2, 3) },
                                { .shape = SCALAR, .values = LIST(9) } },
                        .shape = { DIMS(2, 3) },
                        .want = { LIST(1, 2, 3, 9, 9, 9) } };
    optest_values(&t);
    optest_gradient(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare__gives_truth_values),
        cmocka_unit_test(where__chooses_and_broadcasts),
    };
    return cmocka_run_group_tests_name("op_compare", tests, NULL, NULL);
}
