/* softmax.h -- exp(x) / sum(exp(x)) along the middle axis of [outer, axis, inner], and its
 * logarithm. Source: the usual shift by the maximum, so that nothing overflows. */
#ifndef LUC_KERNELS_SOFTMAX_H
#define LUC_KERNELS_SOFTMAX_H

#include "core/base/parallel.h"

#include <stdbool.h>

struct luc_softmax {
    size_t outer, axis, inner;
    bool log;   /* the logarithm of it */
    bool fresh; /* backward: dx is written instead of added to */
};

void luc_softmax_forward(const struct luc_threads *threads, const struct luc_softmax *s,
                         const float *x, float *y);
void luc_softmax_backward(const struct luc_threads *threads, const struct luc_softmax *s,
                          const float *y, const float *dy, float *dx);

#endif
