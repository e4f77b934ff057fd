/* blas.h -- the only door to cblas.
 *
 * Matrix products run on the calling thread: the parallel loop is ours (core/base/parallel.h), so
 * that results do not depend on the number of threads. A process calls luc_blas_init() once,
 * before its first product and before it starts threads.
 *
 * OpenBLAS picks its kernels when the library loads, and on a processor it does not know it picks
 * ones without AVX, several times slower than it can, or with vectors half as long. Only the environment variable
 * OPENBLAS_CORETYPE, set before the process starts, changes that: luc_blas_advise() says to what.
 */
#ifndef LUC_TENSOR_BLAS_H
#define LUC_TENSOR_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* Makes OpenBLAS run every product on its caller. May be called again. */
void luc_blas_init(void);

/* The kernels in use, e.g. "SkylakeX". Never NULL. */
const char *luc_blas_corename(void);

/* The value of OPENBLAS_CORETYPE that suits this processor when the kernels in use are made for
 * much older ones, else NULL. */
const char *luc_blas_advise(void);

/* Row-major C [m, n] = alpha * op(A) * op(B) + beta * C, op being transposition when asked;
 * op(A) is [m, k], op(B) is [k, n]. Leading dimensions are row lengths as stored. With beta 0, C
 * is not read. Any of m, n, k may be 0. No dimension may pass INT_MAX. */
void luc_sgemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha,
               const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
               size_t ldc);

/* The upper half, diagonal included, of row-major C [n, n] = alpha * A * A^T, A being [n, k]; the
 * lower half is left alone. */
void luc_ssyrk(size_t n, size_t k, float alpha, const float *a, size_t lda, float *c, size_t ldc);

/* y [rows of op(A)] = alpha * op(A) * x + beta * y. A is stored as [rows, cols] with row length
 * lda; x has every x_step-th float, y every one. With beta 0, y is not read. */
void luc_sgemv(bool trans_a, size_t rows, size_t cols, float alpha, const float *a, size_t lda,
               const float *x, size_t x_step, float beta, float *y);

/* luc_sgemm by the textbook, summed in double: for tests. */
void luc_sgemm_ref(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, float alpha,
                   const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                   size_t ldc);

#endif
