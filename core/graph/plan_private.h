/* plan_private.h -- the inside of a plan, for plan.c (makes it) and exec.c (runs it). */
#ifndef LUC_GRAPH_PLAN_PRIVATE_H
#define LUC_GRAPH_PLAN_PRIVATE_H

#include "core/graph/infer.h"
#include "core/graph/memory.h"
#include "core/graph/optimise.h"
#include "core/graph/plan.h"

/* One value in this plan. */
struct luc_spot {
    size_t root;   /* the value whose storage it shares; itself when not a view */
    size_t buffer; /* of a root that a node or the caller writes; LUC_NONE: constant or known */
    size_t grad;   /* buffer of dL/d(value); LUC_NONE: no gradient wanted */
    bool planned, tapped, seeded, wanted; /* wanted: in wrt */
    bool depends;                         /* a wrt or computed from one */
    bool reaches;                         /* a seed or on the way to one */
};

/* One node to run, with a sum and a ReLU after it where these are fused (fuse.h). Times: step i runs forward at i and
 * backward at 2F - i, F being the number of steps; at F the caller reads taps and writes seeds. */
struct luc_step {
    const struct luc_node *node;
    const struct luc_node *relu; /* fused into node, or NULL */
    size_t plus;                 /* the value fused into node as addend, or LUC_NONE */
    size_t out0;                 /* the value that forward writes: the last fused node's output */
    bool view;                   /* forward has nothing to do */
    bool backward;
    uint32_t reads;               /* what backward reads, when it runs */
    const bool *din_wanted;       /* [node->n_in] */
    const bool *din_fresh;        /* [node->n_in]: this step writes the gradient first */
    bool plus_wanted, plus_fresh; /* the same for plus */
    size_t forward_scratch, backward_scratch, saved; /* buffers, or LUC_NONE */
    double flops;
    unsigned wants; /* luc_op_packs */
    struct luc_packed packed;
};

struct luc_plan {
    const struct luc_graph *graph;
    struct luc_infos infos;
    struct luc_spot *spots; /* [graph->n_values] */
    struct luc_step *steps;
    size_t n_steps;
    struct luc_buffer *buffers;
    size_t n_buffers, cap_buffers;
    bool fast;
    float softplus; /* of the spec */
    size_t bytes, lanes, max_in;
    double flops;
};

#endif
