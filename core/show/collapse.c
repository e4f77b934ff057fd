#include "core/show/collapse.h"

#include <math.h>

void luc_collapse_channels(const struct luc_tensor *g, enum luc_collapse how, bool keep_sign,
                           float *out)
{
    const size_t channels = g->shape.dim[1], plane = g->shape.dim[2] * g->shape.dim[3];
    for (size_t p = 0; p < plane; p++) {
        float peak = 0.0f, sum = 0.0f, squares = 0.0f;
        for (size_t c = 0; c < channels; c++) {
            const float v = g->data[c * plane + p];
            peak = fabsf(v) > fabsf(peak) ? v : peak;
            sum += v;
            squares += v * v;
        }
        const float sign = how == LUC_COLLAPSE_MAX ? peak : sum;
        const float size = how == LUC_COLLAPSE_MAX ? fabsf(peak) : sqrtf(squares);
        out[p] = keep_sign ? copysignf(size, sign) : size;
    }
}

void luc_times_input(struct luc_tensor *g, const struct luc_tensor *x)
{
    for (size_t i = 0; i < luc_numel(&g->shape); i++)
        g->data[i] *= x->data[i];
}
