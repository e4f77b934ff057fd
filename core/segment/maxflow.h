/* maxflow.h -- the cheapest cut of a picture's pixels into two sides.
 *
 * Nodes are the pixels of a grid; each is linked with its eight neighbours and with the two
 * terminals. A cut costs the source link of every pixel on the sink's side, the sink link of every
 * pixel on the source's side, and every link that leads from a pixel on the source's side to one on
 * the sink's. luc_cut_solve() finds a cheapest one.
 *
 * Source: Boykov & Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms for Energy
 * Minimization in Vision", 2004, with the marking heuristic of section 3.2's end (time stamps and
 * distances). Differs: the graph is a grid, so that links have no pointers, eight residual
 * capacities stand side by side, and a rim of pixels without links spares every test for the border.
 */
#ifndef LUC_SEGMENT_MAXFLOW_H
#define LUC_SEGMENT_MAXFLOW_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Towards the neighbour at: right, right below, below, left below, and their opposites. */
enum luc_way {
    LUC_EAST,
    LUC_SOUTH_EAST,
    LUC_SOUTH,
    LUC_SOUTH_WEST,
    LUC_WEST,
    LUC_NORTH_WEST,
    LUC_NORTH,
    LUC_NORTH_EAST,
    LUC_N_WAYS
};
#define LUC_OPPOSITE(way) ((way) ^ 4u)

struct luc_cut; /* opaque */

#define LUC_CUT_PIXELS_MAX 100000000 /* width * height, at most */

/* A grid without any links, in `arena`. LUC_TOO_LARGE, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_cut_create(size_t width, size_t height, struct luc_arena *arena,
                                            struct luc_cut **cut, struct luc_error *err);
/* Forgets all links. */
void luc_cut_clear(struct luc_cut *cut);

/* Links of pixel x, y; capacities >= 0, once for each pixel. */
void luc_cut_terminals(struct luc_cut *cut, size_t x, size_t y, float source, float sink);
/* Both directions of the link with the neighbour that lies this way, which must be on the grid. */
void luc_cut_link(struct luc_cut *cut, size_t x, size_t y, enum luc_way way, float there,
                  float back);

/* The cheapest cut's cost. Once after links were set. */
double luc_cut_solve(struct luc_cut *cut);
/* Which side a pixel is on; those that neither terminal reaches are on the sink's. */
bool luc_cut_on_source_side(const struct luc_cut *cut, size_t x, size_t y);

#endif
