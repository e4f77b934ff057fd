#include "core/graph/rebind.h"

#include "core/graph/optimise.h"

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
    /* Behind the const, under its lock: afterwards nobody writes to the nodes while they are read. */
    luc_graph_pack((struct luc_graph *)(uintptr_t)g, true);
    *made = *g;
    memcpy(values, g->values, g->n_values * sizeof(*values));
    memcpy(nodes, g->nodes, g->n_nodes * sizeof(*nodes));
    made->values = values;
    made->nodes = nodes;
    made->packed = made->packed_fast =
        true; /* packing again would put the copy's weights into the original's arena */
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
                shared->nodes[i].prepared = shared->nodes[i].packed = NULL;
}
