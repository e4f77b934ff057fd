/* Cast, Shape, Size and ConstantOfShape: operators about types and sizes. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void cast__cuts_wraps_and_tests_for_zero(void **state)
{
    (void)state;
    static const struct {
        const char *attrs;
        enum luc_dtype dtype;
        float want[4];
    } rows[] = {
        { "to=7", LUC_I64, { 2, -2, 0, 300 } },
        { "to=6", LUC_I32, { 2, -2, 0, 300 } },
        { "to=2", LUC_U8, { 2, 254, 0, 44 } },
        { "to=3", LUC_I8, { 2, -2, 0, 44 } },
        { "to=9", LUC_BOOL, { 1, 1, 1, 1 } },
        { "to=1", LUC_F32, { 2.7f, -2.7f, 0.2f, 300 } },
        { "to=10", LUC_F16, { 2.7f, -2.7f, 0.2f, 300 } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        optest_values(&(struct optest){
            .op = "Cast",
            .attrs = rows[i].attrs,
            .n_in = 1,
            .in = { { .shape = DIMS(4), .values = LIST(2.7f, -2.7f, 0.2f, 300) } },
            .shape = { DIMS(4) },
            .dtype = rows[i].dtype,
            .want = { rows[i].want } });
    optest_refuses(
        &(struct optest){
            .op = "Cast", .attrs = "to=8", .n_in = 1, .in = { { .shape = DIMS(4) } } },
        LUC_UNSUPPORTED, "ONNX type 8");
}

static void cast__passes_gradients_between_reals(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){
        .op = "Cast", .attrs = "to=11", .n_in = 1, .in = { { .shape = DIMS(4) } } });
}

static void shape__gives_the_sizes_asked_for(void **state)
{
    (void)state;
    struct optest t = { .op = "Shape",
                        .n_in = 1,
                        .in = { { .shape = DIMS(2, 3, 4) } },
                        .shape = { DIMS(3) },
                        .dtype = LUC_I64,
                        .want = { LIST(2, 3, 4) } };
    optest_values(&t);
    t.attrs = "start=-2 end=-1", t.shape[0] = (struct luc_shape)DIMS(1), t.want[0] = LIST(3);
    optest_values(&t);
    t.attrs = "start=-9 end=9", t.shape[0] = (struct luc_shape)DIMS(3), t.want[0] = LIST(2, 3, 4);
    optest_values(&t);
    t.attrs = "start=2 end=1", t.shape[0] = (struct luc_shape)DIMS(0);
    optest_values(&t);
    t = (struct optest){ .op = "Size",
                         .n_in = 1,
                         .in = { { .shape = DIMS(2, 3, 4) } },
                         .shape = { SCALAR },
                         .dtype = LUC_I64,
                         .want = { LIST(24) } };
    optest_values(&t);
}

static void constant_of_shape__fills(void **state)
{
    (void)state;
    struct optest t = { .op = "ConstantOfShape",
                        .attrs = "value=7 dtype=10",
                        .n_in = 1,
                        .in = { KNOWN(2, 1, 3) },
                        .shape = { DIMS(1, 3) },
                        .dtype = LUC_I64,
                        .want = { LIST(7, 7, 7) } };
    optest_values(&t);
    t.in[0].values = LIST(0x1p20f, 0x1p20f);
    optest_refuses(&t, LUC_TOO_LARGE, "2^34");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cast__cuts_wraps_and_tests_for_zero),
        cmocka_unit_test(cast__passes_gradients_between_reals),
        cmocka_unit_test(shape__gives_the_sizes_asked_for),
        cmocka_unit_test(constant_of_shape__fills),
    };
    return cmocka_run_group_tests_name("op_cast", tests, NULL, NULL);
}
