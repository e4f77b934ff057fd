/* moments.h -- mean and variance of floats, in double, and what instance normalisation does with
 * them.
 *
 * Blocks that stay in the first-level cache are summed twice, for their mean and for the squared
 * differences from it, and joined: so one sweep over memory, without the cancellation of E[x^2] -
 * E[x]^2. Source: Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances", 1979.
 */
#ifndef LUC_KERNELS_MOMENTS_H
#define LUC_KERNELS_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* Of the numbers seen so far; m2: sum of squared differences from the mean. */
struct luc_moments {
    double n, mean, m2;
};

/* Takes in x[0..n), in an order that depends on n alone. */
void luc_moments_add(struct luc_moments *m, const float *x, size_t n);
/* The definition: two passes over all, one number after the other. */
struct luc_moments luc_moments_ref(const float *x, size_t n);

/* y = p (x - mean) + b, then max(0, y) with relu; y may be x. */
void luc_normalise_row(const float *x, size_t n, float p, float mean, float b, bool relu, float *y);

#endif
