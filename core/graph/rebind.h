/* rebind.h -- a graph with other weights, beside the one that is shared. */
#ifndef LUC_GRAPH_REBIND_H
#define LUC_GRAPH_REBIND_H

#include "core/graph/graph.h"

/* A graph that shares nodes, names and constants with `g` but may be given constants of its own by
 * luc_graph_rebind(). It lives in `arena` and must not outlive `g`, and is not destroyed. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_graph_share(const struct luc_graph *g, struct luc_arena *arena,
                                             struct luc_graph **shared, struct luc_error *err);

/* In a shared graph, constant `value` now holds `data` (borrowed, of its size); nodes that read it
 * forget what was packed. Not for constants whose contents decide shapes. */
void luc_graph_rebind(struct luc_graph *shared, size_t value, float *data);

#endif
