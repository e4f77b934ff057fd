/* Rows brought to one mean and spread: LayerNormalization, GroupNormalization, RMSNormalization. Their
 * values are the ONNX project's cases where it has some. */
#include "core/kernels/rownorm.h"
#include "tests/optest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void layer_norm__backward_matches_finite_difference(void **state)
{
    (void)state;
    struct optest t = {
        .op = "LayerNormalization",
        .attrs = "axis=-2",
        .n_in = 3,
        .in = { { .shape = DIMS(3, 4, 5) }, { .shape = DIMS(4, 5) }, { .shape = DIMS(4, 5) } }
    };
    optest_gradient(&t);
    t.attrs = "axis=1 epsilon=0.1", t.n_in = 2;
    optest_gradient(&t);
}

static void layer_norm__tells_mean_and_inverse_deviation(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "LayerNormalization",
                                    .attrs = "epsilon=0",
                                    .n_in = 2,
                                    .n_out = 3,
                                    .in = { { .shape = DIMS(2, 2), .values = LIST(1, 3, -5, 5) },
                                            { .shape = DIMS(2), .values = LIST(1, 2) } },
                                    .shape = { DIMS(2, 2), DIMS(2, 1), DIMS(2, 1) },
                                    .want = { LIST(-1, 2, -1, 2), LIST(2, 0), LIST(1, 0.2f) } });
}

static void group_norm__scales_by_group_before_opset_21_and_by_channel_since(void **state)
{
    (void)state;
    static const float x[] = { 1, 3, 5, 7, -2, 2, -2, 2 }; /* [1, 4, 2] */
    struct optest t = { .op = "GroupNormalization",
                        .attrs = "num_groups=2 epsilon=0",
                        .opset = 18,
                        .n_in = 3,
                        .in = { { .shape = DIMS(1, 4, 2), .values = x },
                                { .shape = DIMS(2), .values = LIST(1, 3) },
                                { .shape = DIMS(2), .values = LIST(0, 1) } },
                        .shape = { DIMS(1, 4, 2) },
                        .tol = 1e-5 };
    const float r = 1 / sqrtf(5);
    t.want[0] = (const float[]){ -3 * r, -r, r, 3 * r, -2, 4, -2, 4 };
    optest_values(&t);
    t.opset = 21;
    t.in[1] = (struct gradcheck_in){ .shape = DIMS(4), .values = LIST(1, 2, 3, 4) };
    t.in[2] = (struct gradcheck_in){ .shape = DIMS(4), .values = LIST(0, 0, 1, 0) };
    t.want[0] = (const float[]){ -3 * r, -r, 2 * r, 6 * r, -2, 4, -4, 4 };
    optest_values(&t);
}

static void group_norm__backward_matches_finite_difference(void **state)
{
    (void)state;
    struct optest t = {
        .op = "GroupNormalization",
        .attrs = "num_groups=3",
        .opset = 21,
        .n_in = 3,
        .in = { { .shape = DIMS(2, 6, 2, 3) }, { .shape = DIMS(6) }, { .shape = DIMS(6) } }
    };
    optest_gradient(&t);
    t.opset = 18;
    t.in[1].shape = t.in[2].shape = (struct luc_shape)DIMS(3);
    optest_gradient(&t);
    t.attrs = "num_groups=4";
    optest_refuses(&t, LUC_SHAPE, "multiple of 4");
}

static void rms_norm__values_and_gradient(void **state)
{
    (void)state;
    struct optest t = { .op = "RMSNormalization",
                        .attrs = "epsilon=0",
                        .opset = 23,
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 2), .values = LIST(1, 7, 3, -4) },
                                { .shape = DIMS(2), .values = LIST(1, 2) } },
                        .shape = { DIMS(2, 2) },
                        .want = { LIST(0.2f, 2.8f, 0.84852814f, -2.2627417f) } };
    optest_values(&t);
    t = (struct optest){ .op = "RMSNormalization",
                         .opset = 23,
                         .n_in = 2,
                         .in = { { .shape = DIMS(3, 7) }, { .shape = DIMS(7) } } };
    optest_gradient(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_norm__backward_matches_finite_difference),
        cmocka_unit_test(layer_norm__tells_mean_and_inverse_deviation),
        cmocka_unit_test(group_norm__scales_by_group_before_opset_21_and_by_channel_since),
        cmocka_unit_test(group_norm__backward_matches_finite_difference),
        cmocka_unit_test(rms_norm__values_and_gradient),
    };
    return cmocka_run_group_tests_name("op_rownorm", tests, NULL, NULL);
}
