/* watch.h -- the score that perturbing methods watch: how sure the network is of a class, its logit,
 * or a neuron's activation. */
#ifndef LUC_ASK_WATCH_H
#define LUC_ASK_WATCH_H

#include "core/ask/unit.h"

enum luc_score { LUC_SCORE_PROBABILITY, LUC_SCORE_LOGIT };

extern const char *const luc_score_names[]; /* NULL-terminated */
#define LUC_SCORE_ROW(T, f, d)                                                                     \
    LUC_CHOICE(T, f, d, 2, luc_score_names,                                                        \
               "What is watched of a class: its probability or its logit (of a neuron: its "       \
               "activation)")

struct luc_watch {
    struct luc_unit unit;
    enum luc_score score;
    double base;     /* the score of the picture itself */
    double *scratch; /* [classes] */
};

/* Runs `input` forward once and finds the unit in it. Errors of luc_unit_value() and
 * luc_unit_find(). */
LUC_MUST_USE enum luc_status luc_watch_open(struct luc_run *run,
                                            const struct luc_unit_params *params, int64_t score,
                                            const struct luc_tensor *input, struct luc_watch *w,
                                            struct luc_error *err);
/* The same for a unit that is known, with what its value holds for the picture. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_watch_unit(struct luc_run *run, const struct luc_unit *unit,
                                            int64_t score, const struct luc_tensor *held,
                                            struct luc_watch *w, struct luc_error *err);

/* Of what unit.value holds for one picture: probability, logit or activation; with `vs`, the
 * difference of the two classes'. */
double luc_watch_score(struct luc_watch *w, const struct luc_tensor *held);

#endif
