/* tiles.h -- runs a network that makes pictures over a picture too large to run whole, tile by tile,
 * with the same result.
 *
 * Convolutions look around: a tile of a layer is computed from a larger part of the layer before
 * (tile_node.h). Normalisations (InstanceNormalization, means over all places) depend on the whole
 * picture: the network is cut at each. One pass over all tiles finds the statistics that the next
 * pass needs; activations where it was cut are kept for the whole picture as far as memory allows,
 * and there those that save most work; the others are computed again in every pass that wants them. Statistics are summed in double.
 *
 *   result = that of the whole run, to the rounding of float additions
 *
 * The same bits for any number of threads; the size of the tiles and what is kept move the last ones.
 */
#ifndef LUC_GRAPH_TILES_H
#define LUC_GRAPH_TILES_H

#include "core/graph/graph.h"

struct luc_tiles; /* opaque; lives in an arena */

struct luc_tiles_spec {
    const struct luc_graph *graph; /* of one input [1, C, H, W]; borrowed */
    struct luc_shape input;
    size_t output;      /* value, [1, C', H', W'] */
    size_t tile;        /* side of a tile, in pixels of the input; at least 1 */
    size_t keep_bytes;  /* most to keep between passes; SIZE_MAX: whatever helps */
    size_t limit_bytes; /* for everything that luc_tiles_run() takes */
    size_t lanes;       /* widest thread budget */
};

struct luc_tiles_info {
    size_t n_tiles, n_passes;
    size_t kept_bytes, work_bytes; /* at once: activations of the whole picture, and one tile's */
    double flops;                  /* as luc_plan_flops() */
    struct luc_shape output;
};

/* Plans everything. LUC_UNSUPPORTED: the network has an operator that cannot be cut. LUC_NOMEM:
 * smaller tiles may fit. */
LUC_MUST_USE enum luc_status luc_tiles_create(const struct luc_tiles_spec *spec,
                                              struct luc_arena *arena, struct luc_tiles **tiles,
                                              struct luc_tiles_info *info, struct luc_error *err);

/* input [1, C, H, W] -> out, luc_numel(&info.output) floats. `tick` may be NULL; it is called after
 * each tile with the share that is done, and what it fails with ends the run. LUC_NOMEM: the limit
 * was more than the arena had. */
typedef enum luc_status luc_tiles_tick(void *ctx, double done, struct luc_error *err);
LUC_MUST_USE enum luc_status luc_tiles_run(struct luc_tiles *tiles, const float *input, float *out,
                                           const struct luc_threads *threads, luc_tiles_tick *tick,
                                           void *ctx, struct luc_error *err);

#endif
