#include "core/ask/gradient.h"

#include <string.h>

enum luc_status luc_gradient_open(struct luc_run *run, const struct luc_unit_params *params,
                                  const struct luc_tensor *input, struct luc_gradient *g,
                                  struct luc_error *err)
{
    struct luc_gradient made = { .run = run, .in = run->model->input };
    size_t value = LUC_NONE;
    enum luc_status st = luc_unit_value(run, params, &value, err);
    if (!st)
        st = luc_run_forward(run, input,
                             &(struct luc_ask){ .taps = &value,
                                                .seeds = &value,
                                                .wrt = &made.in,
                                                .n_taps = 1,
                                                .n_seeds = 1,
                                                .n_wrt = 1 },
                             &made.exec, err);
    if (!st)
        st = luc_unit_find(run, params, luc_exec_value(made.exec, value), value, &made.unit, err);
    if (!st)
        *g = made;
    return st;
}

double luc_gradient_forward(struct luc_gradient *g, const float *picture)
{
    struct luc_tensor *in = luc_exec_input(g->exec, 0);
    memcpy(in->data, picture, luc_numel(&in->shape) * sizeof(float));
    luc_exec_forward(g->exec);
    g->run->passes += 1;
    return luc_unit_score(&g->unit, luc_exec_value(g->exec, g->unit.value));
}

const struct luc_tensor *luc_gradient_back(struct luc_gradient *g, enum luc_relu_rule rule)
{
    luc_unit_seed(&g->unit, luc_exec_seed(g->exec, g->unit.value));
    luc_exec_backward(g->exec, rule);
    g->run->passes += 2;
    return luc_exec_grad(g->exec, g->in);
}
