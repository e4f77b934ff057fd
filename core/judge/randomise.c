#include "core/judge/randomise.h"

#include "core/graph/rebind.h"

#include <math.h>
#include <string.h>

/* The node's weights, when it is a layer that has some: a constant of two or more axes. LUC_NONE
 * otherwise. */
static size_t weights_of(const struct luc_graph *g, const struct luc_node *node)
{
    static const char *const layers[] = { "Conv", "ConvTranspose", "Gemm", "MatMul" };
    bool is_layer = false;
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        is_layer = is_layer || strcmp(node->op->name, layers[i]) == 0;
    for (size_t k = 0; is_layer && k < node->n_in && k < 2; k++)
        if (node->in[k] != LUC_NONE && g->values[node->in[k]].constant.data &&
            g->values[node->in[k]].constant.shape.rank >= 2)
            return node->in[k];
    return LUC_NONE;
}

size_t luc_randomise_layers(const struct luc_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < model->graph->n_nodes; i++)
        n += weights_of(model->graph, &model->graph->nodes[i]) != LUC_NONE;
    return n;
}

/* Inputs of one unit: all axes but the first; of a matrix, its longer side. */
static double inputs_of(const struct luc_shape *s)
{
    if (s->rank == 2)
        return (double)(s->dim[0] > s->dim[1] ? s->dim[0] : s->dim[1]);
    return (double)luc_numel(s) / (double)s->dim[0];
}

static enum luc_status redraw(struct luc_run *run, struct luc_graph *g, size_t value,
                              struct luc_rng *rng, struct luc_error *err)
{
    const struct luc_shape *s = &g->values[value].constant.shape;
    const size_t n = luc_numel(s);
    float *data = luc_arena_alloc(run->arena, n, sizeof(*data));
    if (!data)
        return luc_fail_nomem(err, "random weights", n * sizeof(*data));
    const double deviation = sqrt(2 / inputs_of(s));
    for (size_t i = 0; rng && i < n && !luc_run_is_dry(run); i++)
        data[i] = (float)(deviation * luc_rng_normal(rng));
    luc_graph_rebind(g, value, data);
    return LUC_OK;
}

enum luc_status luc_randomise(struct luc_run *run, size_t n, const struct luc_rng *rng,
                              struct luc_model **copy, const char **first, struct luc_error *err)
{
    struct luc_rng stream = *rng;
    struct luc_graph *g = NULL;
    struct luc_model *made = luc_arena_alloc(run->arena, 1, sizeof(*made));
    if (!made)
        return luc_fail_nomem(err, "a network's copy", sizeof(*made));
    enum luc_status st = luc_graph_share(run->model->graph, run->arena, &g, err);
    for (size_t i = st ? 0 : g->n_nodes; !st && i > 0 && n > 0; i--) {
        const struct luc_node *node = &g->nodes[i - 1];
        const size_t weights = weights_of(g, node);
        if (weights == LUC_NONE)
            continue;
        st = redraw(run, g, weights, &stream, err);
        if (!st && node->n_in > 2 && node->in[2] != LUC_NONE &&
            g->values[node->in[2]].constant.data)
            st = redraw(run, g, node->in[2], NULL, err);
        *first = g->values[node->out[0]].name;
        n--;
    }
    if (st)
        return st;
    *made = *run->model;
    made->graph = g;
    *copy = made;
    return LUC_OK;
}
