/* remap.h -- y[i, j, ...] = x[ti[i], tj[j], ...]: one index table per dimension, with holes.
 *
 * Padding in every mode is such a map. Its gradient adds each dy to the x it came from.
 */
#ifndef LUC_KERNELS_REMAP_H
#define LUC_KERNELS_REMAP_H

#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

struct luc_remap {
    size_t rank; /* at least 1 */
    size_t in[LUC_MAX_RANK], out[LUC_MAX_RANK];
    ptrdiff_t *table[LUC_MAX_RANK]; /* table[d][o]: input index along d, or -1: a hole */
};

/* Elements of all tables together, for scratch. */
size_t luc_remap_tables(const struct luc_shape *out);
/* Points the tables into `memory`, luc_remap_tables() elements, to be filled by the caller. */
void luc_remap_init(struct luc_remap *m, const struct luc_shape *in, const struct luc_shape *out,
                    ptrdiff_t *memory);

/* How a tensor goes on past its border: a value, mirrored (edge not repeated), the edge, from the
 * start. */
enum luc_pad_mode { LUC_PAD_CONSTANT, LUC_PAD_REFLECT, LUC_PAD_EDGE, LUC_PAD_WRAP };
/* Which of the elements 0..n-1 stands at place i, which may lie outside; -1: none. n at least 1. */
ptrdiff_t luc_pad_source(enum luc_pad_mode mode, ptrdiff_t i, ptrdiff_t n);

/* Holes get `value`. */
void luc_remap_forward(const struct luc_remap *m, const struct luc_threads *threads, const float *x,
                       float *y, float value);
/* Adds to dx. */
void luc_remap_backward(const struct luc_remap *m, const struct luc_threads *threads,
                        const float *dy, float *dx);

#endif
