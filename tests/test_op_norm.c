#include "core/kernels/moments.h"
#include "tests/gradcheck.h"
#include "tests/op_attrs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct gradcheck batch_norm(struct luc_shape x, const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find("BatchNormalization");
    const struct gradcheck_in param = { .shape = { 1, { x.dim[1] } }, .constant = true };
    struct gradcheck g = {
        .op = op, .attrs = op_attrs(op, s), .n_in = 5, .in = { { .shape = x } }
    };
    for (size_t i = 1; i < 5; i++)
        g.in[i] = param;
    g.in[4].lo = 0.5, g.in[4].hi = 2.0;
    return g;
}

static void batch_normalization__backward_matches_finite_difference(void **state)
{
    (void)state;
    struct gradcheck g = batch_norm(luc_shape4(2, 3, 2, 4), SET({ "epsilon", "0.1" }, ));
    gradcheck_run(&g);
    g = batch_norm((struct luc_shape){ 2, { 4, 3 } }, SET());
    gradcheck_run(&g);
    gradcheck_threads(&g);
    g = batch_norm(luc_shape4(2, 9, 7, 5), SET());
    gradcheck_threads(&g);
}

static void batch_normalization__normalises(void **state)
{
    (void)state;
    static const float x[4] = { 1, 3, -2, 4 }, scale[2] = { 2, 1 }, b[2] = { 0.5f, -1 };
    static const float mean[2] = { 2, 1 }, var[2] = { 4, 9 };
    static const float y[4] = { -0.5f, 1.5f, -2, 0 }, relu[4] = { 0, 1.5f, 0, 0 };
    struct gradcheck g = batch_norm(luc_shape4(1, 2, 1, 2), SET({ "epsilon", "0" }, ));
    struct op_rig r;
    g.in[0].values = x, g.in[1].values = scale, g.in[2].values = b, g.in[3].values = mean;
    g.in[4].values = var;
    for (int k = 0; k < 2; k++, g.relu = true) {
        op_rig_init(&r, &g);
        op_rig_forward(&r);
        assert_close("y", r.out[0].data, g.relu ? relu : y, 4, 1e-6);
        op_rig_done(&r);
    }
}

static void batch_normalization__refuses_training(void **state)
{
    (void)state;
    struct luc_error err = { 0 };
    struct gradcheck g = batch_norm(luc_shape4(1, 2, 1, 2), SET({ "training_mode", "1" }, ));
    assert_int_equal(op_infer(&g, &err), LUC_UNSUPPORTED);
    g = batch_norm(luc_shape4(1, 2, 1, 2), SET({ "spatial", "0" }, ));
    assert_int_equal(op_infer(&g, &err), LUC_UNSUPPORTED);
    g = batch_norm(luc_shape4(1, 2, 1, 2), SET());
    g.in[3].shape.dim[0] = 3;
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
    g.in[0].shape = (struct luc_shape){ 0 };
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
    assert_int_equal(luc_params_verify(g.op->attrs, NULL), LUC_OK);
}

static struct gradcheck instance_norm(struct luc_shape x)
{
    const struct luc_op *op = luc_op_find("InstanceNormalization");
    return (struct gradcheck){
        .op = op,
        .attrs = op_attrs(op, SET({ "epsilon", "0.01" }, )),
        .n_in = 3,
        .in = { { .shape = x },
                { .shape = { 1, { x.dim[1] } } },
                { .shape = { 1, { x.dim[1] } } } },
    };
}

static void instance_normalization__backward_matches_finite_difference(void **state)
{
    (void)state;
    struct gradcheck g = instance_norm(luc_shape4(2, 3, 3, 4));
    gradcheck_run(&g);
    gradcheck_threads(&g);
    g = instance_norm((struct luc_shape){ 3, { 1, 2, 7 } });
    gradcheck_run(&g);
    g = instance_norm((struct luc_shape){ 5, { 2, 9, 2, 3, 5 } });
    gradcheck_threads(&g);
}

static void instance_normalization__has_mean_b_and_deviation_scale(void **state)
{
    (void)state;
    static const float scale[2] = { 3, 0.5f }, b[2] = { 1, -2 };
    struct gradcheck g = instance_norm(luc_shape4(2, 2, 30, 31));
    struct op_rig r;
    g.attrs = op_attrs(g.op, SET({ "epsilon", "0" }, ));
    g.in[0].lo = 100, g.in[0].hi = 101; /* far from 0: float sums would lose the variance */
    g.in[1].values = scale, g.in[2].values = b;
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    for (size_t i = 0; i < 4; i++) {
        double sum = 0, square = 0;
        for (size_t k = 0; k < 930; k++)
            sum += (double)r.out[0].data[i * 930 + k];
        for (size_t k = 0; k < 930; k++)
            square += pow((double)r.out[0].data[i * 930 + k] - sum / 930, 2);
        assert_true(fabs(sum / 930 - (double)b[i % 2]) < 1e-4);
        assert_true(fabs(sqrt(square / 930) - (double)scale[i % 2]) < 1e-4);
    }
    op_rig_done(&r);
}

/* Far from 0, where the sum of squares would lose the variance; lengths around the kernel's blocks,
 * in one piece and in two. */
static void moments__agree_with_the_definition(void **state)
{
    (void)state;
    static float x[9000];
    static const size_t lengths[] = { 1, 2, 31, 32, 33, 930, 4095, 4096, 4097, 8999 };
    for (size_t i = 0; i < 9000; i++)
        x[i] = 3000.0f + (float)(i * 7919 % 1009) / 1009.0f;
    for (size_t k = 0; k < sizeof(lengths) / sizeof(*lengths); k++) {
        const size_t n = lengths[k];
        const struct luc_moments want = luc_moments_ref(x + 1, n);
        struct luc_moments whole = { 0 }, parts = { 0 };
        luc_moments_add(&whole, x + 1, n);
        luc_moments_add(&parts, x + 1, n / 3);
        luc_moments_add(&parts, x + 1 + n / 3, n - n / 3);
        assert_true(whole.n == (double)n && parts.n == (double)n);
        assert_true(fabs(whole.mean - want.mean) < 1e-9 && fabs(parts.mean - want.mean) < 1e-9);
        assert_true(fabs(whole.m2 - want.m2) <= 1e-9 * want.m2);
        assert_true(fabs(parts.m2 - want.m2) <= 1e-9 * want.m2);
    }
}

static void instance_normalization__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct luc_error err = { 0 };
    struct gradcheck g = instance_norm(luc_shape4(1, 2, 3, 3));
    g.in[2].shape.dim[0] = 1;
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
    g = instance_norm(luc_shape4(1, 2, 0, 3));
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
    g.in[0].shape = (struct luc_shape){ 0 };
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
}

static struct gradcheck lrn(struct luc_shape x, const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find("LRN");
    return (struct gradcheck){
        .op = op, .attrs = op_attrs(op, s), .n_in = 1, .in = { { .shape = x } }
    };
}

static void lrn__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const sizes[] = { "1", "2", "3", "5", "50" };
    for (size_t i = 0; i < 5; i++) {
        struct gradcheck g =
            lrn(luc_shape4(2, 7, 2, 3), SET({ "size", sizes[i] }, { "alpha", "2" }, ));
        gradcheck_run(&g);
    }
    struct gradcheck g =
        lrn((struct luc_shape){ 3, { 1, 5, 530 } },
            SET({ "size", "4" }, { "alpha", "1.5" }, { "beta", "0.6" }, { "bias", "2" }, ));
    gradcheck_run(&g);
    gradcheck_threads(&g);
    g = lrn(luc_shape4(1, 5, 2, 3), SET({ "size", "3" }, { "alpha", "2" }, { "beta", "0.5" }, ));
    gradcheck_run(&g);
}

static void lrn__divides_by_its_neighbours(void **state)
{
    (void)state;
    static const float x[4] = { 1, 2, 3, 4 };
    struct gradcheck g = lrn((struct luc_shape){ 3, { 1, 4, 1 } },
                             SET({ "size", "2" }, { "alpha", "2" }, { "beta", "1" }, ));
    static const float y[4] = { 1.0f / 6, 2.0f / 14, 3.0f / 26, 4.0f / 17 };
    struct op_rig r;
    g.in[0].values = x;
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    assert_close("y", r.out[0].data, y, 4, 1e-6);
    op_rig_done(&r);
}

static void lrn__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct luc_error err = { 0 };
    struct gradcheck g = lrn(luc_shape4(1, 2, 3, 3), SET());
    assert_int_equal(op_infer(&g, &err), LUC_INVALID);
    g = lrn((struct luc_shape){ 0 }, SET({ "size", "3" }, ));
    assert_int_equal(op_infer(&g, &err), LUC_SHAPE);
    assert_int_equal(luc_params_verify(g.op->attrs, NULL), LUC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_normalization__backward_matches_finite_difference),
        cmocka_unit_test(batch_normalization__normalises),
        cmocka_unit_test(batch_normalization__refuses_training),
        cmocka_unit_test(instance_normalization__backward_matches_finite_difference),
        cmocka_unit_test(instance_normalization__has_mean_b_and_deviation_scale),
        cmocka_unit_test(moments__agree_with_the_definition),
        cmocka_unit_test(instance_normalization__refuses_what_does_not_fit),
        cmocka_unit_test(lrn__backward_matches_finite_difference),
        cmocka_unit_test(lrn__divides_by_its_neighbours),
        cmocka_unit_test(lrn__refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests_name("op_norm", tests, NULL, NULL);
}
