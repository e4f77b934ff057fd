/* lbfgs.h -- the limited-memory quasi-Newton steps of optimiser.h; for optimiser.c only. */
#ifndef LUC_GENERATE_LBFGS_H
#define LUC_GENERATE_LBFGS_H

#include "core/generate/optimiser.h"

/* Vectors of n floats that each needs in luc_optimiser.state. */
size_t luc_lbfgs_vectors(const struct luc_optimiser_spec *spec);

/* LUC_LBFGS: x -> the next point. g is overwritten. */
void luc_lbfgs_step(struct luc_optimiser *o, float *x, float *g);
/* LUC_LBFGS_SEARCH: judges the point x and goes to the next one to try. */
void luc_lbfgs_search(struct luc_optimiser *o, float *x, double loss, float *g);
/* LUC_LBFGS_SEARCH: x -> the best point so far. */
void luc_lbfgs_best(const struct luc_optimiser *o, float *x);

#endif
