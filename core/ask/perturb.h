/* perturb.h -- the network's answer to many changed pictures: as many at once as memory allows.
 *
 * Shared by the methods that cover, mask or add to the picture and watch the score.
 */
#ifndef LUC_ASK_PERTURB_H
#define LUC_ASK_PERTURB_H

#include "core/ask/batch.h"

struct luc_perturb {
    const struct luc_shape *shape; /* of one picture, [1, C, H, W] */
    size_t n;                      /* pictures in all */
    size_t value;                  /* what to read: the logits, or what holds a neuron */
    double from, to;               /* progress that the runner reports */
    void *ctx;
    /* Writes picture `i`; called once for each, in order. */
    void (*make)(void *ctx, size_t i, float *picture);
    /* Reads what the value holds for it, [1, ...]; called once for each, in order. */
    void (*use)(void *ctx, size_t i, const struct luc_tensor *held);
    void (*preview)(void *ctx); /* called when a preview is wanted; may be NULL */
};

/* make() of a whole batch comes before its use(). Fails before the first make(), but for
 * LUC_CANCELLED. LUC_NOMEM when not even one picture at a time fits. */
LUC_MUST_USE enum luc_status luc_perturb_run(struct luc_run *run, const struct luc_perturb *p,
                                             struct luc_error *err);

#endif
