/* walk.h -- loops over strided arrays.
 *
 * A walk visits every index of a box of up to LUC_MAX_RANK dimensions, and for each of up to three
 * operands knows how many elements to step per dimension (0: broadcast, negative: backwards). It
 * hands rows along the innermost dimension to a body. Broadcasting, slicing, transposing and
 * reducing are all walks with different steps.
 *
 * The split over threads depends on the box alone, so results are the same bits for any width.
 */
#ifndef LUC_KERNELS_WALK_H
#define LUC_KERNELS_WALK_H

#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

#define LUC_WALK_OPERANDS 3
#define LUC_BLOCK         ((size_t)16384) /* elements one item of a parallel loop is worth */

/* No dependence between turns of the loop that follows: its arrays are the same or apart. */
#ifdef __clang__
#define LUC_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define LUC_IVDEP _Pragma("GCC ivdep")
#endif

struct luc_walk {
    size_t rank; /* at least 1 after luc_walk_merge() */
    size_t dim[LUC_MAX_RANK];
    ptrdiff_t step[LUC_WALK_OPERANDS][LUC_MAX_RANK]; /* in elements */
};

/* `n` elements from offset at[k] of operand k, each step[k][rank - 1] after the one before. */
typedef void luc_walk_body(void *ctx, const ptrdiff_t *at, size_t n);

/* The box of `s`, every step 0. */
struct luc_walk luc_walk_of(const struct luc_shape *s);
/* Sets operand k's steps for a dense array of shape `s` broadcast to w's box, not merged yet. */
void luc_walk_broadcast(struct luc_walk *w, size_t k, const struct luc_shape *s);
/* Drops dimensions of size one and joins those that every operand steps through as one. */
void luc_walk_merge(struct luc_walk *w);

/* Visits the box once; different rows may run at the same time. */
void luc_walk_run(const struct luc_walk *w, const struct luc_threads *threads, luc_walk_body *body,
                  void *ctx);
/* The same for a body that adds into operand k, whose steps may be 0: rows that meet in one
 * element of k run one after the other, in order. */
void luc_walk_reduce(const struct luc_walk *w, size_t k, const struct luc_threads *threads,
                     luc_walk_body *body, void *ctx);

/* Operand 1 = operand 0, or += when `add`. w is not merged; steps of operand 1 must not meet. */
void luc_walk_copy(struct luc_walk w, const struct luc_threads *threads, const float *from,
                   float *to, bool add);

/* Sum of x[0..n) in double, in a fixed order. */
double luc_row_sum(const float *x, size_t n);
/* y[i] += x[i] */
void luc_row_add(float *y, const float *x, size_t n);

typedef void luc_range_body(void *ctx, size_t begin, size_t end);
/* body(ctx, b, e) for consecutive ranges of `block` that cover [0, n). */
void luc_ranges(const struct luc_threads *threads, size_t n, size_t block, luc_range_body *body,
                void *ctx);

#endif
