/* plan.h -- everything about a run that can be known before it: which nodes, in which order, every
 * shape for the actual N, H and W, when each buffer lives, where it lies, and the bytes in total.
 *
 * A plan is for one set of input shapes and one question: which values to read (taps), where
 * gradients come in (seeds), and what they are wanted with respect to (wrt; weights are values
 * too). Only nodes that the taps and seeds need are planned; backward covers only paths from a
 * seed to a wrt. Without wrt, buffers are reused as soon as their last reader has run; with it,
 * backward's needs are kept and nothing else.
 *
 * Layout is the plan's business: taps, seeds and gradients are plain NCHW for whoever reads them.
 */
#ifndef LUC_GRAPH_PLAN_H
#define LUC_GRAPH_PLAN_H

#include "core/graph/graph.h"

struct luc_plan; /* opaque, read-only once created; may be shared by several executors */

struct luc_plan_spec {
    const struct luc_graph *graph;    /* borrowed; outlives the plan */
    const struct luc_shape *inputs;   /* graph->n_inputs shapes */
    const size_t *taps, *seeds, *wrt; /* value indices */
    size_t n_taps, n_seeds, n_wrt;
    size_t lanes;                      /* widest thread budget the plan may run with; 0 means 1 */
    const struct luc_threads *threads; /* that pack weights nobody read before; may be NULL */
    bool no_fusion;                    /* keep bias+ReLU separate */
    /* Winograd's convolutions, several times faster on large maps. Outputs move by about 1e-6, but a
     * ReLU's input within that of zero may fall on the other side, and then a gradient moves by up
     * to 1e-3 of itself: for pictures made by many steps, not for maps that explain. The graph's
     * `precision` may decide otherwise. */
    bool fast;
    /* When > 0: every Relu is the softplus ln(1 + e^(b x)) / b with this b, forward and backward,
     * whatever the rule. A gradient then reaches units that a ReLU has shut: for pictures made by
     * gradients. Other operators that cut at zero (Clip, PRelu, ...) stay what they are. */
    double softplus;
    bool backward_again; /* several backwards per forward: nothing backward reads is overwritten */
};

/* The plan lives in `arena`. LUC_SHAPE, LUC_INVALID, LUC_UNSUPPORTED: the message names the node;
 * a wrt that no seed reaches is LUC_INVALID. */
LUC_MUST_USE enum luc_status luc_plan_create(const struct luc_plan_spec *spec,
                                             struct luc_arena *arena, const struct luc_plan **plan,
                                             struct luc_error *err);

/* Bytes that luc_exec_create() will take from its arena, weights not counted. */
size_t luc_plan_bytes(const struct luc_plan *plan);
/* Shape of a value in this plan; NULL when the plan does not compute it. */
const struct luc_shape *luc_plan_shape(const struct luc_plan *plan, size_t value);
/* Direct-convolution floating point operations of one forward (multiply and add count as two);
 * Conv, ConvTranspose, Gemm and MatMul. */
double luc_plan_flops(const struct luc_plan *plan);

/* Shapes of every value of a graph for given inputs, without planning a run: model listings.
 * shapes[graph->n_values]; rank LUC_NONE where a value's shape could not be inferred. */
LUC_MUST_USE enum luc_status luc_graph_shapes(const struct luc_graph *graph,
                                              const struct luc_shape *inputs,
                                              struct luc_arena *arena, struct luc_shape *shapes,
                                              struct luc_error *err);

#endif
