/* Operators of one input that work element by element, Relu aside. */
#include "tests/optest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What f(-2), f(-0.5), f(0.5), f(4) must be, from the formulas in double. */
struct row {
    const char *op, *attrs;
    double (*f)(double x);
    double lo, hi, kink; /* where its gradient is checked */
};

static double leaky(double x)
{
    return x > 0 ? x : 0.25 * x;
}
static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double negate(double x)
{
    return -x;
}
static double reciprocal(double x)
{
    return 1 / x;
}
static double elu(double x)
{
    return x > 0 ? x : 1.5 * (exp(x) - 1);
}
static double celu(double x)
{
    return x > 0 ? x : 2 * (exp(x / 2) - 1);
}
static double selu(double x)
{
    return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1));
}
static double softplus(double x)
{
    return log(1 + exp(x));
}
static double softsign(double x)
{
    return x / (1 + fabs(x));
}
static double hard_sigmoid(double x)
{
    return fmax(0, fmin(1, 0.2 * x + 0.5));
}
static double hard_swish(double x)
{
    return x * fmax(0, fmin(1, x / 6 + 0.5));
}
static double thresholded(double x)
{
    return x > 0.25 ? x : 0;
}
static double sign(double x)
{
    return (x > 0) - (x < 0);
}
static double clip(double x)
{
    return fmin(fmax(x, -1), 0.25);
}

static double gelu(double x)
{
    return x * (1 + erf(x / sqrt(2))) / 2;
}
static double gelu_tanh(double x)
{
    return x * (1 + tanh(sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x))) / 2;
}
static double swish(double x)
{
    return x / (1 + exp(-1.5 * x));
}

static const struct row rows[] = {
    { "Gelu", NULL, gelu, -3, 3, 0 },
    { "Gelu", "approximate=tanh", gelu_tanh, -3, 3, 0 },
    { "Swish", "alpha=1.5", swish, -3, 3, 0 },
    { "LeakyRelu", "alpha=0.25", leaky, -1, 1, 0.05 },
    { "Sigmoid", NULL, sigmoid, -3, 3, 0 },
    { "Tanh", NULL, tanh, -2, 2, 0 },
    { "Exp", NULL, exp, -1, 1, 0 },
    { "Neg", NULL, negate, -1, 1, 0 },
    { "Abs", NULL, fabs, -1, 1, 0.05 },
    { "Reciprocal", NULL, reciprocal, 0.7, 2, 0 },
    { "Sqrt", NULL, sqrt, 0.3, 2, 0 },
    { "Log", NULL, log, 0.3, 2, 0 },
    { "Elu", "alpha=1.5", elu, -2, 2, 0.05 },
    { "Celu", "alpha=2", celu, -2, 2, 0.05 },
    { "Selu", NULL, selu, -2, 2, 0.05 },
    { "Softplus", NULL, softplus, -3, 3, 0 },
    { "Softsign", NULL, softsign, -2, 2, 0.05 },
    { "HardSigmoid", NULL, hard_sigmoid, -2.4, 2.4, 0 },
    { "HardSwish", NULL, hard_swish, -2.9, 2.9, 0 },
    { "HardSwish", NULL, hard_swish, 3.1, 5, 0 },
    { "Erf", NULL, erf, -2, 2, 0 },
    { "ThresholdedRelu", "alpha=0.25", thresholded, 0.3, 1, 0 },
    { "ThresholdedRelu", "alpha=0.25", thresholded, -1, 0.2, 0 },
    { "Floor", NULL, floor, 0, 0, 0 },
    { "Ceil", NULL, ceil, 0, 0, 0 },
    { "Round", NULL, rint, 0, 0, 0 },
    { "Sign", NULL, sign, 0, 0, 0 },
    { "Sin", NULL, sin, -2, 2, 0 },
    { "Cos", NULL, cos, -2, 2, 0 },
    { "Clip", "min=-1 max=0.25", clip, -0.9, 0.2, 0 },
    { "Clip", "min=-1 max=0.25", clip, 0.3, 3, 0 },
};

static void activations__match_their_formulas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        float x[4] = { -2, -0.5f, 0.5f, 4 }, want[4];
        for (int k = 0; k < 4; k++) {
            x[k] = rows[i].lo > 0 ? fabsf(x[k]) : x[k];
            want[k] = (float)rows[i].f((double)x[k]);
        }
        optest_values(&(struct optest){ .op = rows[i].op,
                                        .attrs = rows[i].attrs,
                                        .n_in = 1,
                                        .in = { { .shape = DIMS(2, 2), .values = x } },
                                        .shape = { DIMS(2, 2) },
                                        .want = { want } });
    }
}

static void activations__backward_matches_finite_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        optest_gradient(&(struct optest){ .op = rows[i].op,
                                          .attrs = rows[i].attrs,
                                          .n_in = 1,
                                          .in = { { .shape = DIMS(3, 17),
                                                    .lo = rows[i].lo,
                                                    .hi = rows[i].hi,
                                                    .kink = rows[i].kink } } });
}

static void sigmoid__and_softplus_survive_large_inputs(void **state)
{
    (void)state;
    struct optest t = { .op = "Sigmoid",
                        .n_in = 1,
                        .in = { { .shape = DIMS(2), .values = LIST(-500, 500) } },
                        .shape = { DIMS(2) },
                        .want = { LIST(0, 1) } };
    optest_values(&t);
    t.op = "Softplus", t.want[0] = LIST(0, 500);
    optest_values(&t);
}

static void clip__takes_bounds_as_inputs_and_either_may_be_absent(void **state)
{
    (void)state;
    struct optest t = { .op = "Clip",
                        .n_in = 3,
                        .in = { { .shape = DIMS(3), .values = LIST(-5, 1, 9) },
                                ABSENT,
                                { .shape = SCALAR, .values = LIST(6), .no_grad = true } },
                        .shape = { DIMS(3) },
                        .want = { LIST(-5, 1, 6) } };
    optest_values(&t);
    t.in[1] = (struct gradcheck_in){ .shape = SCALAR, .values = LIST(0), .no_grad = true };
    t.want[0] = LIST(0, 1, 6);
    optest_values(&t);
    optest_gradient(&t);
    t.in[1].shape = (struct luc_shape)DIMS(2), t.in[1].values = LIST(0, 0);
    optest_refuses(&t, LUC_SHAPE, "one number");
}

/* ReLU6: y, dy and what each rule lets through */
static void clip__from_zero_up_follows_the_relu_rule(void **state)
{
    (void)state;
    static float y[6] = { 1, 1, 0, 0, 6, 6 }, dy[6] = { 5, -6, 7, -8, 9, -10 };
    static const float want[3][6] = { { 5, -6, 0, 0, 0, 0 },
                                      { 5, 0, 0, 0, 0, 0 },
                                      { 5, 0, 7, 0, 9, 0 } };
    static const double bounds[2] = { 0, 6 }; /* Clip's attributes */
    const struct luc_tensor in = { DIMS(6), LUC_F32, NULL }, dout = { DIMS(6), LUC_F32, dy };
    struct luc_tensor out = { DIMS(6), LUC_F32, y };

    for (int rule = LUC_RELU_PLAIN; rule <= LUC_RELU_DECONV; rule++) {
        float dx[6] = { 0 };
        struct luc_tensor din = { DIMS(6), LUC_F32, dx };
        luc_op_find("Clip")->backward(
            &(struct luc_op_call){ .attrs = bounds,
                                   .n_in = 1,
                                   .n_out = 1,
                                   .in = (const struct luc_tensor *const[]){ &in },
                                   .out = (struct luc_tensor *const[]){ &out },
                                   .dout = (const struct luc_tensor *const[]){ &dout },
                                   .din = (struct luc_tensor *const[]){ &din },
                                   .relu_rule = (enum luc_relu_rule)rule });
        for (int i = 0; i < 6; i++)
            assert_float_equal(dx[i], want[rule][i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations__match_their_formulas),
        cmocka_unit_test(activations__backward_matches_finite_difference),
        cmocka_unit_test(sigmoid__and_softplus_survive_large_inputs),
        cmocka_unit_test(clip__takes_bounds_as_inputs_and_either_may_be_absent),
        cmocka_unit_test(clip__from_zero_up_follows_the_relu_rule),
    };
    return cmocka_run_group_tests_name("op_activations", tests, NULL, NULL);
}
