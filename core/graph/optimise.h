/* optimise.h -- passes over a finished graph, run once at load. Each can be left out to compare. */
#ifndef LUC_GRAPH_OPTIMISE_H
#define LUC_GRAPH_OPTIMISE_H

#include "core/graph/graph.h"

enum luc_optimise {
    LUC_FOLD_CONSTANTS = 1,  /* nodes whose inputs are all constant become constants */
    LUC_FOLD_BATCH_NORM = 2, /* BatchNormalization (or a per-channel constant Mul/Add) after a Conv
                                with constant weights goes into those weights; the value between
                                them disappears when nothing else reads it */
    LUC_PREPARE = 4,         /* op->prepare(): weights packed once, shared by all runs. Left out,
                                convolutions are summed directly and exactly (winograd.h) */
    LUC_OPTIMISE_ALL = 7,
};

/* Runs pack() of every node and prepare() of those that pack late, unless that has been done; the
 * first call does the work, callers at the same time wait for it. The graph's weights are read-only
 * otherwise. Nothing fails: without memory, nodes stay unpacked. */
void luc_graph_pack(struct luc_graph *g);

/* The same for one node of `g` and for those of `wants` (luc_op_packs) alone, and what came of it;
 * what was not wanted is NULL, whoever packed it. Plans call it: they know by the shapes which of a
 * node's packed weights they will read, and each may be several times the weights. */
struct luc_packed {
    const void *prepared, *packed;
};
struct luc_packed luc_graph_take(struct luc_graph *g, struct luc_node *node, unsigned wants,
                                 const struct luc_threads *threads);

/* Memory of the graph and its weights, with what is packed so far. Waits for a packing to end. */
size_t luc_graph_bytes(const struct luc_graph *g);

/* In place. Values keep their indices and names; nodes that fell away are removed. */
LUC_MUST_USE enum luc_status luc_graph_optimise(struct luc_graph *g, unsigned passes,
                                                struct luc_error *err);

#endif
