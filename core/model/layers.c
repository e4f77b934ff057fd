#include "core/model/layers.h"

#include "core/graph/plan.h"
#include "core/model/resolve.h"

#include <string.h>

/* All aliases of a value, separated by spaces; "" when it has none. */
static const char *aliases_of(const struct luc_model *m, size_t value, struct luc_arena *arena)
{
    size_t size = 1;
    for (size_t i = 0; i < m->n_aliases; i++)
        if (m->aliases[i].value == value)
            size += strlen(m->aliases[i].name) + 1;
    char *text = luc_arena_alloc(arena, size, 1), *end = text;
    for (size_t i = 0; text && i < m->n_aliases; i++) {
        if (m->aliases[i].value != value)
            continue;
        size_t n = strlen(m->aliases[i].name);
        if (end > text)
            *end++ = ' ';
        memcpy(end, m->aliases[i].name, n);
        end += n;
    }
    return text;
}

/* Weights are numbers, not shapes or axes; each counts once, where it is first used. */
static size_t count_parameters(const struct luc_graph *g, const struct luc_node *node, bool *seen)
{
    size_t n = 0;
    for (size_t i = 0; i < node->n_in; i++) {
        size_t v = node->in[i];
        if (v == LUC_NONE || seen[v] || !g->values[v].constant.data ||
            luc_dtype_is_int(g->values[v].constant.dtype))
            continue;
        seen[v] = true;
        n += luc_numel(&g->values[v].constant.shape);
    }
    return n;
}

static enum luc_status fill_rows(const struct luc_model *m, const struct luc_infos *x,
                                 const struct luc_field *fields, struct luc_layers *l,
                                 struct luc_error *err)
{
    const struct luc_graph *g = m->graph;
    bool *seen = luc_arena_alloc(x->arena, g->n_values, sizeof *seen);
    if (!seen)
        return luc_fail_nomem(err, "a list of layers", g->n_values);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct luc_node *node = &g->nodes[i];
        size_t v = node->out[0], n = count_parameters(g, node, seen);
        l->n_parameters += n;
        if (v == LUC_NONE || !x->have[v] || x->info[v].known)
            continue;
        struct luc_layer *row = &l->rows[l->n++];
        *row = (struct luc_layer){ .name = g->values[v].name,
                                   .alias = aliases_of(m, v, x->arena),
                                   .op = node->op->name,
                                   .value = v,
                                   .shape = x->info[v].shape,
                                   .n_parameters = n,
                                   .field = fields[v] };
        if (!row->alias)
            return luc_fail_nomem(err, "a list of layers", 64);
    }
    return LUC_OK;
}

static enum luc_status count_flops(const struct luc_model *m, struct luc_arena *arena,
                                   struct luc_layers *l, struct luc_error *err)
{
    struct luc_shape shape = luc_shape4(1, m->in.channels == LUC_GRAY ? 1 : 3, l->height, l->width);
    struct luc_plan_spec spec = { .graph = m->graph,
                                  .inputs = &shape,
                                  .taps = m->graph->outputs,
                                  .n_taps = m->graph->n_outputs };
    const struct luc_plan *plan;
    enum luc_status s = luc_plan_create(&spec, arena, &plan, err);
    if (!s)
        l->flops = luc_plan_flops(plan);
    return s;
}

enum luc_status luc_model_layers(const struct luc_model *m, size_t height, size_t width,
                                 struct luc_arena *arena, struct luc_layers *layers,
                                 struct luc_error *err)
{
    const struct luc_graph *g = m->graph;
    struct luc_layers l = { .height = height ? height : m->in.height,
                            .width = width ? width : m->in.width };
    l.height = l.height ? l.height : LUC_ANY_SIDE;
    l.width = l.width ? l.width : LUC_ANY_SIDE;
    l.rows = luc_arena_alloc(arena, g->n_nodes, sizeof *l.rows);
    struct luc_field *fields = luc_arena_alloc(arena, g->n_values, sizeof *fields);
    if (!l.rows || !fields)
        return luc_fail_nomem(err, "a list of layers", g->n_values * sizeof *fields);
    struct luc_infos x;
    enum luc_status s = luc_resolve_shapes(m, l.height, l.width, arena, &x, err);
    if (s)
        return s;
    luc_receptive_fields(&x, m->input, fields);
    s = fill_rows(m, &x, fields, &l, err);
    if (!s)
        s = count_flops(m, arena, &l, err);
    if (!s)
        *layers = l;
    return s;
}
