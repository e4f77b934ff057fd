/* region_build.h -- the inside of region.h: a network rewritten to work on windows. */
#ifndef LUC_GRAPH_REGION_BUILD_H
#define LUC_GRAPH_REGION_BUILD_H

#include "core/graph/infer.h"
#include "core/graph/region.h"

enum luc_region_state {
    LUC_REGION_CLEAN,  /* does not depend on the picture */
    LUC_REGION_WINDOW, /* the changed window of each slot */
    LUC_REGION_WHOLE,  /* all of it, for each slot */
};

/* One axis of a window: its size, and where it begins for each grid coordinate. */
struct luc_region_axis {
    size_t size, side; /* side: of the layer */
    ptrdiff_t *origin;
};

/* A value of the original graph, as it is in the regional one. */
struct luc_region_part {
    enum luc_region_state state;
    size_t value; /* in the regional graph; LUC_NONE: not made yet */
    size_t kept;  /* regional constant that holds the whole picture's activation */
    struct luc_region_axis axis[2]; /* vertical, horizontal; LUC_REGION_WINDOW only */
    size_t cut;                     /* the latest crop of it, or LUC_NONE; its fill and place */
    float cut_fill;
    struct luc_region_axis cut_axis[2];
};

struct luc_region {
    struct luc_region_spec spec;
    struct luc_infos infos;        /* of the original graph, for the one picture */
    struct luc_region_part *parts; /* [graph->n_values] */
    struct luc_graph *graph;
    struct luc_exec *whole, *exec;
    size_t *at[2]; /* [batch]: grid coordinates of each slot */
    size_t *kept;  /* original values whose activations are kept */
    size_t n_kept, n_names;
    double share;
    struct luc_arena *arena;
};

/* Fills r->graph and r->parts for what r->spec asks; all else of *r is set, and r->infos knows the
 * picture's shape. LUC_UNSUPPORTED, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_region_build(struct luc_region *r, struct luc_error *err);

#endif
