/* pooling.h -- maxima and means of windows, one plane [h, w] at a time. */
#ifndef LUC_KERNELS_POOLING_H
#define LUC_KERNELS_POOLING_H

#include "core/kernels/window.h"

#define LUC_NO_ARGMAX UINT32_MAX /* a window with nothing but padding */

/* y [oh, ow]: the largest of each window, -infinity where it lies in the padding. `argmax` (may be
 * NULL) receives where in x it is, the first of equals. */
void luc_pool_max(const struct luc_window *win, const float *x, float *y, uint32_t *argmax);
void luc_pool_max_ref(const struct luc_window *win, const float *x, float *y, uint32_t *argmax);

/* The mean of each window; padding counts as zeros when `count_pad`, else not at all. */
void luc_pool_mean(const struct luc_window *win, const float *x, bool count_pad, float *y);
void luc_pool_mean_ref(const struct luc_window *win, const float *x, bool count_pad, float *y);
/* Its transpose: adds to dx. */
void luc_pool_mean_dx(const struct luc_window *win, const float *dy, bool count_pad, float *dx);

#endif
