/* fill.h -- what stands in for pixels that are taken away. */
#ifndef LUC_ASK_FILL_H
#define LUC_ASK_FILL_H

#include "core/run/method.h"

enum luc_fill { LUC_FILL_MEAN, LUC_FILL_GRAY, LUC_FILL_BLACK, LUC_FILL_BLUR, LUC_FILL_NOISE };

extern const char *const luc_fill_names[]; /* NULL-terminated */
#define LUC_N_FILLS 5
#define LUC_FILL_DOC                                                                               \
    "What covers the picture: its own mean colour, gray, black, the picture blurred, or noise"

/* A whole picture of the filling, normalised like `input` [1, C, H, W]: mean colour of this
 * picture; gray 128; black 0; the picture blurred by `sigma` pixels; uniform noise from run->rng.
 * *filled lives in the run's arena. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_fill_picture(struct luc_run *run, enum luc_fill fill, double sigma,
                                              const struct luc_tensor *input,
                                              struct luc_tensor *filled, struct luc_error *err);

/* The largest value less the smallest: what noise is a part of. */
double luc_range(const struct luc_tensor *t);

#endif
