#include "core/ask/rectified.h"

static const char *const show_names[] = LUC_SHOW_NAMES;

const struct luc_param luc_rectified_rows[] = {
    LUC_UNIT_ROWS(struct luc_rectified_params, unit),
    LUC_CHOICE(struct luc_rectified_params, show, LUC_SHOW_COLOUR, 2, show_names, LUC_SHOW_DOC),
    LUC_PARAM_END,
};

enum luc_status luc_rectified_run(struct luc_run *run, const struct luc_rectified_params *p,
                                  enum luc_relu_rule rule, const char *key, struct luc_error *err)
{
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_gradient g;
    enum luc_status st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st = luc_gradient_open(run, &p->unit, &input, &g, err);
    if (!st)
        st = luc_run_tick(run, 0.5, err);
    if (st)
        return st;
    const struct luc_tensor *gradient = luc_gradient_back(&g, rule);
    st = luc_unit_report(run, &g.unit, err);
    if (!st)
        st = luc_show_gradient(run, key, gradient, &frame, (enum luc_show)p->show, err);
    if (!st)
        st = luc_result_text(run->result, "warning",
                             "fails the sanity check: this picture hardly changes when the "
                             "network's weights are made random, so it shows edges of the picture "
                             "more than reasons of the network (Adebayo et al. 2018, "
                             "arXiv:1810.03292)",
                             err);
    return st ? st : luc_run_tick(run, 1.0, err);
}
