#include "core/ask/maps.h"

#include <string.h>

#define TAPS_MAX 4

enum luc_status luc_maps_layer(const struct luc_run *run, const char *name, size_t *layer,
                               struct luc_error *err)
{
    const enum luc_status st = luc_model_layer(run->model, name, layer, err);
    if (st && err)
        memcpy(err->param, "layer", sizeof("layer"));
    return st;
}

static void add_tap(size_t taps[TAPS_MAX], size_t *n, size_t value)
{
    for (size_t i = 0; i < *n; i++)
        if (taps[i] == value)
            return;
    taps[(*n)++] = value;
}

static enum luc_status forward(struct luc_maps *m, const struct luc_maps_spec *s, size_t value,
                               struct luc_error *err)
{
    const size_t in = m->run->model->input;
    size_t taps[TAPS_MAX], n = 0;
    add_tap(taps, &n, value);
    add_tap(taps, &n, m->layer);
    for (size_t i = 0; i < s->n_wrt; i++)
        if (s->wrt[i] != in)
            add_tap(taps, &n, s->wrt[i]);
    return luc_run_forward(m->run, &m->input,
                           &(struct luc_ask){ .taps = taps,
                                              .seeds = &value,
                                              .wrt = s->wrt,
                                              .n_taps = n,
                                              .n_seeds = s->n_wrt ? 1 : 0,
                                              .n_wrt = s->n_wrt,
                                              .backward_again = s->backward_again },
                           &m->exec, err);
}

enum luc_status luc_maps_open(struct luc_run *run, const struct luc_maps_spec *spec,
                              struct luc_maps *m, struct luc_error *err)
{
    struct luc_maps made = { .run = run, .layer = spec->layer };
    char text[LUC_SHAPE_TEXT];
    size_t value = LUC_NONE;
    enum luc_status st = luc_unit_of(luc_unit_value(run, spec->unit, &value, err), err);
    if (!st)
        st = luc_run_input(run, 0, &made.frame, &made.input, err);
    if (!st)
        st = forward(&made, spec, value, err);
    if (st)
        return st;
    made.held = luc_exec_value(made.exec, made.layer);
    const struct luc_shape *s = &made.held->shape;
    if (s->rank != 4 || s->dim[0] != 1 || luc_numel(s) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is %s; maps are needed, as of a convolution",
                              run->model->graph->values[made.layer].name, luc_shape_print(s, text));
    st = luc_unit_of(
        luc_unit_find(run, spec->unit, luc_exec_value(made.exec, value), value, &made.unit, err),
        err);
    if (!st)
        *m = made;
    return st;
}

void luc_maps_back(struct luc_maps *m, enum luc_relu_rule rule)
{
    luc_unit_seed(&m->unit, luc_exec_seed(m->exec, m->unit.value));
    luc_exec_backward(m->exec, rule);
    m->run->passes += 2;
}

enum luc_status luc_maps_report(const struct luc_maps *m, struct luc_error *err)
{
    const struct luc_run *run = m->run;
    const enum luc_status st = luc_unit_report(m->run, &m->unit, err);
    return st ? st
              : luc_result_text(run->result, m->unit.is_class ? "layer" : "maps_layer",
                                run->model->graph->values[m->layer].name, err);
}
