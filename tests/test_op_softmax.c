/* Softmax and LogSoftmax. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void softmax__normalises_the_last_axis_since_opset_13(void **state)
{
    (void)state;
    /* e^0, e^1, e^2 over their sum; large values do not overflow */
    optest_values(&(struct optest){
        .op = "Softmax",
        .n_in = 1,
        .in = { { .shape = DIMS(2, 3), .values = LIST(0, 1, 2, 1000, 1001, 1002) } },
        .shape = { DIMS(2, 3) },
        .want = {
            LIST(0.09003057f, 0.24472847f, 0.66524096f, 0.09003057f, 0.24472847f, 0.66524096f) } });
    optest_values(&(struct optest){ .op = "Softmax",
                                    .attrs = "axis=0",
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(2, 2), .values = LIST(0, 5, 0, 5) } },
                                    .shape = { DIMS(2, 2) },
                                    .want = { LIST(0.5f, 0.5f, 0.5f, 0.5f) } });
}

static void softmax__joins_all_axes_from_1_on_before_opset_13(void **state)
{
    (void)state;
    optest_values(
        &(struct optest){ .op = "Softmax",
                          .opset = 11,
                          .n_in = 1,
                          .in = { { .shape = DIMS(1, 2, 2), .values = LIST(3, 3, 3, 3) } },
                          .shape = { DIMS(1, 2, 2) },
                          .want = { LIST(0.25f, 0.25f, 0.25f, 0.25f) } });
}

static void log_softmax__is_the_logarithm_of_softmax(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "LogSoftmax",
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(1, 3), .values = LIST(0, 1, 2) } },
                                    .shape = { DIMS(1, 3) },
                                    .want = { LIST(-2.4076059f, -1.4076059f, -0.4076059f) } });
}

static void softmax__backward_matches_finite_difference(void **state)
{
    (void)state;
    const char *const op[] = { "Softmax", "LogSoftmax" };
    const char *const axis[] = { "axis=-1", "axis=1", "axis=0" };
    for (int i = 0; i < 6; i++) {
        optest_gradient(&(struct optest){ .op = op[i % 2],
                                          .attrs = axis[i / 2],
                                          .n_in = 1,
                                          .in = { { .shape = DIMS(3, 5, 4) } } });
        optest_gradient(&(struct optest){ .op = op[i % 2],
                                          .opset = 9,
                                          .attrs = axis[i / 2],
                                          .n_in = 1,
                                          .in = { { .shape = DIMS(2, 3, 4) } } });
    }
    optest_gradient(&(struct optest){
        .op = "Softmax", .attrs = "axis=1", .n_in = 1, .in = { { .shape = DIMS(2, 3, 150) } } });
}

static void softmax__refuses_axes_that_do_not_exist_and_integers(void **state)
{
    (void)state;
    optest_refuses(
        &(struct optest){
            .op = "Softmax", .attrs = "axis=2", .n_in = 1, .in = { { .shape = DIMS(2, 3) } } },
        LUC_SHAPE, "axis 2");
    optest_refuses(&(struct optest){ .op = "Softmax",
                                     .n_in = 1,
                                     .in = { { .shape = DIMS(2, 3), .dtype = LUC_I32 } } },
                   LUC_UNSUPPORTED, "integers");
    optest_refuses(&(struct optest){ .op = "Softmax", .n_in = 1, .in = { ABSENT } }, LUC_INVALID,
                   "missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax__normalises_the_last_axis_since_opset_13),
        cmocka_unit_test(softmax__joins_all_axes_from_1_on_before_opset_13),
        cmocka_unit_test(log_softmax__is_the_logarithm_of_softmax),
        cmocka_unit_test(softmax__backward_matches_finite_difference),
        cmocka_unit_test(softmax__refuses_axes_that_do_not_exist_and_integers),
    };
    return cmocka_run_group_tests_name("op_softmax", tests, NULL, NULL);
}
