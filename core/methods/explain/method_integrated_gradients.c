/* integrated-gradients: the score's difference to a baseline picture, shared out among the pixels.
 *
 *   M[h,w] = sum_c (x - x0)[c,h,w] * integral over a in 0..1 of dS/dx at x0 + a (x - x0)
 *
 * Input:  one picture.
 * Output: map `integrated_gradients` [1, 1, h, w]; its sum (`signed`) is S(x) - S(x0) but
 *         for `completeness_gap`, which is relative to that difference.
 * Cost:   `steps` forward and backward passes, and one forward for the baseline.
 * Errors: those of core/ask/gradient.h; LUC_INVALID a baseline with the same score.
 * Source: Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", 2017,
 *         arXiv:1703.01365, sections 3 and 5. Differs: Gauss-Legendre quadrature unless asked for
 *         the paper's sum, and other baselines than black.
 */
#include "core/ask/fill.h"
#include "core/ask/path.h"
#include "core/show/show.h"

#include <math.h>

struct params {
    struct luc_unit_params unit;
    int64_t steps, rule, baseline, keep_sign;
    double sigma;
};

static const struct luc_param rows[] = {
    LUC_UNIT_ROWS(struct params, unit),
    LUC_INT(struct params, steps, 50, 2, 1000, "", "Points on the path from baseline to picture"),
    LUC_CHOICE(struct params, rule, LUC_PATH_GAUSS_LEGENDRE, 3, luc_path_rule_names,
               "Where the points lie and how much each counts; riemann: the paper's equal steps"),
    LUC_CHOICE(struct params, baseline, LUC_FILL_BLACK, LUC_N_FILLS, luc_fill_names,
               "The picture that holds nothing: its own mean colour, gray, black, itself blurred, "
               "or noise"),
    LUC_REAL(struct params, sigma, 20, 0.5, 500, "px", "How far baseline=blur blurs"),
    { .key = "signed",
      .doc = "Tell what raises the score from what lowers it; off: the magnitude, as in the paper",
      .unit = "",
      .type = LUC_PARAM_BOOL,
      .offset = LUC_FIELD(struct params, keep_sign, int64_t),
      .def = 1,
      .max = 1 },
    LUC_PARAM_END,
};

struct shared {
    struct luc_run *run;
    const struct params *p;
    struct luc_tensor input, baseline;
    struct luc_gradient g;
    struct luc_path path;
    double score0;
};

/* The map, and how far its sum is from the score's difference. */
static enum luc_status report(struct shared *w, const struct luc_frame *frame,
                              struct luc_error *err)
{
    const struct luc_shape *s = &w->input.shape;
    const size_t n = s->dim[2] * s->dim[3];
    struct luc_tensor map = { .shape = luc_shape4(1, 1, s->dim[2], s->dim[3]) };
    map.data = luc_arena_raw(w->run->arena, n, sizeof(float));
    if (!map.data)
        return luc_fail_nomem(err, "integrated_gradients", n * sizeof(float));
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = i; k < luc_numel(s); k += n)
            sum += ((double)w->input.data[k] - (double)w->baseline.data[k]) * w->path.sum[k];
        map.data[i] = (float)(w->p->keep_sign ? sum : fabs(sum));
        total += sum;
    }
    const double score = w->g.unit.score, difference = score - w->score0;
    const struct {
        const char *key;
        double value;
    } all[] = { { "passes", (double)w->p->steps },
                { "score", score },
                { "baseline_score", w->score0 },
                { "sum", total },
                { "completeness_gap", fabs(total - difference) / fabs(difference) } };
    enum luc_status st = luc_unit_report(w->run, &w->g.unit, err);
    for (size_t i = 0; !st && i < sizeof(all) / sizeof(all[0]); i++)
        st = luc_result_number(w->run->result, all[i].key, all[i].value, err);
    return st ? st
              : luc_show_map(w->run, "integrated_gradients", &map, w->p->keep_sign != 0, frame,
                             "nothing between baseline and picture moves the score", err);
}

static enum luc_status open_shared(struct shared *w, struct luc_error *err)
{
    enum luc_status st = luc_fill_picture(w->run, (enum luc_fill)w->p->baseline, w->p->sigma,
                                          &w->input, &w->baseline, err);
    if (!st)
        st = luc_gradient_open(w->run, &w->p->unit, &w->input, &w->g, err);
    w->path = (struct luc_path){ .g = &w->g,
                                 .baseline = &w->baseline,
                                 .rule = (enum luc_path_rule)w->p->rule,
                                 .steps = (size_t)w->p->steps };
    if (!st)
        st = luc_path_open(&w->path, err);
    if (st)
        return st;
    w->score0 = luc_gradient_forward(&w->g, w->baseline.data);
    if (w->score0 == w->g.unit.score && !luc_run_is_dry(w->run))
        return luc_fail_param(err, LUC_INVALID, "baseline",
                              "baseline: the network scores it like the picture, so there is no "
                              "difference to explain; choose another");
    return LUC_OK;
}

static enum luc_status run_integrated_gradients(struct luc_run *run, const void *params,
                                                struct luc_error *err)
{
    struct shared w = { .run = run, .p = params };
    struct luc_frame frame;
    enum luc_status st = luc_run_input(run, 0, &frame, &w.input, err);
    if (!st)
        st = open_shared(&w, err);
    if (!st)
        st = luc_path_walk(&w.path, w.input.data, 0, 1, err);
    return st ? st : report(&w, &frame, err);
}

const struct luc_method luc_method_integrated_gradients = {
    .name = "integrated-gradients",
    .title = "Integrated gradients",
    .summary = "The score's difference to an empty picture, shared out among the pixels: red "
               "raises the score, blue lowers it.",
    .paper = "Sundararajan et al. 2017, arXiv:1703.01365",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_integrated_gradients,
};
