/* schedule.h -- sizes from coarse to fine and steps at each, and making them fit a time. */
#ifndef LUC_GENERATE_SCHEDULE_H
#define LUC_GENERATE_SCHEDULE_H

#include "core/base/str.h"

#include <stddef.h>

#define LUC_SIZES_MAX      4
#define LUC_STEPS_FEW      8 /* fewer at one size are not worth having */
#define LUC_STEPS_MANIFOLD 4 /* with time to spare, at most so many times the usual steps */

struct luc_schedule {
    size_t n, size[LUC_SIZES_MAX], steps[LUC_SIZES_MAX]; /* size: the long side, pixels */
};

/* Changes `s` so that what remains takes about `left_s`: the steps at sizes `at` and after, of which
 * `taken` at size `at` are done and stay. `usual` tells how steps are shared among the sizes;
 * `seconds`: of one step for each pixel of a square of the long side. Where even a few steps at each
 * size are too many, the last size becomes smaller or is left out; the present one stays. */
void luc_schedule_fit(struct luc_schedule *s, const struct luc_schedule *usual, size_t at,
                      size_t taken, double seconds, double left_s);

/* Sizes or steps as text, "128,256", as the parameters take them. */
void luc_schedule_print(const size_t *numbers, size_t n, struct luc_str *out);

#endif
