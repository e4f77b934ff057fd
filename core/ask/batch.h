/* batch.h -- one question put to many pictures of one size: as many at once as memory allows. */
#ifndef LUC_ASK_BATCH_H
#define LUC_ASK_BATCH_H

#include "core/run/method.h"

#define LUC_BATCH_MAX 16 /* pictures at once, at most */

/* In the run's arena. Every tap holds the pictures' values one after the other. */
struct luc_batch {
    struct luc_exec *exec;
    size_t n; /* pictures at once */
};

/* For pictures of shape `one` [1, C, H, W]: `most` at once, at most LUC_BATCH_MAX, or fewer where
 * the memory does not allow it; one where the network is declared for one. LUC_NOMEM when not even
 * one picture fits. */
LUC_MUST_USE enum luc_status luc_batch_open(struct luc_run *run, const struct luc_shape *one,
                                            size_t most, const struct luc_ask *ask,
                                            struct luc_batch *batch, struct luc_error *err);

#endif
