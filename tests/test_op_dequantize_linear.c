#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void dequantize_linear__scales_per_tensor_or_per_axis(void **state)
{
    (void)state;
    struct optest t = {
        .op = "DequantizeLinear",
        .n_in = 3,
        .in = { { .shape = DIMS(1, 2, 2), .values = LIST(0, 128, 129, 255), .dtype = LUC_U8 },
                { .shape = SCALAR, .values = LIST(0.5f) },
                { .shape = SCALAR, .values = LIST(128), .dtype = LUC_U8 } },
        .shape = { DIMS(1, 2, 2) },
        .want = { LIST(-64, 0, 0.5f, 63.5f) }
    };
    optest_values(&t);
    t.in[1] = (struct gradcheck_in){ .shape = DIMS(2), .values = LIST(1, 10) };
    t.in[2] = (struct gradcheck_in){ .shape = DIMS(2), .values = LIST(0, 100), .dtype = LUC_U8 };
    t.want[0] = LIST(0, 128, 290, 1550);
    optest_values(&t);
    t.n_in = 2, t.want[0] = LIST(0, 128, 1290, 2550);
    optest_values(&t);
    t.attrs = "axis=-1", t.want[0] = LIST(0, 1280, 129, 2550);
    optest_values(&t);
}

static void dequantize_linear__refuses_scales_that_do_not_fit(void **state)
{
    (void)state;
    struct optest t = { .op = "DequantizeLinear",
                        .n_in = 2,
                        .in = { { .shape = DIMS(1, 2, 2), .dtype = LUC_I8 },
                                { .shape = DIMS(3) } } };
    optest_refuses(&t, LUC_SHAPE, "3 scales for 2");
    t.attrs = "block_size=2";
    optest_refuses(&t, LUC_UNSUPPORTED, "block_size");
    t.attrs = "axis=5";
    optest_refuses(&t, LUC_SHAPE, "axis 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dequantize_linear__scales_per_tensor_or_per_axis),
        cmocka_unit_test(dequantize_linear__refuses_scales_that_do_not_fit),
    };
    return cmocka_run_group_tests_name("op_dequantize_linear", tests, NULL, NULL);
}
