/* impute.h -- pixels that are missing become what their neighbours say, and a little noise.
 *
 *   v_i = sum over the eight neighbours j of w_ij v_j / sum_j w_ij,  w 1/6 beside, 1/12 diagonal
 *
 * for all missing pixels at once: a sparse linear system, solved by conjugate gradients. Unlike a
 * colour or a blur, the filling does not show where something was taken away.
 * Source: Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution Methods"
 * (ROAD), 2022, arXiv:2202.00449, section 4. Noise is the caller's.
 */
#ifndef LUC_JUDGE_IMPUTE_H
#define LUC_JUDGE_IMPUTE_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>

struct luc_impute {
    size_t height, width;
    float *diagonal, *rest, *ahead, *image; /* [height * width]: the solver's vectors */
    float *start;                           /* the pyramid of known means */
};

LUC_MUST_USE enum luc_status luc_impute_open(size_t height, size_t width, struct luc_arena *arena,
                                             struct luc_impute *m, struct luc_error *err);

/* Replaces plane[height * width] where missing[] holds, to 1e-3 of the plane's range or better; all
 * zero where nothing is known. */
void luc_impute_plane(struct luc_impute *m, const bool *missing, float *plane);

#endif
