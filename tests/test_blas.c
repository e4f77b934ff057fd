#include "core/base/rng.h"
#include "core/tensor/blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIDE 23 /* larger than any matrix here, so that leading dimensions have slack */

static void fill(float *p, size_t n, struct luc_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * luc_rng_uniform(rng) - 1.0);
}

static void sgemm__agrees_with_the_textbook(void **state)
{
    (void)state;
    struct luc_rng rng;
    float a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE], ref[SIDE * SIDE];
    luc_rng_seed(&rng, 1);

    for (int turn = 0; turn < 200; turn++) {
        const size_t m = luc_rng_below(&rng, 21), n = luc_rng_below(&rng, 21);
        const size_t k = luc_rng_below(&rng, 21);
        const bool ta = turn & 1, tb = turn & 2;
        const float beta = turn & 4 ? 0.5f : 0.0f;
        fill(a, SIDE * SIDE, &rng), fill(b, SIDE * SIDE, &rng), fill(c, SIDE * SIDE, &rng);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            ref[i] = c[i] = beta == 0.0f && i % SIDE < n && i / SIDE < m ? NAN : c[i];
        luc_sgemm(ta, tb, m, n, k, 0.7f, a, SIDE, b, SIDE, beta, c, SIDE);
        luc_sgemm_ref(ta, tb, m, n, k, 0.7f, a, SIDE, b, SIDE, beta, ref, SIDE);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            assert_true(fabsf(c[i] - ref[i]) <= 1e-5f);
    }
}

static void blas__names_its_kernels_and_advises_only_known_ones(void **state)
{
    (void)state;
    const char *advice = luc_blas_advise();
    printf("kernels: %s, advice: %s\n", luc_blas_corename(), advice ? advice : "none");
    assert_true(*luc_blas_corename() != '\0');
    assert_true(!advice || *advice != '\0');
}

int main(void)
{
    luc_blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgemm__agrees_with_the_textbook),
        cmocka_unit_test(blas__names_its_kernels_and_advises_only_known_ones),
    };
    return cmocka_run_group_tests_name("blas", tests, NULL, NULL);
}
