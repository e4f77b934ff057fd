/* visualize: a picture made so that a class, a channel, a neuron or a layer answers as much as it can.
 *
 *   maximise  objective(view(picture)) - penalties(picture)
 *
 *   class     S_c + sharpen * log softmax(S)_c, S the logits
 *   channel   mean over positions of A_k; neuron: A_k at one position; layer: mean A^2 / 2
 *   diversity -weight * mean cosine of the pictures' Gram matrices at a middle layer
 *
 * Input:  none, or one picture to start from.
 * Output: picture `picture`: the picture, or all on a sheet, one row for each channel when there are
 *         several of each; table `pictures` with what the network, as it is, answers to each picture
 *         rounded to bytes: response, and for classes probability.
 * Cost:   `steps` forward and backward passes for each channel, times `count`.
 * Errors: LUC_NOT_FOUND a layer or class; LUC_RANGE a channel or position; LUC_INVALID settings that
 *         contradict each other; LUC_SHAPE a size that the network cannot take; LUC_NOMEM.
 * Source: simonyan: Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034, section 2; yosinski:
 *         Yosinski et al. 2015, arXiv:1506.06579, section 3; lucid: Olah, Mordvintsev & Schubert,
 *         "Feature Visualization", Distill 2017. Differs: softplus in place of ReLU while
 *         optimising, and jitter, for all three; penalties are means over pixels; steps of the
 *         first two are normalised.
 *
 * Tried with goose, volcano and tabby on ResNet-50 and SqueezeNet, and with channels of middle
 * layers on those and VGG-19, at 224 pixels or less:
 *   softplus  0: good on SqueezeNet, on ResNet-50 stripes and many small heads. 3: clear animals in
 *             a world of balls, 4: the same among grass and water. 6 and 12, or growing from 3 to 20
 *             on the way: good fur on animals that come apart. 1: lost.
 *   decay     1 with rate 0.05: ResNet-50's tabby is a curl of stripes in 2 of 3 seeds. 1.2 with
 *             0.03: a sitting cat with ears in 3 of 3. 1.5 with 0.02: one large burnt animal.
 *   sharpen   0: SqueezeNet's tabby is a tiger cat (0.26). 1: 0.97 and clear; 4 alike; 20: fog.
 *   views     half and twice as strong, and 256 steps in place of 128: alike. Rate 0.02: faint.
 *   diversity 1, 5: as 0. 20: other poses and scenes. 100: more so on SqueezeNet, but on ResNet-50
 *             one of three geese is paving stones.
 *   yosinski  softplus and jitter turn hints on gray into a goose at the water, and volcanoes. The
 *             paper's four rows without them, on SqueezeNet: heads among specks (n_pct 50), noise
 *             (decay 0.3), soft but true (blur 1), dots (c_pct 90). 200 steps of 3 in place of 120
 *             of 6: calmer colours.
 *   simonyan  with jitter whole outlines, which were scattered, with softplus necks and lava; l2 of
 *             3 with a rate of 1.5: more contrast. Still grainy and false in its colours.
 */
#include "core/ask/stages.h"
#include "core/ask/target.h"
#include "core/generate/canvas.h"
#include "core/generate/series.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILES_MAX   256
#define USUAL_CLASS 99
#define USUAL_SIZE  224
#define SILENT      1e-7 /* mean slope: Adam's epsilon is a tenth of it */
#define SOFTEST     0.01 /* softplus */

enum preset { PRESET_LUCID, PRESET_YOSINSKI, PRESET_SIMONYAN };
enum init { INIT_AUTO, INIT_NOISE, INIT_ZERO, INIT_IMAGE };

struct params {
    char target[LUC_TEXT_MAX], layer[LUC_TEXT_MAX], channel[LUC_TEXT_MAX], position[LUC_TEXT_MAX];
    int64_t preset, count, init, parametrisation, optimiser, blur_every, decorrelate;
    double rate, diversity, decay, l1, tv, alpha_norm, alpha, beta_tv, beta;
    struct luc_auto_int size, steps, jitter;
    struct luc_auto_real sharpen, softplus, zoom, rotate, l2, blur, clip_pixels, clip_contributions;
};

static const char *const preset_names[] = { "lucid", "yosinski", "simonyan", NULL };
static const char *const init_names[] = { "auto", "noise", "zero", "image", NULL };
static const char *const paint_names[] = { "auto", "pixel", "fourier", NULL };
static const char *const optimiser_names[] = { "auto", "adam", "ascent", NULL };

#define PRESETS "; auto: the preset's"

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, target, "",
             "Class to show, its index or name; empty: class 99 (ImageNet's goose) or the last"),
    LUC_TEXT(struct params, layer, "", "Show this layer instead of a class"),
    LUC_TEXT(struct params, channel, "",
             "The layer's channel; several (0-15,40) or all make a sheet; empty: the whole layer"),
    LUC_TEXT(struct params, position, "mean",
             "Where the channel is to answer: mean (everywhere), center, or ROW,COLUMN: a neuron"),
    LUC_CHOICE(
        struct params, preset, PRESET_LUCID, 3, preset_names,
        "Whose recipe: lucid (Fourier, views), yosinski (L2, blur, clipping), simonyan (L2)"),
    LUC_AUTO_INT(struct params, size, 0, 1, 4096, "px",
                 "Side of the picture; auto: the network's own"),
    LUC_AUTO_INT(struct params, steps, 0, 1, 10000, "", "Steps for each picture" PRESETS),
    LUC_INT(struct params, count, 1, 1, 16, "", "Pictures of the same, made to differ"),
    LUC_REAL(struct params, diversity, 20, 0, 1e6, "",
             "Several pictures: how much they are to differ"),
    LUC_AUTO_REAL(struct params, sharpen, -1, 0, 1000, "",
                  "Classes: weight of log softmax, which also lowers the other classes" PRESETS),
    LUC_CHOICE(struct params, init, INIT_AUTO, 4, init_names,
               "What to start from; auto: the upload when there is one, else the preset's"),
    LUC_CHOICE(struct params, parametrisation, 0, 3, paint_names,
               "What is optimised: pixels or a spectrum; auto: the preset's"),
    LUC_BOOL(struct params, decorrelate, 1,
             "Fourier: colours along the axes that photographs have"),
    LUC_REAL(struct params, decay, 0, 0, 3, "",
             "Fourier: how much less high frequencies move, as a power; 0: the preset's"),
    LUC_CHOICE(struct params, optimiser, 0, 3, optimiser_names,
               "How steps are taken: Adam, or along the normalised gradient; auto: the preset's"),
    LUC_REAL(struct params, rate, 0, 0, 1000, "", "Length of a step; 0: the preset's"),
    LUC_AUTO_REAL(struct params, softplus, -1, 0, 100, "",
                  "While optimising, softplus of this sharpness in place of ReLU; 0: ReLU" PRESETS),
    LUC_AUTO_INT(struct params, jitter, -1, 0, 256, "px",
                 "Views are shifted by up to this" PRESETS),
    LUC_AUTO_REAL(struct params, zoom, -1, 0, 0.9, "",
                  "Views are scaled by 1 - to 1 + this" PRESETS),
    LUC_AUTO_REAL(struct params, rotate, -1, 0, 180, "degrees",
                  "Views are turned by up to this" PRESETS),
    LUC_AUTO_REAL(struct params, l2, -1, 0, 1e6, "",
                  "Penalty for pixels far from the mean" PRESETS),
    LUC_REAL(struct params, l1, 0, 0, 1e6, "", "The same, by their first power"),
    LUC_REAL(struct params, tv, 0, 0, 1e6, "", "Penalty for the total variation"),
    LUC_REAL(struct params, alpha_norm, 0, 0, 1e6, "", "Penalty for |pixel|^alpha"),
    LUC_REAL(struct params, alpha, 6, 1, 20, "", "The power in alpha_norm"),
    LUC_REAL(struct params, beta_tv, 0, 0, 1e6, "", "Penalty for |slope|^beta"),
    LUC_REAL(struct params, beta, 2, 0.5, 8, "", "The power in beta_tv"),
    LUC_AUTO_REAL(struct params, blur, -1, 0, 50, "px", "Blur by this every few steps" PRESETS),
    LUC_INT(struct params, blur_every, 4, 1, 1000, "", "Steps from one blur to the next"),
    LUC_AUTO_REAL(
        struct params, clip_pixels, -1, 0, 99, "%",
        "After each step this part of the pixels, the smallest, becomes the mean" PRESETS),
    LUC_AUTO_REAL(struct params, clip_contributions, -1, 0, 99, "%",
                  "The same for pixels that contribute least" PRESETS),
    LUC_PARAM_END,
};

/* Everything that a preset decides; what was tried and looked at. */
struct recipe {
    enum luc_paint_kind paint;
    enum luc_optimiser_kind optimiser;
    enum init init;
    size_t steps, jitter;
    double rate, sharpen, softplus, decay, zoom, rotate, l2, blur, clip_pixels, clip_contributions;
};

static const struct recipe recipes[] = {
    [PRESET_LUCID] = { .paint = LUC_FOURIER,
                       .optimiser = LUC_ADAM,
                       .init = INIT_NOISE,
                       .steps = 128,
                       .jitter = 16,
                       .rate = 0.03,
                       .sharpen = 1,
                       .softplus = 4,
                       .decay = 1.2,
                       .zoom = 0.15,
                       .rotate = 10 },
    [PRESET_YOSINSKI] = { .paint = LUC_PIXEL,
                          .optimiser = LUC_ASCENT,
                          .init = INIT_NOISE,
                          .steps = 200,
                          .jitter = 8,
                          .rate = 3,
                          .softplus = 3,
                          .l2 = 2,
                          .blur = 0.7,
                          .clip_pixels = 5,
                          .clip_contributions = 5 },
    [PRESET_SIMONYAN] = { .paint = LUC_PIXEL,
                          .optimiser = LUC_ASCENT,
                          .init = INIT_ZERO,
                          .steps = 100,
                          .jitter = 16,
                          .rate = 1.5,
                          .softplus = 3,
                          .l2 = 3 },
};

struct job {
    struct luc_run *run;
    const struct params *p;
    struct recipe r;
    struct luc_series series;
    struct luc_loss objective; /* of the first turn */
    size_t channels[TILES_MAX];
    size_t n_channels;                /* at least 1 */
    size_t diverse, diverse_channels; /* the layer at which pictures are to differ */
    struct luc_loss losses[2];        /* of the turn in work */
    float *start;                     /* INIT_IMAGE: [3, H, W] */
};

/* ---- reading the parameters ---- */

static void read_recipe(struct job *j)
{
    const struct params *p = j->p;
    struct recipe *r = &j->r;
    *r = recipes[p->preset];
    if (p->parametrisation)
        r->paint = p->parametrisation == 1 ? LUC_PIXEL : LUC_FOURIER;
    if (p->optimiser)
        r->optimiser = p->optimiser == 1 ? LUC_ADAM : LUC_ASCENT;
    const bool same =
        r->paint == recipes[p->preset].paint && r->optimiser == recipes[p->preset].optimiser;
    const double usual = same ? r->rate : r->paint == LUC_FOURIER ? 0.05 : 3;
    r->rate = p->rate > 0 ? p->rate : usual;
    r->init = p->init == INIT_AUTO ? j->run->n_images ? INIT_IMAGE : r->init : (enum init)p->init;
    r->steps = (size_t)luc_int_or(p->steps, (int64_t)r->steps);
    r->jitter = (size_t)luc_int_or(p->jitter, (int64_t)r->jitter);
    r->sharpen = luc_real_or(p->sharpen, r->sharpen);
    r->softplus = luc_real_or(p->softplus, r->softplus);
    r->decay = p->decay > 0 ? p->decay : r->decay;
    r->zoom = luc_real_or(p->zoom, r->zoom);
    r->rotate = luc_real_or(p->rotate, r->rotate);
    r->l2 = luc_real_or(p->l2, r->l2);
    r->blur = luc_real_or(p->blur, r->blur);
    r->clip_pixels = luc_real_or(p->clip_pixels, r->clip_pixels);
    r->clip_contributions = luc_real_or(p->clip_contributions, r->clip_contributions);
}

static void read_size(struct job *j)
{
    const struct luc_pixels *in = &j->run->model->in;
    const size_t side = (size_t)luc_int_or(j->p->size, 0);
    j->series.height = side ? side : in->height ? in->height : USUAL_SIZE;
    j->series.width = side ? side : in->width ? in->width : USUAL_SIZE;
}

/* The shape of a value for one picture of our size. */
static enum luc_status find_shape(struct job *j, const char *param, size_t value,
                                  struct luc_shape *shape, struct luc_error *err)
{
    const struct luc_model *m = j->run->model;
    const struct luc_arena_mark mark = luc_arena_mark(j->run->arena);
    const struct luc_shape input = luc_shape4(1, 3, j->series.height, j->series.width);
    struct luc_shape *shapes = luc_arena_alloc(j->run->arena, m->graph->n_values, sizeof(*shapes));
    enum luc_status st = shapes
                             ? luc_graph_shapes(m->graph, &input, j->run->arena, shapes, err)
                             : luc_fail_nomem(err, "shapes", m->graph->n_values * sizeof(*shapes));
    if (!st)
        *shape = shapes[value];
    luc_arena_release(j->run->arena, mark);
    if (!st && (shape->rank == LUC_NONE || shape->rank < 2 || shape->rank == 3))
        st = luc_fail_param(err, LUC_INVALID, param,
                            "%s: '%.60s' has no channels for a picture of %zu x %zu", param,
                            m->graph->values[value].name, j->series.width, j->series.height);
    return st;
}

static enum luc_status read_class(struct job *j, struct luc_error *err)
{
    const struct luc_model *m = j->run->model;
    size_t index = m->n_classes > USUAL_CLASS ? USUAL_CLASS : m->n_classes - 1;
    struct luc_shape shape;
    if (j->p->channel[0] || strcmp(j->p->position, "mean") != 0)
        return luc_fail_param(err, LUC_INVALID, "channel",
                              "channel, position: of a layer, but no layer is named");
    enum luc_status st = LUC_OK;
    if (j->p->target[0])
        st = luc_model_class(m, j->p->target, &index, err);
    if (st && err)
        memcpy(err->param, "target", sizeof("target"));
    if (!st)
        st = find_shape(j, "size", m->logits, &shape, err);
    if (!st && (luc_numel(&shape) != shape.dim[1] || index >= shape.dim[1]))
        st = luc_fail_param(err, LUC_INVALID, "size",
                            "size: for %zu x %zu the network gives no single row of classes",
                            j->series.width, j->series.height);
    j->objective = (struct luc_loss){
        .kind = LUC_LOSS_CLASS, .value = m->logits, .weight = 1, .sharpen = j->r.sharpen
    };
    j->channels[0] = index;
    j->n_channels = 1;
    return st;
}

/* "7", "0-15,40", "all": increasing or not, each within n. */
static enum luc_status read_channels(struct job *j, size_t n, struct luc_error *err)
{
    const char *at = strcmp(j->p->channel, "all") == 0 ? "0-" : j->p->channel;
    while (*at) {
        char *end;
        const unsigned long long first = strtoull(at, &end, 10);
        unsigned long long last = first;
        bool good = end > at && *at >= '0' && *at <= '9';
        if (good && *end == '-' && end[1] == '\0')
            last = n - 1, end++;
        else if (good && *end == '-') {
            at = end + 1;
            last = strtoull(at, &end, 10);
            good = end > at && *at >= '0' && *at <= '9' && last >= first;
        }
        if (!good || (*end != ',' && *end != '\0'))
            return luc_fail_param(err, LUC_INVALID, "channel",
                                  "channel: '%.60s' is not like 7, 0-15,40 or all", j->p->channel);
        if (last >= n)
            return luc_fail_param(err, LUC_RANGE, "channel", "channel: %llu, but the layer has %zu",
                                  last, n);
        if (last - first >= TILES_MAX - j->n_channels)
            return luc_fail_param(err, LUC_RANGE, "channel",
                                  "channel: more than %d at once; the layer has %zu", TILES_MAX, n);
        for (unsigned long long k = first; k <= last; k++)
            j->channels[j->n_channels++] = (size_t)k;
        at = end + (*end == ',');
    }
    return LUC_OK;
}

static enum luc_status read_position(struct job *j, const struct luc_shape *shape,
                                     struct luc_error *err)
{
    const size_t height = shape->rank > 3 ? shape->dim[2] : 1;
    const size_t width = shape->rank > 3 ? shape->dim[3] : 1;
    const char *text = j->p->position;
    char *end = NULL;
    size_t row = height / 2, column = width / 2;
    if (strcmp(text, "mean") == 0)
        return LUC_OK;
    if (j->objective.kind != LUC_LOSS_CHANNEL)
        return luc_fail_param(err, LUC_INVALID, "position", "position: needs a channel");
    if (strcmp(text, "center") != 0) {
        row = (size_t)strtoull(text, &end, 10);
        const char *second = *end == ',' ? end + 1 : end;
        column = (size_t)strtoull(second, &end, 10);
        if (text[0] < '0' || text[0] > '9' || second[0] < '0' || second[0] > '9' || *end)
            return luc_fail_param(err, LUC_INVALID, "position",
                                  "position: '%.40s' is not mean, center or ROW,COLUMN", text);
    }
    if (row >= height || column >= width)
        return luc_fail_param(err, LUC_RANGE, "position",
                              "position: %zu,%zu, but the layer's maps are %zu x %zu", row, column,
                              height, width);
    j->objective.kind = LUC_LOSS_NEURON;
    j->objective.row = row;
    j->objective.column = column;
    return LUC_OK;
}

static enum luc_status read_layer(struct job *j, struct luc_error *err)
{
    struct luc_layer_list list;
    struct luc_shape shape;
    enum luc_status st =
        luc_stages_read(j->run, "layer", j->p->layer[0] ? j->p->layer : "auto", &list, err);
    if (!st && j->p->layer[0] && list.n > 1)
        st = luc_fail_param(err, LUC_INVALID, "layer", "layer: one at a time");
    if (!st)
        st = find_shape(j, "layer", list.value[list.n - 1], &shape, err);
    if (st)
        return st;
    j->objective =
        (struct luc_loss){ .kind = LUC_LOSS_ENERGY, .value = list.value[list.n - 1], .weight = 1 };
    st = read_channels(j, shape.dim[1], err);
    if (!st && j->n_channels > 0)
        j->objective.kind = LUC_LOSS_CHANNEL;
    if (!st)
        st = read_position(j, &shape, err);
    if (j->n_channels == 0)
        j->n_channels = 1;
    return st;
}

/* Several pictures differ at the last stage but one: parts and textures, not yet classes. */
static enum luc_status read_diversity(struct job *j, struct luc_error *err)
{
    struct luc_layer_list list;
    struct luc_shape shape = { 0 };
    if (j->p->count < 2 || j->p->diversity <= 0)
        return LUC_OK;
    enum luc_status st = luc_stages_find(j->run, "count", 1, &list, err);
    if (st)
        return st;
    j->diverse = list.value[list.n > 1 ? list.n - 2 : 0];
    st = find_shape(j, "count", j->diverse, &shape, err);
    j->diverse_channels = shape.dim[1];
    return st;
}

static enum luc_status read_start(struct job *j, struct luc_error *err)
{
    struct luc_run *run = j->run;
    const struct luc_image *image = NULL;
    const size_t n = 3 * j->series.height * j->series.width;
    if (j->r.init != INIT_IMAGE)
        return LUC_OK;
    if (run->n_images == 0)
        return luc_fail_param(err, LUC_INVALID, "init", "init: image, but none was uploaded");
    enum luc_status st = luc_run_image(run, 0, &image, err);
    if (st)
        return st;
    j->start = luc_arena_raw(run->arena, n, sizeof(float));
    if (!j->start)
        return luc_fail_nomem(err, "picture", n * sizeof(float));
    return luc_run_is_dry(run)
               ? LUC_OK
               : luc_image_resize_planar(image, NULL, j->series.width, j->series.height,
                                         LUC_BICUBIC, j->start, err);
}

static enum luc_status read_params(struct job *j, struct luc_error *err)
{
    const struct luc_model *m = j->run->model;
    const bool of_class = !j->p->layer[0] && m->logits != LUC_NONE;
    if (j->p->target[0] && !of_class)
        return luc_fail_param(err, LUC_INVALID, "target",
                              j->p->layer[0] ? "target: a class or a layer, not both"
                                             : "target: this network has no classes: name a layer");
    read_recipe(j);
    read_size(j);
    enum luc_status st = of_class ? read_class(j, err) : read_layer(j, err);
    if (!st)
        st = read_diversity(j, err);
    return st ? st : read_start(j, err);
}

/* ---- one turn ---- */

static void set_start(struct job *j, struct luc_paint *paint, float *scratch, struct luc_rng *rng)
{
    const size_t pixels = j->series.height * j->series.width, n = 3 * pixels;
    float centre[3];
    if (j->r.init == INIT_NOISE) {
        luc_paint_noise(paint, paint->kind == LUC_FOURIER ? 0.01 : 0.05, rng);
        return;
    }
    luc_feed_centre(j->run->model, centre);
    for (size_t p = 0; p < paint->count; p++)
        for (size_t i = 0; i < n; i++)
            scratch[p * n + i] = j->start ? j->start[i] : centre[i / pixels];
    luc_paint_set(paint, scratch);
}

/* A channel that is silent at the start answers through softplus as little as e^-20 or less, and
 * its picture would stay gray: softplus becomes softer until the slope is worth a step. (A lower
 * epsilon in Adam wakes it, too, but then fine grain moves as fast as the rest, and geese come apart.) */
static enum luc_status soften(struct job *j, struct luc_loop_spec *spec, struct luc_rng start,
                              float *scratch, struct luc_error *err)
{
    struct luc_arena *arena = j->run->arena;
    enum luc_status st = LUC_OK;
    bool silent = spec->softplus > 0 && j->objective.kind != LUC_LOSS_CLASS;
    while (!st && silent) {
        const struct luc_arena_mark mark = luc_arena_mark(arena);
        struct luc_loop *loop = NULL;
        double sum = 0, length = 0;
        st = luc_loop_create(spec, arena, &loop, err);
        if (!st && !luc_run_is_dry(j->run)) {
            luc_loop_step(loop);
            luc_loop_gradient_norms(loop, &sum, &length);
            struct luc_rng again = start;
            set_start(j, spec->paint, scratch, &again);
        }
        luc_arena_release(arena, mark);
        silent = !luc_run_is_dry(j->run) && sum < SILENT * (double)spec->paint->n &&
                 spec->softplus > SOFTEST;
        if (silent)
            spec->softplus /= 2;
    }
    return st;
}

static enum luc_status begin(void *ctx, size_t turn, struct luc_rng rng, struct luc_paint *paint,
                             struct luc_loop **loop, struct luc_error *err)
{
    struct job *j = ctx;
    struct luc_arena *arena = j->run->arena;
    const struct luc_series *s = &j->series;
    const struct params *p = j->p;
    const size_t floats = 3 * s->each * s->height * s->width;
    size_t n_losses = 1;
    const struct luc_rng start = rng;
    float *scratch = luc_arena_raw(arena, floats, sizeof(float));
    if (!scratch)
        return luc_fail_nomem(err, "picture", floats * sizeof(float));
    enum luc_status st =
        luc_paint_init(paint,
                       &(struct luc_paint_spec){ .kind = j->r.paint,
                                                 .height = s->height,
                                                 .width = s->width,
                                                 .count = s->each,
                                                 .decay = j->r.decay,
                                                 .plain_colours = !p->decorrelate },
                       arena, err);
    if (st)
        return st;
    if (!luc_run_is_dry(j->run))
        set_start(j, paint, scratch, &rng);
    j->losses[0] = j->objective;
    j->losses[0].index = j->channels[turn];
    if (j->diverse_channels) {
        st = luc_loss_diversity(&j->losses[n_losses++], j->diverse, p->diversity, s->each,
                                j->diverse_channels, arena, err);
        if (st)
            return st;
    }
    struct luc_loop_spec spec = {
        .model = j->run->model,
        .threads = j->run->threads,
        .paint = paint,
        .losses = j->losses,
        .n_losses = n_losses,
        .optimiser = { .kind = j->r.optimiser, .rate = j->r.rate },
        .regular = { .l2 = j->r.l2,
                     .l1 = p->l1,
                     .tv = p->tv,
                     .alpha_weight = p->alpha_norm,
                     .alpha = p->alpha,
                     .beta_tv_weight = p->beta_tv,
                     .beta = p->beta,
                     .blur = j->r.blur,
                     .blur_every = (uint64_t)p->blur_every,
                     .small_pixels = j->r.clip_pixels,
                     .small_contributions = j->r.clip_contributions },
        .views = { .jitter = j->r.jitter,
                   .zoom = j->r.zoom,
                   .rotate = j->r.rotate,
                   .border = LUC_BORDER_REFLECT },
        .softplus = j->r.softplus,
        .rng = rng,
    };
    st = soften(j, &spec, start, scratch, err);
    return st ? st : luc_loop_create(&spec, arena, loop, err);
}

/* ---- what the network says of the pictures ---- */

#define N_COLUMNS 4

/* One picture's answers: the objective without sharpening, and for classes the probability. */
static enum luc_status ask(struct job *j, struct luc_exec *x, size_t i, struct luc_tensor *dump,
                           struct luc_cell *cells, struct luc_error *err)
{
    const struct luc_series *s = &j->series;
    const size_t pixels = s->height * s->width, turn = i / s->each;
    const uint8_t *bytes = s->pictures + i * 3 * pixels;
    float *in = luc_exec_input(x, 0)->data;
    if (!luc_exec_is_dry(x)) {
        for (size_t c = 0; c < 3; c++)
            for (size_t k = 0; k < pixels; k++)
                in[c * pixels + k] = (float)bytes[3 * k + c];
        luc_feed_in(j->run->model, 1, pixels, in);
        luc_exec_forward(x);
    }
    const struct luc_tensor *held = luc_exec_value(x, j->objective.value);
    struct luc_loss loss = j->objective;
    loss.index = j->channels[turn];
    loss.sharpen = 0;
    if (!luc_exec_is_dry(x))
        luc_loss_eval(&loss, NULL, held, dump);
    cells[0].number = (double)(i + 1);
    cells[1].number = loss.kind == LUC_LOSS_ENERGY ? -1 : (double)loss.index;
    cells[2].number = -loss.latest;
    cells[3].number = s->losses[turn];
    if (loss.kind != LUC_LOSS_CLASS)
        return LUC_OK;
    char index[32];
    struct luc_target target;
    snprintf(index, sizeof(index), "%zu", loss.index);
    enum luc_status st = luc_target_find(j->run, index, held, &target, err);
    cells[N_COLUMNS].number = st ? 0 : target.probability;
    return st || i > 0 ? st : luc_target_report(j->run, &target, err);
}

static enum luc_status report(struct job *j, struct luc_error *err)
{
    static const char *const columns[] = { "picture", "channel", "response", "loss",
                                           "probability" };
    const bool classes = j->objective.kind == LUC_LOSS_CLASS;
    const size_t n = j->series.n * j->series.each, n_columns = N_COLUMNS + (classes ? 1 : 0);
    const struct luc_plan_spec spec = { .taps = &j->objective.value, .n_taps = 1 };
    struct luc_run *run = j->run;
    struct luc_exec *x = NULL;
    struct luc_table *table = NULL;
    struct luc_tensor dump;
    enum luc_status st = luc_feed_exec(run->model, run->threads, 1, j->series.height,
                                       j->series.width, spec, run->arena, &x, err);
    if (st)
        return st;
    dump = *luc_exec_value(x, j->objective.value);
    dump.data = luc_arena_alloc(run->arena, luc_numel(&dump.shape), sizeof(float));
    if (!dump.data)
        return luc_fail_nomem(err, "answers", luc_numel(&dump.shape) * sizeof(float));
    st = luc_result_table(run->result, "pictures", columns, n_columns, n, &table, err);
    for (size_t i = 0; !st && i < n; i++)
        st = ask(j, x, i, &dump, table->cells + i * n_columns, err);
    return st;
}

static enum luc_status run_visualize(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct job j = { .run = run, .p = params };
    struct luc_image image = { 0 };
    enum luc_status st = read_params(&j, err);
    if (st)
        return st;
    j.series.run = run;
    j.series.n = j.n_channels;
    j.series.each = (size_t)j.p->count;
    j.series.steps = j.r.steps;
    j.series.begin = begin;
    j.series.ctx = &j;
    st = luc_series_run(&j.series, err);
    if (!st)
        st = luc_series_sheet(&j.series, j.series.n > 1 && j.series.each > 1 ? j.series.each : 0,
                              &image, err);
    if (!st)
        st = luc_result_picture(run->result, "picture", &image, err);
    luc_image_done(&image);
    return st ? st : report(&j, err);
}

const struct luc_method luc_method_visualize = {
    .name = "visualize",
    .title = "Feature visualization",
    .summary =
        "A picture made from nothing so that a class, a channel, a neuron or a layer answers.",
    .paper = "Simonyan et al. 2013, arXiv:1312.6034; Yosinski et al. 2015, arXiv:1506.06579; "
             "Olah et al. 2017, doi:10.23915/distill.00007",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 0,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_visualize,
};
