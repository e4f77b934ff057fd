#include "core/model/resolve.h"

#include "core/model/suggest.h"

#include <stdio.h>
#include <string.h>

static size_t n_channels(const struct luc_pixels *p)
{
    return p->channels == LUC_GRAY ? 1 : 3;
}

/* The declared sides win where they are fixed; they may not contradict the description. */
static enum luc_status complete_size(struct luc_model *m, const struct luc_shape *decl,
                                     struct luc_error *err)
{
    size_t h = decl->dim[2], w = decl->dim[3];
    bool given = m->in.height > 0;
    if (given && ((h && h != m->in.height) || (w && w != m->in.width)))
        return luc_fail(err, LUC_FORMAT,
                        "description of network '%s': \"input.size\" is [%zu, %zu], but the file "
                        "takes [%zu, %zu] (0: any)",
                        m->name, m->in.height, m->in.width, h, w);
    if (!given && h && w) {
        m->in.height = h;
        m->in.width = w;
    } else if (!given && (h || w)) {
        return luc_fail(err, LUC_FORMAT,
                        "description of network '%s': give \"input.size\"; the file fixes one side "
                        "of the picture only",
                        m->name);
    }
    return LUC_OK;
}

enum luc_status luc_resolve_input(struct luc_model *m, const struct luc_description *d,
                                  struct luc_error *err)
{
    const struct luc_graph *g = m->graph;
    if (g->n_inputs != 1 || g->n_outputs < 1)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "%s has %zu inputs and %zu outputs; a network needs exactly one input, the "
                        "picture",
                        d->file, g->n_inputs, g->n_outputs);
    m->input = g->inputs[0];
    const struct luc_shape *decl = &g->values[m->input].decl;
    char buf[LUC_SHAPE_TEXT];
    if (decl->rank != 0 && decl->rank != 4)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "%s: the input '%.60s' is %s; a picture is [N, C, H, W]", d->file,
                        g->values[m->input].name, luc_shape_print(decl, buf));
    size_t c = n_channels(&m->in);
    if (decl->rank == 4 && decl->dim[1] && decl->dim[1] != c)
        return luc_fail(err, LUC_FORMAT,
                        "description of network '%s': \"input.channels\" makes %zu channels, but "
                        "the file takes %zu",
                        m->name, c, decl->dim[1]);
    return decl->rank == 4 ? complete_size(m, decl, err) : LUC_OK;
}

static bool named(const struct luc_node *node, const char *const *ops)
{
    for (; *ops; ops++)
        if (!strcmp(node->op->name, *ops))
            return true;
    return false;
}

enum luc_status luc_resolve_logits(struct luc_model *m, struct luc_error *err)
{
    static const char *const reshaping[] = { "Identity", "Flatten", "Reshape", "Squeeze",
                                             "Dropout",  "Cast",    NULL };
    static const char *const softmax[] = { "Softmax", "LogSoftmax", NULL };
    const struct luc_graph *g = m->graph;
    m->logits = LUC_NONE;
    if (m->task != LUC_TASK_CLASSIFY)
        return LUC_OK;
    m->logits = g->outputs[0];
    for (size_t v = g->outputs[0]; g->values[v].producer != LUC_NONE;) {
        const struct luc_node *node = &g->nodes[g->values[v].producer];
        if (named(node, softmax)) {
            m->logits = node->in[0];
            return LUC_OK;
        }
        if (!named(node, reshaping))
            return LUC_OK;
        v = node->in[0];
    }
    return g->values[m->logits].producer != LUC_NONE
               ? LUC_OK
               : luc_fail(err, LUC_FORMAT, "network '%s' computes nothing from its input", m->name);
}

static enum luc_status no_value(const struct luc_model *m, const struct luc_alias_spec *a,
                                struct luc_error *err)
{
    struct luc_suggest s;
    luc_suggest_init(&s, a->value);
    for (size_t i = 0; i < m->graph->n_values; i++)
        if (m->graph->values[i].producer != LUC_NONE)
            luc_suggest_offer(&s, m->graph->values[i].name, strlen(m->graph->values[i].name));
    char buf[100];
    return luc_fail(err, LUC_FORMAT,
                    "description of network '%s': alias \"%.40s\" means '%.60s', which the file "
                    "does not compute%s",
                    m->name, a->name, a->value, luc_suggest_print(&s, buf, sizeof buf));
}

/* The first output of the nth node of an operator; LUC_NONE when there are fewer. */
static size_t nth_output(const struct luc_graph *g, const char *op, size_t nth)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (!strcmp(g->nodes[i].op->name, op) && nth-- == 0)
            return g->nodes[i].out[0];
    return LUC_NONE;
}

enum luc_status luc_resolve_aliases(struct luc_model *m, const struct luc_description *d,
                                    struct luc_error *err)
{
    const struct luc_graph *g = m->graph;
    /* One more: last_conv may be found by rule. */
    struct luc_alias *list = luc_arena_alloc(m->arena, d->n_aliases + 1, sizeof *list);
    if (!list)
        return luc_fail_nomem(err, "aliases", d->n_aliases * sizeof *list);
    m->aliases = list;
    for (size_t i = 0; i < d->n_aliases; i++) {
        const struct luc_alias_spec *a = &d->aliases[i];
        size_t v = a->value ? luc_graph_find(g, a->value) : nth_output(g, a->op, a->nth);
        if (v == LUC_NONE && a->op)
            return luc_fail(err, LUC_FORMAT,
                            "description of network '%s': alias \"%.40s\" means number %zu of "
                            "operator %.30s, counted from 0, but there are fewer",
                            m->name, a->name, a->nth, a->op);
        if (v == LUC_NONE || (g->values[v].producer == LUC_NONE && !g->values[v].is_input))
            return no_value(m, a, err);
        list[m->n_aliases++] = (struct luc_alias){ a->name, v };
    }
    return LUC_OK;
}

enum luc_status luc_resolve_shapes(const struct luc_model *m, size_t height, size_t width,
                                   struct luc_arena *arena, struct luc_infos *x,
                                   struct luc_error *err)
{
    struct luc_shape shape = luc_shape4(1, n_channels(&m->in), height, width);
    enum luc_status s = luc_infos_init(x, m->graph, &shape, arena, err);
    for (size_t i = 0; !s && i < m->graph->n_nodes; i++)
        s = luc_infer_node(x, &m->graph->nodes[i], err);
    return s;
}

static bool has_maps(const struct luc_infos *x, size_t v)
{
    const struct luc_shape *s = &x->info[v].shape;
    return x->have[v] && s->rank == 4 && s->dim[2] * s->dim[3] > 1;
}

/* The input that carries the picture's features: the first that is computed. */
static size_t data_input(const struct luc_graph *g, const struct luc_node *node)
{
    for (size_t i = 0; i < node->n_in; i++)
        if (node->in[i] != LUC_NONE && g->values[node->in[i]].producer != LUC_NONE)
            return node->in[i];
    return LUC_NONE;
}

/* Going up from the logits, the first value that is still a picture, before any pooling. */
static size_t last_conv(const struct luc_model *m, const struct luc_infos *x)
{
    static const char *const passing[] = { "MaxPool", "AveragePool", "Dropout", "Identity",
                                           "LRN",     "Pad",         NULL };
    const struct luc_graph *g = m->graph;
    size_t v = m->logits;
    while (v != LUC_NONE && g->values[v].producer != LUC_NONE) {
        const struct luc_node *node = &g->nodes[g->values[v].producer];
        if (has_maps(x, v) && !named(node, passing))
            return v;
        v = data_input(g, node);
    }
    return LUC_NONE;
}

enum luc_status luc_resolve_classes(struct luc_model *m, const struct luc_infos *x,
                                    struct luc_error *err)
{
    if (m->logits == LUC_NONE)
        return LUC_OK;
    const struct luc_shape *s = &x->info[m->logits].shape;
    char buf[LUC_SHAPE_TEXT];
    size_t n = s->rank >= 2 ? s->dim[1] : 0;
    if (!x->have[m->logits] || n < 1 || luc_numel(s) != n)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "network '%s': a classifier ends in [N, classes], this one in %s; if it is "
                        "none, set \"task\" to \"features\"",
                        m->name, luc_shape_print(s, buf));
    m->n_classes = n;
    size_t v = last_conv(m, x);
    for (size_t i = 0; i < m->n_aliases; i++)
        if (!strcmp(m->aliases[i].name, "last_conv"))
            v = LUC_NONE;
    if (v != LUC_NONE) {
        /* luc_resolve_aliases() left room for it. */
        struct luc_alias *end = (struct luc_alias *)(uintptr_t)&m->aliases[m->n_aliases++];
        *end = (struct luc_alias){ "last_conv", v };
    }
    return LUC_OK;
}
