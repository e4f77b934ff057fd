/* gradient.h -- the gradient of a unit's score with respect to the picture, for one picture or for
 * many of one size: planned once, run as often as wanted. */
#ifndef LUC_ASK_GRADIENT_H
#define LUC_ASK_GRADIENT_H

#include "core/ask/unit.h"

struct luc_gradient {
    struct luc_run *run;
    struct luc_exec *exec;
    struct luc_unit unit;
    size_t in; /* the picture's value */
};

/* Plans, runs `input` forward and finds the unit in it. Errors of luc_unit_value() and
 * luc_unit_find(); LUC_INVALID a layer that does not depend on the picture. */
LUC_MUST_USE enum luc_status luc_gradient_open(struct luc_run *run,
                                               const struct luc_unit_params *params,
                                               const struct luc_tensor *input,
                                               struct luc_gradient *g, struct luc_error *err);

/* Runs another picture of the same size forward, [1, C, H, W]; the unit stays. Its score. */
double luc_gradient_forward(struct luc_gradient *g, const float *picture);

/* The gradient for the picture that ran last, once for each; valid until the next forward. */
const struct luc_tensor *luc_gradient_back(struct luc_gradient *g, enum luc_relu_rule rule);

#endif
