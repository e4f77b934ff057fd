/* features: the picture as the vector that the network's last linear layer reads.
 *
 *   f_k = mean over positions of A_k,  A what the last linear layer reads (or `layer`)
 *
 * Input:  one picture.
 * Output: table `features` (index, value); numbers `length`, `norm` (before l2) and `zeros`, the
 *         fraction that is exactly zero.
 * Cost:   one forward pass.
 * Errors: LUC_NOT_FOUND, LUC_SHAPE the layer; LUC_INVALID no layer and a network without classes.
 * Source: Donahue et al., "DeCAF", 2013, arXiv:1310.1531, section 3.
 */
#include "core/run/method.h"

#include <math.h>
#include <string.h>

struct params {
    char layer[LUC_TEXT_MAX];
    int64_t l2;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "",
             "Layer to read, averaged over positions; empty: what the last linear layer reads"),
    LUC_BOOL(struct params, l2, 0, "Scale the vector to length one"),
    LUC_PARAM_END,
};

/* What the last linear layer before the logits reads. */
static size_t before_last_linear(const struct luc_model *m)
{
    static const char *const linear[] = { "Gemm", "MatMul", "Conv", NULL };
    const struct luc_graph *g = m->graph;
    size_t v = m->logits;
    while (v != LUC_NONE && g->values[v].producer != LUC_NONE) {
        const struct luc_node *node = &g->nodes[g->values[v].producer];
        size_t data = LUC_NONE;
        for (size_t i = node->n_in; i-- > 0;)
            if (node->in[i] != LUC_NONE && !g->values[node->in[i]].constant.data)
                data = node->in[i];
        for (size_t i = 0; linear[i]; i++)
            if (strcmp(node->op->name, linear[i]) == 0)
                return data;
        v = data;
    }
    return LUC_NONE;
}

static enum luc_status find_layer(struct luc_run *run, const struct params *p, size_t *value,
                                  struct luc_error *err)
{
    if (*p->layer) {
        const enum luc_status st = luc_model_layer(run->model, p->layer, value, err);
        if (st && err)
            memcpy(err->param, "layer", sizeof("layer"));
        return st;
    }
    *value = run->model->logits == LUC_NONE ? LUC_NONE : before_last_linear(run->model);
    if (*value == LUC_NONE)
        return luc_fail_param(err, LUC_INVALID, "layer",
                              "layer: '%.60s' has no linear layer before its classes; name the "
                              "layer to read",
                              run->model->name);
    return LUC_OK;
}

/* Means over positions of [1, C, ...] into out[C]. */
static void pool(const struct luc_tensor *a, double *out)
{
    const size_t channels = a->shape.dim[1], n = luc_dims(&a->shape, 2, a->shape.rank);
    for (size_t k = 0; k < channels; k++) {
        out[k] = 0;
        for (size_t i = 0; i < n; i++)
            out[k] += (double)a->data[k * n + i] / (double)n;
    }
}

static enum luc_status report(struct luc_run *run, const struct params *p, size_t value,
                              const struct luc_tensor *a, struct luc_error *err)
{
    static const char *const columns[] = { "index", "value" };
    const size_t n = a->shape.dim[1];
    struct luc_result *r = run->result;
    struct luc_table *t = NULL;
    double *f = luc_arena_alloc(run->arena, n, sizeof(*f)), squares = 0, zeros = 0;
    if (!f)
        return luc_fail_nomem(err, "features", n * sizeof(*f));
    pool(a, f);
    for (size_t k = 0; k < n; k++) {
        squares += f[k] * f[k];
        zeros += f[k] == 0 ? 1 / (double)n : 0;
    }
    if (!isfinite(squares))
        return luc_fail(err, LUC_INVALID,
                        "the layer's answer is not finite: check the model's preprocessing");
    enum luc_status st = luc_result_text(r, "layer", run->model->graph->values[value].name, err);
    if (!st)
        st = luc_result_number(r, "length", (double)n, err);
    if (!st)
        st = luc_result_number(r, "norm", sqrt(squares), err);
    if (!st)
        st = luc_result_number(r, "zeros", zeros, err);
    if (!st)
        st = luc_result_table(r, "features", columns, 2, n, &t, err);
    for (size_t k = 0; !st && k < n; k++) {
        t->cells[2 * k].number = (double)k;
        t->cells[2 * k + 1].number = p->l2 && squares > 0 ? f[k] / sqrt(squares) : f[k];
    }
    return st;
}

static enum luc_status run_features(struct luc_run *run, const void *params, struct luc_error *err)
{
    const struct params *p = params;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_exec *x = NULL;
    size_t value = LUC_NONE;
    char text[LUC_SHAPE_TEXT];
    enum luc_status st = find_layer(run, p, &value, err);
    if (!st)
        st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st =
            luc_run_forward(run, &input, &(struct luc_ask){ .taps = &value, .n_taps = 1 }, &x, err);
    if (st)
        return st;
    const struct luc_tensor *a = luc_exec_value(x, value);
    if (a->shape.rank < 2 || a->shape.dim[0] != 1 || luc_numel(&a->shape) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: it holds %s, not the features of one picture",
                              luc_shape_print(&a->shape, text));
    st = report(run, p, value, a, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_features = {
    .name = "features",
    .title = "Features",
    .summary = "The picture as a vector: what the network's last linear layer reads.",
    .paper = "Donahue et al. 2013, arXiv:1310.1531",
    .groups = LUC_GROUP_INPUT,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_features,
};
