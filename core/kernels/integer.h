/* integer.h -- products of 8-bit numbers, summed exactly in 32 bits, and back to 8 bits: what quantised
 * networks are made of.
 *
 * Numbers are carried as floats (core/tensor/tensor.h); a zero point is taken off before they are
 * multiplied. Source of the arithmetic: Jacob et al., "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference", 2018, arXiv:1712.05877, section 2.
 */
#ifndef LUC_KERNELS_INTEGER_H
#define LUC_KERNELS_INTEGER_H

#include "core/base/parallel.h"
#include "core/kernels/window.h"

/* The smallest and largest number of an 8- or 16-bit type. */
void luc_int_bounds(enum luc_dtype type, float *lo, float *hi);
/* clamp(round(x) + zero), halves to the even one. */
float luc_quantise(float x, float zero, float lo, float hi);

/* Zero points and scales come one for all (n 1) or one for each channel, column or row. */
struct luc_per {
    const float *v; /* NULL: 0 */
    size_t n;
};
static inline float luc_per_at(const struct luc_per *p, size_t i)
{
    return p->v ? p->v[p->n > 1 ? i : 0] : 0.0f;
}

/* What becomes of the exact sums: themselves, or (scale NULL no longer) quantised again. */
struct luc_requantise {
    const float *bias;    /* added first; NULL: none */
    const float *x_scale; /* NULL: sums are the result */
    struct luc_per w_scale;
    float y_scale, y_zero, lo, hi;
};

struct luc_int_conv {
    struct luc_window win;
    size_t n, c_in, c_out, groups;
    float x_zero;
    struct luc_per w_zero;
    struct luc_requantise then;
};

/* Bytes of scratch for `lanes` threads. */
size_t luc_int_conv_scratch(const struct luc_int_conv *g, size_t lanes);
void luc_int_conv(const struct luc_int_conv *g, const float *x, const float *w, float *y,
                  void *scratch, const struct luc_threads *threads);

/* y[m, n] = (a - a_zero) (b - b_zero) for each of a stack of matrices; a step of 0: the same again. */
struct luc_int_product {
    size_t stack, m, n, k;
    size_t a_step, b_step;         /* from one matrix to the next */
    struct luc_per a_zero, b_zero; /* by row of a, by column of b */
    struct luc_requantise then;    /* w_scale by column */
};
void luc_int_product(const struct luc_int_product *p, const float *a, const float *b, float *y,
                     const struct luc_threads *threads);

#endif
