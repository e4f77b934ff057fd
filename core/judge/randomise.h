/* randomise.h -- a network whose last layers know nothing any more: does a map notice?
 *
 * The weights of convolutions and matrix products are drawn anew from the top down, normal with
 * variance 2 / inputs (He et al. 2015, arXiv:1502.01852), their biases zero. What stands between
 * them (unfolded batch normalisation) stays.
 * Source: Adebayo et al., "Sanity Checks for Saliency Maps", 2018, arXiv:1810.03292, section 4:
 * cascading randomisation.
 */
#ifndef LUC_JUDGE_RANDOMISE_H
#define LUC_JUDGE_RANDOMISE_H

#include "core/run/method.h"

/* Layers of the run's model that have weights, on the way to `value`. */
size_t luc_randomise_layers(const struct luc_model *model);

/* A copy of the run's model with the top `n` layers redrawn from rng; each layer's new weights are
 * the same whatever n is. *first is the deepest of them. Both live in the run's arena, and share all
 * else with the model, which stays as it is. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_randomise(struct luc_run *run, size_t n, const struct luc_rng *rng,
                                           struct luc_model **copy, const char **first,
                                           struct luc_error *err);

#endif
