/* optimiser.h -- one step of a minimiser at a time, on a flat vector of variables.
 *
 * The caller computes loss and gradient at the present point and asks for the next point: so one
 * step is one evaluation, a job can stop after any of them, and the state is plain data that a
 * checkpoint can hold. Sums run in double and in a fixed order: the same bits for any thread count.
 */
#ifndef LUC_GENERATE_OPTIMISER_H
#define LUC_GENERATE_OPTIMISER_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define LUC_LBFGS_PAIRS 64 /* most pairs that L-BFGS keeps */

enum luc_optimiser_kind {
    LUC_ADAM,   /* Kingma & Ba 2014, arXiv:1412.6980, algorithm 1 */
    LUC_LBFGS,  /* Nocedal & Wright, Numerical Optimization, 2nd ed., algorithm 7.4; fixed rate, the
                   first step min(1, 1/|g|_1) * rate, pairs with y.s <= 1e-10 left out */
    LUC_ASCENT, /* normalised gradient: x -= rate * g / mean|g| */
    /* L-BFGS that goes on only from points with a lower loss: a step that does not lower it enough
     * (Armijo's condition) is shortened and tried again, one try for each evaluation. The best
     * point is what luc_optimiser_best() says. For losses that are the same at the same point. */
    LUC_LBFGS_SEARCH,
};

struct luc_optimiser_spec {
    enum luc_optimiser_kind kind;
    double rate;
    double beta1, beta2, epsilon;      /* Adam; 0, 0, 0 mean 0.9, 0.999, 1e-8 */
    size_t warm;                       /* Adam: the first steps grow evenly up to `rate` */
    size_t pairs;                      /* L-BFGS history, at most LUC_LBFGS_PAIRS; 0 means 20 */
    const struct luc_threads *threads; /* borrowed; may be NULL */
};

/* What a checkpoint must hold besides the vectors of luc_optimiser.state. */
struct luc_optimiser_marks {
    uint64_t step;              /* evaluations taken so far */
    uint64_t count, first;      /* L-BFGS: pairs held, and where the oldest lies */
    uint64_t tries;             /* SEARCH: of the present direction */
    double scale;               /* L-BFGS: y.s / y.y of the newest pair */
    double loss, reach;         /* SEARCH: at the best point; the present step's length */
    double ys[LUC_LBFGS_PAIRS]; /* y.s of each pair */
};

struct luc_optimiser {
    struct luc_optimiser_spec spec;
    size_t n; /* variables */
    struct luc_optimiser_marks at;
    float *state; /* state_n floats */
    size_t state_n;
};

/* State is taken from `arena`. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_optimiser_init(struct luc_optimiser *o,
                                                const struct luc_optimiser_spec *spec, size_t n,
                                                struct luc_arena *arena, struct luc_error *err);

/* x -> the next point, given the loss at x (only SEARCH looks at it) and its gradient g. g is
 * overwritten. Between steps the caller may move x, for example into a range. */
void luc_optimiser_step(struct luc_optimiser *o, float *x, double loss, float *g);

/* x -> the point to hand out: SEARCH's best, where the others are. */
void luc_optimiser_best(const struct luc_optimiser *o, float *x);

static inline bool luc_optimiser_is_lbfgs(const struct luc_optimiser_spec *s)
{
    return s->kind == LUC_LBFGS || s->kind == LUC_LBFGS_SEARCH;
}

#endif
