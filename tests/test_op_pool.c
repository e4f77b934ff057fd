#include "tests/gradcheck.h"
#include "tests/op_attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct gradcheck pool(const char *name, struct luc_shape x, const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find(name);
    assert_non_null(op);
    return (struct gradcheck){ .op = op,
                               .attrs = op_attrs(op, s),
                               .n_in = 1,
                               .in = { { .shape = x, .distinct = true } },
                               .step = 2e-3 };
}

static void check(struct gradcheck g)
{
    gradcheck_run(&g);
    gradcheck_threads(&g);
}

static void pool__backward_matches_finite_difference(void **state)
{
    (void)state;
    const struct op_setting *plain = SET({ "kernel_shape", "2,3" }, );
    const struct op_setting *full =
        SET({ "kernel_shape", "3,2" }, { "strides", "2,3" }, { "pads", "1,0,2,1" },
            { "ceil_mode", "1" }, { "dilations", "1,2" }, );
    const struct op_setting *same =
        SET({ "kernel_shape", "3,3" }, { "strides", "2,2" }, { "auto_pad", "SAME_LOWER" }, );
    static const char *const names[] = { "MaxPool", "AveragePool" };
    for (size_t i = 0; i < 2; i++) {
        check(pool(names[i], luc_shape4(2, 3, 4, 5), plain));
        check(pool(names[i], luc_shape4(1, 2, 6, 9), full));
        check(pool(names[i], luc_shape4(1, 2, 5, 6), same));
        check(pool(names[i], (struct luc_shape){ 3, { 2, 2, 9 } },
                   SET({ "kernel_shape", "3" }, { "pads", "1,1" }, )));
    }
    check(pool("AveragePool", luc_shape4(1, 2, 6, 9),
               SET({ "kernel_shape", "3,2" }, { "strides", "2,2" }, { "pads", "1,0,1,1" },
                   { "count_include_pad", "1" }, { "ceil_mode", "1" }, )));
    check(pool("GlobalAveragePool", luc_shape4(2, 3, 4, 5), SET()));
    check(pool("GlobalMaxPool", luc_shape4(2, 3, 4, 5), SET()));
    check(pool("GlobalAveragePool", (struct luc_shape){ 5, { 1, 2, 3, 2, 2 } }, SET()));
}

static void max_pool__gives_indices_into_the_whole_input(void **state)
{
    (void)state;
    static const float x[8] = { 1, 5, 2, 3, 9, 4, 7, 8 }, y[4] = { 5, 3, 9, 8 };
    static const float at[4] = { 1, 3, 4, 7 };
    struct gradcheck g = pool("MaxPool", luc_shape4(1, 2, 1, 4),
                              SET({ "kernel_shape", "1,2" }, { "strides", "1,2" }, ));
    struct op_rig r;
    g.in[0].values = x, g.n_out = 2;
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    assert_close("y", r.out[0].data, y, 4, 0.0);
    assert_close("indices", r.out[1].data, at, 4, 0.0);
    op_rig_done(&r);
    gradcheck_run(&g);
}

static void refuses(const char *name, struct luc_shape x, const struct op_setting *s,
                    enum luc_status want)
{
    struct gradcheck g = pool(name, x, s);
    struct luc_error err = { 0 };
    const enum luc_status got = op_infer(&g, &err);
    if (got != want || !*err.text)
        fail_msg("%s: status %d, want %d: %s", name, (int)got, (int)want, err.text);
}

static void pool__refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const char *const names[] = { "MaxPool", "AveragePool" };
    const struct luc_shape x = luc_shape4(1, 2, 5, 5);
    for (size_t i = 0; i < 2; i++) {
        refuses(names[i], x, SET(), LUC_INVALID);
        refuses(names[i], x, SET({ "kernel_shape", "6,1" }, ), LUC_SHAPE);
        refuses(names[i], x, SET({ "kernel_shape", "2" }, ), LUC_SHAPE);
        refuses(names[i], x,
                SET({ "kernel_shape", "65536,65536" }, { "dilations", "65536,65536" }, ),
                LUC_SHAPE);
        refuses(names[i], (struct luc_shape){ 5, { 1, 1, 2, 2, 2 } },
                SET({ "kernel_shape", "2,2,2" }, ), LUC_UNSUPPORTED);
        refuses(names[i], (struct luc_shape){ 0 }, SET({ "kernel_shape", "2" }, ), LUC_UNSUPPORTED);
        refuses(names[i], luc_shape4(1, 2, 0, 5), SET({ "kernel_shape", "1,1" }, ), LUC_SHAPE);
        refuses(names[i], luc_shape4(1, 1, (size_t)1 << 17, (size_t)1 << 16),
                SET({ "kernel_shape", "2,2" }, ), LUC_TOO_LARGE);
        assert_int_equal(luc_params_verify(luc_op_find(names[i])->attrs, NULL), LUC_OK);
    }
    refuses("GlobalAveragePool", (struct luc_shape){ 2, { 3, 3 } }, SET(), LUC_SHAPE);
    refuses("GlobalAveragePool", luc_shape4(1, 3, 0, 3), SET(), LUC_SHAPE);
    refuses("GlobalMaxPool", luc_shape4(1, 3, 0, 3), SET(), LUC_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool__backward_matches_finite_difference),
        cmocka_unit_test(max_pool__gives_indices_into_the_whole_input),
        cmocka_unit_test(pool__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests_name("op_pool", tests, NULL, NULL);
}
