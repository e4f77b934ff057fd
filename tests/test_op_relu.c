#include "tests/optest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void relu__clamps_negatives_and_keeps_nan(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Relu",
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(4), .values = LIST(-2, 0, 3, -0.5f) } },
                                    .shape = { DIMS(4) },
                                    .want = { LIST(0, 0, 3, 0) } });
    const float nan = NAN;
    float y = 0;
    struct luc_tensor in = { SCALAR, LUC_F32, &(float){ nan } }, out = { SCALAR, LUC_F32, &y };
    luc_op_find("Relu")->forward(
        &(struct luc_op_call){ .n_in = 1,
                               .n_out = 1,
                               .in = (const struct luc_tensor *const[]){ &in },
                               .out = (struct luc_tensor *const[]){ &out } });
    assert_true(isnan(y));
}

static void relu__backward_matches_finite_difference(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){
        .op = "Relu", .n_in = 1, .in = { { .shape = DIMS(2, 3, 5, 7), .kink = 5e-2 } } });
    optest_threads(&(struct optest){
        .op = "Relu", .n_in = 1, .in = { { .shape = DIMS(40000), .kink = 5e-2 } } });
}

/* x, dy and what each rule lets through */
static void relu__backward_follows_the_rule(void **state)
{
    (void)state;
    static float y[4] = { 1, 1, 0, 0 }, dy[4] = { 5, -6, 7, -8 };
    static const float want[3][4] = { { 5, -6, 0, 0 }, { 5, 0, 0, 0 }, { 5, 0, 7, 0 } };
    const struct luc_tensor in = { DIMS(4), LUC_F32, NULL }, dout = { DIMS(4), LUC_F32, dy };
    struct luc_tensor out = { DIMS(4), LUC_F32, y };

    for (int rule = LUC_RELU_PLAIN; rule <= LUC_RELU_DECONV; rule++) {
        float dx[4] = { 1, 1, 1, 1 };
        struct luc_tensor din = { DIMS(4), LUC_F32, dx };
        const struct luc_op_call c = { .n_in = 1,
                                       .n_out = 1,
                                       .in = (const struct luc_tensor *const[]){ &in },
                                       .out = (struct luc_tensor *const[]){ &out },
                                       .dout = (const struct luc_tensor *const[]){ &dout },
                                       .din = (struct luc_tensor *const[]){ &din },
                                       .relu_rule = (enum luc_relu_rule)rule };
        luc_op_find("Relu")->backward(&c);
        for (int i = 0; i < 4; i++)
            assert_float_equal(dx[i], 1 + want[rule][i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu__clamps_negatives_and_keeps_nan),
        cmocka_unit_test(relu__backward_matches_finite_difference),
        cmocka_unit_test(relu__backward_follows_the_rule),
    };
    return cmocka_run_group_tests_name("op_relu", tests, NULL, NULL);
}
