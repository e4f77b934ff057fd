#include "tests/gradcheck.h"
#include "tests/op_attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gradcheck conv(struct luc_shape x, struct luc_shape w, const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find("Conv");
    return (struct gradcheck){
        .op = op,
        .attrs = op_attrs(op, s),
        .n_in = 3,
        .in = { { .shape = x },
                { .shape = w, .constant = true },
                { .shape = { 1, { w.dim[0] } }, .constant = true } },
    };
}

static void check_grad(struct luc_shape x, struct luc_shape w, const struct op_setting *s)
{
    struct gradcheck g = conv(x, w, s);
    gradcheck_run(&g);
    g.in[2].absent = true;
    gradcheck_run(&g);
    g.n_in = 2;
    gradcheck_run(&g);
}

static void conv__backward_matches_finite_difference(void **state)
{
    (void)state;
    check_grad(luc_shape4(2, 3, 5, 6), luc_shape4(4, 3, 3, 2), SET());
    check_grad(luc_shape4(1, 4, 6, 7), luc_shape4(6, 2, 3, 3),
               SET({ "group", "2" }, { "strides", "2,1" }, { "dilations", "1,2" },
                   { "pads", "1,2,0,3" }, ));
    check_grad(luc_shape4(1, 3, 5, 5), luc_shape4(6, 1, 3, 3),
               SET({ "group", "3" }, { "auto_pad", "SAME_UPPER" }, { "strides", "2,2" }, ));
    check_grad(luc_shape4(2, 4, 3, 3), luc_shape4(3, 4, 1, 1), SET());
    check_grad(luc_shape4(1, 2, 5, 4), luc_shape4(3, 2, 1, 1), SET({ "strides", "2,3" }, ));
    check_grad((struct luc_shape){ 3, { 2, 2, 9 } }, (struct luc_shape){ 3, { 3, 2, 3 } },
               SET({ "pads", "1,2" }, { "strides", "2" }, ));
}

static void conv__same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    struct gradcheck g =
        conv(luc_shape4(1, 20, 40, 33), luc_shape4(24, 20, 3, 3), SET({ "pads", "1,1,1,1" }, ));
    gradcheck_threads(&g);
    g = conv(luc_shape4(1, 6, 70, 60), luc_shape4(9, 6, 3, 3), SET({ "pads", "1,1,1,1" }, ));
    gradcheck_threads(&g);
    g = conv(luc_shape4(1, 40, 9, 7), luc_shape4(70, 40, 3, 3), SET({ "pads", "1,1,1,1" }, ));
    gradcheck_threads(&g);
    g = conv(luc_shape4(2, 32, 14, 14), luc_shape4(90, 32, 1, 1), SET());
    gradcheck_threads(&g);
    g = conv(luc_shape4(2, 32, 14, 14), luc_shape4(32, 1, 3, 3), SET({ "group", "32" }, ));
    gradcheck_threads(&g);
    g = conv(luc_shape4(1, 20, 30, 31), luc_shape4(24, 5, 5, 5),
             SET({ "group", "4" }, { "strides", "2,2" }, { "pads", "2,2,2,2" }, ));
    gradcheck_threads(&g);
}

static void conv__writes_relu_when_fused(void **state)
{
    (void)state;
    static const struct luc_shape kernels[] = { { 4, { 8, 8, 3, 3 } }, { 4, { 8, 8, 1, 1 } } };
    for (size_t k = 0; k < 2; k++) {
        struct gradcheck g = conv(luc_shape4(1, 8, 9, 9), kernels[k], SET());
        struct op_rig plain, fused;
        op_rig_init(&plain, &g);
        op_rig_forward(&plain);
        g.relu = true;
        op_rig_init(&fused, &g);
        op_rig_forward(&fused);
        for (size_t i = 0; i < luc_numel(&plain.out[0].shape); i++) {
            const float y = plain.out[0].data[i];
            assert_true(fused.out[0].data[i] == (y > 0.0f ? y : 0.0f));
        }
        op_rig_done(&plain), op_rig_done(&fused);
        gradcheck_run(&g);
    }
}

static void conv__pads_as_auto_pad_says(void **state)
{
    (void)state;
    static const float x[4] = { 1, 2, 3, 4 }, w[2] = { 1, 10 };
    static const struct {
        const char *mode;
        size_t n;
        float y[4];
    } cases[] = { { "SAME_UPPER", 4, { 21, 32, 43, 4 } },
                  { "SAME_LOWER", 4, { 10, 21, 32, 43 } },
                  { "VALID", 3, { 21, 32, 43 } } };
    for (size_t i = 0; i < 3; i++) {
        struct gradcheck g = conv(luc_shape4(1, 1, 1, 4), luc_shape4(1, 1, 1, 2),
                                  SET({ "auto_pad", cases[i].mode }, { "pads", "0,0,0,0" }, ));
        struct op_rig r;
        g.n_in = 2, g.in[0].values = x, g.in[1].values = w;
        op_rig_init(&r, &g);
        op_rig_forward(&r);
        assert_int_equal(luc_numel(&r.out[0].shape), cases[i].n);
        assert_close(cases[i].mode, r.out[0].data, cases[i].y, cases[i].n, 1e-6);
        op_rig_done(&r);
    }
}

static void refuses(struct luc_shape x, struct luc_shape w, const struct op_setting *s,
                    enum luc_status want)
{
    struct gradcheck g = conv(x, w, s);
    struct luc_error err = { 0 };
    const enum luc_status got = op_infer(&g, &err);
    if (got != want || !*err.text)
        fail_msg("status %d, want %d: %s", (int)got, (int)want, err.text);
}

static void conv__refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct luc_shape x = luc_shape4(1, 4, 5, 5), w = luc_shape4(2, 4, 3, 3);
    const struct luc_shape x5 = { 5, { 1, 4, 5, 5, 5 } }, w5 = { 5, { 2, 4, 3, 3, 3 } };
    refuses(x5, w5, SET(), LUC_UNSUPPORTED);
    refuses(x, w5, SET(), LUC_UNSUPPORTED);
    refuses((struct luc_shape){ 2, { 4, 4 } }, (struct luc_shape){ 2, { 4, 4 } }, SET(), LUC_SHAPE);
    refuses((struct luc_shape){ 0 }, (struct luc_shape){ 0 }, SET(), LUC_SHAPE);
    refuses(x, luc_shape4(2, 3, 3, 3), SET(), LUC_SHAPE);
    refuses(x, w, SET({ "group", "3" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "group", "2147483647" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "kernel_shape", "3,5" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "strides", "1" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "pads", "1,1" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "dilations", "65536,65536" }, ), LUC_SHAPE);
    refuses(x, luc_shape4(2, 4, 7, 7), SET(), LUC_SHAPE);
    refuses(x, luc_shape4(2, 4, 0, 3), SET(), LUC_RANGE);
    refuses(x, luc_shape4(0, 4, 3, 3), SET(), LUC_SHAPE);
    refuses(luc_shape4(1, 4, 0, 5), w, SET(), LUC_SHAPE);
    refuses(luc_shape4(1, 4, (size_t)1 << 30, 16), w, SET(), LUC_TOO_LARGE);
    refuses(luc_shape4(1, 1, 1, (size_t)1 << 33), luc_shape4(1, 1, 1, 1), SET(), LUC_TOO_LARGE);
    refuses(x, luc_shape4(2, 4, (size_t)1 << 62, (size_t)1 << 62), SET(), LUC_TOO_LARGE);
}

static void conv__attributes_refuse_impossible_numbers(void **state)
{
    (void)state;
    const struct luc_op *op = luc_op_find("Conv");
    char space[1024];
    assert_int_equal(luc_params_verify(op->attrs, NULL), LUC_OK);
    luc_params_default(op->attrs, space);
    assert_int_equal(luc_param_set(op->attrs, "strides", "0,1", space, NULL), LUC_RANGE);
    assert_int_equal(luc_param_set(op->attrs, "pads", "-1,0,0,0", space, NULL), LUC_RANGE);
    assert_int_equal(luc_param_set(op->attrs, "dilations", "0", space, NULL), LUC_RANGE);
    assert_int_equal(luc_param_set(op->attrs, "group", "0", space, NULL), LUC_RANGE);
    assert_int_equal(luc_param_set(op->attrs, "auto_pad", "SAME", space, NULL), LUC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv__backward_matches_finite_difference),
        cmocka_unit_test(conv__same_bits_for_any_number_of_threads),
        cmocka_unit_test(conv__writes_relu_when_fused),
        cmocka_unit_test(conv__pads_as_auto_pad_says),
        cmocka_unit_test(conv__refuses_what_does_not_fit),
        cmocka_unit_test(conv__attributes_refuse_impossible_numbers),
    };
    return cmocka_run_group_tests_name("op_conv", tests, NULL, NULL);
}
