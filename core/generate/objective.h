/* objective.h -- the losses that want a layer to answer, and pictures to differ: loss.h says which.
 * For loss.c; everybody else calls luc_loss_eval(). */
#ifndef LUC_GENERATE_OBJECTIVE_H
#define LUC_GENERATE_OBJECTIVE_H

#include "core/generate/loss.h"

/* The unweighted loss; adds the weighted gradient. ENERGY, CLASS, CHANNEL, NEURON, DIRECTION. */
double luc_objective_eval(const struct luc_loss *loss, const struct luc_tensor *features,
                          struct luc_tensor *gradient);
double luc_diversity_eval(const struct luc_loss *loss, const struct luc_threads *threads,
                          const struct luc_tensor *features, struct luc_tensor *gradient);

#endif
