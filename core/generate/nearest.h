/* nearest.h -- texture synthesis by nearest neighbourhoods, coarse to fine: each pixel becomes that
 * pixel of the sample whose surroundings are most like those of the pixel so far.
 *
 * Surroundings: the pixels above and to the left (half of an n x n square) at the present size, and
 * all of a smaller square at the size before. What is made wraps around, so it tiles.
 *
 * Source: Wei & Levoy, "Fast Texture Synthesis using Tree-structured Vector Quantization", SIGGRAPH
 * 2000, sections 2 and 3. Differs: the search is exact. It goes through blocks of neighbourhoods,
 * nearest pixels first, and leaves a block whose partial distances all pass the best found; it
 * starts from the places that the neighbours came from.
 */
#ifndef LUC_GENERATE_NEAREST_H
#define LUC_GENERATE_NEAREST_H

#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/generate/canvas.h"

/* One size: what is made at `to` from `sample`, after `to_before` from `sample_before` (data NULL:
 * none, the coarsest). */
struct luc_nearest {
    const struct luc_threads *threads;
    size_t neighbourhood; /* n: odd, 3..15 */
    const struct luc_canvas *sample, *sample_before;
    const struct luc_canvas *to, *to_before;
    /* private */
    float *blocks;  /* neighbourhoods of the sample, 16 side by side */
    size_t *source; /* where each pixel of `to` came from */
    size_t dims, candidates, rows, columns;
};

/* Takes memory from `arena`. LUC_INVALID, naming "neighbourhood": the sample is smaller than it. */
LUC_MUST_USE enum luc_status luc_nearest_begin(struct luc_nearest *n, struct luc_arena *arena,
                                               struct luc_error *err);
/* Fills `to` with pixels of the sample drawn at random. */
void luc_nearest_scatter(struct luc_nearest *n, struct luc_rng *rng);
/* Row y of `to`, from left to right; rows in order. */
void luc_nearest_row(struct luc_nearest *n, size_t y);

#endif
