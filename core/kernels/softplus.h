/* softplus.h -- y = ln(1 + e^(b x)) / b, and its gradient: what a plan may put in place of ReLUs.
 *
 * The loops have no branches and call no library, so that compilers can vectorise them; a network
 * has some ten million such units for one picture.
 */
#ifndef LUC_KERNELS_SOFTPLUS_H
#define LUC_KERNELS_SOFTPLUS_H

#include <stddef.h>

/* Within 4e-7 * max(1, |y|) of the formula for beta >= 0.5; NaN stays NaN. y may be x. beta > 0. */
void luc_softplus(float beta, const float *x, float *y, size_t n);
/* dx = dy * dy/dx, found from y alone: 1 - e^(-b y). Written, never added; dx may be dy. */
void luc_softplus_grad(float beta, const float *y, const float *dy, float *dx, size_t n);

/* The same by the library's functions, in double. */
void luc_softplus_ref(float beta, const float *x, float *y, size_t n);
void luc_softplus_grad_ref(float beta, const float *y, const float *dy, float *dx, size_t n);

#endif
