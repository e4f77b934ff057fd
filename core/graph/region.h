/* region.h -- what changes when a patch of the picture changes, and nothing else.
 *
 * The whole picture runs once and its activations are kept. For each patch position only the part
 * of every layer that the patch can reach is computed again: a window of fixed size around it, cut
 * from the kept activations with the changed part laid over them, many positions as one batch. Where
 * a window has grown to most of its layer, the rest of the network runs whole. The result is exact;
 * only the order of float additions may differ from running the network on each covered picture;
 * with `most_side` it is approximate and cheaper.
 *
 * Source: Nakandala, Kumar & Papakonstantinou, "Incremental and Approximate Inference for Faster
 * Occlusion-based Deep CNN Explanations" (Krypton), SIGMOD 2019; most_side: their projective field
 * thresholding.
 */
#ifndef LUC_GRAPH_REGION_H
#define LUC_GRAPH_REGION_H

#include "core/graph/exec.h"

struct luc_region; /* opaque */

struct luc_region_spec {
    const struct luc_graph *graph;
    const struct luc_tensor *input; /* [1, C, H, W], the only graph input; borrowed */
    const size_t *values;           /* what to read for each position */
    size_t n_values;
    size_t patch_h, patch_w;
    const size_t *ys, *xs; /* patch corners: the grid ys x xs; patches inside the picture */
    size_t n_ys, n_xs;
    size_t batch; /* positions per run */
    /* When > 0: windows grow to at most this share of their layer's side; what a patch changes
     * beyond is taken as unchanged, and the result is an approximation. */
    double most_side;
    const struct luc_threads *threads;
};

/* Plans, allocates and runs the whole picture once; luc_region_done() frees what is not in `arena`.
 * LUC_UNSUPPORTED: the network does not allow it (run the covered pictures whole instead).
 * LUC_NOMEM: a smaller batch may fit. */
LUC_MUST_USE enum luc_status luc_region_create(const struct luc_region_spec *spec,
                                               struct luc_arena *arena, struct luc_region **region,
                                               struct luc_error *err);

void luc_region_done(struct luc_region *r);

/* Values as they are for the picture itself. */
const struct luc_tensor *luc_region_whole(const struct luc_region *r, size_t value);

/* Contents of the patches, [batch, C, patch_h, patch_w], to be written before each run. */
float *luc_region_patches(struct luc_region *r);
/* Position `slot` of the batch is (ys[iy], xs[ix]). */
void luc_region_place(struct luc_region *r, size_t slot, size_t iy, size_t ix);
void luc_region_run(struct luc_region *r);
/* [batch, ...], valid until the next run. */
const struct luc_tensor *luc_region_value(const struct luc_region *r, size_t value);

/* Floating point operations of one run divided by those of `batch` whole pictures. */
double luc_region_share(const struct luc_region *r);

#endif
