/* agree.h -- how alike two maps are. */
#ifndef LUC_JUDGE_AGREE_H
#define LUC_JUDGE_AGREE_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>

struct luc_agreement {
    double spearman;     /* correlation of the values' ranks, ties sharing theirs */
    double spearman_abs; /* of the magnitudes' ranks */
    double ssim;         /* of the magnitudes, each map scaled to 0..1: means of 7 x 7 windows */
};

/* Of two maps [height][width]. What is not defined for a map that is the same everywhere is 0.
 * `arena` is left as it was. Source of ssim: Wang et al. 2004, doi:10.1109/TIP.2003.819861, with
 * flat windows. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_agree(const float *a, const float *b, size_t height, size_t width,
                                       struct luc_arena *arena, struct luc_agreement *out,
                                       struct luc_error *err);

#endif
