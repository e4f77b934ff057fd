#include "core/graph/plan_private.h"

#include "core/graph/fuse.h"

#include <string.h>

/* What the passes below share while a plan is made. */
struct planner {
    const struct luc_plan_spec *spec;
    struct luc_plan *plan;
    struct luc_arena *arena;
    size_t *n_readers; /* [n_values]: planned nodes that read the value */
    bool *node_needed; /* [n_nodes] */
};

static enum luc_status check_value(const struct planner *p, size_t value, struct luc_error *err)
{
    if (value >= p->spec->graph->n_values)
        return luc_fail(err, LUC_INVALID, "the network has no value number %zu", value);
    return LUC_OK;
}

static enum luc_status mark_asked(struct planner *p, struct luc_error *err)
{
    const struct luc_plan_spec *s = p->spec;
    struct luc_spot *spots = p->plan->spots;
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < s->n_taps; i++)
        if (!(st = check_value(p, s->taps[i], err)))
            spots[s->taps[i]].tapped = true;
    for (size_t i = 0; !st && i < s->n_seeds; i++)
        if (!(st = check_value(p, s->seeds[i], err)))
            spots[s->seeds[i]].seeded = true;
    for (size_t i = 0; !st && i < s->n_wrt; i++)
        if (!(st = check_value(p, s->wrt[i], err)))
            spots[s->wrt[i]].wanted = spots[s->wrt[i]].depends = true;
    return st;
}

/* Nodes are sorted, so one sweep from the end finds all that the taps and seeds need. */
static void mark_needed(struct planner *p)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_spot *spots = p->plan->spots;
    for (size_t i = 0; i < g->n_values; i++)
        spots[i].planned = spots[i].tapped || spots[i].seeded || spots[i].wanted;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const struct luc_node *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_out; k++)
            if (node->out[k] != LUC_NONE && spots[node->out[k]].planned)
                p->node_needed[i] = true;
        for (size_t k = 0; p->node_needed[i] && k < node->n_in; k++)
            if (node->in[k] != LUC_NONE)
                spots[node->in[k]].planned = true;
    }
}

static bool outputs_known(const struct planner *p, const struct luc_node *node)
{
    for (size_t k = 0; k < node->n_out; k++)
        if (node->out[k] != LUC_NONE && !p->plan->infos.info[node->out[k]].known)
            return false;
    return true;
}

/* Shapes of everything needed, in order. A node whose results are known already is done: it gets
 * no step, and what only it needed is dropped again by drop_unread(). */
static enum luc_status infer_needed(struct planner *p, struct luc_error *err)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_infos *infos = &p->plan->infos;
    for (size_t i = 0; i < p->spec->n_wrt; i++)
        infos->info[p->spec->wrt[i]].known = NULL; /* it will change: nothing may rest on it */
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (!p->node_needed[i])
            continue;
        const enum luc_status st = luc_infer_node(infos, &g->nodes[i], err);
        if (st)
            return st;
        if (outputs_known(p, &g->nodes[i]))
            p->node_needed[i] = false;
    }
    return LUC_OK;
}

/* Nodes needed only for what has become known need not run. */
static void drop_unread(struct planner *p)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_spot *spots = p->plan->spots;
    for (size_t i = 0; i < g->n_values; i++)
        spots[i].planned = spots[i].tapped || spots[i].seeded || spots[i].wanted;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const struct luc_node *node = &g->nodes[i];
        bool read = false;
        for (size_t k = 0; k < node->n_out; k++)
            read = read || (node->out[k] != LUC_NONE && spots[node->out[k]].planned);
        p->node_needed[i] = p->node_needed[i] && read;
        for (size_t k = 0; p->node_needed[i] && k < node->n_in; k++)
            if (node->in[k] != LUC_NONE) {
                spots[node->in[k]].planned = true;
                p->n_readers[node->in[k]]++;
            }
    }
}

static bool any_output(const struct planner *p, const struct luc_node *node, bool depends)
{
    for (size_t k = 0; k < node->n_out; k++) {
        const size_t v = node->out[k];
        if (v != LUC_NONE && (depends ? p->plan->spots[v].depends : p->plan->spots[v].reaches))
            return true;
    }
    return false;
}

/* depends: forward from the wrt values, through differentiable nodes; reaches: back from seeds. */
static enum luc_status mark_gradient_paths(struct planner *p, struct luc_error *err)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_spot *spots = p->plan->spots;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct luc_node *node = &g->nodes[i];
        bool depends = false;
        for (size_t k = 0; p->node_needed[i] && node->op->backward && k < node->n_in; k++)
            depends = depends || (node->in[k] != LUC_NONE && spots[node->in[k]].depends);
        for (size_t k = 0; depends && k < node->n_out; k++)
            if (node->out[k] != LUC_NONE)
                spots[node->out[k]].depends = true;
    }
    for (size_t i = 0; i < g->n_values; i++)
        spots[i].reaches = spots[i].seeded;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const struct luc_node *node = &g->nodes[i];
        if (!p->node_needed[i] || !node->op->backward || !any_output(p, node, false))
            continue;
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] != LUC_NONE)
                spots[node->in[k]].reaches = true;
    }
    for (size_t i = 0; i < p->spec->n_wrt; i++) {
        const size_t v = p->spec->wrt[i];
        if (!spots[v].reaches)
            return luc_fail(err, LUC_INVALID, "no gradient reaches '%.80s' from what was asked",
                            g->values[v].name);
    }
    return LUC_OK;
}

static bool has_gradient(const struct luc_spot *s)
{
    return s->depends && s->reaches;
}

static enum luc_status make_steps(struct planner *p, struct luc_error *err)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_plan *plan = p->plan;
    plan->steps = luc_arena_alloc(p->arena, g->n_nodes, sizeof(*plan->steps));
    if (!plan->steps)
        return luc_fail_nomem(err, "plan", g->n_nodes * sizeof(*plan->steps));
    const struct luc_fusing fusing = { plan, p->n_readers, p->node_needed };
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct luc_node *node = &g->nodes[i];
        if (!p->node_needed[i])
            continue;
        struct luc_step *step = &plan->steps[plan->n_steps++];
        *step = (struct luc_step){ .node = node,
                                   .out0 = node->out[0],
                                   .plus = LUC_NONE,
                                   .view = (node->op->flags & LUC_OP_VIEW) != 0,
                                   .forward_scratch = LUC_NONE,
                                   .backward_scratch = LUC_NONE,
                                   .saved = LUC_NONE };
        if (!p->spec->no_fusion && !(p->spec->softplus > 0))
            luc_fuse(&fusing, step);
        if (node->n_in > plan->max_in)
            plan->max_in = node->n_in;
    }
    return LUC_OK;
}

/* Which inputs get a gradient, what backward reads, and who writes each gradient first. */
static enum luc_status plan_backward(struct planner *p, struct luc_error *err)
{
    struct luc_plan *plan = p->plan;
    bool *written = luc_arena_alloc(p->arena, p->spec->graph->n_values, sizeof(*written));
    if (!written)
        return luc_fail_nomem(err, "plan", p->spec->graph->n_values);
    for (size_t i = plan->n_steps; i-- > 0;) {
        struct luc_step *step = &plan->steps[i];
        const struct luc_node *node = step->node;
        bool *wanted = luc_arena_alloc(p->arena, 2 * node->n_in, sizeof(*wanted));
        if (!wanted)
            return luc_fail_nomem(err, "plan", 2 * node->n_in);
        bool *fresh = wanted + node->n_in;
        step->din_wanted = wanted;
        step->din_fresh = fresh;
        if (!node->op->backward || !(plan->spots[step->out0].reaches || any_output(p, node, false)))
            continue;
        uint32_t bits = 0;
        for (size_t k = 0; k < node->n_in; k++) {
            const size_t v = node->in[k];
            if (v == LUC_NONE || !has_gradient(&plan->spots[v]))
                continue;
            wanted[k] = true;
            fresh[k] = !written[v] && !plan->spots[v].seeded;
            written[v] = true;
            bits |= k < 31 ? 1u << k : 0;
            step->backward = true;
        }
        if (step->plus != LUC_NONE && has_gradient(&plan->spots[step->plus])) {
            step->plus_wanted = step->backward = true;
            step->plus_fresh = !written[step->plus] && !plan->spots[step->plus].seeded;
            written[step->plus] = true;
        }
        step->reads = node->op->reads ? node->op->reads(node->attrs, bits) : LUC_READS_ALL;
        if (step->relu)
            step->reads |= LUC_READS_OUT;
    }
    return LUC_OK;
}

/* ---- buffers ---- */

static size_t end_of_time(const struct luc_plan *plan)
{
    return 2 * plan->n_steps + 1;
}

static size_t backward_time(const struct luc_plan *plan, size_t step)
{
    return 2 * plan->n_steps - step;
}

static size_t add_buffer(struct luc_plan *plan, size_t bytes, size_t first, size_t last)
{
    plan->buffers[plan->n_buffers] = (struct luc_buffer){ bytes, first, last, 0 };
    return plan->n_buffers++;
}

static size_t float_bytes(const struct luc_plan *plan, size_t value)
{
    return luc_numel(&plan->infos.info[value].shape) * sizeof(float);
}

static void live_until(struct luc_plan *plan, size_t value, size_t time)
{
    const size_t buffer = plan->spots[plan->spots[value].root].buffer;
    if (buffer != LUC_NONE && plan->buffers[buffer].last < time)
        plan->buffers[buffer].last = time;
}

static void add_outputs(struct planner *p, size_t i)
{
    struct luc_plan *plan = p->plan;
    const struct luc_step *step = &plan->steps[i];
    for (size_t k = 0; k < step->node->n_out; k++) {
        const size_t v = k == 0 ? step->out0 : step->node->out[k];
        if (v == LUC_NONE)
            continue;
        if (step->view && k == 0)
            plan->spots[v].root = plan->spots[step->node->in[0]].root;
        else
            plan->spots[v].buffer = add_buffer(plan, float_bytes(plan, v), i, i);
        if (plan->spots[v].tapped)
            live_until(plan, v, end_of_time(plan));
    }
}

static void add_activations(struct planner *p)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_plan *plan = p->plan;
    for (size_t i = 0; i < g->n_inputs; i++)
        plan->spots[g->inputs[i]].buffer =
            add_buffer(plan, float_bytes(plan, g->inputs[i]), 0, end_of_time(plan));
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct luc_step *step = &plan->steps[i];
        for (size_t k = 0; k < step->node->n_in; k++)
            if (step->node->in[k] != LUC_NONE)
                live_until(plan, step->node->in[k], i);
        if (step->plus != LUC_NONE)
            live_until(plan, step->plus, i);
        add_outputs(p, i);
        if (!step->backward)
            continue;
        const size_t until = p->spec->backward_again ? end_of_time(plan) : backward_time(plan, i);
        for (size_t k = 0; k < step->node->n_in; k++)
            if (step->node->in[k] != LUC_NONE && (step->reads & LUC_READS_IN(k < 30 ? k : 30)))
                live_until(plan, step->node->in[k], until);
        if (step->reads & LUC_READS_OUT)
            live_until(plan, step->out0, until);
    }
}

/* Where forward may overwrite its first input and nobody needs that any more, it does. */
static void share_in_place(struct luc_plan *plan)
{
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct luc_step *step = &plan->steps[i];
        if (!(step->node->op->flags & LUC_OP_IN_PLACE) || step->view)
            continue;
        const size_t in = plan->spots[plan->spots[step->node->in[0]].root].buffer;
        const size_t out = plan->spots[step->out0].buffer;
        if (in == LUC_NONE || out == LUC_NONE || plan->buffers[in].last != i ||
            plan->buffers[in].bytes != plan->buffers[out].bytes)
            continue;
        plan->buffers[in].last = plan->buffers[out].last;
        plan->buffers[out].bytes = 0;
        plan->spots[step->out0].buffer = in;
    }
}

static void add_scratch(struct planner *p, size_t i, const struct luc_info **in)
{
    struct luc_plan *plan = p->plan;
    struct luc_step *step = &plan->steps[i];
    const struct luc_op *op = step->node->op;
    const struct luc_infer x = luc_infer_of(&plan->infos, step->node, in);
    const size_t back = backward_time(plan, i);
    const size_t forward = op->scratch ? op->scratch(&x, false, plan->lanes) : 0;
    const size_t backward = op->scratch && step->backward ? op->scratch(&x, true, plan->lanes) : 0;
    const size_t saved = op->saved && step->backward ? op->saved(&x) : 0;
    if (forward)
        step->forward_scratch = add_buffer(plan, forward, i, i);
    if (backward)
        step->backward_scratch = add_buffer(plan, backward, back, back);
    if (saved)
        step->saved =
            add_buffer(plan, saved, i, p->spec->backward_again ? end_of_time(plan) : back);
    step->flops = op->flops ? op->flops(&x) : 0;
    step->wants = op->wants ? op->wants(&x, p->spec->fast, step->backward)
                  : p->spec->fast || !(op->flags & LUC_OP_PACKS_LATE) ? LUC_PACKS_ALL
                                                                      : LUC_PACKS_PACKED;
    plan->flops += step->flops;
}

static void stretch(struct luc_plan *plan, size_t value, size_t time)
{
    struct luc_buffer *b = &plan->buffers[plan->spots[value].grad];
    b->first = b->first < time ? b->first : time;
    b->last = b->last > time ? b->last : time;
}

/* The gradients that one step adds to live at its time, and those that it reads until then. */
static void stretch_gradients(struct luc_plan *plan, const struct luc_step *step, size_t time)
{
    for (size_t k = 0; k < step->node->n_in; k++)
        if (step->din_wanted[k])
            stretch(plan, step->node->in[k], time);
    if (step->plus_wanted)
        stretch(plan, step->plus, time);
    for (size_t k = 0; step->backward && k < step->node->n_out; k++) {
        const size_t v = k == 0 ? step->out0 : step->node->out[k];
        if (v != LUC_NONE && plan->spots[v].grad != LUC_NONE) {
            struct luc_buffer *b = &plan->buffers[plan->spots[v].grad];
            b->last = b->last > time ? b->last : time;
        }
    }
}

/* A gradient lives from its first writer (the caller for seeds, else the last step that reads the
 * value) to the step that made the value; wrt ones to the end. */
static void add_gradients(struct planner *p)
{
    struct luc_plan *plan = p->plan;
    for (size_t v = 0; v < p->spec->graph->n_values; v++) {
        struct luc_spot *spot = &plan->spots[v];
        if (spot->seeded || (has_gradient(spot) && spot->planned))
            spot->grad = add_buffer(plan, float_bytes(plan, v),
                                    spot->seeded ? plan->n_steps : end_of_time(plan),
                                    spot->wanted ? end_of_time(plan) : plan->n_steps);
    }
    for (size_t i = 0; i < plan->n_steps; i++)
        stretch_gradients(plan, &plan->steps[i], backward_time(plan, i));
    for (size_t i = 0; i < plan->n_buffers; i++) /* a gradient that no step touches */
        if (plan->buffers[i].first > plan->buffers[i].last)
            plan->buffers[i].first = plan->buffers[i].last;
}

static enum luc_status plan_memory(struct planner *p, struct luc_error *err)
{
    const struct luc_graph *g = p->spec->graph;
    struct luc_plan *plan = p->plan;
    size_t cap = 2 * g->n_values + 3 * plan->n_steps;
    for (size_t i = 0; i < plan->n_steps; i++)
        cap += plan->steps[i].node->n_out;
    const struct luc_info **in =
        luc_arena_alloc(p->arena, plan->max_in + 1, sizeof(struct luc_info *));
    plan->buffers = luc_arena_alloc(p->arena, cap, sizeof(*plan->buffers));
    if (!in || !plan->buffers)
        return luc_fail_nomem(err, "plan", cap * sizeof(*plan->buffers));
    for (size_t i = 0; i < g->n_values; i++) {
        plan->spots[i].root = i;
        plan->spots[i].buffer = plan->spots[i].grad = LUC_NONE;
    }
    add_activations(p);
    share_in_place(plan);
    for (size_t i = 0; i < plan->n_steps; i++)
        add_scratch(p, i, in);
    add_gradients(p);
    return luc_place_buffers(plan->buffers, plan->n_buffers, p->arena, &plan->bytes, err);
}

static enum luc_status make_plan(struct planner *p, struct luc_error *err)
{
    enum luc_status st =
        luc_infos_init(&p->plan->infos, p->spec->graph, p->spec->inputs, p->arena, err);
    if (!st)
        st = mark_asked(p, err);
    if (st)
        return st;
    mark_needed(p);
    st = infer_needed(p, err);
    if (st)
        return st;
    drop_unread(p);
    st = mark_gradient_paths(p, err);
    if (!st)
        st = make_steps(p, err);
    if (!st)
        st = plan_backward(p, err);
    return st ? st : plan_memory(p, err);
}

/* Behind the const, under a lock. Where one kind could not be made, the other may. */
static void take_packed(struct luc_step *step, const struct luc_graph *g,
                        const struct luc_threads *threads)
{
    struct luc_graph *graph = (struct luc_graph *)(uintptr_t)g;
    struct luc_node *node = (struct luc_node *)(uintptr_t)step->node;
    step->packed = luc_graph_take(graph, node, step->wants, threads);
    if (step->wants == LUC_PACKS_PREPARED && !step->packed.prepared)
        step->packed = luc_graph_take(graph, node, LUC_PACKS_PACKED, threads);
}

enum luc_status luc_plan_create(const struct luc_plan_spec *spec, struct luc_arena *arena,
                                const struct luc_plan **plan, struct luc_error *err)
{
    const struct luc_graph *g = spec->graph;
    struct luc_plan_spec decided = *spec;
    struct planner p = { .spec = &decided, .arena = arena };
    if (g->precision != LUC_PRECISION_AUTO)
        decided.fast = g->precision == LUC_PRECISION_FAST;
    p.plan = luc_arena_alloc(arena, 1, sizeof(*p.plan));
    p.n_readers = luc_arena_alloc(arena, g->n_values, sizeof(*p.n_readers));
    p.node_needed = luc_arena_alloc(arena, g->n_nodes, sizeof(*p.node_needed));
    struct luc_spot *spots = luc_arena_alloc(arena, g->n_values, sizeof(*spots));
    if (!p.plan || !p.n_readers || !p.node_needed || !spots)
        return luc_fail_nomem(err, "plan", g->n_values * sizeof(*spots));
    p.plan->graph = g;
    p.plan->spots = spots;
    p.plan->lanes = spec->lanes ? spec->lanes : 1;
    p.plan->fast = decided.fast;
    p.plan->softplus = (float)spec->softplus;
    const enum luc_status st = make_plan(&p, err);
    for (size_t i = 0; !st && i < p.plan->n_steps; i++)
        take_packed(&p.plan->steps[i], g, spec->threads);
    if (!st)
        *plan = p.plan;
    return st;
}

size_t luc_plan_bytes(const struct luc_plan *plan)
{
    return plan->bytes;
}

const struct luc_shape *luc_plan_shape(const struct luc_plan *plan, size_t value)
{
    return value < plan->graph->n_values && plan->infos.have[value] ? &plan->infos.info[value].shape
                                                                    : NULL;
}

double luc_plan_flops(const struct luc_plan *plan)
{
    return plan->flops;
}

enum luc_status luc_graph_shapes(const struct luc_graph *graph, const struct luc_shape *inputs,
                                 struct luc_arena *arena, struct luc_shape *shapes,
                                 struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct luc_infos infos;
    enum luc_status st = luc_infos_init(&infos, graph, inputs, arena, err);
    for (size_t i = 0; !st && i < graph->n_nodes; i++) {
        const enum luc_status inferred = luc_infer_node(&infos, &graph->nodes[i], NULL);
        st = inferred == LUC_NOMEM ? luc_fail_nomem(err, "shapes", 0) : LUC_OK;
    }
    for (size_t i = 0; !st && i < graph->n_values; i++)
        shapes[i] = infos.have[i] ? infos.info[i].shape : (struct luc_shape){ .rank = LUC_NONE };
    luc_arena_release(arena, mark);
    return st;
}
