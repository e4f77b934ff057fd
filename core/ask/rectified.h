/* rectified.h -- what guided backpropagation and the deconvnet share: a backward pass with another
 * rule at every ReLU. */
#ifndef LUC_ASK_RECTIFIED_H
#define LUC_ASK_RECTIFIED_H

#include "core/ask/gradient.h"
#include "core/show/show.h"

struct luc_rectified_params {
    struct luc_unit_params unit;
    int64_t show; /* enum luc_show */
};

extern const struct luc_param luc_rectified_rows[];

/* Map under `key`, picture "colours", and the warning that comes with both methods. Errors of
 * luc_gradient_open(). */
LUC_MUST_USE enum luc_status luc_rectified_run(struct luc_run *run,
                                               const struct luc_rectified_params *p,
                                               enum luc_relu_rule rule, const char *key,
                                               struct luc_error *err);

#endif
