#include "core/kernels/softplus.h"
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

static void softplus__stands_in_for_the_relu(void **state)
{
    (void)state;
    const struct optest t = { .op = "Relu",
                              .n_in = 1,
                              .in = { { .shape = DIMS(2, 3, 5, 7), .lo = -2, .hi = 2 } },
                              .softplus = 3 };
    optest_gradient(&t);
    optest_values(&(struct optest){ .op = "Relu",
                                    .n_in = 1,
                                    .in = { { .shape = DIMS(3), .values = LIST(0, 1, -1) } },
                                    .softplus = 3,
                                    .shape = { DIMS(3) },
                                    .want = { LIST(0.23104906f, 1.01619578f, 0.01619578f) } });
}

#define N_SOFT 4001

/* From far below to far above, and what is no number. */
static void softplus__loops_match_their_reference(void **state)
{
    (void)state;
    static float x[N_SOFT], y[N_SOFT], want[N_SOFT], dy[N_SOFT], dx[N_SOFT], want_dx[N_SOFT];
    const float betas[] = { 0.5f, 1, 3, 20 };
    for (size_t b = 0; b < 4; b++) {
        for (size_t i = 0; i < N_SOFT; i++) {
            x[i] = ((float)i - 2000) * 0.05f;
            dy[i] = (float)((i * 7919) % 13) - 6;
        }
        luc_softplus(betas[b], x, y, N_SOFT);
        luc_softplus_ref(betas[b], x, want, N_SOFT);
        luc_softplus_grad(betas[b], want, dy, dx, N_SOFT);
        luc_softplus_grad_ref(betas[b], want, dy, want_dx, N_SOFT);
        for (size_t i = 0; i < N_SOFT; i++) {
            assert_true(fabsf(y[i] - want[i]) <= 4e-7f * fmaxf(1, fabsf(want[i])));
            assert_true(fabsf(dx[i] - want_dx[i]) <= 2e-6f * fabsf(want_dx[i]) + 1e-30f);
        }
    }
    x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY;
    luc_softplus(1, x, y, 3);
    assert_true(isnan(y[0]) && isinf(y[1]) && y[2] >= 0 && y[2] < 1e-30f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu__clamps_negatives_and_keeps_nan),
        cmocka_unit_test(relu__backward_matches_finite_difference),
        cmocka_unit_test(relu__backward_follows_the_rule),
        cmocka_unit_test(softplus__stands_in_for_the_relu),
        cmocka_unit_test(softplus__loops_match_their_reference),
    };
    return cmocka_run_group_tests_name("op_relu", tests, NULL, NULL);
}
