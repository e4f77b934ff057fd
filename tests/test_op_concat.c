/* Concat. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void concat__joins_along_any_axis(void **state)
{
    (void)state;
    struct optest t = { .op = "Concat",
                        .attrs = "axis=1",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 1), .values = LIST(1, 2) },
                                { .shape = DIMS(2, 2), .values = LIST(3, 4, 5, 6) } },
                        .shape = { DIMS(2, 3) },
                        .want = { LIST(1, 3, 4, 2, 5, 6) } };
    optest_values(&t);
    t.attrs = "axis=-1";
    optest_values(&t);
    optest_values(&(struct optest){ .op = "Concat",
                                    .attrs = "axis=0",
                                    .n_in = 3,
                                    .in = { KNOWN(1, 8), KNOWN(2, 9, 10), KNOWN(1, 11) },
                                    .shape = { DIMS(4) },
                                    .dtype = LUC_I64,
                                    .want = { LIST(8, 9, 10, 11) } });
}

static void concat__backward_matches_finite_difference(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){ .op = "Concat",
                                      .attrs = "axis=1",
                                      .n_in = 3,
                                      .in = { { .shape = DIMS(2, 3, 4) },
                                              { .shape = DIMS(2, 1, 4) },
                                              { .shape = DIMS(2, 2, 4) } } });
}

static void concat__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct optest t = { .op = "Concat",
                        .attrs = "axis=1",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 3) }, { .shape = DIMS(3, 3) } } };
    optest_refuses(&t, LUC_SHAPE, "cannot join 2x3 and 3x3");
    t.in[1].shape = (struct luc_shape)DIMS(2);
    optest_refuses(&t, LUC_SHAPE, "cannot join");
    t.attrs = NULL; /* must be given */
    optest_refuses(&t, LUC_SHAPE, "axis");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concat__joins_along_any_axis),
        cmocka_unit_test(concat__backward_matches_finite_difference),
        cmocka_unit_test(concat__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests_name("op_concat", tests, NULL, NULL);
}
