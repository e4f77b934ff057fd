/* reduce.h -- folds a tensor along some of its axes: sums, means, maxima, norms.
 *
 *   y = finish(fold(... fold(start, x_0) ..., x_n))
 *
 * Sums run in double along rows. Elements that share an output are folded in a fixed order.
 */
#ifndef LUC_KERNELS_REDUCE_H
#define LUC_KERNELS_REDUCE_H

#include "core/kernels/walk.h"

struct luc_reduction {
    double start;
    double (*fold)(double so_far, double x);       /* NULL: the sum */
    double (*finish)(double folded, double n);     /* NULL: as it is; n values were folded */
    double (*slope)(double x, double y, double n); /* dy/dx. NULL: 1, or 1 / n when there is a
                                                      finish */
    bool picks; /* y is one of the x: equal ones share the gradient; slope is not used */
};

struct luc_reduce {
    const struct luc_reduction *kind;
    struct luc_walk walk; /* merged; operand 0: x, operand 1: y */
    size_t n_in, n_out;
};

/* `reduced` marks x's axes to fold. */
struct luc_reduce luc_reduce_of(const struct luc_reduction *kind, const struct luc_shape *x,
                                const bool reduced[LUC_MAX_RANK]);
void luc_reduce_forward(const struct luc_reduce *r, const struct luc_threads *threads,
                        const float *x, float *y);

struct luc_reduce_backward {
    const float *x, *y, *dy; /* x and y are not read by plain sums and means */
    float *dx;
    float *ties; /* scratch of n_out floats; only for a kind that picks */
    bool fresh;  /* dx is written instead of added to */
};
void luc_reduce_backward(const struct luc_reduce *r, const struct luc_threads *threads,
                         const struct luc_reduce_backward *b);

#endif
