/* loop.h -- the one optimisation loop under every method that makes pictures.
 *
 * A step: variables -> pictures (paint) -> a random view of each -> network with taps and seeds ->
 * weighted losses -> back the same way, plus penalties -> optimiser -> projections. One step is one
 * evaluation; between steps a job may be cancelled, previewed or checkpointed. A method is its
 * losses and its defaults.
 */
#ifndef LUC_GENERATE_LOOP_H
#define LUC_GENERATE_LOOP_H

#include "core/base/rng.h"
#include "core/base/str.h"
#include "core/generate/feed.h"
#include "core/generate/loss.h"
#include "core/generate/optimiser.h"
#include "core/generate/paint.h"
#include "core/generate/regular.h"
#include "core/generate/view.h"

struct luc_loop_spec {
    const struct luc_model *model;
    const struct luc_threads *threads;
    struct luc_paint *paint; /* set to the starting pictures */
    struct luc_loss *losses;
    size_t n_losses;
    struct luc_optimiser_spec optimiser; /* LBFGS_SEARCH: no views that move */
    struct luc_regular regular;          /* its centre is filled in */
    struct luc_views views;              /* drawn for each picture at each step */
    double softplus;                     /* luc_plan_spec.softplus */
    /* When not NULL: a picture [3, H, W] whose features are the targets of all FEATURE losses,
     * computed anew for each view. */
    const float *reference;
    struct luc_rng rng;
};

struct luc_loop; /* opaque */

/* Everything lives in `arena`. LUC_SHAPE, LUC_INVALID: the network cannot take the pictures' size,
 * or a layer gives no gradient. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_loop_create(const struct luc_loop_spec *spec,
                                             struct luc_arena *arena, struct luc_loop **loop,
                                             struct luc_error *err);

/* One step; returns the total loss before it. Losses' `latest` hold the parts. LBFGS_SEARCH: the
 * lowest so far; not finite only if the very first was not. */
double luc_loop_step(struct luc_loop *loop);

/* After the last step: the paint holds the best point that the optimiser knows. */
void luc_loop_finish(struct luc_loop *loop);

/* Steps taken, those before a checkpoint included. */
uint64_t luc_loop_steps(const struct luc_loop *loop);

/* The latest gradient's 1- and 2-norm with respect to the variables. */
void luc_loop_gradient_norms(const struct luc_loop *loop, double *l1, double *l2);

/* Everything that the next step depends on, as bytes; and back. LUC_FORMAT: not from this loop. */
void luc_loop_save(const struct luc_loop *loop, struct luc_str *out);
LUC_MUST_USE enum luc_status luc_loop_restore(struct luc_loop *loop, const void *bytes, size_t size,
                                              struct luc_error *err);

#endif
