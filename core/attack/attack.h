/* attack.h -- searches for a small change of a picture that changes what a classifier says.
 *
 * One step at a time: between steps a job may be cancelled, previewed or checkpointed. Whether an
 * attack has succeeded is decided on whole pixel values, as a file holds them; where rounding undoes a
 * success, the search goes on.
 *
 *   GRADIENT  x -= s g / |g|_2, from the picture itself, inside the ball; the first success ends it
 *   FGSM      x -= eps sign g (linf) or eps g / |g| (l2), once
 *   PGD       the same with shorter steps, projected onto the ball, from random points of it
 *   DEEPFOOL  to the nearest of the linearised borders between classes, again and again
 *   CW        minimises |x - x0|^2 + c max(z_other - z_wanted, -k) by Adam over tanh, c by bisection
 *
 * g is the gradient of the cross-entropy of the wanted class, or, without one, of minus that of the
 * class to be left. Sources: Szegedy et al. 2013, arXiv:1312.6199; Goodfellow et al. 2014,
 * arXiv:1412.6572; Madry et al. 2017, arXiv:1706.06083; Moosavi-Dezfooli et al. 2015,
 * arXiv:1511.04599 (and section 3.3 for linf); Carlini & Wagner 2016, arXiv:1608.04644, section V.
 */
#ifndef LUC_ATTACK_ATTACK_H
#define LUC_ATTACK_ATTACK_H

#include "core/attack/victim.h"
#include "core/base/str.h"

enum luc_attack_kind {
    LUC_ATTACK_GRADIENT,
    LUC_ATTACK_FGSM,
    LUC_ATTACK_PGD,
    LUC_ATTACK_DEEPFOOL,
    LUC_ATTACK_CW,
};
enum luc_norm { LUC_NORM_LINF, LUC_NORM_L2 };

struct luc_attack_spec {
    enum luc_attack_kind kind;
    enum luc_norm norm;
    double epsilon; /* gray levels: of any value (linf), root mean square (l2). Not DEEPFOOL, CW */
    double step;    /* gray levels as epsilon; 0: 2.5 epsilon / steps. CW: Adam's rate; 0: 0.01 */
    size_t steps;   /* of each start, of each c */
    size_t starts;  /* PGD: random starts. CW: values of c */
    size_t classes; /* DEEPFOOL: borders looked at */
    double overshoot;  /* DEEPFOOL */
    double confidence; /* probability that the wanted class (without one, any other) is to have */
    size_t from, to;   /* class to be left; class wanted, or LUC_NONE */
};

/* What a checkpoint holds beside the floats. */
struct luc_attack_at {
    uint64_t step, start; /* of this start; starts begun before it */
    uint64_t total;
    struct luc_rng rng;
    double low, high, c;         /* CW */
    double overshoot;            /* DEEPFOOL */
    double best;                 /* norm of the best success */
    int64_t succeeded, finished; /* 0 or 1 */
    int64_t won;                 /* CW: with this c */
};

struct luc_attack {
    struct luc_attack_spec spec;
    struct luc_victim *victim;
    const float *clean;
    struct luc_attack_at at;
    float *x;                      /* where the search is; not rounded */
    float *found;                  /* whole values: the best success, else the latest try */
    float *m, *v;                  /* Adam's moments; v: DEEPFOOL's sum of steps */
    float *w;                      /* CW: the variable */
    float *gradient, *other, *try; /* scratch */
    float *seed;                   /* [n_classes] */
    double *probability;           /* [n_classes] */
    /* Whether whole values that win also do so as what becomes of them; it may ask the victim. To be
     * set after luc_attack_create(); NULL: they do. */
    bool (*also)(void *ctx, const float *picture);
    void *also_ctx;
};

/* Everything but `clean` (whole values; borrowed) is taken from the run's arena. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_attack_create(const struct luc_attack_spec *spec,
                                               struct luc_victim *victim, const float *clean,
                                               const struct luc_rng *rng, struct luc_attack *a,
                                               struct luc_error *err);
/* One step; at.finished says whether it was the last. */
void luc_attack_step(struct luc_attack *a);
/* Steps that it can take at most. */
size_t luc_attack_steps(const struct luc_attack_spec *spec);

/* As luc_loop_save() and luc_loop_restore(). */
void luc_attack_save(const struct luc_attack *a, struct luc_str *out);
LUC_MUST_USE enum luc_status luc_attack_restore(struct luc_attack *a, const void *bytes,
                                                size_t size, struct luc_error *err);

/* ---- for the attack_*.c ------------------------------------------------------------------------- */

/* Whether these logits are what the attack wants. */
bool luc_attack_wins(struct luc_attack *a, const float *logits);
/* Asks about x; on a success, about x rounded, which is kept if it is better than what was found. The
 * gradient is then that of the picture asked last, x or x rounded. */
enum luc_try { LUC_TRY_FAILED, LUC_TRY_ROUNDED_AWAY, LUC_TRY_SUCCEEDED };
enum luc_try luc_attack_try(struct luc_attack *a);
/* Keeps x, rounded, where nothing has succeeded: for people to look at. */
void luc_attack_keep_try(struct luc_attack *a);
/* The logits of the picture asked last. */
const float *luc_attack_logits(const struct luc_attack *a);
/* The gradient of the loss to be lowered, for the picture asked last, into a->gradient. */
void luc_attack_gradient(struct luc_attack *a);
/* The class of highest logit but for `except`. */
size_t luc_attack_rival(const struct luc_attack *a, const float *logits, size_t except);

void luc_attack_descend(struct luc_attack *a);
void luc_attack_deepfool(struct luc_attack *a);
void luc_attack_cw(struct luc_attack *a);

#endif
