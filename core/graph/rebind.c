#include "core/graph/rebind.h"

#include <assert.h>
#include <string.h>

enum luc_status luc_graph_share(const struct luc_graph *g, struct luc_arena *arena,
                                struct luc_graph **shared, struct luc_error *err)
{
    struct luc_graph *made = luc_arena_alloc(arena, 1, sizeof(*made));
    struct luc_value *values = luc_arena_alloc(arena, g->n_values, sizeof(*values));
    struct luc_node *nodes = luc_arena_alloc(arena, g->n_nodes, sizeof(*nodes));
    if (!made || !values || !nodes)
        return luc_fail_nomem(err, "a network's copy",
                              g->n_values * sizeof(*values) + g->n_nodes * sizeof(*nodes));
    *made = *g;
    memcpy(values, g->values, g->n_values * sizeof(*values));
    luc_lock_take(g->lock); /* others may be packing */
    for (size_t i = 0; i < g->n_nodes; i++) {
        nodes[i] = g->nodes[i];
        luc_node_follow(&nodes[i], g, &g->nodes[i]);
    }
    luc_lock_drop(g->lock);
    made->values = values;
    made->nodes = nodes;
    *shared = made;
    return LUC_OK;
}

void luc_graph_rebind(struct luc_graph *shared, size_t value, float *data)
{
    assert(shared->values[value].constant.data);
    shared->values[value].constant.data = data;
    for (size_t i = 0; i < shared->n_nodes; i++)
        for (size_t k = 0; k < shared->nodes[i].n_in; k++)
            if (shared->nodes[i].in[k] == value)
                luc_node_forget(&shared->nodes[i]);
}
