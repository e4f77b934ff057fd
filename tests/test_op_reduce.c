/* The Reduce* operators. */
#include "tests/optest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Of [1 2; 3 4] along axis 1. */
static void reduce__folds_along_an_axis(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        float want[2];
    } rows[] = {
        { "ReduceSum", { 3, 7 } },
        { "ReduceMean", { 1.5f, 3.5f } },
        { "ReduceMax", { 2, 4 } },
        { "ReduceMin", { 1, 3 } },
        { "ReduceProd", { 2, 12 } },
        { "ReduceL1", { 3, 7 } },
        { "ReduceL2", { 2.236068f, 5 } },
        { "ReduceSumSquare", { 5, 25 } },
        { "ReduceLogSum", { 1.0986123f, 1.9459101f } },
        { "ReduceLogSumExp", { 2.3132617f, 4.3132617f } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        optest_values(&(struct optest){
            .op = rows[i].op,
            .attrs = "keepdims=0",
            .n_in = 2,
            .in = { { .shape = DIMS(2, 2), .values = LIST(1, 2, 3, 4) }, KNOWN(1, -1) },
            .shape = { DIMS(2) },
            .want = { rows[i].want } });
}

static void reduce__folds_everything_or_nothing_without_axes(void **state)
{
    (void)state;
    struct optest t = { .op = "ReduceSum",
                        .n_in = 1,
                        .in = { { .shape = DIMS(2, 3), .values = LIST(1, 2, 3, 4, 5, 6) } },
                        .shape = { DIMS(1, 1) },
                        .want = { LIST(21) } };
    optest_values(&t);
    t.attrs = "keepdims=0", t.shape[0] = (struct luc_shape)SCALAR;
    optest_values(&t);
    t.attrs = "noop_with_empty_axes=1", t.shape[0] = (struct luc_shape)DIMS(2, 3);
    t.want[0] = LIST(1, 2, 3, 4, 5, 6);
    optest_values(&t);
    t.attrs = "axes=0", t.opset = 11, t.shape[0] = (struct luc_shape)DIMS(1, 3);
    t.want[0] = LIST(5, 7, 9);
    optest_values(&t);
}

static void reduce__of_nothing_is_the_start_or_refused(void **state)
{
    (void)state;
    struct optest t = { .op = "ReduceSum",
                        .attrs = "keepdims=0",
                        .n_in = 1,
                        .in = { { .shape = DIMS(2, 0) } },
                        .shape = { SCALAR },
                        .want = { LIST(0) } };
    optest_values(&t);
    t.op = "ReduceMax";
    optest_refuses(&t, LUC_SHAPE, "empty");
    t.attrs = "axes=2";
    optest_refuses(&t, LUC_SHAPE, "axis 2");
}

static void reduce_log_sum_exp__does_not_overflow(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "ReduceLogSumExp",
                                    .attrs = "keepdims=0",
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(2), .values = LIST(1000, 1000) } },
                                    .shape = { SCALAR },
                                    .want = { LIST(1000.69315f) } });
}

static void reduce__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const op[] = { "ReduceSum",       "ReduceMean",      "ReduceL1",
                                      "ReduceL2",        "ReduceSumSquare", "ReduceLogSum",
                                      "ReduceLogSumExp", "ReduceMax",       "ReduceMin" };
    static const char *const axes[] = { "axes=0", "axes=1,3 keepdims=0", "axes=2,3", "axes=3", "" };
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 5; k++)
            optest_gradient(&(struct optest){ .op = op[i],
                                              .attrs = axes[k],
                                              .opset = 11,
                                              .n_in = 1,
                                              .in = { { .shape = DIMS(2, 3, 4, 2),
                                                        .lo = i < 7 ? 0.3 : -3,
                                                        .hi = i < 7 ? 1.2 : 3,
                                                        .distinct = i >= 7 } } });
}

static void reduce_max__shares_the_gradient_among_equals(void **state)
{
    (void)state;
    static float x[3] = { 5, 5, 1 }, y = 5, dy = 6, dx[3], ties;
    const struct luc_tensor in = { DIMS(3), LUC_F32, x }, dout = { DIMS(1), LUC_F32, &dy };
    struct luc_tensor out = { DIMS(1), LUC_F32, &y }, din = { DIMS(3), LUC_F32, dx };
    const struct luc_op *op = luc_op_find("ReduceMax");
    char attrs[512];
    assert_true(op->attrs_size <= sizeof(attrs));
    luc_params_default(op->attrs, attrs);
    op->backward(&(struct luc_op_call){ .attrs = attrs,
                                        .n_in = 1,
                                        .n_out = 1,
                                        .in = (const struct luc_tensor *const[]){ &in },
                                        .out = (struct luc_tensor *const[]){ &out },
                                        .dout = (const struct luc_tensor *const[]){ &dout },
                                        .din = (struct luc_tensor *const[]){ &din },
                                        .scratch = &ties });
    assert_float_equal(dx[0], 3, 0);
    assert_float_equal(dx[1], 3, 0);
    assert_float_equal(dx[2], 0, 0);
}

static void reduce__gives_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const axes[] = { "axes=0", "axes=1", "axes=2", "axes=0,2" };
    for (int k = 0; k < 4; k++)
        optest_threads(&(struct optest){ .op = "ReduceMean",
                                         .attrs = axes[k],
                                         .opset = 11,
                                         .n_in = 1,
                                         .in = { { .shape = DIMS(3, 150, 170) } } });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduce__folds_along_an_axis),
        cmocka_unit_test(reduce__folds_everything_or_nothing_without_axes),
        cmocka_unit_test(reduce__of_nothing_is_the_start_or_refused),
        cmocka_unit_test(reduce_log_sum_exp__does_not_overflow),
        cmocka_unit_test(reduce__backward_matches_finite_difference),
        cmocka_unit_test(reduce_max__shares_the_gradient_among_equals),
        cmocka_unit_test(reduce__gives_the_same_bits_for_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("op_reduce", tests, NULL, NULL);
}
