/* target.h -- which class a method explains, and what the network says of it. */
#ifndef LUC_ASK_TARGET_H
#define LUC_ASK_TARGET_H

#include "core/run/method.h"

#define LUC_TARGET_DOC                                                                             \
    "Class to explain: its index, its name, top (the likeliest) or top:K (the K-th likeliest)"

struct luc_target {
    size_t index;
    double logit, probability;
};

/* softmax(logits)[i] for every class, in double; out has room for all. logits: [1, K] or
 * [1, K, 1, 1]. */
void luc_softmax(const struct luc_tensor *logits, double *out);

struct luc_ranked {
    float logit;
    size_t index;
};

/* All K classes in order of falling logits (ties: lower index first) into order[K]. */
void luc_rank_classes(const struct luc_tensor *logits, struct luc_ranked *order);

/* LUC_SHAPE when the logits are not one row (a native size too large); LUC_INVALID when one of them
 * is not finite. */
LUC_MUST_USE enum luc_status luc_check_logits(const struct luc_tensor *logits,
                                              struct luc_error *err);

/* Checks the logits of this image and reads `text` against them. LUC_RANGE, LUC_NOT_FOUND and
 * LUC_INVALID name the parameter "target". */
LUC_MUST_USE enum luc_status luc_target_find(struct luc_run *run, const char *text,
                                             const struct luc_tensor *logits,
                                             struct luc_target *target, struct luc_error *err);

/* class, class_index, probability, logit into the run's result. */
LUC_MUST_USE enum luc_status luc_target_report(struct luc_run *run, const struct luc_target *target,
                                               struct luc_error *err);

#endif
