#include "core/generate/style.h"

#include <math.h>
#include <string.h>

static const char *const start_names[] = { "color-moved", "content", "noise", NULL };
static const char *const paint_names[] = { "auto", "pixel", "fourier", NULL };
static const char *const optimiser_names[] = { "auto", "adam", "lbfgs", NULL };
static const char *const keep_names[] = { "none", "luminance", "histogram", NULL };

const struct luc_param luc_style_rows[] = {
    LUC_INT(struct luc_style_params, size, 512, 64, 4096, "px",
            "Long side of the picture that is made"),
    LUC_REAL(struct luc_style_params, beta, 0, 0, 1e6, "",
             "Weight of the style against the content; 0: the network's recipe (20 or 30)"),
    LUC_CHOICE(struct luc_style_params, preserve_color, LUC_KEEP_NONE, 3, keep_names,
               "Keep the content's colours: its hues under the new luminance, or the style's "
               "colours moved to the content's first"),
    LUC_REAL(struct luc_style_params, style_scale, 1.0, 0.1, 4.0, "",
             "Long side of the style pictures against the content's: smaller gives finer strokes"),
    LUC_REALS(struct luc_style_params, style_weights, "", 0, 1e6, "",
              "One weight for each style picture; empty: all alike"),
    LUC_CHOICE(struct luc_style_params, init, LUC_START_MOVED, 3, start_names,
               "What to start from: the content with the style's colours, the content, or noise"),
    LUC_INTS(struct luc_style_params, sizes, "", 32, 4096, "px",
             "Long sides, coarse to fine; empty: from a quarter of size upwards"),
    LUC_INTS(struct luc_style_params, steps, "", 1, 10000, "",
             "Steps at each size, or one number for all; empty: the network's recipe"),
    LUC_REAL(
        struct luc_style_params, time_budget_s, 0, 0, 86400, "s",
        "Choose sizes and steps so that it takes about this long, in the proportions of steps; "
        "the answer says which, and given as sizes and steps they make the same picture. 0: no"),
    LUC_TEXT(struct luc_style_params, style_layers, "auto",
             "Layers whose Gram matrices make the style, separated by commas"),
    LUC_REALS(struct luc_style_params, layer_weights, "", 0, 1e6, "",
              "One weight for each style layer; empty: all alike"),
    LUC_TEXT(struct luc_style_params, content_layer, "auto",
             "Layer whose features make the content"),
    LUC_CHOICE(struct luc_style_params, parametrisation, 0, 3, paint_names,
               "What is optimised: pixels, or a spectrum of decorrelated colours"),
    LUC_CHOICE(struct luc_style_params, optimiser, 0, 3, optimiser_names, "How steps are taken"),
    LUC_REAL(struct luc_style_params, rate, 0, 0, 1000, "",
             "Learning rate; 0: 0.05 fourier, 3 pixel, 1 lbfgs"),
    LUC_AUTO_INT(struct luc_style_params, jitter, -1, 0, 256, "px",
                 "Each step shifts the picture by up to this much; auto: the network's recipe"),
    LUC_REAL(struct luc_style_params, tv, 0, 0, 1e6, "",
             "Weight of the total variation: smoother pictures"),
    LUC_PARAM_END,
};

static const struct luc_style_recipe recipes[] = {
    { "res4f", "conv1,res2c,res3d,res4f", "res4f", 20, LUC_FOURIER, LUC_ADAM, 8, 60 },
    { "relu4_2", "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1", "relu4_2", 30, LUC_PIXEL, LUC_LBFGS, 0,
      100 },
};

static enum luc_status find_recipe(struct luc_style *s, struct luc_error *err)
{
    const bool needed =
        strcmp(s->p->style_layers, "auto") == 0 || strcmp(s->p->content_layer, "auto") == 0;
    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
        size_t value = 0;
        if (luc_model_layer(s->run->model, recipes[i].probe, &value, NULL) == LUC_OK) {
            s->recipe = recipes[i];
            return LUC_OK;
        }
    }
    if (needed)
        return luc_fail_param(err, LUC_INVALID, "style_layers",
                              "style_layers: '%.60s' has no recipe: name style_layers and "
                              "content_layer, for example as /models/%.60s/layers lists them",
                              s->run->model->name, s->run->model->name);
    s->recipe = recipes[0];
    return LUC_OK;
}

static enum luc_status read_layers(struct luc_style *s, struct luc_error *err)
{
    const struct luc_style_params *p = s->p;
    const struct luc_model *m = s->run->model;
    const bool own = strcmp(p->style_layers, "auto") != 0;
    const bool own_content = strcmp(p->content_layer, "auto") != 0;
    const enum luc_status st =
        luc_layers_read(m, "style_layers", own ? p->style_layers : s->recipe.style_layers,
                        "layer_weights", &p->layer_weights, &s->layers, err);
    if (st)
        return st;
    const struct luc_layer_list given = s->layers;
    for (size_t i = 0; i < given.n; i++)
        s->layers.weight[i] = luc_style_share(given.weight, p->layer_weights.n, i, given.n);
    return luc_layer_find(m, "content_layer",
                          own_content ? p->content_layer : s->recipe.content_layer,
                          &s->content_layer, err);
}

static enum luc_status read_sizes(struct luc_style *s, struct luc_error *err)
{
    const struct luc_style_params *p = s->p;
    const size_t whole = (size_t)p->size;
    if (p->sizes.n > LUC_SIZES_MAX)
        return luc_fail_param(err, LUC_INVALID, "sizes", "sizes: more than %d", LUC_SIZES_MAX);
    s->plan.n = p->sizes.n;
    for (size_t i = 0; i < s->plan.n; i++)
        s->plan.size[i] = (size_t)p->sizes.v[i];
    for (size_t part = 4; p->sizes.n == 0 && part > 0; part /= 2) /* a quarter, a half, the whole */
        if (whole / part >= 128 || part == 1)
            s->plan.size[s->plan.n++] = whole / part;
    if (p->steps.n > 1 && p->steps.n != s->plan.n)
        return luc_fail_param(err, LUC_INVALID, "steps", "steps: %zu numbers for %zu sizes",
                              p->steps.n, s->plan.n);
    for (size_t i = 0; i < s->plan.n; i++)
        s->plan.steps[i] = p->steps.n > 1    ? (size_t)p->steps.v[i]
                           : p->steps.n == 1 ? (size_t)p->steps.v[0]
                                             : s->recipe.steps * (s->plan.n > 2 ? 3 : 5) / 3;
    return LUC_OK;
}

double luc_style_share(const double *weights, size_t given, size_t i, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < given; k++)
        sum += weights[k];
    if (given == 0 || sum <= 0)
        return 1.0 / (double)n;
    return weights[i] / sum;
}

enum luc_status luc_style_read(struct luc_style *s, struct luc_error *err)
{
    const struct luc_style_params *p = s->p;
    enum luc_status st = find_recipe(s, err);
    if (!st)
        st = read_layers(s, err);
    if (!st)
        st = read_sizes(s, err);
    if (st)
        return st;
    s->usual = s->plan;
    s->n_styles = s->run->n_images - 1;
    if (p->style_weights.n && p->style_weights.n != s->n_styles)
        return luc_fail_param(err, LUC_INVALID, "style_weights",
                              "style_weights: %zu weights for %zu style pictures",
                              p->style_weights.n, s->n_styles);
    if (p->parametrisation)
        s->recipe.paint = p->parametrisation == 1 ? LUC_PIXEL : LUC_FOURIER;
    if (p->optimiser)
        s->recipe.optimiser = p->optimiser == 1 ? LUC_ADAM : LUC_LBFGS;
    s->recipe.jitter = (size_t)luc_int_or(p->jitter, (int64_t)s->recipe.jitter);
    if (p->beta > 0)
        s->recipe.beta = p->beta;
    const double usual = s->recipe.optimiser == LUC_LBFGS ? 1
                         : s->recipe.paint == LUC_FOURIER ? 0.05
                                                          : 3;
    s->optimiser = (struct luc_optimiser_spec){ .kind = s->recipe.optimiser,
                                                .rate = p->rate > 0 ? p->rate : usual };
    return LUC_OK;
}
