#include "core/kernels/product.h"
#include "core/tensor/blas.h"
#include "tests/gradcheck.h"
#include "tests/op_attrs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void product__agrees_with_the_textbook(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    for (int turn = 0; turn < 60; turn++) {
        struct luc_product p = { .trans_a = turn & 1, .trans_b = turn & 2, .alpha = 0.5f };
        p.m = 1 + luc_rng_below(&rng, turn % 3 ? 6 : 300), p.k = luc_rng_below(&rng, 40);
        p.n = 1 + luc_rng_below(&rng, turn % 5 ? 70 : 3000), p.beta = turn & 4 ? 1.0f : 0.0f;
        const size_t n_a = p.m * p.k, n_b = p.k * p.n, n_c = p.m * p.n;
        float *all = malloc((n_a + n_b + 2 * n_c) * sizeof(float));
        assert_non_null(all);
        float *a = all, *b = a + n_a, *c = b + n_b, *ref = c + n_c;
        for (size_t i = 0; i < n_a + n_b + n_c; i++)
            all[i] = (float)(2.0 * luc_rng_uniform(&rng) - 1.0);
        memcpy(ref, c, n_c * sizeof(float));
        luc_product(&p, a, b, c, NULL);
        luc_sgemm_ref(p.trans_a, p.trans_b, p.m, p.n, p.k, 0.5f, a, p.trans_a ? p.m : p.k, b,
                      p.trans_b ? p.k : p.n, p.beta, ref, p.n);
        assert_close("c", c, ref, n_c, 1e-5);
        free(all);
    }
}

static struct gradcheck gemm(struct luc_shape a, struct luc_shape b, struct luc_shape c,
                             const struct op_setting *s)
{
    const struct luc_op *op = luc_op_find("Gemm");
    return (struct gradcheck){
        .op = op,
        .attrs = op_attrs(op, s),
        .n_in = 3,
        .in = { { .shape = a }, { .shape = b, .constant = true }, { .shape = c, .constant = true } }
    };
}

static struct luc_shape matrix(size_t m, size_t n)
{
    return (struct luc_shape){ 2, { m, n } };
}

static void gemm__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const struct luc_shape cs[] = { { 0 },           { 1, { 1 } },    { 1, { 5 } },
                                           { 2, { 1, 5 } }, { 2, { 6, 1 } }, { 2, { 6, 5 } } };
    for (size_t i = 0; i < sizeof(cs) / sizeof(cs[0]); i++) {
        const struct op_setting *s = i % 2 ? SET({ "alpha", "0.5" }, { "beta", "-2" }, ) : SET();
        struct gradcheck g = gemm(matrix(6, 3), matrix(3, 5), cs[i], s);
        gradcheck_run(&g);
        g.n_in = 2;
        gradcheck_run(&g);
    }
    struct gradcheck g = gemm(matrix(3, 6), matrix(3, 5), cs[2], SET({ "transA", "1" }, ));
    gradcheck_run(&g);
    g = gemm(matrix(6, 3), matrix(5, 3), cs[2], SET({ "transB", "1" }, ));
    gradcheck_run(&g);
    g = gemm(matrix(3, 6), matrix(5, 3), cs[2], SET({ "transA", "1" }, { "transB", "1" }, ));
    gradcheck_run(&g);
    g = gemm(matrix(1, 7), matrix(5, 7), cs[2], SET({ "transB", "1" }, ));
    gradcheck_run(&g);
}

static void gemm__same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    struct gradcheck g = gemm(matrix(1, 700), matrix(300, 700), (struct luc_shape){ 1, { 300 } },
                              SET({ "transB", "1" }, ));
    gradcheck_threads(&g);
    g = gemm(matrix(3, 700), matrix(700, 300), (struct luc_shape){ 1, { 300 } }, SET());
    gradcheck_threads(&g);
    g = gemm(matrix(150, 60), matrix(60, 90), (struct luc_shape){ 1, { 90 } }, SET());
    gradcheck_threads(&g);
}

static void refuses(const struct luc_shape *a, const struct luc_shape *b, const struct luc_shape *c,
                    enum luc_status want)
{
    struct gradcheck g = gemm(*a, *b, *c, SET());
    struct luc_error err = { 0 };
    const enum luc_status got = op_infer(&g, &err);
    if (got != want || !*err.text)
        fail_msg("status %d, want %d: %s", (int)got, (int)want, err.text);
}

static void gemm__refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct luc_shape a = matrix(2, 3), b = matrix(3, 4), c = matrix(2, 4), none = { 0 };
    const struct luc_shape tall = matrix((size_t)1 << 33, 1), deep = { 3, { 1, 2, 4 } };
    const struct luc_shape wide = matrix(1, (size_t)1 << 30), row = matrix((size_t)1 << 30, 1);
    refuses(&a, &a, &c, LUC_SHAPE);
    refuses(&none, &b, &c, LUC_SHAPE);
    refuses(&deep, &b, &c, LUC_SHAPE);
    refuses(&a, &b, &deep, LUC_SHAPE);
    refuses(&a, &b, &b, LUC_SHAPE);
    refuses(&tall, &wide, &none, LUC_TOO_LARGE);
    refuses(&row, &wide, &none, LUC_TOO_LARGE);
    assert_int_equal(luc_params_verify(luc_op_find("Gemm")->attrs, NULL), LUC_OK);
}

static struct gradcheck mat_mul(struct luc_shape a, struct luc_shape b)
{
    return (struct gradcheck){ .op = luc_op_find("MatMul"),
                               .n_in = 2,
                               .in = { { .shape = a }, { .shape = b } } };
}

static void mat_mul__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const struct luc_shape cases[][2] = {
        { { 2, { 3, 4 } }, { 2, { 4, 5 } } },
        { { 1, { 4 } }, { 1, { 4 } } },
        { { 1, { 4 } }, { 2, { 4, 3 } } },
        { { 1, { 4 } }, { 3, { 2, 4, 3 } } },
        { { 3, { 2, 3, 4 } }, { 1, { 4 } } },
        { { 3, { 2, 3, 4 } }, { 2, { 4, 5 } } },
        { { 2, { 7, 4 } }, { 3, { 2, 4, 5 } } },
        { { 4, { 2, 1, 6, 4 } }, { 3, { 3, 4, 5 } } },
        { { 4, { 2, 3, 2, 4 } }, { 4, { 2, 3, 4, 2 } } },
        { { 4, { 1, 3, 2, 4 } }, { 4, { 2, 1, 4, 2 } } },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gradcheck g = mat_mul(cases[i][0], cases[i][1]);
        gradcheck_run(&g);
        gradcheck_threads(&g);
    }
}

/* y[b0, b1] = a[b0, 0] b[b1], one product at a time. */
static void mat_mul__broadcasts_leading_axes(void **state)
{
    (void)state;
    struct gradcheck g = mat_mul(luc_shape4(2, 1, 3, 4), (struct luc_shape){ 3, { 5, 4, 6 } });
    struct op_rig r;
    float ref[18];
    op_rig_init(&r, &g);
    op_rig_forward(&r);
    const struct luc_shape want = luc_shape4(2, 5, 3, 6);
    assert_true(luc_shape_equal(&r.out[0].shape, &want));
    for (size_t i = 0; i < 10; i++) {
        luc_sgemm_ref(false, false, 3, 6, 4, 1, r.in[0].data + i / 5 * 12, 4,
                      r.in[1].data + i % 5 * 24, 6, 0, ref, 6);
        assert_close("y", r.out[0].data + i * 18, ref, 18, 1e-6);
    }
    op_rig_done(&r);
}

static void mat_mul__refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const struct luc_shape bad[][2] = {
        { { 0 }, { 2, { 4, 5 } } },
        { { 2, { 3, 4 } }, { 2, { 3, 4 } } },
        { { 1, { 4 } }, { 1, { 5 } } },
        { { 3, { 2, 3, 4 } }, { 3, { 3, 4, 5 } } },
        { { 2, { (size_t)1 << 33, 1 } }, { 2, { 1, 1 } } },
        { { 2, { (size_t)1 << 30, 1 } }, { 2, { 1, (size_t)1 << 30 } } },
        { { 8, { 1, 1, 1, 1, 1, 1, 3, 4 } }, { 2, { 3, 4 } } },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct gradcheck g = mat_mul(bad[i][0], bad[i][1]);
        struct luc_error err = { 0 };
        assert_true(op_infer(&g, &err) != LUC_OK && *err.text);
    }
}

static double flops_of(const char *op, size_t n_in, struct luc_shape a, struct luc_shape b,
                       struct luc_shape y, bool trans_a)
{
    const struct luc_info infos[2] = { { .shape = a }, { .shape = b } };
    const struct luc_info *const in[2] = { &infos[0], &infos[1] };
    const struct {
        double alpha, beta;
        int64_t transA, transB;
    } attrs = { 1, 1, trans_a, 0 };
    const struct luc_infer x = {
        .attrs = &attrs, .n_in = n_in, .in = in, .n_out = 1, .out = { { .shape = y } }
    };
    return luc_op_find(op)->flops(&x);
}

static void product__counts_two_operations_per_product(void **state)
{
    (void)state;
    const struct luc_shape a = matrix(2, 3), t = matrix(3, 2), b = matrix(3, 4), y = matrix(2, 4);
    const struct luc_shape many = { 3, { 5, 2, 3 } }, all = { 3, { 5, 2, 4 } };
    assert_true(flops_of("Gemm", 2, a, b, y, false) == 48.0);
    assert_true(flops_of("Gemm", 2, t, b, y, true) == 48.0);
    assert_true(flops_of("MatMul", 2, a, b, y, false) == 48.0);
    assert_true(flops_of("MatMul", 2, many, b, all, false) == 240.0);
}

int main(void)
{
    luc_blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product__agrees_with_the_textbook),
        cmocka_unit_test(gemm__backward_matches_finite_difference),
        cmocka_unit_test(gemm__same_bits_for_any_number_of_threads),
        cmocka_unit_test(gemm__refuses_what_does_not_fit),
        cmocka_unit_test(mat_mul__backward_matches_finite_difference),
        cmocka_unit_test(mat_mul__broadcasts_leading_axes),
        cmocka_unit_test(mat_mul__refuses_what_does_not_fit),
        cmocka_unit_test(product__counts_two_operations_per_product),
    };
    return cmocka_run_group_tests_name("op_product", tests, NULL, NULL);
}
