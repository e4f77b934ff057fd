/* path.h -- the gradient, integrated along the straight line from a baseline picture to another.
 *
 *   G = integral over a in 0..1 of dS/dx at x0 + a (x - x0)
 *
 * (x - x0) * G shares S(x) - S(x0) out among the pixels (Sundararajan 2017, arXiv:1703.01365). */
#ifndef LUC_ASK_PATH_H
#define LUC_ASK_PATH_H

#include "core/ask/gradient.h"

enum luc_path_rule { LUC_PATH_GAUSS_LEGENDRE, LUC_PATH_TRAPEZOID, LUC_PATH_RIEMANN };
extern const char *const luc_path_rule_names[]; /* NULL-terminated */

struct luc_path {
    struct luc_gradient *g;            /* borrowed, as the baseline */
    const struct luc_tensor *baseline; /* x0, [1, C, H, W] */
    enum luc_path_rule rule;
    size_t steps; /* passes forward and backward; 2 at least */
    float *at;
    double *sum; /* G, once walked */
};

/* Fills at and sum from the run's arena; the rest is the caller's. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_path_open(struct luc_path *path, struct luc_error *err);
/* G for the picture x into path->sum; progress goes from..to. LUC_CANCELLED. */
LUC_MUST_USE enum luc_status luc_path_walk(struct luc_path *path, const float *x, double from,
                                           double to, struct luc_error *err);

#endif
