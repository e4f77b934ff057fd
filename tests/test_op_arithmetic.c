/* Operators of two broadcast inputs. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Shapes that meet every branch of the broadcasting loops. */
static const struct luc_shape pairs[][2] = {
    { DIMS(2, 3, 4), DIMS(2, 3, 4) },
    { DIMS(2, 3, 4), DIMS(3, 1) },
    { DIMS(2, 3, 4), DIMS(4) },
    { DIMS(2, 3, 4), SCALAR },
    { DIMS(3, 1), DIMS(2, 1, 4) },
    { SCALAR, DIMS(5) },
    { SCALAR, SCALAR },
    { DIMS(2, 1, 3), DIMS(2, 4, 1) },
    { DIMS(1, 4), DIMS(3, 1) },
};

static void check_gradients(const char *op, double lo, double hi)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        optest_gradient(&(struct optest){ .op = op,
                                          .n_in = 2,
                                          .in = { { .shape = pairs[i][0], .lo = lo, .hi = hi },
                                                  { .shape = pairs[i][1], .lo = lo, .hi = hi } } });
}

static void add__broadcasts_both_ways(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Add",
                                    .n_in = 2,
                                    .in = { { .shape = DIMS(2, 1), .values = LIST(10, 20) },
                                            { .shape = DIMS(3), .values = LIST(1, 2, 3) } },
                                    .shape = { DIMS(2, 3) },
                                    .want = { LIST(11, 12, 13, 21, 22, 23) } });
    optest_refuses(&(struct optest){ .op = "Add",
                                     .n_in = 2,
                                     .in = { { .shape = DIMS(2, 3) }, { .shape = DIMS(2) } } },
                   LUC_SHAPE, "cannot broadcast 2x3 with 2");
}

static void add__backward_matches_finite_difference(void **state)
{
    (void)state;
    check_gradients("Add", 0, 0);
    /* wide enough for several blocks and pieces */
    optest_gradient(&(struct optest){
        .op = "Add",
        .n_in = 2,
        .in = { { .shape = DIMS(1, 2, 9000), .no_grad = true }, { .shape = DIMS(2, 1) } } });
}

/* op of LIST(7, -7, 0, 8) and 3 -> want */
static void check_values(const char *op, enum luc_dtype dtype, const float *want)
{
    optest_values(
        &(struct optest){ .op = op,
                          .n_in = 2,
                          .in = { { .shape = DIMS(4), .values = LIST(7, -7, 0, 8), .dtype = dtype },
                                  { .shape = SCALAR, .values = LIST(3), .dtype = dtype } },
                          .shape = { DIMS(4) },
                          .dtype = dtype,
                          .want = { want } });
}

static void arithmetic__gives_known_values(void **state)
{
    (void)state;
    check_values("Sub", LUC_F32, LIST(4, -10, -3, 5));
    check_values("Mul", LUC_F32, LIST(21, -21, 0, 24));
    check_values("Div", LUC_F32, LIST(7.0f / 3, -7.0f / 3, 0, 8.0f / 3));
    check_values("Pow", LUC_F32, LIST(343, -343, 0, 512));
    check_values("PRelu", LUC_F32, LIST(7, -21, 0, 8));
    check_values("Max", LUC_F32, LIST(7, 3, 3, 8));
    check_values("Min", LUC_F32, LIST(3, -7, 0, 3));
    check_values("Sum", LUC_F32, LIST(10, -4, 3, 11));
    check_values("Mean", LUC_F32, LIST(5, -2, 1.5f, 5.5f));
}

static void arithmetic__of_integers_stays_integer(void **state)
{
    (void)state;
    check_values("Div", LUC_I64, LIST(2, -2, 0, 2));
    check_values("Pow", LUC_I32, LIST(343, -343, 0, 512));
    optest_values(
        &(struct optest){ .op = "Add",
                          .n_in = 2,
                          .in = { { .shape = DIMS(2), .values = LIST(250, 1), .dtype = LUC_U8 },
                                  { .shape = SCALAR, .values = LIST(10), .dtype = LUC_U8 } },
                          .shape = { DIMS(2) },
                          .dtype = LUC_U8,
                          .want = { LIST(4, 11) } });
    optest_values(
        &(struct optest){ .op = "Div",
                          .n_in = 2,
                          .in = { { .shape = SCALAR, .values = LIST(1), .dtype = LUC_I64 },
                                  { .shape = SCALAR, .values = LIST(0), .dtype = LUC_I64 } },
                          .shape = { SCALAR },
                          .dtype = LUC_I64,
                          .want = { LIST(0) } });
}

static void arithmetic__backward_matches_finite_difference(void **state)
{
    (void)state;
    check_gradients("Sub", 0, 0);
    check_gradients("Mul", 0, 0);
    check_gradients("Div", 0.7, 1.7);
    check_gradients("Pow", 0.5, 1.5);
    check_gradients("Sum", 0, 0);
    check_gradients("Mean", 0, 0);
}

static void arithmetic__gives_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const struct luc_shape small[] = { DIMS(200, 1), DIMS(170), DIMS(2, 1, 1), SCALAR };
    for (int i = 0; i < 4; i++)
        optest_threads(
            &(struct optest){ .op = "Mul",
                              .n_in = 2,
                              .in = { { .shape = DIMS(2, 200, 170) }, { .shape = small[i] } } });
}

static void pow__by_two_and_zero_has_a_gradient_at_zero(void **state)
{
    (void)state;
    const float exponent[] = { 2, 0, 3 };
    for (int i = 0; i < 3; i++)
        optest_gradient(&(struct optest){
            .op = "Pow",
            .n_in = 2,
            .in = { { .shape = DIMS(3), .values = LIST(0, -0.7f, 0.9f) },
                    { .shape = SCALAR, .values = &exponent[i], .no_grad = true } } });
}

static void p_relu__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const struct luc_shape slope[] = { DIMS(2, 3, 4), DIMS(3, 1), DIMS(1), DIMS(1, 1, 4) };
    for (int i = 0; i < 4; i++)
        optest_gradient(&(struct optest){
            .op = "PRelu",
            .n_in = 2,
            .in = { { .shape = DIMS(2, 3, 4), .kink = 5e-2 }, { .shape = slope[i] } } });
    optest_refuses(&(struct optest){ .op = "PRelu",
                                     .n_in = 2,
                                     .in = { { .shape = DIMS(3) }, { .shape = DIMS(2, 3) } } },
                   LUC_SHAPE, "slope");
}

static void extremes__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const op[] = { "Max", "Min" };
    for (int i = 0; i < 2; i++) {
        /* 30 values apart by more than the step, then 4 others in between */
        optest_gradient(&(struct optest){
            .op = op[i],
            .n_in = 3,
            .in = { { .shape = DIMS(2, 3, 5), .lo = -3, .hi = 3, .distinct = true },
                    { .shape = DIMS(3, 1), .values = LIST(-1.513f, 0.491f, 1.497f) },
                    { .shape = SCALAR, .values = LIST(0.013f) } } });
        optest_gradient(&(struct optest){ .op = op[i], .n_in = 1, .in = { { .shape = DIMS(4) } } });
    }
}

/* Equal inputs: only the first gets the gradient, so that nothing is counted twice. */
static void max__gives_the_gradient_to_the_first_of_equals(void **state)
{
    (void)state;
    static float x[2] = { 1, 5 }, dy[2] = { 7, 9 }, left[2], da[2], db[2];
    const struct luc_tensor in = { DIMS(2), LUC_F32, x }, dout = { DIMS(2), LUC_F32, dy };
    struct luc_tensor out = in, din[2] = { { DIMS(2), LUC_F32, da }, { DIMS(2), LUC_F32, db } };
    luc_op_find("Max")->backward(
        &(struct luc_op_call){ .n_in = 2,
                               .n_out = 1,
                               .in = (const struct luc_tensor *const[]){ &in, &in },
                               .out = (struct luc_tensor *const[]){ &out },
                               .dout = (const struct luc_tensor *const[]){ &dout },
                               .din = (struct luc_tensor *const[]){ &din[0], &din[1] },
                               .scratch = left });
    assert_memory_equal(da, dy, sizeof(dy));
    assert_float_equal(db[0] + db[1], 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic__gives_known_values),
        cmocka_unit_test(arithmetic__of_integers_stays_integer),
        cmocka_unit_test(arithmetic__backward_matches_finite_difference),
        cmocka_unit_test(arithmetic__gives_the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(pow__by_two_and_zero_has_a_gradient_at_zero),
        cmocka_unit_test(p_relu__backward_matches_finite_difference),
        cmocka_unit_test(extremes__backward_matches_finite_difference),
        cmocka_unit_test(max__gives_the_gradient_to_the_first_of_equals),
        cmocka_unit_test(add__broadcasts_both_ways),
        cmocka_unit_test(add__backward_matches_finite_difference),
    };
    return cmocka_run_group_tests_name("op_arithmetic", tests, NULL, NULL);
}
