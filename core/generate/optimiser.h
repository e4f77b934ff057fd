/* optimiser.h -- one step of a minimiser at a time, on a flat vector of variables.
 *
 * The caller computes loss and gradient at the present point and asks for the next point: so one
 * step is one evaluation, a job can stop after any of them, and the state is plain floats that a
 * checkpoint can hold. Sums run in double and in a fixed order: the same bits for any thread count.
 */
#ifndef LUC_GENERATE_OPTIMISER_H
#define LUC_GENERATE_OPTIMISER_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdint.h>

#define LUC_LBFGS_PAIRS 64 /* most pairs that L-BFGS keeps */

enum luc_optimiser_kind {
    LUC_ADAM,   /* Kingma & Ba 2014, arXiv:1412.6980, algorithm 1 */
    LUC_LBFGS,  /* Nocedal & Wright, Numerical Optimization, 2nd ed., algorithm 7.4; fixed rate, the
                   first step min(1, 1/|g|_1) * rate, pairs with y.s <= 1e-10 left out */
    LUC_ASCENT, /* normalised gradient: x -= rate * g / mean|g| */
};

struct luc_optimiser_spec {
    enum luc_optimiser_kind kind;
    double rate;
    double beta1, beta2, epsilon; /* Adam; 0, 0, 0 mean 0.9, 0.999, 1e-8 */
    size_t pairs;                 /* L-BFGS history, at most LUC_LBFGS_PAIRS; 0 means 20 */
};

struct luc_optimiser {
    struct luc_optimiser_spec spec;
    size_t n;       /* variables */
    uint64_t step;  /* evaluations taken so far */
    uint64_t count; /* L-BFGS: pairs held */
    float *state;   /* everything else that a checkpoint must hold: state_n floats */
    size_t state_n;
    double scale;               /* L-BFGS: y.s / y.y of the newest pair */
    double ys[LUC_LBFGS_PAIRS]; /* y.s of each pair, oldest first */
};

/* State is taken from `arena`. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_optimiser_init(struct luc_optimiser *o,
                                                const struct luc_optimiser_spec *spec, size_t n,
                                                struct luc_arena *arena, struct luc_error *err);

/* x -> the next point, given the gradient g of the loss at x. g is overwritten. */
void luc_optimiser_step(struct luc_optimiser *o, float *x, float *g);

#endif
