#include "core/graph/infer.h"

#include <stdio.h>
#include <string.h>

static enum luc_status fits_decl(const struct luc_value *v, const struct luc_shape *given,
                                 struct luc_error *err)
{
    char want[LUC_SHAPE_TEXT], got[LUC_SHAPE_TEXT];
    bool ok = v->decl.rank == 0 || v->decl.rank == given->rank;
    for (size_t i = 0; ok && i < v->decl.rank; i++)
        ok = v->decl.dim[i] == 0 || v->decl.dim[i] == given->dim[i];
    if (ok)
        return luc_shape_check(given, v->name, err);
    return luc_fail(err, LUC_SHAPE, "input '%.60s' is %s, the network wants %s (0: any size)",
                    v->name, luc_shape_print(given, got), luc_shape_print(&v->decl, want));
}

enum luc_status luc_infos_init(struct luc_infos *x, const struct luc_graph *graph,
                               const struct luc_shape *inputs, struct luc_arena *arena,
                               struct luc_error *err)
{
    *x = (struct luc_infos){ .graph = graph, .arena = arena, .known_max = LUC_KNOWN_MAX };
    x->info = luc_arena_alloc(arena, graph->n_values, sizeof(*x->info));
    x->have = luc_arena_alloc(arena, graph->n_values, sizeof(*x->have));
    if (!x->info || !x->have)
        return luc_fail_nomem(err, "plan", graph->n_values * sizeof(*x->info));

    for (size_t i = 0; i < graph->n_values; i++) {
        const struct luc_tensor *t = &graph->values[i].constant;
        if (t->data) {
            x->info[i] = (struct luc_info){ t->shape, t->dtype, t->data };
            x->have[i] = true;
        }
    }
    for (size_t i = 0; inputs && i < graph->n_inputs; i++) {
        const size_t value = graph->inputs[i];
        const enum luc_status st = fits_decl(&graph->values[value], &inputs[i], err);
        if (st)
            return st;
        x->info[value].shape = inputs[i];
        x->have[value] = true;
    }
    return LUC_OK;
}

struct luc_infer luc_infer_of(const struct luc_infos *x, const struct luc_node *node,
                              const struct luc_info **in)
{
    struct luc_infer inferred = { .attrs = node->attrs,
                                  .opset = x->graph->opset,
                                  .n_in = node->n_in,
                                  .in = in,
                                  .n_out = node->n_out };
    for (size_t i = 0; i < node->n_in; i++)
        in[i] = node->in[i] == LUC_NONE ? NULL : &x->info[node->in[i]];
    for (size_t i = 0; i < node->n_out; i++)
        if (node->out[i] != LUC_NONE)
            inferred.out[i] = x->info[node->out[i]];
    return inferred;
}

/* Puts the node's name before the operator's own sentence. */
static enum luc_status name_node(const struct luc_graph *g, const struct luc_node *node,
                                 enum luc_status st, struct luc_error *err)
{
    if (!err)
        return st;
    const char *name = *node->name               ? node->name
                       : node->out[0] < LUC_NONE ? g->values[node->out[0]].name
                                                 : "";
    char said[LUC_ERROR_TEXT];
    snprintf(said, sizeof(said), "%s", err->text);
    return luc_fail(err, st, "node '%.60s' (%s): %.160s", name, node->op->name, said);
}

struct evaluation {
    const struct luc_tensor **in;
    struct luc_tensor *in_data, out_data[LUC_OP_MAX_OUT], *out[LUC_OP_MAX_OUT];
};

static bool fill_evaluation(struct evaluation *e, const struct luc_infer *x, float *const *out,
                            struct luc_arena *arena)
{
    e->in = luc_arena_alloc(arena, x->n_in, sizeof(const struct luc_tensor *));
    e->in_data = luc_arena_alloc(arena, x->n_in, sizeof(*e->in_data));
    if (!e->in || !e->in_data)
        return false;
    for (size_t i = 0; i < x->n_in; i++) {
        if (!x->in[i])
            continue;
        e->in_data[i] = (struct luc_tensor){ x->in[i]->shape, x->in[i]->dtype,
                                             (float *)(uintptr_t)x->in[i]->known };
        e->in[i] = &e->in_data[i];
    }
    for (size_t i = 0; i < x->n_out; i++) {
        e->out_data[i] = (struct luc_tensor){ x->out[i].shape, x->out[i].dtype, out[i] };
        e->out[i] = &e->out_data[i];
    }
    return true;
}

enum luc_status luc_run_node(const struct luc_infer *x, const struct luc_node *node,
                             float *const *out, struct luc_arena *arena, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct evaluation e = { 0 };
    const size_t bytes = node->op->scratch ? node->op->scratch(x, false, 1) : 0;
    void *scratch = bytes ? luc_arena_raw(arena, bytes, 1) : NULL;
    if ((bytes && !scratch) || !fill_evaluation(&e, x, out, arena)) {
        luc_arena_release(arena, mark);
        return luc_fail_nomem(err, node->op->name, bytes);
    }
    node->op->forward(&(struct luc_op_call){ .attrs = node->attrs,
                                             .opset = x->opset,
                                             .n_in = x->n_in,
                                             .n_out = x->n_out,
                                             .in = e.in,
                                             .out = e.out,
                                             .scratch = scratch });
    luc_arena_release(arena, mark);
    return LUC_OK;
}

static bool all_known(const struct luc_infos *x, const struct luc_node *node,
                      const struct luc_infer *inferred)
{
    for (size_t i = 0; i < node->n_out; i++)
        if (luc_numel(&inferred->out[i].shape) > x->known_max)
            return false;
    if (node->op->flags & LUC_OP_SHAPE_ONLY)
        return true;
    for (size_t i = 0; i < node->n_in; i++)
        if (inferred->in[i] && !inferred->in[i]->known)
            return false;
    return true;
}

static enum luc_status evaluate(struct luc_infos *x, const struct luc_node *node,
                                struct luc_infer *inferred, struct luc_error *err)
{
    float *out[LUC_OP_MAX_OUT] = { NULL };
    for (size_t i = 0; i < node->n_out; i++) {
        out[i] = luc_arena_alloc(x->arena, luc_numel(&inferred->out[i].shape), sizeof(float));
        if (!out[i])
            return luc_fail_nomem(err, "plan", luc_numel(&inferred->out[i].shape));
    }
    const enum luc_status st = luc_run_node(inferred, node, out, x->arena, err);
    for (size_t i = 0; i < node->n_out; i++)
        inferred->out[i].known = st ? NULL : out[i];
    return st;
}

static enum luc_status infer_outputs(struct luc_infos *x, const struct luc_node *node,
                                     const struct luc_info **in, struct luc_error *err)
{
    struct luc_infer inferred = luc_infer_of(x, node, in);
    for (size_t i = 0; i < LUC_OP_MAX_OUT; i++)
        inferred.out[i] = (struct luc_info){ .dtype = LUC_F32 };
    enum luc_status st = node->op->infer(&inferred, err);
    for (size_t i = 0; !st && i < node->n_out; i++) {
        inferred.out[i].known = NULL; /* infer() may have copied in[0] whole */
        st = luc_shape_check(&inferred.out[i].shape, "output", err);
    }
    if (!st && all_known(x, node, &inferred))
        st = evaluate(x, node, &inferred, err);
    for (size_t i = 0; !st && i < node->n_out; i++)
        if (node->out[i] != LUC_NONE) {
            x->info[node->out[i]] = inferred.out[i];
            x->have[node->out[i]] = true;
        }
    return st;
}

enum luc_status luc_infer_node(struct luc_infos *x, const struct luc_node *node,
                               struct luc_error *err)
{
    for (size_t i = 0; i < node->n_in; i++)
        if (node->in[i] != LUC_NONE && !x->have[node->in[i]])
            return name_node(x->graph, node,
                             luc_fail(err, LUC_UNSUPPORTED, "the shape of an input is not known"),
                             err);
    const struct luc_info **in = luc_arena_alloc(x->arena, node->n_in, sizeof(struct luc_info *));
    if (!in)
        return luc_fail_nomem(err, "plan", node->n_in * sizeof(*in));
    const enum luc_status st = infer_outputs(x, node, in, err);
    return st ? name_node(x->graph, node, st, err) : LUC_OK;
}
