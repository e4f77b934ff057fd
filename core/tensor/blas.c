#include "core/tensor/blas.h"

#include <cblas.h>
#include <strings.h>

void luc_blas_init(void)
{
    openblas_set_num_threads(1);
}

const char *luc_blas_corename(void)
{
    const char *name = openblas_get_corename();
    return name ? name : "unknown";
}

static bool is_dated(const char *name)
{
    static const char *const dated[] = { "Prescott",  "Core2",  "Penryn",      "Dunnington",
                                         "Nehalem",   "Atom",   "Katmai",      "Coppermine",
                                         "Northwood", "Banias", "Sandybridge", "Generic" };
    for (size_t i = 0; i < sizeof(dated) / sizeof(dated[0]); i++)
        if (strcasecmp(dated[i], name) == 0)
            return true;
    return false;
}

/* Kernels with vectors of 8: half of what a processor with 16 can do. */
static bool is_half(const char *name)
{
    return strcasecmp(name, "Haswell") == 0 || strcasecmp(name, "Zen") == 0;
}

const char *luc_blas_advise(void)
{
#if defined(__x86_64__)
    const char *name = luc_blas_corename();
    if (!is_dated(name) && !is_half(name))
        return NULL;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (is_dated(name) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_is("amd") ? "Zen" : "Haswell";
#endif
    return NULL;
}

/* BLAS wants a leading dimension of at least 1 even where there is nothing to lead. */
static int lead(size_t n)
{
    return n ? (int)n : 1;
}

void luc_sgemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha,
               const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
               size_t ldc)
{
    for (size_t i = 0; k == 0 && i < m; i++) /* OpenBLAS leaves C alone then */
        for (size_t j = 0; j < n; j++)
            c[i * ldc + j] = beta == 0.0f ? 0.0f : beta * c[i * ldc + j];
    if (m && n && k)
        cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
                    trans_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a,
                    lead(lda), b, lead(ldb), beta, c, lead(ldc));
}

void luc_ssyrk(size_t n, size_t k, float alpha, const float *a, size_t lda, float *c, size_t ldc)
{
    for (size_t i = 0; k == 0 && i < n; i++) /* as above */
        for (size_t j = i; j < n; j++)
            c[i * ldc + j] = 0.0f;
    if (n && k)
        cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)n, (int)k, alpha, a, lead(lda),
                    0.0f, c, lead(ldc));
}

void luc_sgemv(bool trans_a, size_t rows, size_t cols, float alpha, const float *a, size_t lda,
               const float *x, size_t x_step, float beta, float *y)
{
    const size_t n_y = trans_a ? cols : rows, n_x = trans_a ? rows : cols;
    for (size_t i = 0; i < n_y && (n_x == 0 || beta == 0.0f); i++)
        y[i] = beta == 0.0f ? 0.0f : beta * y[i];
    if (n_y && n_x)
        cblas_sgemv(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, (int)rows, (int)cols, alpha,
                    a, lead(lda), x, lead(x_step), beta == 0.0f ? 1.0f : beta, y, 1);
}

void luc_sgemm_ref(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha,
                   const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                   size_t ldc)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t l = 0; l < k; l++)
                sum += (double)a[trans_a ? l * lda + i : i * lda + l] *
                       (double)b[trans_b ? j * ldb + l : l * ldb + j];
            const double old = beta == 0.0f ? 0.0 : (double)beta * (double)c[i * ldc + j];
            c[i * ldc + j] = (float)((double)alpha * sum + old);
        }
}
