/* map.h -- y = f(x), element by element, with its gradient.
 *
 * An operator gives the two inner loops; these functions bring blocks, threads and the choice
 * between writing and adding a gradient.
 */
#ifndef LUC_KERNELS_MAP_H
#define LUC_KERNELS_MAP_H

#include "core/kernels/walk.h"

/* y[i] = f(x[i]); y may be x. */
typedef void luc_map_fn(const void *attrs, const float *x, float *y, size_t n);
/* dx[i] = dy[i] * f'(x[i]), written, never added; x or y is NULL when the operator's reads() does
 * not ask for it. */
typedef void luc_map_grad(const void *attrs, const float *x, const float *y, const float *dy,
                          float *dx, size_t n);

void luc_map_forward(const struct luc_threads *threads, luc_map_fn *f, const void *attrs,
                     const float *x, float *y, size_t n);

struct luc_map_backward {
    luc_map_grad *grad;
    const void *attrs;
    const float *x, *y, *dy;
    float *dx;
    bool fresh; /* dx is written instead of added to */
};
void luc_map_backward(const struct luc_threads *threads, const struct luc_map_backward *m,
                      size_t n);

#endif
