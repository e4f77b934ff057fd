/* cam: the class score, spread over the positions of the last maps.
 *
 *   M[h,w] = sum_k w_k A_k[h,w]     where S_c = bias + sum_k w_k mean(A_k)
 *
 * Input:  one picture; a network that ends in maps, global average pooling and nothing after it but
 *         linear steps, or none (1x1 convolution, then pooling).
 * Output: map `cam` at the maps' size, in logits; signed. Numbers `mean` and `bias`: together the
 *         logit (with `vs`, the difference) but for `gap`; `completeness_gap` is relative to it.
 * Cost:   one forward pass and the backward pass through the last steps.
 * Errors: those of the target; LUC_UNSUPPORTED a network with another ending.
 * Source: Zhou et al., "Learning Deep Features for Discriminative Localization", 2016,
 *         arXiv:1512.04150, section 2. The weights are read off as the gradient of the score with
 *         respect to the pooled features, which for a linear ending are the same numbers.
 */
#include "core/ask/maps.h"
#include "core/show/show.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-4

struct params {
    char target[LUC_TEXT_MAX], vs[LUC_TEXT_MAX];
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, target, "top", LUC_TARGET_DOC),
    LUC_TEXT(struct params, vs, "", LUC_VS_DOC),
    LUC_PARAM_END,
};

static bool named(const struct luc_node *node, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(node->op->name, *names) == 0)
            return true;
    return false;
}

/* The one input that a linear step works on; LUC_NONE when there is not exactly one. */
static size_t data_input(const struct luc_graph *g, const struct luc_node *node)
{
    static const char *const first[] = { "Reshape", "Squeeze", "Unsqueeze", NULL };
    size_t found = LUC_NONE;
    if (named(node, first))
        return node->in[0];
    for (size_t i = 0; i < node->n_in; i++) {
        if (node->in[i] == LUC_NONE || g->values[node->in[i]].constant.data)
            continue;
        if (found != LUC_NONE)
            return LUC_NONE;
        found = node->in[i];
    }
    return found;
}

/* Up from the logits through linear steps to the pooling. */
static enum luc_status find_pooling(const struct luc_model *m, size_t *maps, size_t *pooled,
                                    struct luc_error *err)
{
    static const char *const pooling[] = { "GlobalAveragePool", "AveragePool", "ReduceMean", NULL };
    static const char *const linear[] = { "Gemm",      "MatMul",    "Add",      "Sub",
                                          "Mul",       "Conv",      "Flatten",  "Reshape",
                                          "Squeeze",   "Unsqueeze", "Identity", "Dropout",
                                          "Transpose", NULL };
    const struct luc_graph *g = m->graph;
    size_t v = m->logits;
    while (v != LUC_NONE && g->values[v].producer != LUC_NONE) {
        const struct luc_node *node = &g->nodes[g->values[v].producer];
        if (named(node, pooling)) {
            *pooled = v;
            *maps = node->in[0];
            return LUC_OK;
        }
        if (!named(node, linear))
            return luc_fail_param(err, LUC_UNSUPPORTED, "model",
                                  "model: cam needs maps, average pooling and a linear ending, but "
                                  "'%.60s' has %s before its classes; use grad-cam",
                                  m->name, node->op->name);
        v = data_input(g, node);
    }
    return luc_fail_param(err, LUC_UNSUPPORTED, "model",
                          "model: cam needs maps, average pooling and a linear ending, but '%.60s' "
                          "does not pool; use grad-cam",
                          m->name);
}

struct cam {
    struct luc_maps maps;
    size_t pooled;
};

/* The pooled features are the maps' means over all positions. */
static enum luc_status check_pooling(const struct cam *c, struct luc_error *err)
{
    const struct luc_tensor *a = c->maps.held;
    const struct luc_tensor *pooled = luc_exec_value(c->maps.exec, c->pooled);
    const struct luc_shape *s = &a->shape;
    double off = 0, size = 0;
    const bool fits = luc_numel(&pooled->shape) == s->dim[1];
    const size_t n = fits ? s->dim[2] * s->dim[3] : 0;
    for (size_t k = 0; fits && k < s->dim[1]; k++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += (double)a->data[k * n + i] / (double)n;
        off = fmax(off, fabs(mean - (double)pooled->data[k]));
        size = fmax(size, fabs(mean));
    }
    if (!fits || !(off <= TOLERANCE * size))
        return luc_fail_param(err, LUC_UNSUPPORTED, "model",
                              "model: the pooling of '%.60s' is not over all positions of its last "
                              "maps; use grad-cam",
                              c->maps.run->model->name);
    return LUC_OK;
}

static enum luc_status show(struct cam *c, struct luc_error *err)
{
    struct luc_run *run = c->maps.run;
    const struct luc_tensor *a = c->maps.held;
    const struct luc_tensor *pooled = luc_exec_value(c->maps.exec, c->pooled);
    const struct luc_tensor *w = luc_exec_grad(c->maps.exec, c->pooled);
    const size_t channels = a->shape.dim[1], n = a->shape.dim[2] * a->shape.dim[3];
    struct luc_tensor map = { .shape = luc_shape4(1, 1, a->shape.dim[2], a->shape.dim[3]) };
    map.data = luc_arena_alloc(run->arena, n, sizeof(float));
    if (!map.data)
        return luc_fail_nomem(err, "cam", n * sizeof(float));
    double bias = c->maps.unit.score, mean = 0;
    for (size_t k = 0; k < channels; k++) {
        bias -= (double)w->data[k] * (double)pooled->data[k];
        for (size_t i = 0; i < n; i++)
            map.data[i] += w->data[k] * a->data[k * n + i];
    }
    for (size_t i = 0; i < n; i++)
        mean += (double)map.data[i] / (double)n;
    struct luc_result *r = run->result;
    enum luc_status st = luc_result_number(r, "mean", mean, err);
    if (!st)
        st = luc_result_number(r, "bias", bias, err);
    if (!st)
        st = luc_result_number(r, "gap", fabs(mean + bias - c->maps.unit.score), err);
    if (!st)
        st = luc_result_number(
            r, "completeness_gap",
            fabs(mean + bias - c->maps.unit.score) / fmax(fabs(c->maps.unit.score), DBL_MIN), err);
    return st ? st
              : luc_show_layer_map(run, "cam", &map, true, c->maps.layer, &c->maps.frame,
                                   "no map of the last layer answers", err);
}

static enum luc_status run_cam(struct luc_run *run, const void *params, struct luc_error *err)
{
    const struct params *p = params;
    struct luc_unit_params unit;
    struct cam c;
    size_t layer = LUC_NONE;
    luc_unit_of_class(p->target, p->vs, &unit);
    enum luc_status st = find_pooling(run->model, &layer, &c.pooled, err);
    if (!st)
        st = luc_maps_open(
            run,
            &(struct luc_maps_spec){ .unit = &unit, .layer = layer, .wrt = &c.pooled, .n_wrt = 1 },
            &c.maps, err);
    if (!st)
        st = check_pooling(&c, err);
    if (!st)
        st = luc_run_tick(run, 0.7, err);
    if (st)
        return st;
    luc_maps_back(&c.maps, LUC_RELU_PLAIN);
    st = luc_maps_report(&c.maps, err);
    if (!st)
        st = show(&c, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_cam = {
    .name = "cam",
    .title = "Class activation map",
    .summary = "The class score spread over the picture, for networks that end in maps, average "
               "pooling and a linear layer.",
    .paper = "Zhou et al. 2016, arXiv:1512.04150",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .needs_classes = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_cam,
};
