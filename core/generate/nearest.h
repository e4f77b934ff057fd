/* nearest.h -- texture synthesis by nearest neighbourhoods, coarse to fine: each pixel becomes that
 * pixel of the sample whose surroundings are most like those of the pixel so far.
 *
 * Surroundings: the pixels above and to the left (half of an n x n square) at the present size, and
 * all of a smaller square at the size before. What is made wraps around, so it tiles.
 *
 * Source: Wei & Levoy, "Fast Texture Synthesis using Tree-structured Vector Quantization", SIGGRAPH
 * 2000, sections 2 and 3. Differs: the search is exact (closest.h); it starts from the places that
 * the neighbours came from.
 */
#ifndef LUC_GENERATE_NEAREST_H
#define LUC_GENERATE_NEAREST_H

#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/generate/canvas.h"
#include "core/generate/closest.h"

/* One size: what is made at `to` from `sample`, after `to_before` from `sample_before` (data NULL:
 * none, the coarsest). */
struct luc_nearest {
    const struct luc_threads *threads;
    size_t neighbourhood; /* n: odd, 3..15 */
    const struct luc_canvas *sample, *sample_before;
    const struct luc_canvas *to, *to_before;
    /* Where each pixel of `to` came from in the sample; the caller's, [pixels of `to`]. With it a
     * size can be gone on with: luc_nearest_restore(). */
    uint32_t *source;
    /* private */
    struct luc_nearest_offset *offsets;
    float *vectors; /* neighbourhoods of the sample: [closest.n][closest.dims] */
    struct luc_closest closest;
    size_t rows, columns;
};

/* Takes memory from `arena`. LUC_INVALID, naming "neighbourhood": the sample is smaller than it. */
LUC_MUST_USE enum luc_status luc_nearest_begin(struct luc_nearest *n, struct luc_arena *arena,
                                               struct luc_error *err);
/* Fills `to` with pixels of the sample drawn at random. */
void luc_nearest_scatter(struct luc_nearest *n, struct luc_rng *rng);
/* Fills `to` by a `source` that was kept; needs no luc_nearest_begin(). False: it is not of this
 * sample, and nothing was done. */
bool luc_nearest_restore(struct luc_nearest *n);
/* Row y of `to`, from left to right; rows in order. */
void luc_nearest_row(struct luc_nearest *n, size_t y);

#endif
