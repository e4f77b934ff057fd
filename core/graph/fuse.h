/* fuse.h -- what a step of a plan does besides its node: adds another value, cuts at zero.
 *
 * A node's result joins the one node that reads it where nobody else sees the value between them,
 * so whatever is asked for still exists, and where the node's kernel can do both in one pass.
 */
#ifndef LUC_GRAPH_FUSE_H
#define LUC_GRAPH_FUSE_H

#include "core/graph/plan_private.h"

struct luc_fusing {
    const struct luc_plan *plan; /* its spots say what is asked for; shapes are known */
    const size_t *n_readers;     /* [n_values]: needed nodes that read the value */
    bool *needed;                /* [n_nodes]: cleared for a node that joins another */
};

/* Fills step->add, plus, relu and out0 of a step that has its node. */
void luc_fuse(const struct luc_fusing *f, struct luc_step *step);

#endif
