/* closest.h -- of many vectors the one closest to another, exactly.
 *
 * Vectors are projected on the K directions in which they differ most; what is left over counts by
 * its length alone: so distances between projections are never longer than between vectors. 16
 * vectors that lie near each other are a leaf with a box around it. A search skips the leaves
 * whose boxes are farther than the best found, then the vectors whose projections are, and
 * measures the few that remain.
 *
 * One search takes microseconds, less than to wake a second thread: it runs on the caller's alone.
 */
#ifndef LUC_GENERATE_CLOSEST_H
#define LUC_GENERATE_CLOSEST_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/base/status.h"

#include <stdint.h>

struct luc_closest {
    size_t n, dims;       /* n up to UINT32_MAX */
    const float *vectors; /* [n][dims], borrowed */
    /* private */
    size_t n_leaves;
    float *mean, *basis; /* [dims], [dims][LANES]: directions, the last one zero */
    float *coords;       /* [n_leaves][LANES: K and what is left over][LANES: vectors] */
    float *low, *high;   /* boxes: [BOX][n_leaves up to a multiple of LANES] */
    float *bounds;       /* of a search: [n_leaves, the same] */
    uint32_t *order;     /* which vectors the leaves hold: [n_leaves * LANES] */
};

struct luc_found {
    float distance; /* squared */
    uint32_t index;
};

/* c->n, dims and vectors are set. Memory from `arena`, scratch included. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_closest_build(struct luc_closest *c,
                                               const struct luc_threads *threads,
                                               struct luc_arena *arena, struct luc_error *err);
float luc_closest_distance(const struct luc_closest *c, const float *wanted, size_t index);
/* The closest to wanted[dims], of equal ones the first; `start`, where none is closer. */
struct luc_found luc_closest_find(const struct luc_closest *c, const float *wanted,
                                  struct luc_found start);

#endif
