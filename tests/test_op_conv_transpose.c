#include "tests/gradcheck.h"
#include "tests/op_attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gradcheck conv_t(struct luc_shape x, struct luc_shape w, size_t channels,
                               const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find("ConvTranspose");
    return (struct gradcheck){
        .op = op,
        .attrs = op_attrs(op, s),
        .n_in = 3,
        .in = { { .shape = x }, { .shape = w }, { .shape = { 1, { channels } } } },
    };
}

static void check(struct gradcheck g)
{
    gradcheck_run(&g);
    gradcheck_threads(&g);
    g.n_in = 2;
    gradcheck_run(&g);
}

static void conv_transpose__backward_matches_finite_difference(void **state)
{
    (void)state;
    check(conv_t(luc_shape4(2, 3, 3, 4), luc_shape4(3, 4, 3, 2), 4, SET()));
    check(conv_t(luc_shape4(1, 4, 3, 4), luc_shape4(4, 3, 3, 3), 6,
                 SET({ "group", "2" }, { "strides", "2,3" }, { "dilations", "2,1" },
                     { "pads", "1,0,2,1" }, { "output_padding", "1,2" }, )));
    check(conv_t(luc_shape4(1, 3, 4, 3), luc_shape4(3, 1, 3, 3), 3,
                 SET({ "group", "3" }, { "strides", "2,2" }, { "auto_pad", "SAME_UPPER" }, )));
    check(conv_t(luc_shape4(2, 4, 3, 3), luc_shape4(4, 3, 1, 1), 3, SET()));
    check(conv_t(luc_shape4(1, 2, 3, 3), luc_shape4(2, 3, 3, 3), 3,
                 SET({ "strides", "3,2" }, { "output_shape", "10,8" }, )));
    check(conv_t((struct luc_shape){ 3, { 2, 2, 5 } }, (struct luc_shape){ 3, { 2, 3, 3 } }, 3,
                 SET({ "strides", "2" }, { "pads", "1,0" }, { "output_padding", "1" }, )));
}

/* y[n, m, h sH + i dH - pT, w sW + j dW - pL] += x[n, c, h, w] w[c, m, i, j], by the definition. */
static void conv_transpose__spreads_each_pixel(void **state)
{
    (void)state;
    struct gradcheck g = conv_t(luc_shape4(1, 2, 5, 4), luc_shape4(2, 3, 3, 2), 3,
                                SET({ "strides", "2,3" }, { "dilations", "1,2" },
                                    { "pads", "1,2,0,1" }, { "output_padding", "1,0" }, ));
    struct op_rig r;
    float ref[3 * 11 * 9];
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    const struct luc_shape want = luc_shape4(1, 3, 11, 9);
    assert_true(luc_shape_equal(&r.out[0].shape, &want));
    for (size_t i = 0; i < 3 * 99; i++)
        ref[i] = r.in[2].data[i / 99];
    for (size_t t = 0; t < 2 * 5 * 4 * 3 * 3 * 2; t++) {
        const size_t j = t % 2, i = t / 2 % 3, m = t / 6 % 3, w = t / 18 % 4, h = t / 72 % 5;
        const size_t c = t / 360, y = h * 2 + i - 1, x = w * 3 + j * 2 - 2;
        if (y < 11 && x < 9)
            ref[m * 99 + y * 9 + x] +=
                r.in[0].data[(c * 5 + h) * 4 + w] * r.in[1].data[((c * 3 + m) * 3 + i) * 2 + j];
    }
    assert_close("y", r.out[0].data, ref, 3 * 99, 1e-5);
    op_rig_done(&r);
}

static void refuses(struct luc_shape x, struct luc_shape w, const struct op_setting *s,
                    enum luc_status want)
{
    struct gradcheck g = conv_t(x, w, 3, s);
    struct luc_error err = { 0 };
    const enum luc_status got = op_infer(&g, &err);
    if (got != want || !*err.text)
        fail_msg("status %d, want %d: %s", (int)got, (int)want, err.text);
}

static void conv_transpose__refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct luc_shape x = luc_shape4(1, 4, 5, 5), w = luc_shape4(4, 3, 3, 3);
    const struct luc_shape x5 = { 5, { 1, 4, 5, 5, 5 } }, w5 = { 5, { 4, 3, 3, 3, 3 } };
    refuses(x5, w5, SET(), LUC_UNSUPPORTED);
    refuses((struct luc_shape){ 0 }, (struct luc_shape){ 0 }, SET(), LUC_SHAPE);
    refuses(x, luc_shape4(3, 3, 3, 3), SET(), LUC_SHAPE);
    refuses(x, w, SET({ "group", "3" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "group", "2147483647" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "pads", "9,0,9,0" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "output_shape", "9" }, ), LUC_SHAPE);
    refuses(x, w, SET({ "output_shape", "2147483647,2147483647" }, ), LUC_TOO_LARGE);
    refuses(x, w, SET({ "strides", "65536,65536" }, ), LUC_TOO_LARGE);
    refuses(luc_shape4(1, 4, 0, 5), w, SET(), LUC_SHAPE);
    assert_int_equal(luc_params_verify(luc_op_find("ConvTranspose")->attrs, NULL), LUC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_transpose__backward_matches_finite_difference),
        cmocka_unit_test(conv_transpose__spreads_each_pixel),
        cmocka_unit_test(conv_transpose__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests_name("op_conv_transpose", tests, NULL, NULL);
}
