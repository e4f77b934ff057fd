/* vector.h -- sums and updates of long vectors, in one pass over memory each, by all threads.
 *
 * Vectors are cut into parts whose number follows from their length alone, sums run in double within
 * a part and then over the parts in order: the same bits for any number of threads.
 */
#ifndef LUC_GENERATE_VECTOR_H
#define LUC_GENERATE_VECTOR_H

#include "core/base/parallel.h"

#include <stdbool.h>
#include <stddef.h>

/* What to do with one part, [from, from + n). What it returns in `sums` is added over the parts. */
typedef void luc_part_body(void *ctx, size_t from, size_t n, double sums[2]);

/* Runs `body` over the parts of a vector of n floats; sums (may be NULL) receives the two sums. */
void luc_parts_run(const struct luc_threads *threads, size_t n, luc_part_body *body, void *ctx,
                   double sums[2]);

/* Sum a b. */
double luc_vector_dot(const struct luc_threads *threads, const float *a, const float *b, size_t n);
/* y = times * y + a * x, returns the sum of y z then; z NULL: 0. x may be NULL with a = 0. */
double luc_vector_step(const struct luc_threads *threads, float times, float *y, float a,
                       const float *x, const float *z, size_t n);
void luc_vector_copy(const struct luc_threads *threads, const float *from, float *to, size_t n);
void luc_vector_zero(const struct luc_threads *threads, float *v, size_t n);
/* Sums of |v| and of v^2. */
void luc_vector_norms(const struct luc_threads *threads, const float *v, size_t n, double *l1,
                      double *squares);
/* Adds scale * (a - b) to g, or with `sets` makes g that; returns the sum of (a - b)^2. */
double luc_vector_difference(const struct luc_threads *threads, const float *a, const float *b,
                             float scale, bool sets, float *g, size_t n);

#endif
