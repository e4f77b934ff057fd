/* Long vectors and Gram matrices: right, and the same bits for any number of threads. */
#include "core/base/rng.h"
#include "core/generate/gram.h"
#include "core/generate/vector.h"
#include "core/tensor/blas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *numbers(size_t n, uint64_t seed)
{
    float *v = malloc((n ? n : 1) * sizeof(*v));
    struct luc_rng rng;
    luc_rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)luc_rng_normal(&rng);
    return v;
}

static const size_t lengths[] = { 1, 7, 8, 8191, 8192, 8193, 70001, 600013 };
#define N_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

static void check_step(const struct luc_threads *threads, size_t n)
{
    float *x = numbers(n, 1), *y = numbers(n, 2), *z = numbers(n, 3), *was = numbers(n, 2);
    double sum = 0;
    const double got = luc_vector_step(threads, 0.5f, y, -2, x, z, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(fabs(0.5 * (double)was[i] - 2 * (double)x[i] - (double)y[i]) < 1e-6);
        sum += (double)y[i] * (double)z[i];
    }
    assert_true(fabs(sum - got) <= 1e-9 * (double)n);
    assert_true(fabs(luc_vector_dot(threads, y, z, n) - sum) <= 1e-9 * (double)n);
    free(x);
    free(y);
    free(z);
    free(was);
}

static void check_difference(const struct luc_threads *threads, size_t n)
{
    float *a = numbers(n, 4), *b = numbers(n, 5), *g = numbers(n, 6), *was = numbers(n, 6);
    double sum = 0, l1 = 0, own = 0, ones = 0, squares = 0;
    const double adds = luc_vector_difference(threads, a, b, 3, false, g, n);
    for (size_t i = 0; i < n; i++) {
        const double d = (double)(a[i] - b[i]);
        assert_true(fabs((double)was[i] + 3 * d - (double)g[i]) < 1e-5);
        sum += d * d;
        own += fabs((double)a[i]);
        squares += (double)a[i] * (double)a[i];
    }
    assert_true(fabs(sum - adds) <= 1e-9 * (double)n);
    for (size_t i = 0; i < n; i++)
        g[i] = NAN; /* `sets` must not read it */
    assert_true(luc_vector_difference(threads, a, b, 3, true, g, n) == adds);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(3 * (double)(a[i] - b[i]) - (double)g[i]) < 1e-5);
    luc_vector_norms(threads, a, n, &l1, &ones);
    assert_true(fabs(l1 - own) <= 1e-9 * (double)n && fabs(ones - squares) <= 1e-9 * (double)n);
    free(a);
    free(b);
    free(g);
    free(was);
}

static void vectors__are_what_plain_loops_make_of_them(void **state)
{
    (void)state;
    struct luc_threads threads = { .pool = luc_pool_create(2), .width = 3 };
    for (size_t i = 0; i < N_LENGTHS; i++) {
        check_step(NULL, lengths[i]);
        check_step(&threads, lengths[i]);
        check_difference(&threads, lengths[i]);
    }
    luc_pool_destroy(threads.pool);
}

static void sums__have_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    const size_t n = 600013;
    float *a = numbers(n, 7), *b = numbers(n, 8);
    const double alone = luc_vector_dot(NULL, a, b, n);
    for (size_t width = 2; width <= 4; width++) {
        struct luc_threads threads = { .pool = luc_pool_create(width - 1), .width = width };
        for (int again = 0; again < 5; again++)
            assert_true(luc_vector_dot(&threads, a, b, n) == alone);
        luc_pool_destroy(threads.pool);
    }
    free(a);
    free(b);
}

/* Channels and places: one tile and several, one segment and several, edges of both. */
static const size_t shapes[][3] = { { 3, 4, 5 },     { 64, 96, 97 }, { 65, 31, 7 },
                                    { 130, 70, 71 }, { 300, 9, 11 }, { 1, 100, 200 } };

static void check_gram(const struct luc_threads *threads, const size_t shape[3])
{
    const size_t c = shape[0], n = shape[1] * shape[2];
    float *f = numbers(c * n, 9), *g = numbers(c * c, 10), *again = numbers(c * c, 11);
    float *scratch = numbers(luc_gram_scratch(c), 12);
    const struct luc_tensor features = { luc_shape4(1, c, shape[1], shape[2]), LUC_F32, f };
    luc_gram(threads, &features, scratch, g);
    for (size_t i = 0; i < c; i++)
        for (size_t k = 0; k < c; k += i % 7 + 1) {
            double sum = 0;
            for (size_t p = 0; p < n; p++)
                sum += (double)f[i * n + p] * (double)f[k * n + p];
            const double want = sum / (double)(c * n);
            assert_true(fabs(want - (double)g[i * c + k]) < 2e-6 * (1 / (double)c + fabs(want)));
        }
    luc_gram(NULL, &features, scratch, again);
    assert_memory_equal(g, again, c * c * sizeof(*g));
    luc_gram(threads, &features, NULL, again);
    for (size_t i = 0; i < c * c; i++)
        assert_true(fabs((double)(g[i] - again[i])) < 2e-6);
    free(f);
    free(g);
    free(again);
    free(scratch);
}

static void gram__is_the_sum_of_products_whatever_the_split(void **state)
{
    (void)state;
    struct luc_threads threads = { .pool = luc_pool_create(2), .width = 3 };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        check_gram(&threads, shapes[i]);
    luc_pool_destroy(threads.pool);
}

static void gram__gives_back_the_product_added_or_set(void **state)
{
    (void)state;
    const size_t c = 20, h = 61, w = 67, n = h * w;
    float *f = numbers(c * n, 13), *d = numbers(c * c, 14), *sets = numbers(c * n, 15);
    float *adds = numbers(c * n, 15), *was = numbers(c * n, 15);
    const struct luc_tensor features = { luc_shape4(1, c, h, w), LUC_F32, f };
    struct luc_threads threads = { .pool = luc_pool_create(1), .width = 2 };
    for (size_t i = 0; i < c; i++)
        for (size_t k = 0; k < i; k++)
            d[i * c + k] = d[k * c + i];
    luc_gram_backward(&threads, &features, d, 3, false, adds);
    for (size_t i = 0; i < c * n; i++)
        sets[i] = NAN;
    luc_gram_backward(&threads, &features, d, 3, true, sets);
    for (size_t i = 0; i < c * n; i++) {
        double sum = 0;
        for (size_t k = 0; k < c; k++)
            sum += (double)d[i / n * c + k] * (double)f[k * n + i % n];
        const double want = 6 * sum / (double)(c * n);
        assert_true(fabs(want - (double)sets[i]) < 1e-6);
        assert_true(fabs(want + (double)was[i] - (double)adds[i]) < 1e-6);
    }
    luc_pool_destroy(threads.pool);
    free(f);
    free(d);
    free(sets);
    free(adds);
    free(was);
}

int main(void)
{
    luc_blas_init(); /* one thread, as everywhere: the split is ours */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors__are_what_plain_loops_make_of_them),
        cmocka_unit_test(sums__have_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(gram__is_the_sum_of_products_whatever_the_split),
        cmocka_unit_test(gram__gives_back_the_product_added_or_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
