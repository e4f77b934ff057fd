/* infer.h -- what is known of every value before a run: shape, type and, for small results of
 * known inputs (the arithmetic of shapes), the contents. Shared by planning, folding and listings. */
#ifndef LUC_GRAPH_INFER_H
#define LUC_GRAPH_INFER_H

#include "core/graph/graph.h"

#define LUC_KNOWN_MAX 4096 /* elements; larger results of known inputs are left to the run */

struct luc_infos {
    const struct luc_graph *graph;
    struct luc_arena *arena; /* known contents are put here */
    struct luc_info *info;   /* [graph->n_values] */
    bool *have;              /* [graph->n_values]: info is filled */
    size_t known_max;        /* elements */
};

/* Inputs get `inputs` (graph->n_inputs shapes; NULL: they stay unknown), constants their own shape
 * and contents. LUC_SHAPE when an input contradicts its declaration. */
LUC_MUST_USE enum luc_status luc_infos_init(struct luc_infos *x, const struct luc_graph *graph,
                                            const struct luc_shape *inputs, struct luc_arena *arena,
                                            struct luc_error *err);

/* The operator's view of one node. The inputs' infos must be there. */
struct luc_infer luc_infer_of(const struct luc_infos *x, const struct luc_node *node,
                              const struct luc_info **in);

/* Infers node's outputs; runs it at once when all it needs is known and the result small. The
 * message of a failure names the node. */
LUC_MUST_USE enum luc_status luc_infer_node(struct luc_infos *x, const struct luc_node *node,
                                            struct luc_error *err);

/* Runs one node on tensors whose data is all there; scratch is taken from `arena` and released. */
LUC_MUST_USE enum luc_status luc_run_node(const struct luc_infer *inferred,
                                          const struct luc_node *node, float *const *out,
                                          struct luc_arena *arena, struct luc_error *err);

#endif
