/* Pad, in every mode. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void pad__fills_the_border_by_mode(void **state)
{
    (void)state;
    static const char *const mode[] = { "mode=constant", "mode=reflect", "mode=edge", "mode=wrap" };
    static const float want[4][7] = { { 9, 9, 1, 2, 3, 9, 9 },
                                      { 3, 2, 1, 2, 3, 2, 1 },
                                      { 1, 1, 1, 2, 3, 3, 3 },
                                      { 2, 3, 1, 2, 3, 1, 2 } };
    for (int i = 0; i < 4; i++)
        optest_values(&(struct optest){ .op = "Pad",
                                        .attrs = mode[i],
                                        .opset = 19,
                                        .n_in = 3,
                                        .in = { { .shape = DIMS(3), .values = LIST(1, 2, 3) },
                                                KNOWN(2, 2, 2),
                                                { .shape = SCALAR, .values = LIST(9) } },
                                        .shape = { DIMS(7) },
                                        .want = { want[i] } });
}

static void pad__takes_attributes_before_opset_11(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Pad",
                                    .attrs = "pads=0,1,1,0 value=5",
                                    .opset = 9,
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(2, 2), .values = LIST(1, 2, 3, 4) } },
                                    .shape = { DIMS(3, 3) },
                                    .want = { LIST(5, 1, 2, 5, 3, 4, 5, 5, 5) } });
}

static void pad__cuts_where_pads_are_negative(void **state)
{
    (void)state;
    optest_values(&(struct optest){
        .op = "Pad",
        .n_in = 2,
        .in = { { .shape = DIMS(4), .values = LIST(1, 2, 3, 4) }, KNOWN(2, -1, 1) },
        .shape = { DIMS(4) },
        .want = { LIST(2, 3, 4, 0) } });
}

static void pad__knows_the_axes_it_is_about(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Pad",
                                    .opset = 18,
                                    .n_in = 4,
                                    .in = { { .shape = DIMS(2, 2), .values = LIST(1, 2, 3, 4) },
                                            KNOWN(2, 0, 1),
                                            ABSENT,
                                            KNOWN(1, -1) },
                                    .shape = { DIMS(2, 3) },
                                    .want = { LIST(1, 2, 0, 3, 4, 0) } });
}

static void pad__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const mode[] = { "constant", "reflect", "edge", "wrap" };
    for (int i = 0; i < 4; i++) {
        char attrs[64];
        snprintf(attrs, sizeof(attrs), "mode=%s", mode[i]);
        optest_gradient(&(struct optest){
            .op = "Pad",
            .attrs = attrs,
            .n_in = 2,
            .in = { { .shape = DIMS(2, 3, 4, 5) }, KNOWN(8, 0, 0, 2, 1, 0, 0, 1, 3) } });
        optest_gradient(
            &(struct optest){ .op = "Pad",
                              .attrs = attrs,
                              .n_in = 2,
                              .in = { { .shape = DIMS(3, 4) }, KNOWN(4, 2, -1, 1, 7) } });
    }
}

static void pad__gives_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    optest_threads(&(struct optest){
        .op = "Pad",
        .attrs = "mode=reflect",
        .n_in = 2,
        .in = { { .shape = DIMS(1, 9, 60, 70) }, KNOWN(8, 0, 0, 20, 20, 0, 0, 20, 20) } });
}

static void pad__refuses_what_cannot_be(void **state)
{
    (void)state;
    struct optest t = { .op = "Pad",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 2) }, KNOWN(4, 0, -3, 0, 0) } };
    optest_refuses(&t, LUC_SHAPE, "cannot pad 2 elements of axis 1");
    t.in[1].values = LIST(0x1p40f, 0, 0x1p40f, 0);
    optest_refuses(&t, LUC_TOO_LARGE, "2^34");
    t.in[1].values = LIST(0x1p63f, 0, 0, 0);
    optest_refuses(&t, LUC_SHAPE, "cannot pad");
    t.in[1].shape = (struct luc_shape)DIMS(3);
    optest_refuses(&t, LUC_SHAPE, "want 4");
    t.in[0].shape = (struct luc_shape)DIMS(0, 2), t.attrs = "mode=edge";
    t.in[1] = (struct gradcheck_in)KNOWN(4, 1, 0, 0, 0);
    optest_refuses(&t, LUC_SHAPE, "cannot pad 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pad__fills_the_border_by_mode),
        cmocka_unit_test(pad__takes_attributes_before_opset_11),
        cmocka_unit_test(pad__cuts_where_pads_are_negative),
        cmocka_unit_test(pad__knows_the_axes_it_is_about),
        cmocka_unit_test(pad__backward_matches_finite_difference),
        cmocka_unit_test(pad__gives_the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(pad__refuses_what_cannot_be),
    };
    return cmocka_run_group_tests_name("op_pad", tests, NULL, NULL);
}
