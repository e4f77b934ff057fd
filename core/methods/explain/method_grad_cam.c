/* grad-cam: where a layer holds what speaks for a class, or for a neuron of a later layer.
 *
 *   plain     M = ReLU(sum_k w_k A_k),  w_k = mean over positions of g_k,  g_k = dS/dA_k
 *   plusplus  w_k = sum a_k ReLU(g_k),  a_k = g_k^2 / (2 g_k^2 + g_k^3 sum A_k)
 *   layercam  M = ReLU(sum_k ReLU(g_k) A_k)
 *   hirescam  M = ReLU(sum_k g_k A_k)
 *   guided    guided backpropagation times the plain map, enlarged
 *
 * Input:  one picture.
 * Output: map `grad_cam` at the layer's size (guided: at the network's input size, and the picture
 *         `colours`); non-negative unless `signed`, which leaves the last ReLU out.
 * Cost:   one forward and one backward pass to the layer; guided: two, to the picture.
 * Errors: those of core/ask/maps.h; LUC_NOT_FOUND, LUC_SHAPE, LUC_INVALID the layer.
 * Source: Selvaraju et al., "Grad-CAM", 2017, arXiv:1610.02391, section 3; Chattopadhyay et al.,
 *         "Grad-CAM++", 2018, arXiv:1710.11063, equations 10 and 19, here with the logit's
 *         gradients in place of its exponential's; Jiang et al., "LayerCAM", 2021,
 *         doi:10.1109/TIP.2021.3089943; Draelos & Carin, "HiResCAM", 2020, arXiv:2011.08891.
 */
#include "core/ask/maps.h"
#include "core/show/show.h"

#include <math.h>
#include <string.h>

enum variant { PLAIN, PLUSPLUS, LAYERCAM, HIRESCAM, GUIDED };

struct params {
    struct luc_unit_params unit;
    char layer[LUC_TEXT_MAX];
    int64_t variant, keep_sign;
};

static const char *const variant_names[] = { "plain",    "plusplus", "layercam",
                                             "hirescam", "guided",   NULL };

static const struct luc_param rows[] = {
    LUC_UNIT_OF_ROWS(struct params, unit),
    LUC_TEXT(struct params, layer, "last_conv", "Layer whose maps are weighed"),
    LUC_CHOICE(struct params, variant, PLAIN, 5, variant_names,
               "How gradients become weights; guided: in the picture's own detail and colour"),
    { .key = "signed",
      .doc = "Keep what speaks against the class too",
      .unit = "",
      .type = LUC_PARAM_BOOL,
      .offset = LUC_FIELD(struct params, keep_sign, int64_t),
      .max = 1 },
    LUC_PARAM_END,
};

struct cam {
    const struct params *p;
    struct luc_maps maps;
};

/* The weight of one channel with maps a and gradients g of n positions. */
static double channel_weight(enum variant variant, const float *a, const float *g, size_t n)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)g[i];
        total += (double)a[i];
    }
    if (variant != PLUSPLUS)
        return sum / (double)n;
    sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = (double)g[i], below = 2 * v * v + v * v * v * total;
        if (v > 0 && below != 0)
            sum += v * v / below * v;
    }
    return sum;
}

/* M into out[h * w]. */
static void weigh(enum variant variant, bool keep_sign, const struct luc_tensor *a,
                  const struct luc_tensor *g, float *out)
{
    const size_t n = a->shape.dim[2] * a->shape.dim[3];
    memset(out, 0, n * sizeof(*out));
    for (size_t k = 0; k < a->shape.dim[1]; k++) {
        const float *ak = a->data + k * n, *gk = g->data + k * n;
        const float w = variant == LAYERCAM || variant == HIRESCAM
                            ? 0
                            : (float)channel_weight(variant, ak, gk, n);
        for (size_t i = 0; i < n; i++)
            out[i] += ak[i] * (variant == LAYERCAM   ? fmaxf(gk[i], 0)
                               : variant == HIRESCAM ? gk[i]
                                                     : w);
    }
    for (size_t i = 0; i < n && !keep_sign; i++)
        out[i] = fmaxf(out[i], 0);
}

/* Guided backpropagation times the map, in the picture's pixels. */
static enum luc_status show_guided(struct cam *c, const struct luc_tensor *map,
                                   struct luc_error *err)
{
    struct luc_run *run = c->maps.run;
    const struct luc_shape *s = &c->maps.input.shape;
    const size_t n = s->dim[2] * s->dim[3];
    struct luc_tensor out = { .shape = *s };
    out.data = luc_arena_raw(run->arena, luc_numel(s), sizeof(float));
    float *large = luc_arena_raw(run->arena, n, sizeof(float));
    if (!out.data || !large)
        return luc_fail_nomem(err, "grad_cam", luc_numel(s) * sizeof(float));
    enum luc_status st = luc_layer_enlarge(run, c->maps.layer, &c->maps.frame, map, large, err);
    if (!st)
        st = luc_run_tick(run, 0.7, err);
    if (st)
        return st;
    luc_maps_back(&c->maps, LUC_RELU_GUIDED);
    const struct luc_tensor *g = luc_exec_grad(c->maps.exec, run->model->input);
    for (size_t i = 0; i < luc_numel(s); i++)
        out.data[i] = g->data[i] * large[i % n];
    return luc_show_gradient(run, "grad_cam", &out, &c->maps.frame, LUC_SHOW_COLOUR, err);
}

static enum luc_status show(struct cam *c, struct luc_error *err)
{
    struct luc_run *run = c->maps.run;
    const struct luc_tensor *a = c->maps.held;
    const struct luc_tensor *g = luc_exec_grad(c->maps.exec, c->maps.layer);
    struct luc_tensor map = { .shape = luc_shape4(1, 1, a->shape.dim[2], a->shape.dim[3]) };
    map.data = luc_arena_raw(run->arena, luc_numel(&map.shape), sizeof(float));
    if (!map.data)
        return luc_fail_nomem(err, "grad_cam", luc_numel(&map.shape) * sizeof(float));
    const enum variant variant = (enum variant)c->p->variant;
    weigh(variant, c->p->keep_sign != 0, a, g, map.data);
    if (variant == GUIDED)
        return show_guided(c, &map, err);
    return luc_show_layer_map(
        run, "grad_cam", &map, c->p->keep_sign != 0, c->maps.layer, &c->maps.frame,
        "nothing in this layer speaks for the class; signed=true shows what speaks "
        "against it",
        err);
}

static enum luc_status open_cam(struct cam *c, struct luc_run *run, struct luc_error *err)
{
    const bool guided = c->p->variant == GUIDED;
    size_t layer = LUC_NONE;
    const enum luc_status st = luc_maps_layer(run, c->p->layer, &layer, err);
    if (st)
        return st;
    if (guided && c->p->keep_sign)
        return luc_fail_param(err, LUC_INVALID, "signed",
                              "signed: the guided variant has no sign to keep");
    const size_t wrt[] = { layer, run->model->input };
    return luc_maps_open(run,
                         &(struct luc_maps_spec){ .unit = &c->p->unit,
                                                  .layer = layer,
                                                  .wrt = wrt,
                                                  .n_wrt = guided && wrt[0] != wrt[1] ? 2 : 1,
                                                  .backward_again = guided },
                         &c->maps, err);
}

static enum luc_status run_grad_cam(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct cam c = { .p = params };
    enum luc_status st = open_cam(&c, run, err);
    if (!st)
        st = luc_run_tick(run, 0.4, err);
    if (st)
        return st;
    luc_maps_back(&c.maps, LUC_RELU_PLAIN);
    st = luc_maps_report(&c.maps, err);
    if (!st)
        st = show(&c, err);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_grad_cam = {
    .name = "grad-cam",
    .title = "Grad-CAM",
    .summary = "Where a layer holds what speaks for a class: its maps, weighed by the class "
               "score's gradient.",
    .paper = "Selvaraju et al. 2017, arXiv:1610.02391",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_grad_cam,
};
