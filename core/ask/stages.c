#include "core/ask/stages.h"

#include "core/model/layers.h"

#include <string.h>

const char *luc_layer_name(const struct luc_model *model, size_t value)
{
    for (size_t i = 0; i < model->n_aliases; i++)
        if (model->aliases[i].value == value)
            return model->aliases[i].name;
    return model->graph->values[value].name;
}

static bool is_map(const struct luc_shape *s)
{
    return s->rank == 4 && s->dim[2] > 1 && s->dim[3] > 1;
}

/* By its description; every classifier gets "last_conv". */
static bool is_named(const struct luc_layer *layer)
{
    return layer->alias[0] && strcmp(layer->alias, "last_conv") != 0;
}

/* Layers of falling size, and the height of the newest. */
struct stages {
    struct luc_layer_list list;
    size_t height;
};

static void take(struct stages *s, const struct luc_layer *layer)
{
    const size_t height = layer->shape.dim[2];
    if (s->list.n == 0 || s->height != height) {
        if (s->list.n == LUC_LIST_MAX)
            return;
        s->list.n++;
    }
    s->height = height;
    s->list.value[s->list.n - 1] = layer->value;
    s->list.weight[s->list.n - 1] = 1;
}

static bool is_conv(const struct luc_layer *layer)
{
    return strcmp(layer->op, "Conv") == 0;
}

static size_t count_convs(const struct luc_layers *layers)
{
    size_t n = 0;
    for (size_t i = 0; i < layers->n; i++)
        n += is_conv(&layers->rows[i]);
    return n;
}

enum luc_status luc_stages_find(struct luc_run *run, const char *param, double depth,
                                struct luc_layer_list *list, struct luc_error *err)
{
    size_t behind = 0;
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    struct stages named = { 0 }, all = { 0 };
    struct luc_layers layers = { 0 };
    const enum luc_status st = luc_model_layers(run->model, 0, 0, run->arena, &layers, err);
    for (size_t i = 0; !st && i < layers.n; i++) {
        const struct luc_layer *layer = &layers.rows[i];
        behind += is_conv(layer);
        if (!is_map(&layer->shape) ||
            (all.list.n && (double)behind > depth * (double)count_convs(&layers)))
            continue;
        if (is_named(layer))
            take(&named, layer);
        take(&all, layer);
    }
    luc_arena_release(run->arena, mark);
    if (st)
        return st;
    if (all.list.n == 0)
        return luc_fail_param(err, LUC_INVALID, param,
                              "%s: '%.60s' has no layer that is a picture still", param,
                              run->model->name);
    *list = named.list.n ? named.list : all.list;
    return LUC_OK;
}

/* Convolutions are counted as the graph lists them; what they add up to before their ReLU is no
 * answer yet. */
static size_t at_depth(const struct luc_layers *layers, double depth, bool named)
{
    const size_t all = count_convs(layers);
    size_t behind = 0, last = LUC_NONE;
    for (size_t i = 0; i < layers->n; i++) {
        const struct luc_layer *layer = &layers->rows[i];
        behind += is_conv(layer);
        if (is_conv(layer) || strcmp(layer->op, "BatchNormalization") == 0 ||
            !is_map(&layer->shape) || (named && !is_named(layer)))
            continue;
        last = layer->value;
        if ((double)behind >= depth * (double)all)
            break;
    }
    return last;
}

enum luc_status luc_stages_depth(struct luc_run *run, const char *param, double depth,
                                 size_t *value, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    struct luc_layers layers = { 0 };
    const enum luc_status st = luc_model_layers(run->model, 0, 0, run->arena, &layers, err);
    size_t found = st ? LUC_NONE : at_depth(&layers, depth, true);
    if (!st && found == LUC_NONE)
        found = at_depth(&layers, depth, false);
    luc_arena_release(run->arena, mark);
    if (st)
        return st;
    if (found == LUC_NONE)
        return luc_fail_param(err, LUC_INVALID, param,
                              "%s: '%.60s' has no layer that is a picture still", param,
                              run->model->name);
    *value = found;
    return LUC_OK;
}

enum luc_status luc_stages_read(struct luc_run *run, const char *param, const char *names,
                                struct luc_layer_list *list, struct luc_error *err)
{
    const struct luc_reals none = { 0 };
    return strcmp(names, "auto") == 0
               ? luc_stages_find(run, param, 1, list, err)
               : luc_layers_read(run->model, param, names, "", &none, list, err);
}
