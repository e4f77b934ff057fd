/* grabcut.h -- divides a picture into foreground and background by colour and contrast.
 *
 *   E(a) = sum_p D_{a_p}(z_p) + gamma * sum_{pq, a_p != a_q} exp(-beta |z_p - z_q|^2) / dist(p, q)
 *
 * over all pixels and all pairs of the eight neighbours; D is the mixture of the pixel's own side
 * (mixture.h) and 1 / beta twice the mean squared difference of neighbours. Two steps take turns, and
 * neither can raise E: the mixtures are learned from the present sides, and the cheapest sides for
 * these mixtures are found by a minimum cut (maxflow.h).
 *
 * Source: Rother, Kolmogorov & Blake, "GrabCut: Interactive Foreground Extraction using Iterated Graph
 * Cuts", 2004, sections 2 and 3; dist divides as in Boykov & Jolly 2001. No border matting.
 */
#ifndef LUC_SEGMENT_GRABCUT_H
#define LUC_SEGMENT_GRABCUT_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/segment/mixture.h"

#include <stdbool.h>

/* What is known of a pixel. Bit 0 is its side; bit 1 says that the side may change. Of an open pixel
 * nothing is known yet. */
enum luc_seed {
    LUC_SEED_BACK,
    LUC_SEED_FORE,
    LUC_SEED_MAYBE_BACK,
    LUC_SEED_MAYBE_FORE,
    LUC_SEED_OPEN,
};

#define LUC_SIDE(seed) ((seed)&1u)
#define LUC_GAMMA      50.0

struct luc_grabcut_spec {
    const uint8_t *rgb; /* [height][width][3] */
    size_t width, height;
    size_t components; /* of each mixture, 1..LUC_MIXTURE_MAX */
    size_t iterations; /* at most */
    double gamma;
    struct luc_rng rng;
    const struct luc_threads *threads;
    /* Called after each iteration; a failure ends the work. May be NULL. */
    enum luc_status (*tick)(void *ctx, size_t iterations, struct luc_error *err);
    void *tick_ctx;
};

struct luc_grabcut {
    struct luc_mixture side[2]; /* of the background, of the foreground */
    double energy;              /* E for these mixtures */
    double beta;
    size_t iterations; /* done; fewer than asked when the sides came to rest */
    bool at_rest;
};

/* Gives each open pixel the side whose mixture, learned from the others, fits its colour better; it may
 * change. Both sides need a pixel. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_grabcut_guess(const struct luc_grabcut_spec *spec, uint8_t *seeds,
                                               struct luc_arena *arena, struct luc_error *err);

/* seeds[height * width], none of them open: read, and replaced by the result (pixels that may change take
 * the side found). Both sides need a pixel at the start; if one has none left at the end, the work
 * stops there. LUC_TOO_LARGE, LUC_NOMEM, and what tick() returns. */
LUC_MUST_USE enum luc_status luc_grabcut_run(const struct luc_grabcut_spec *spec, uint8_t *seeds,
                                             struct luc_arena *arena, struct luc_grabcut *found,
                                             struct luc_error *err);

/* Pixels on a side; open ones are on none. */
size_t luc_seeds_count(const uint8_t *seeds, size_t n, unsigned side);

#endif
