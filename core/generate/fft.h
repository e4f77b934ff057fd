/* fft.h -- 2-D real Fourier transforms of any size, on kissfft.
 *
 * Conventions are numpy's rfft2 and irfft2: forward unscaled, inverse divided by H * W; the half
 * spectrum is [H][W/2 + 1] complex numbers, real and imaginary part side by side. */
#ifndef LUC_GENERATE_FFT_H
#define LUC_GENERATE_FFT_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stddef.h>

struct luc_fft; /* opaque; lives in an arena */

/* LUC_NOMEM. height and width at least 1. */
LUC_MUST_USE enum luc_status luc_fft_create(size_t height, size_t width, struct luc_arena *arena,
                                            struct luc_fft **fft, struct luc_error *err);

static inline size_t luc_fft_columns(size_t width)
{
    return width / 2 + 1;
}

/* real [H][W] -> spectrum [H][W/2 + 1][2]. */
void luc_fft_forward(struct luc_fft *f, const float *real, float *spectrum);
/* spectrum -> real. The imaginary parts that a real picture cannot have are ignored. */
void luc_fft_inverse(struct luc_fft *f, const float *spectrum, float *real);

#endif
