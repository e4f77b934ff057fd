/* rownorm.h -- rows brought to mean 0 and variance 1 (or to mean square 1), scaled and shifted: what
 * LayerNormalization, GroupNormalization and RMSNormalization share.
 *
 *   y = scale h + b,  h = (x - mean) r,  r = 1 / sqrt(var + epsilon)
 *
 * Element k of row i has the scale number (i % groups) * m + k / inner. Moments in double.
 */
#ifndef LUC_KERNELS_ROWNORM_H
#define LUC_KERNELS_ROWNORM_H

#include "core/base/parallel.h"

#include <stdbool.h>
#include <stddef.h>

struct luc_rownorm {
    size_t rows, groups, m, inner; /* a row has m * inner elements */
    double epsilon;
    bool centre; /* false: mean is taken for 0 */
};

/* b, mean and r, one number a row, may be NULL. */
void luc_rownorm_forward(const struct luc_rownorm *n, const struct luc_threads *threads,
                         const float *x, const float *scale, const float *b, float *y, float *mean,
                         float *r);

/* Adds to dx, dscale and db; each may be NULL. x and scale as in forward. */
void luc_rownorm_backward(const struct luc_rownorm *n, const struct luc_threads *threads,
                          const float *x, const float *scale, const float *dy, float *dx,
                          float *dscale, float *db);

#endif
