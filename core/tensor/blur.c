#include "core/tensor/blur.h"

#include <math.h>
#include <string.h>

#define REACH      3.0 /* deviations */
#define RADIUS_MAX 512

/* Index i mirrored into [0, n): ... 2 1 0 | 0 1 2 ... n-1 | n-1 ... */
static size_t mirror(ptrdiff_t i, size_t n)
{
    const ptrdiff_t period = 2 * (ptrdiff_t)n;
    ptrdiff_t at = i % period;
    at = at < 0 ? at + period : at;
    return (size_t)(at < (ptrdiff_t)n ? at : period - 1 - at);
}

static void blur_line(float *line, size_t n, size_t stride, const float *kernel, ptrdiff_t radius,
                      float *scratch)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = line[i * stride];
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (ptrdiff_t k = -radius; k <= radius; k++)
            sum += kernel[k + radius] * scratch[mirror((ptrdiff_t)i + k, n)];
        line[i * stride] = sum;
    }
}

void luc_blur(float *plane, size_t height, size_t width, double sigma, float *scratch)
{
    float kernel[2 * RADIUS_MAX + 1];
    double sum = 0;
    if (sigma <= 0)
        return;
    const double wanted = ceil(REACH * sigma);
    const ptrdiff_t radius = wanted < RADIUS_MAX ? (ptrdiff_t)wanted : RADIUS_MAX;
    for (ptrdiff_t k = -radius; k <= radius; k++)
        sum += exp(-0.5 * (double)(k * k) / (sigma * sigma));
    for (ptrdiff_t k = -radius; k <= radius; k++)
        kernel[k + radius] = (float)(exp(-0.5 * (double)(k * k) / (sigma * sigma)) / sum);
    for (size_t y = 0; y < height; y++)
        blur_line(plane + y * width, width, 1, kernel, radius, scratch);
    for (size_t x = 0; x < width; x++)
        blur_line(plane + x, height, width, kernel, radius, scratch);
}
