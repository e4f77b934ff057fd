/* blur.h -- Gaussian blur of float planes. */
#ifndef LUC_TENSOR_BLUR_H
#define LUC_TENSOR_BLUR_H

#include <stddef.h>

/* Blurs plane [height, width] in place with standard deviation `sigma` in pixels, cut off at three
 * deviations and normalised; the border is mirrored. `scratch`: max(height, width) floats.
 * sigma <= 0 leaves the plane as it is. */
void luc_blur(float *plane, size_t height, size_t width, double sigma, float *scratch);

#endif
