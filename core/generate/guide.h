/* guide.h -- features of a guide picture: a layer is to answer as the guide makes it answer. */
#ifndef LUC_GENERATE_GUIDE_H
#define LUC_GENERATE_GUIDE_H

#include "core/generate/loss.h"

/* A GUIDE loss: -sum over positions i of max_j F_i . Y_j / (C H W), Y_j: what the guide's position j
 * answers. Its gradient with respect to F_i is the guide's feature that fits best. `guide`: the
 * layer's features [1, C, h, w] of the guide, borrowed.
 *
 * Source: the code published with Mordvintsev, Olah & Tyka, "Inceptionism", 2015. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_loss_guide(struct luc_loss *loss, size_t value, double weight,
                                            const struct luc_tensor *guide, struct luc_arena *arena,
                                            struct luc_error *err);

/* Of one picture's features [1, C, H, W]: returns the unweighted loss, adds weight times its gradient. */
double luc_guide_eval(const struct luc_loss *loss, const struct luc_tensor *features,
                      struct luc_tensor *gradient);

#endif
