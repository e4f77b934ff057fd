#include "core/graph/graph.h"

#include <string.h>

#define FIRST_CAP 16

struct luc_graph *luc_graph_create(size_t limit)
{
    struct luc_arena *arena = luc_arena_create(limit);
    struct luc_graph *g = arena ? luc_arena_alloc(arena, 1, sizeof(*g)) : NULL;
    struct luc_lock *lock = g ? luc_lock_create() : NULL;
    if (!lock) {
        luc_arena_destroy(arena);
        return NULL;
    }
    g->arena = arena;
    g->lock = lock;
    return g;
}

struct luc_graph *luc_graph_destroy(struct luc_graph *g)
{
    if (g) {
        luc_lock_destroy(g->lock);
        luc_arena_destroy(g->arena);
    }
    return NULL;
}

/* Room for one more element; doubles, leaving the old array to the arena. */
static enum luc_status grow(struct luc_graph *g, void **array, size_t n, size_t *cap, size_t size,
                            struct luc_error *err)
{
    if (n < *cap)
        return LUC_OK;
    const size_t wanted = *cap ? *cap * 2 : FIRST_CAP;
    void *bigger = luc_arena_alloc(g->arena, wanted, size);
    if (!bigger)
        return luc_fail_nomem(err, "graph", (unsigned long long)wanted * size);
    if (n)
        memcpy(bigger, *array, n * size);
    *array = bigger;
    *cap = wanted;
    return LUC_OK;
}

static size_t hash_name(const char *name)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    return (size_t)h;
}

/* The slot that holds `name`, or the empty one where it belongs. Slots hold value + 1. */
static size_t *find_slot(const struct luc_graph *g, const char *name)
{
    size_t at = hash_name(name) & (g->cap_slots - 1);
    while (g->slots[at] && strcmp(g->values[g->slots[at] - 1].name, name) != 0)
        at = (at + 1) & (g->cap_slots - 1);
    return &g->slots[at];
}

static enum luc_status grow_slots(struct luc_graph *g, struct luc_error *err)
{
    if (g->n_values * 2 < g->cap_slots)
        return LUC_OK;
    const size_t cap = g->cap_slots ? g->cap_slots * 2 : FIRST_CAP * 4;
    size_t *slots = luc_arena_alloc(g->arena, cap, sizeof(*slots));
    if (!slots)
        return luc_fail_nomem(err, "graph", (unsigned long long)cap * sizeof(*slots));
    g->slots = slots;
    g->cap_slots = cap;
    for (size_t i = 0; i < g->n_values; i++)
        *find_slot(g, g->values[i].name) = i + 1;
    return LUC_OK;
}

enum luc_status luc_graph_value(struct luc_graph *g, const char *name, size_t *value,
                                struct luc_error *err)
{
    if (*name == '\0')
        return luc_fail(err, LUC_INVALID, "a value without a name");
    enum luc_status st = grow_slots(g, err);
    if (!st)
        st = grow(g, (void **)&g->values, g->n_values, &g->cap_values, sizeof(*g->values), err);
    if (st)
        return st;
    size_t *slot = find_slot(g, name);
    if (!*slot) {
        char *copy = luc_arena_strdup(g->arena, name);
        if (!copy)
            return luc_fail_nomem(err, "graph", strlen(name));
        g->values[g->n_values] = (struct luc_value){ .name = copy, .producer = LUC_NONE };
        *slot = ++g->n_values;
    }
    *value = *slot - 1;
    return LUC_OK;
}

size_t luc_graph_find(const struct luc_graph *g, const char *name)
{
    return g->n_values ? *find_slot(g, name) - 1 : LUC_NONE; /* an empty slot is 0: LUC_NONE */
}

static enum luc_status check_unmade(const struct luc_graph *g, size_t value, struct luc_error *err)
{
    const struct luc_value *v = &g->values[value];
    if (v->is_input || v->constant.data || v->producer != LUC_NONE)
        return luc_fail(err, LUC_FORMAT, "value '%.80s' is made twice", v->name);
    return LUC_OK;
}

enum luc_status luc_graph_add_input(struct luc_graph *g, size_t value, const struct luc_shape *decl,
                                    struct luc_error *err)
{
    enum luc_status st = check_unmade(g, value, err);
    if (!st)
        st = grow(g, (void **)&g->inputs, g->n_inputs, &g->cap_inputs, sizeof(*g->inputs), err);
    if (st)
        return st;
    g->values[value].is_input = true;
    if (decl)
        g->values[value].decl = *decl;
    g->inputs[g->n_inputs++] = value;
    return LUC_OK;
}

enum luc_status luc_graph_add_output(struct luc_graph *g, size_t value, struct luc_error *err)
{
    const enum luc_status st =
        grow(g, (void **)&g->outputs, g->n_outputs, &g->cap_outputs, sizeof(*g->outputs), err);
    if (!st)
        g->outputs[g->n_outputs++] = value;
    return st;
}

enum luc_status luc_graph_set_constant(struct luc_graph *g, size_t value,
                                       const struct luc_tensor *t, struct luc_error *err)
{
    const enum luc_status st = check_unmade(g, value, err);
    if (!st)
        g->values[value].constant = *t;
    return st;
}

static enum luc_status check_counts(const struct luc_op *op, const char *name, size_t n_in,
                                    size_t n_out, struct luc_error *err)
{
    const size_t out_max = op->n_out_max ? op->n_out_max : 1;
    if (n_in < op->n_in_min || n_in > op->n_in_max)
        return luc_fail(err, LUC_INVALID, "node '%.60s' (%s): %zu inputs", name, op->name, n_in);
    if (n_out < 1 || n_out > out_max)
        return luc_fail(err, LUC_UNSUPPORTED, "node '%.60s' (%s): %zu outputs, %zu supported", name,
                        op->name, n_out, out_max);
    return LUC_OK;
}

static enum luc_status fill_node(struct luc_graph *g, struct luc_node *node, const size_t *in,
                                 const size_t *out, struct luc_error *err)
{
    const size_t attrs_size = node->op->attrs_size;
    node->attrs = luc_arena_alloc(g->arena, 1, attrs_size);
    node->in = luc_arena_alloc(g->arena, node->n_in, sizeof(*in));
    node->out = luc_arena_alloc(g->arena, node->n_out, sizeof(*out));
    if (!node->attrs || !node->in || !node->out)
        return luc_fail_nomem(err, "graph node", attrs_size);
    luc_params_default(node->op->attrs, node->attrs);
    if (node->n_in)
        memcpy(node->in, in, node->n_in * sizeof(*in));
    memcpy(node->out, out, node->n_out * sizeof(*out));
    return LUC_OK;
}

/* Marks the outputs as made by `node`; a repeated output is found because it is made already. */
static enum luc_status claim_outputs(struct luc_graph *g, size_t node, const size_t *out,
                                     size_t n_out, struct luc_error *err)
{
    for (size_t i = 0; i < n_out; i++) {
        if (out[i] == LUC_NONE)
            continue;
        const enum luc_status st = check_unmade(g, out[i], err);
        if (st)
            return st;
        g->values[out[i]].producer = node;
    }
    return LUC_OK;
}

enum luc_status luc_graph_add_node(struct luc_graph *g, const struct luc_op *op, const char *name,
                                   const size_t *in, size_t n_in, const size_t *out, size_t n_out,
                                   void **attrs, struct luc_error *err)
{
    enum luc_status st = check_counts(op, name, n_in, n_out, err);
    if (!st)
        st = grow(g, (void **)&g->nodes, g->n_nodes, &g->cap_nodes, sizeof(*g->nodes), err);
    if (st)
        return st;
    for (size_t i = 0; i < op->n_in_min; i++)
        if (in[i] == LUC_NONE)
            return luc_fail(err, LUC_INVALID, "node '%.60s' (%s): input %zu is missing", name,
                            op->name, i);

    struct luc_node node = { .op = op, .n_in = n_in, .n_out = n_out };
    node.name = luc_arena_strdup(g->arena, name);
    if (!node.name)
        return luc_fail_nomem(err, "graph node", strlen(name));
    st = fill_node(g, &node, in, out, err);
    if (!st)
        st = claim_outputs(g, g->n_nodes, out, n_out, err);
    if (st)
        return st;
    g->nodes[g->n_nodes++] = node;
    if (attrs)
        *attrs = node.attrs;
    return LUC_OK;
}

static bool is_made(const struct luc_graph *g, size_t value, const bool *node_done)
{
    const struct luc_value *v = &g->values[value];
    return v->is_input || v->constant.data || (v->producer != LUC_NONE && node_done[v->producer]);
}

static enum luc_status check_made(const struct luc_graph *g, struct luc_error *err)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        for (size_t k = 0; k < g->nodes[i].n_in; k++) {
            const size_t in = g->nodes[i].in[k];
            if (in == LUC_NONE)
                continue;
            const struct luc_value *v = &g->values[in];
            if (!v->is_input && !v->constant.data && v->producer == LUC_NONE)
                return luc_fail(err, LUC_FORMAT,
                                "node '%.60s' (%s) reads '%.60s', which nothing makes",
                                g->nodes[i].name, g->nodes[i].op->name, v->name);
        }
    for (size_t i = 0; i < g->n_outputs; i++) {
        const struct luc_value *v = &g->values[g->outputs[i]];
        if (!v->is_input && !v->constant.data && v->producer == LUC_NONE)
            return luc_fail(err, LUC_FORMAT, "output '%.80s' is made by nothing", v->name);
    }
    return LUC_OK;
}

static bool is_ready(const struct luc_graph *g, const struct luc_node *node, const bool *done)
{
    for (size_t k = 0; k < node->n_in; k++)
        if (node->in[k] != LUC_NONE && !is_made(g, node->in[k], done))
            return false;
    return true;
}

/* Depth-first over producers with an explicit stack; keeps file order where it is already valid. */
static enum luc_status visit(const struct luc_graph *g, size_t root, size_t *stack, bool *open,
                             bool *done, size_t *order, size_t *n_order, struct luc_error *err)
{
    size_t depth = 0;
    stack[depth++] = root;
    while (depth > 0) {
        const size_t at = stack[depth - 1];
        const struct luc_node *node = &g->nodes[at];
        if (done[at] || is_ready(g, node, done)) {
            if (!done[at])
                order[(*n_order)++] = at;
            done[at] = true;
            depth--;
            continue;
        }
        if (open[at]) /* came back without being ready */
            return luc_fail(err, LUC_FORMAT, "node '%.80s' depends on itself", node->name);
        open[at] = true;
        for (size_t k = node->n_in; k-- > 0;) {
            if (node->in[k] == LUC_NONE || is_made(g, node->in[k], done))
                continue;
            const size_t producer = g->values[node->in[k]].producer;
            if (open[producer])
                return luc_fail(err, LUC_FORMAT, "node '%.80s' depends on itself", node->name);
            stack[depth++] = producer;
        }
    }
    return LUC_OK;
}

static size_t count_edges(const struct luc_graph *g)
{
    size_t n = 1;
    for (size_t i = 0; i < g->n_nodes; i++)
        n += g->nodes[i].n_in;
    return n;
}

static enum luc_status sort_nodes(struct luc_graph *g, struct luc_arena *tmp, struct luc_error *err)
{
    const size_t n = g->n_nodes;
    bool *open = luc_arena_alloc(tmp, n, sizeof(*open));
    bool *done = luc_arena_alloc(tmp, n, sizeof(*done));
    size_t *order = luc_arena_alloc(tmp, n, sizeof(*order));
    size_t *stack = luc_arena_alloc(tmp, n + count_edges(g), sizeof(*stack));
    struct luc_node *sorted = luc_arena_alloc(tmp, n, sizeof(*sorted));
    if (!open || !done || !order || !stack || !sorted)
        return luc_fail_nomem(err, "graph", n * sizeof(*sorted));

    size_t n_order = 0;
    for (size_t i = 0; i < n; i++) {
        const enum luc_status st = visit(g, i, stack, open, done, order, &n_order, err);
        if (st)
            return st;
    }
    for (size_t i = 0; i < n; i++)
        sorted[i] = g->nodes[order[i]];
    for (size_t i = 0; i < n; i++) {
        g->nodes[i] = sorted[i];
        for (size_t k = 0; k < sorted[i].n_out; k++)
            if (sorted[i].out[k] != LUC_NONE)
                g->values[sorted[i].out[k]].producer = i;
    }
    return LUC_OK;
}

enum luc_status luc_graph_finish(struct luc_graph *g, struct luc_error *err)
{
    enum luc_status st = check_made(g, err);
    if (st)
        return st;
    struct luc_arena *tmp = luc_arena_create(SIZE_MAX / 2);
    if (!tmp)
        return luc_fail_nomem(err, "graph", g->n_nodes);
    st = sort_nodes(g, tmp, err);
    luc_arena_destroy(tmp);
    return st;
}

void luc_node_follow(struct luc_node *node, const struct luc_graph *g,
                     const struct luc_node *original)
{
    const bool first = !original->origin; /* behind the const: packing is under the graph's lock */
    node->origin = first ? (struct luc_node *)(uintptr_t)original : original->origin;
    node->owner = first ? (struct luc_graph *)(uintptr_t)g : original->owner;
}

void luc_node_forget(struct luc_node *node)
{
    node->origin = NULL;
    node->prepared = node->packed = NULL;
    node->tried = LUC_PACKS_ALL;
}
