/* saliency: which pixels, changed a little, move the score most.
 *
 *   M[h,w] = max_c | dS / dx[c,h,w] |
 *
 * Input:  one picture.
 * Output: map `saliency` [1, 1, h, w] at the network's input size, in logits per normalised unit;
 *         non-negative unless `signed`.
 * Cost:   one forward and one backward pass.
 * Errors: those of core/ask/gradient.h.
 * Source: Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks: Visualising Image
 *         Classification Models and Saliency Maps", 2013, arXiv:1312.6034, section 3. The score is
 *         the logit, as there. Beyond the paper: the difference of two classes, any neuron, l2 over
 *         channels, the sign, gradient times input.
 */
#include "core/ask/gradient.h"
#include "core/show/collapse.h"
#include "core/show/show.h"

#include <string.h>

struct params {
    struct luc_unit_params unit;
    int64_t channel, keep_sign, times_input;
};

static const char *const channel_names[] = { "max", "l2", NULL };

static const struct luc_param rows[] = {
    LUC_UNIT_OF_ROWS(struct params, unit),
    LUC_CHOICE(struct params, channel, LUC_COLLAPSE_MAX, 2, channel_names,
               "How the colour channels' gradients become one number: the largest magnitude, or "
               "the Euclidean norm"),
    { .key = "signed",
      .doc = "Keep the gradient's sign: does more of this pixel raise or lower the score",
      .unit = "",
      .type = LUC_PARAM_BOOL,
      .offset = LUC_FIELD(struct params, keep_sign, int64_t),
      .max = 1 },
    LUC_BOOL(struct params, times_input, 0,
             "Multiply the gradient by the normalised input (gradient times input)"),
    LUC_PARAM_END,
};

static enum luc_status make_map(struct luc_run *run, const struct params *p,
                                const struct luc_frame *frame, const struct luc_tensor *input,
                                const struct luc_tensor *gradient, struct luc_error *err)
{
    const struct luc_shape *s = &gradient->shape;
    struct luc_tensor map = { .shape = luc_shape4(1, 1, s->dim[2], s->dim[3]) };
    struct luc_tensor g = *gradient;
    g.data = luc_arena_raw(run->arena, luc_numel(s), sizeof(float));
    map.data = luc_arena_raw(run->arena, luc_numel(&map.shape), sizeof(float));
    if (!g.data || !map.data)
        return luc_fail_nomem(err, "saliency", luc_numel(s) * sizeof(float));
    memcpy(g.data, gradient->data, luc_numel(s) * sizeof(float));
    if (p->times_input)
        luc_times_input(&g, input);
    luc_collapse_channels(&g, (enum luc_collapse)p->channel, p->keep_sign != 0, map.data);
    return luc_show_map(run, "saliency", &map, p->keep_sign != 0, frame,
                        "the score does not move with the picture", err);
}

static enum luc_status run_saliency(struct luc_run *run, const void *params, struct luc_error *err)
{
    const struct params *p = params;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_gradient g;
    enum luc_status st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st = luc_unit_of(luc_gradient_open(run, &p->unit, &input, &g, err), err);
    if (!st)
        st = luc_run_tick(run, 0.5, err);
    if (st)
        return st;
    const struct luc_tensor *gradient = luc_gradient_back(&g, LUC_RELU_PLAIN);
    st = luc_unit_report(run, &g.unit, err);
    if (!st)
        st = make_map(run, p, &frame, &input, gradient, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_saliency = {
    .name = "saliency",
    .title = "Saliency",
    .summary = "Which pixels, changed a little, move the class score most: the magnitude of the "
               "score's gradient with respect to the picture.",
    .paper = "Simonyan et al. 2013, arXiv:1312.6034",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_saliency,
};
