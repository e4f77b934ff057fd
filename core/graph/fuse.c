#include "core/graph/fuse.h"

#include <string.h>

/* The only node that reads `value`, if nobody else sees it. */
static const struct luc_node *only_reader(const struct luc_fusing *f, size_t value)
{
    const struct luc_graph *g = f->plan->graph;
    const struct luc_spot *spot = &f->plan->spots[value];
    if (spot->tapped || spot->seeded || spot->wanted || f->n_readers[value] != 1)
        return NULL;
    for (size_t i = g->values[value].producer + 1; i < g->n_nodes; i++)
        for (size_t k = 0; f->needed[i] && k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == value)
                return &g->nodes[i];
    return NULL;
}

/* The value that `add` adds to `value`, or LUC_NONE where it cannot be added already by the node
 * that makes `value`: it must be there by then, and of one shape. */
static size_t addend(const struct luc_fusing *f, const struct luc_node *add, size_t value)
{
    const struct luc_graph *g = f->plan->graph;
    const struct luc_info *info = f->plan->infos.info;
    if (strcmp(add->op->name, "Add") != 0)
        return LUC_NONE;
    const size_t other = add->in[add->in[0] == value], maker = g->values[other].producer;
    if (info[value].dtype != LUC_F32 || !luc_shape_equal(&info[value].shape, &info[other].shape) ||
        (maker != LUC_NONE && maker > g->values[value].producer))
        return LUC_NONE;
    return other;
}

/* The step writes what `next` would have. */
static void join(const struct luc_fusing *f, struct luc_step *step, const struct luc_node *next)
{
    f->needed[next - f->plan->graph->nodes] = false;
    f->plan->spots[step->out0].planned = false; /* never exists on its own */
    step->out0 = next->out[0];
}

void luc_fuse(const struct luc_fusing *f, struct luc_step *step)
{
    const unsigned flags = step->node->op->flags;
    const struct luc_node *next = only_reader(f, step->out0);
    if (next && (flags & LUC_OP_FUSES_ADD) &&
        (step->plus = addend(f, next, step->out0)) != LUC_NONE) {
        join(f, step, next);
        next = only_reader(f, step->out0);
    }
    /* its gradient is masked where it lies, so it must not be asked for */
    if (next && (flags & LUC_OP_FUSES_RELU) && strcmp(next->op->name, "Relu") == 0 &&
        !f->plan->spots[next->out[0]].wanted) {
        step->relu = next;
        join(f, step, next);
    }
}
