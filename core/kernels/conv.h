/* conv.h -- convolution and its two transposes, on raw arrays.
 *
 * One description serves Conv and ConvTranspose, whose forward is the other's gradient:
 *
 *   luc_conv_y   y  = conv(x, w)      or y  += ...
 *   luc_conv_dx  dx = conv^T(dy, w)   or dx += ...
 *   luc_conv_dw  dw += the correlation of x and dy
 *
 * x [n, c_in, h, w], y [n, c_out, oh, ow], w [c_out, c_in / groups, kh, kw].
 *
 * Work is split by shape alone, so results have the same bits for any number of threads. Windows
 * are unrolled (im2col) in blocks of about 1 MiB per lane that stay in the second-level cache; a
 * 1x1 convolution with stride 1 needs none; one with a single input channel per group is done
 * directly. Source: Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks
 * for Document Processing", 2006 (im2col).
 */
#ifndef LUC_KERNELS_CONV_H
#define LUC_KERNELS_CONV_H

#include "core/base/parallel.h"
#include "core/kernels/window.h"

struct luc_conv {
    struct luc_window win;
    size_t n, c_in, c_out, groups; /* groups divides both */
};

/* LUC_TOO_LARGE when the matrices pass what BLAS can index. */
LUC_MUST_USE enum luc_status luc_conv_check(const struct luc_conv *g, struct luc_error *err);

/* Bytes of scratch that any of the three needs for `lanes` threads. */
size_t luc_conv_scratch(const struct luc_conv *g, size_t lanes);

/* What happens to y besides the sum. */
struct luc_conv_finish {
    bool add;          /* to what y holds */
    const float *bias; /* [c_out] or NULL */
    bool relu;         /* y = max(0, y) at the end; not with add */
    const float *plus; /* [n, c_out, oh, ow], added before the ReLU, or NULL; only conv_panel.h */
};

void luc_conv_y(const struct luc_conv *g, const float *x, const float *w,
                const struct luc_conv_finish *fin, float *y, void *scratch,
                const struct luc_threads *threads);
void luc_conv_dx(const struct luc_conv *g, const float *dy, const float *w, bool add, float *dx,
                 void *scratch, const struct luc_threads *threads);
void luc_conv_dw(const struct luc_conv *g, const float *x, const float *dy, float *dw,
                 void *scratch, const struct luc_threads *threads);

/* sums[c] += the sum over n and pixels of t [n, channels, pixels]; summed in double. */
void luc_channel_sums(const float *t, size_t n, size_t channels, size_t pixels, float *sums,
                      const struct luc_threads *threads);
/* t[n, c, p] += bias[c] */
void luc_channel_add(float *t, size_t n, size_t channels, size_t pixels, const float *bias,
                     const struct luc_threads *threads);

/* The definitions, loop by loop, summed in double. */
void luc_conv_y_ref(const struct luc_conv *g, const float *x, const float *w,
                    const struct luc_conv_finish *fin, float *y);
void luc_conv_dx_ref(const struct luc_conv *g, const float *dy, const float *w, float *dx);
void luc_conv_dw_ref(const struct luc_conv *g, const float *x, const float *dy, float *dw);

/* conv_direct.c: one input channel per group. */
size_t luc_conv_direct_scratch(const struct luc_conv *g, size_t lanes);
void luc_conv_direct_y(const struct luc_conv *g, const float *x, const float *w,
                       const struct luc_conv_finish *fin, float *y, void *scratch,
                       const struct luc_threads *threads);
void luc_conv_direct_dx(const struct luc_conv *g, const float *dy, const float *w, bool add,
                        float *dx, void *scratch, const struct luc_threads *threads);
void luc_conv_direct_dw(const struct luc_conv *g, const float *x, const float *dy, float *dw,
                        const struct luc_threads *threads);

#endif
