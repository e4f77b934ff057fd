/* conv_rows.h -- convolutions summed directly, a few output channels and pixels in registers.
 *
 * The input of some rows of output is copied once, padded and (for a stride) with columns of one
 * phase side by side, so that each tap of the kernel is a run of consecutive floats. Where few
 * channels come in or go out, or windows stride, this takes a fraction of the time of unrolling and
 * a matrix product: the first layers of most networks, the last of those that draw. The gradient to
 * the input of a convolution without strides is the same sum with mirrored weights.
 *
 * Sums run over channels, then taps, in order. luc_conv_y_ref and luc_conv_dx_ref are the twins.
 */
#ifndef LUC_KERNELS_CONV_ROWS_H
#define LUC_KERNELS_CONV_ROWS_H

#include "core/kernels/conv.h"

/* Can it, and does it pay off? Decided by shape alone. */
bool luc_conv_rows_can(const struct luc_conv *g, bool gradient);
bool luc_conv_rows_pays(const struct luc_conv *g, bool gradient);

/* Bytes of scratch. */
size_t luc_conv_rows_scratch(const struct luc_conv *g, bool gradient, size_t lanes);

/* As luc_conv_y and luc_conv_dx. `narrow`: vectors of 8, as on processors that have no longer ones;
 * false picks what the processor has. */
void luc_conv_rows_y(const struct luc_conv *g, const float *x, const float *w,
                     const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                     const struct luc_threads *threads);
void luc_conv_rows_dx(const struct luc_conv *g, const float *dy, const float *w, bool add,
                      float *dx, bool narrow, void *scratch, const struct luc_threads *threads);

#endif
