/* product.h -- matrix products shared out over threads, alone or in batches.
 *
 * C = alpha * op(A) * op(B) + beta * C for every batch; matrices are stored without gaps. Cut by
 * shape alone: the same bits for any number of threads. With few rows it is a matter of reading
 * B once, so B is cut into pieces that are read as matrix times vector.
 */
#ifndef LUC_KERNELS_PRODUCT_H
#define LUC_KERNELS_PRODUCT_H

#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

struct luc_product {
    bool trans_a, trans_b;
    size_t m, n, k; /* op(A) [m, k], op(B) [k, n], C [m, n] */
    float alpha, beta;
    struct luc_shape batch; /* rank 0: one product */
    /* Floats from one batch to the next along each axis of `batch`; 0: the same matrix again.
     * Where C repeats, products are added one after the other (beta must be 1). */
    size_t a_step[LUC_MAX_RANK], b_step[LUC_MAX_RANK], c_step[LUC_MAX_RANK];
};

void luc_product(const struct luc_product *p, const float *a, const float *b, float *c,
                 const struct luc_threads *threads);

#endif
