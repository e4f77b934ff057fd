/* Reshape, Flatten, Squeeze, Unsqueeze and Dropout: the same bytes, most in another shape. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void reshape__copies_zero_and_fills_in_minus_one(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Reshape",
                                    .n_in = 2,
                                    .in = { { .shape = DIMS(2, 3, 4) }, KNOWN(3, 0, -1, 2) },
                                    .shape = { DIMS(2, 6, 2) } });
    optest_values(&(struct optest){ .op = "Reshape",
                                    .attrs = "allowzero=1",
                                    .n_in = 2,
                                    .in = { { .shape = DIMS(0, 3) }, KNOWN(2, 3, 0) },
                                    .shape = { DIMS(3, 0) } });
    optest_values(&(struct optest){ .op = "Reshape",
                                    .n_in = 2,
                                    .in = { { .shape = DIMS(1, 1), .values = LIST(7) },
                                            { .shape = DIMS(0), .known = true, .dtype = LUC_I64 } },
                                    .shape = { SCALAR },
                                    .want = { LIST(7) } });
}

static void reshape__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct optest t = { .op = "Reshape",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 3) }, KNOWN(2, 4, -1) } };
    optest_refuses(&t, LUC_SHAPE, "cannot reshape 2x3");
    t.in[1].values = LIST(-1, -1);
    optest_refuses(&t, LUC_SHAPE, "second -1");
    t.in[1].values = LIST(2, -3);
    optest_refuses(&t, LUC_SHAPE, "not a size");
    t.in[1].values = LIST(3, 0x1p62f);
    optest_refuses(&t, LUC_TOO_LARGE, "2^34");
    t.in[1].values = LIST(2, 2.5f);
    optest_refuses(&t, LUC_INVALID, "whole number");
    t.in[1].known = false;
    optest_refuses(&t, LUC_UNSUPPORTED, "known before the run");
}

static void flatten__cuts_at_the_axis(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Flatten", .n_in = 1, .in = { { .shape = DIMS(2, 3, 4) } }, .shape = { DIMS(2, 12) }
    };
    optest_values(&t);
    t.attrs = "axis=3", t.shape[0] = (struct luc_shape)DIMS(24, 1);
    optest_values(&t);
    t.attrs = "axis=0", t.shape[0] = (struct luc_shape)DIMS(1, 24);
    optest_values(&t);
    t.attrs = "axis=-1", t.shape[0] = (struct luc_shape)DIMS(6, 4);
    optest_values(&t);
    t.attrs = "axis=4";
    optest_refuses(&t, LUC_SHAPE, "axis 4");
}

static void squeeze__drops_the_named_axes_or_all_of_size_one(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Squeeze", .n_in = 1, .in = { { .shape = DIMS(1, 3, 1, 2) } }, .shape = { DIMS(3, 2) }
    };
    optest_values(&t);
    t.attrs = "axes=-2", t.opset = 11, t.shape[0] = (struct luc_shape)DIMS(1, 3, 2);
    optest_values(&t);
    t.attrs = NULL, t.opset = 13, t.n_in = 2;
    t.in[1] = (struct gradcheck_in)KNOWN(1, 0);
    t.shape[0] = (struct luc_shape)DIMS(3, 1, 2);
    optest_values(&t);
    t.in[1].values = LIST(1);
    optest_refuses(&t, LUC_SHAPE, "cannot drop axis 1 of size 3");
}

static void unsqueeze__puts_axes_where_they_stand_in_the_output(void **state)
{
    (void)state;
    struct optest t = { .op = "Unsqueeze",
                        .n_in = 2,
                        .in = { { .shape = DIMS(3, 2) }, KNOWN(2, 0, -1) },
                        .shape = { DIMS(1, 3, 2, 1) } };
    optest_values(&t);
    t.in[1].values = LIST(0, 0);
    optest_refuses(&t, LUC_SHAPE, "twice");
    t.in[1].values = LIST(0, 4);
    optest_refuses(&t, LUC_SHAPE, "axis 4");
    t.in[0].shape = (struct luc_shape)DIMS(1, 1, 1, 1, 1, 1, 1);
    optest_refuses(&t, LUC_UNSUPPORTED, "rank 9");
    t = (struct optest){ .op = "Unsqueeze",
                         .attrs = "axes=1",
                         .opset = 11,
                         .n_in = 1,
                         .in = { { .shape = DIMS(3) } },
                         .shape = { DIMS(3, 1) } };
    optest_values(&t);
}

static void dropout__keeps_everything_and_refuses_training(void **state)
{
    (void)state;
    struct optest t = { .op = "Dropout",
                        .n_in = 1,
                        .n_out = 2,
                        .in = { { .shape = DIMS(3), .values = LIST(1, 2, 3) } },
                        .shape = { DIMS(3), DIMS(3) },
                        .want = { LIST(1, 2, 3), LIST(1, 1, 1) } };
    optest_values(&t);
    t.n_in = 3;
    t.in[1] = (struct gradcheck_in)ABSENT;
    t.in[2] = (struct gradcheck_in){
        .shape = SCALAR, .values = LIST(1), .dtype = LUC_BOOL, .known = true
    };
    optest_refuses(&t, LUC_UNSUPPORTED, "training");
    t.in[1] = (struct gradcheck_in){ .shape = SCALAR, .values = LIST(0), .known = true };
    optest_values(&t);
}

static void views__backward_matches_finite_difference(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){
        .op = "Reshape", .n_in = 2, .in = { { .shape = DIMS(2, 3, 4) }, KNOWN(2, 4, 6) } });
    optest_gradient(
        &(struct optest){ .op = "Flatten", .n_in = 1, .in = { { .shape = DIMS(2, 3, 4) } } });
    optest_gradient(
        &(struct optest){ .op = "Squeeze", .n_in = 1, .in = { { .shape = DIMS(2, 1, 4) } } });
    optest_gradient(&(struct optest){
        .op = "Unsqueeze", .n_in = 2, .in = { { .shape = DIMS(2, 4) }, KNOWN(1, 1) } });
    optest_gradient(
        &(struct optest){ .op = "Dropout", .n_in = 1, .in = { { .shape = DIMS(2, 4) } } });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reshape__copies_zero_and_fills_in_minus_one),
        cmocka_unit_test(reshape__refuses_what_does_not_fit),
        cmocka_unit_test(flatten__cuts_at_the_axis),
        cmocka_unit_test(squeeze__drops_the_named_axes_or_all_of_size_one),
        cmocka_unit_test(unsqueeze__puts_axes_where_they_stand_in_the_output),
        cmocka_unit_test(dropout__keeps_everything_and_refuses_training),
        cmocka_unit_test(views__backward_matches_finite_difference),
    };
    return cmocka_run_group_tests_name("op_views", tests, NULL, NULL);
}
