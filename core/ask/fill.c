#include "core/ask/fill.h"

#include "core/tensor/blur.h"

#include <string.h>

#define GRAY  128.0f
#define WHITE 255.0

const char *const luc_fill_names[] = { "mean", "gray", "black", "blur", "noise", NULL };

static float mean_of(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i];
    return (float)(sum / (double)n);
}

static void set_all(float *v, size_t n, float to)
{
    for (size_t i = 0; i < n; i++)
        v[i] = to;
}

enum luc_status luc_fill_picture(struct luc_run *run, enum luc_fill fill, double sigma,
                                 const struct luc_tensor *input, struct luc_tensor *filled,
                                 struct luc_error *err)
{
    const struct luc_shape *s = &input->shape;
    const struct luc_pixels *px = &run->model->in;
    const size_t h = s->dim[2], w = s->dim[3], n = h * w;
    struct luc_tensor out = { .shape = *s };
    out.data = luc_arena_raw(run->arena, luc_numel(s), sizeof(float));
    float *scratch = luc_arena_raw(run->arena, h > w ? h : w, sizeof(float));
    if (!out.data || !scratch)
        return luc_fail_nomem(err, "filling", luc_numel(s) * sizeof(float));
    *filled = out;
    if (luc_run_is_dry(run))
        return LUC_OK;
    memcpy(out.data, input->data, luc_numel(s) * sizeof(float));
    for (size_t c = 0; c < s->dim[1]; c++) {
        float *plane = out.data + c * n;
        const float mean = px->mean[c], scale = px->scale[c];
        switch (fill) {
        case LUC_FILL_MEAN: set_all(plane, n, mean_of(plane, n)); break;
        case LUC_FILL_GRAY: set_all(plane, n, (GRAY - mean) * scale); break;
        case LUC_FILL_BLACK: set_all(plane, n, (0.0f - mean) * scale); break;
        case LUC_FILL_BLUR: luc_blur(plane, h, w, sigma, scratch); break;
        case LUC_FILL_NOISE:
            for (size_t i = 0; i < n; i++)
                plane[i] = ((float)(WHITE * luc_rng_uniform(&run->rng)) - mean) * scale;
            break;
        }
    }
    return LUC_OK;
}

double luc_range(const struct luc_tensor *t)
{
    float low = t->data[0], high = low;
    for (size_t i = 1; i < luc_numel(&t->shape); i++) {
        low = t->data[i] < low ? t->data[i] : low;
        high = t->data[i] > high ? t->data[i] : high;
    }
    return (double)high - (double)low;
}
