/* winograd.h -- 3x3 convolutions with stride 1 in a quarter of the multiplications.
 *
 * F(4x4, 3x3) with the points 0, 1, -1, 1/2, -2: a tile of 4x4 outputs needs 6x6 inputs, 36 products
 * for each pair of channels instead of 144. Weights are transformed once, in double. The gradient to
 * the input is the same sum on a mirrored picture with the channels' roles exchanged, so the same
 * packed weights serve it.
 *
 * Relative L2 error against sums in double, inputs as after a ReLU: 1.1e-6 for 64 input channels,
 * 2.7e-6 for 512 (the direct sum in float: 2e-7). Only plans that ask for speed use it
 * (luc_plan_spec.fast). F(6x6), a fifth fewer products and 2.7e-6 and 6.9e-6, was no faster: what
 * it saves there its transforms cost.
 *
 * Source: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, arXiv:1509.09308.
 */
#ifndef LUC_KERNELS_WINOGRAD_H
#define LUC_KERNELS_WINOGRAD_H

#include "core/kernels/conv.h"

/* Can it be computed this way at all? */
bool luc_winograd_can(const struct luc_conv *g);
/* Does it pay off? Decided by shape alone. */
bool luc_winograd_pays(const struct luc_conv *g, bool gradient);

/* Floats of the packed weights; 0 when that overflows. */
size_t luc_winograd_floats(size_t c_out, size_t c_in);
/* w [c_out, c_in, 3, 3] into u, aligned to LUC_ALIGN. */
void luc_winograd_pack(const float *w, size_t c_out, size_t c_in, float *u,
                       const struct luc_threads *threads);

/* Bytes of scratch for y or dx. */
size_t luc_winograd_scratch(const struct luc_conv *g, bool gradient, size_t lanes);

struct luc_winograd {
    const float *u; /* packed weights */
    bool narrow;    /* vectors of 8, as on processors that have no longer ones; false picks what the
                       processor has */
};

/* As luc_conv_y and luc_conv_dx. With a gate [the shape of dy], dy counts where it is positive: the
 * gradient of a ReLU whose output it is. */
void luc_winograd_y(const struct luc_conv *g, const float *x, const struct luc_winograd *w,
                    const struct luc_conv_finish *fin, float *y, void *scratch,
                    const struct luc_threads *threads);
void luc_winograd_dx(const struct luc_conv *g, const float *dy, const float *gate,
                     const struct luc_winograd *w, bool add, float *dx, void *scratch,
                     const struct luc_threads *threads);

#endif
