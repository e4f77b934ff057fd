/* style: the content of one picture in the style of others.
 *
 *   minimise  content + beta * sum_s w_s mean_l w_l gram_l,s + tv * variation
 *
 * Losses are relative to their targets (core/generate/loss.h), so that one beta serves every
 * network. From coarse to fine: each size starts from the one before.
 *
 * Input:  the content picture, then one or more style pictures.
 * Output: picture `picture`; table `losses` with the last losses of each size.
 * Cost:   `steps` forward and backward passes at each size, with jitter one more forward.
 * Errors: LUC_NOT_FOUND a layer; LUC_INVALID lists whose lengths do not fit; LUC_NOMEM a size too
 *         large for the job's memory.
 * Source: Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR
 *         2016, arXiv:1508.06576; coarse to fine and colour: Gatys et al. 2017, arXiv:1611.07865,
 *         arXiv:1606.05897; Fourier parametrisation: Olah et al., Distill 2017. Differs: relative
 *         losses; jitter of both pictures; a start whose colours are the style's.
 *
 * Tried on ResNet-50 and VGG-19: plain pixels with L-BFGS leave a two-pixel weave on ResNet-50,
 * average pooling a checkerboard; Fourier with jitter and two or three sizes removes both.
 */
#include "core/generate/canvas.h"
#include "core/generate/colour.h"
#include "core/generate/loop.h"
#include "core/methods/method.h"

#include <math.h>
#include <string.h>

#define LAYERS_MAX LUC_LIST_MAX
#define STYLES_MAX 8
#define SIZES_MAX  4
#define N_COLUMNS  5

enum start { START_MOVED, START_CONTENT, START_NOISE };
enum keep { KEEP_NONE, KEEP_LUMINANCE, KEEP_HISTOGRAM };

struct params {
    char style_layers[LUC_TEXT_MAX], content_layer[LUC_TEXT_MAX];
    struct luc_reals layer_weights, style_weights;
    struct luc_ints sizes, steps;
    double beta, tv, rate, style_scale;
    int64_t size, init, parametrisation, optimiser, jitter, preserve_color;
};

static const char *const start_names[] = { "color-moved", "content", "noise", NULL };
static const char *const paint_names[] = { "auto", "pixel", "fourier", NULL };
static const char *const optimiser_names[] = { "auto", "adam", "lbfgs", NULL };
static const char *const keep_names[] = { "none", "luminance", "histogram", NULL };

static const struct luc_param rows[] = {
    LUC_INT(struct params, size, 512, 64, 4096, "px", "Long side of the picture that is made"),
    LUC_REAL(struct params, beta, 0, 0, 1e6, "",
             "Weight of the style against the content; 0: the network's recipe (20 or 30)"),
    LUC_CHOICE(struct params, preserve_color, KEEP_NONE, 3, keep_names,
               "Keep the content's colours: its hues under the new luminance, or the style's "
               "colours moved to the content's first"),
    LUC_REAL(struct params, style_scale, 1.0, 0.1, 4.0, "",
             "Long side of the style pictures against the content's: smaller gives finer strokes"),
    LUC_REALS(struct params, style_weights, "", 0, 1e6, "",
              "One weight for each style picture; empty: all alike"),
    LUC_CHOICE(struct params, init, START_MOVED, 3, start_names,
               "What to start from: the content with the style's colours, the content, or noise"),
    LUC_INTS(struct params, sizes, "", 32, 4096, "px",
             "Long sides, coarse to fine; empty: from a quarter of size upwards"),
    LUC_INTS(struct params, steps, "", 1, 10000, "",
             "Steps at each size, or one number for all; empty: the network's recipe"),
    LUC_TEXT(struct params, style_layers, "auto",
             "Layers whose Gram matrices make the style, separated by commas"),
    LUC_REALS(struct params, layer_weights, "", 0, 1e6, "",
              "One weight for each style layer; empty: all alike"),
    LUC_TEXT(struct params, content_layer, "auto", "Layer whose features make the content"),
    LUC_CHOICE(struct params, parametrisation, 0, 3, paint_names,
               "What is optimised: pixels, or a spectrum of decorrelated colours"),
    LUC_CHOICE(struct params, optimiser, 0, 3, optimiser_names, "How steps are taken"),
    LUC_REAL(struct params, rate, 0, 0, 1000, "",
             "Learning rate; 0: 0.05 fourier, 3 pixel, 1 lbfgs"),
    LUC_INT(struct params, jitter, -1, -1, 256, "px",
            "Each step shifts the picture by up to this much; -1: the network's recipe"),
    LUC_REAL(struct params, tv, 0, 0, 1e6, "", "Weight of the total variation: smoother pictures"),
    LUC_PARAM_END,
};

/* What was tried and looked at, by a layer name that tells the family of the network. */
struct recipe {
    const char *probe, *style_layers, *content_layer;
    double beta;
    enum luc_paint_kind paint;
    enum luc_optimiser_kind optimiser;
    size_t jitter, steps;
};

static const struct recipe recipes[] = {
    { "res4f", "conv1,res2c,res3d,res4f", "res4f", 20, LUC_FOURIER, LUC_ADAM, 8, 60 },
    { "relu4_2", "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1", "relu4_2", 30, LUC_PIXEL, LUC_LBFGS, 0,
      100 },
};

/* One run, with everything that was "auto" decided. */
struct style {
    struct luc_run *run;
    const struct params *p;
    const struct luc_image *content;
    struct recipe recipe;
    size_t layers[LAYERS_MAX], n_layers, content_layer, n_styles;
    size_t sizes[SIZES_MAX], steps[SIZES_MAX], n_sizes;
    struct luc_optimiser_spec optimiser;
    double work, done; /* steps times pixels, for the progress */
    struct luc_table *table;
    struct luc_rng size_rng;     /* as it was when the present size began */
    const unsigned char *resume; /* the loop's part of a checkpoint, for the first size that runs */
    size_t resume_size;
};

/* ---- reading the parameters ---- */

static enum luc_status find_recipe(struct style *s, struct luc_error *err)
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

static enum luc_status find_layer(struct style *s, const char *param, const char *name,
                                  size_t *layer, struct luc_error *err)
{
    const enum luc_status st = luc_model_layer(s->run->model, name, layer, err);
    if (st && err && strlen(param) < sizeof(err->param))
        memcpy(err->param, param, strlen(param) + 1);
    return st;
}

static enum luc_status read_layers(struct style *s, struct luc_error *err)
{
    const bool own = strcmp(s->p->style_layers, "auto") != 0;
    const char *at = own ? s->p->style_layers : s->recipe.style_layers;
    enum luc_status st = LUC_OK;
    while (!st && *at) {
        char name[LUC_TEXT_MAX];
        const size_t n = strcspn(at, ",");
        if (s->n_layers == LAYERS_MAX)
            return luc_fail_param(err, LUC_INVALID, "style_layers",
                                  "style_layers: more than %d layers", LAYERS_MAX);
        memcpy(name, at, n);
        name[n] = '\0';
        st = find_layer(s, "style_layers", name, &s->layers[s->n_layers++], err);
        at += n + (at[n] == ',');
    }
    if (!st && s->n_layers == 0)
        st = luc_fail_param(err, LUC_INVALID, "style_layers", "style_layers: no layer is named");
    if (!st && s->p->layer_weights.n && s->p->layer_weights.n != s->n_layers)
        st = luc_fail_param(err, LUC_INVALID, "layer_weights",
                            "layer_weights: %zu weights for %zu layers", s->p->layer_weights.n,
                            s->n_layers);
    const char *content =
        strcmp(s->p->content_layer, "auto") != 0 ? s->p->content_layer : s->recipe.content_layer;
    return st ? st : find_layer(s, "content_layer", content, &s->content_layer, err);
}

static enum luc_status read_sizes(struct style *s, struct luc_error *err)
{
    const struct params *p = s->p;
    const size_t whole = (size_t)p->size;
    if (p->sizes.n > SIZES_MAX)
        return luc_fail_param(err, LUC_INVALID, "sizes", "sizes: more than %d", SIZES_MAX);
    s->n_sizes = p->sizes.n;
    for (size_t i = 0; i < s->n_sizes; i++)
        s->sizes[i] = (size_t)p->sizes.v[i];
    for (size_t part = 4; p->sizes.n == 0 && part > 0; part /= 2) /* a quarter, a half, the whole */
        if (whole / part >= 128 || part == 1)
            s->sizes[s->n_sizes++] = whole / part;
    if (p->steps.n > 1 && p->steps.n != s->n_sizes)
        return luc_fail_param(err, LUC_INVALID, "steps", "steps: %zu numbers for %zu sizes",
                              p->steps.n, s->n_sizes);
    for (size_t i = 0; i < s->n_sizes; i++)
        s->steps[i] = p->steps.n > 1    ? (size_t)p->steps.v[i]
                      : p->steps.n == 1 ? (size_t)p->steps.v[0]
                                        : s->recipe.steps * (s->n_sizes > 2 ? 3 : 5) / 3;
    return LUC_OK;
}

static enum luc_status read_params(struct style *s, struct luc_error *err)
{
    const struct params *p = s->p;
    enum luc_status st = find_recipe(s, err);
    if (!st)
        st = read_layers(s, err);
    if (!st)
        st = read_sizes(s, err);
    if (st)
        return st;
    s->n_styles = s->run->n_images - 1;
    if (p->style_weights.n && p->style_weights.n != s->n_styles)
        return luc_fail_param(err, LUC_INVALID, "style_weights",
                              "style_weights: %zu weights for %zu style pictures",
                              p->style_weights.n, s->n_styles);
    if (p->parametrisation)
        s->recipe.paint = p->parametrisation == 1 ? LUC_PIXEL : LUC_FOURIER;
    if (p->optimiser)
        s->recipe.optimiser = p->optimiser == 1 ? LUC_ADAM : LUC_LBFGS;
    if (p->jitter >= 0)
        s->recipe.jitter = (size_t)p->jitter;
    if (p->beta > 0)
        s->recipe.beta = p->beta;
    const double usual = s->recipe.optimiser == LUC_LBFGS ? 1
                         : s->recipe.paint == LUC_FOURIER ? 0.05
                                                          : 3;
    s->optimiser = (struct luc_optimiser_spec){ .kind = s->recipe.optimiser,
                                                .rate = p->rate > 0 ? p->rate : usual };
    return LUC_OK;
}

/* ---- one size ---- */

static double weight_at(const struct luc_reals *weights, size_t i, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < weights->n; k++)
        sum += weights->v[k];
    if (weights->n == 0 || sum <= 0)
        return 1.0 / (double)n;
    return weights->v[i] / sum;
}

/* The Gram losses of one style picture at this size. */
static enum luc_status add_style(struct style *s, size_t which, size_t side,
                                 const struct luc_colour_stats *keep, struct luc_loss *losses,
                                 struct luc_colour_stats *colours, struct luc_error *err)
{
    struct luc_run *run = s->run;
    struct luc_canvas c;
    struct luc_exec *x = NULL;
    const size_t scaled = (size_t)fmax(16, round((double)side * s->p->style_scale));
    const struct luc_image *upload = NULL;
    enum luc_status st = luc_run_image(run, 1 + which, &upload, err);
    if (!st)
        st = luc_canvas_load(&c, upload, scaled, run->arena, err);
    if (st)
        return st;
    if (s->p->preserve_color == KEEP_HISTOGRAM)
        luc_colour_move(c.data, luc_canvas_pixels(&c), keep);
    luc_colour_measure(c.data, luc_canvas_pixels(&c), colours);
    st = luc_features(run->model, run->threads, c.data, c.height, c.width, s->layers, s->n_layers,
                      run->arena, &x, err);
    for (size_t i = 0; !st && i < s->n_layers; i++) {
        const double weight = s->recipe.beta * weight_at(&s->p->layer_weights, i, s->n_layers) *
                              weight_at(&s->p->style_weights, which, s->n_styles);
        st = luc_loss_gram(&losses[i], s->layers[i], weight, run->threads,
                           luc_exec_value(x, s->layers[i]), run->arena, err);
    }
    return st;
}

/* The start at the coarsest size. */
static void start(struct style *s, const struct luc_canvas *content,
                  const struct luc_colour_stats *colours, struct luc_paint *paint, float *scratch)
{
    const size_t n = luc_canvas_pixels(content);
    if (s->p->init == START_NOISE) {
        luc_paint_noise(paint, s->recipe.paint == LUC_FOURIER ? 0.1 : 0.15, &s->run->rng);
        return;
    }
    memcpy(scratch, content->data, 3 * n * sizeof(float));
    if (s->p->init == START_MOVED)
        luc_colour_move(scratch, n, colours);
    luc_paint_set(paint, scratch);
}

static void report_losses(struct style *s, size_t row, double total, const struct luc_loss *losses,
                          size_t n)
{
    double style = 0;
    for (size_t i = 0; i + 1 < n; i++)
        style += losses[i].weight * losses[i].latest / s->recipe.beta;
    const double cells[N_COLUMNS] = { (double)s->sizes[row], (double)s->steps[row], total,
                                      losses[n - 1].latest, style };
    for (size_t k = 0; k < N_COLUMNS; k++)
        s->table->cells[row * N_COLUMNS + k].number = cells[k];
}

/* ---- checkpoints: where in the sizes, the size before, and the loop's own state ---- */

#define MAGIC 0x31656c797473u /* "style" and a version */

struct head {
    uint64_t magic, row, height, width; /* of the picture before; 0 x 0: none */
    double done, losses[SIZES_MAX][N_COLUMNS];
    struct luc_rng rng;
};

/* Best effort: a checkpoint that cannot be made is only a longer way to go again. */
static void save(const struct style *s, size_t row, const struct luc_canvas *before,
                 const struct luc_loop *loop)
{
    struct luc_str out = { 0 };
    struct head head = { .magic = MAGIC, .row = row, .done = s->done, .rng = s->size_rng };
    head.height = before->data ? before->height : 0;
    head.width = before->data ? before->width : 0;
    for (size_t i = 0; i < row * N_COLUMNS; i++)
        head.losses[i / N_COLUMNS][i % N_COLUMNS] = s->table->cells[i].number;
    luc_str_put(&out, &head, sizeof(head));
    if (before->data)
        luc_str_put(&out, before->data, 3 * luc_canvas_pixels(before) * sizeof(float));
    luc_loop_save(loop, &out);
    if (!out.failed)
        luc_run_save(s->run, out.data, out.len);
    luc_str_done(&out);
}

/* Where to go on: *row, and the picture before it. A checkpoint of another version or of other
 * parameters is left alone; the loop checks its own part. */
static enum luc_status restore(struct style *s, size_t *row, struct luc_canvas *before,
                               struct luc_error *err)
{
    size_t size = 0;
    const unsigned char *bytes = luc_run_checkpoint(s->run, &size);
    struct head head;
    *row = 0;
    if (!bytes || size < sizeof(head))
        return LUC_OK;
    memcpy(&head, bytes, sizeof(head));
    const size_t left = (size - sizeof(head)) / (3 * sizeof(float));
    if (head.magic != MAGIC || head.row >= s->n_sizes ||
        (head.width && head.height > left / head.width) || (head.row == 0) != (head.width == 0))
        return LUC_OK;
    const size_t pixels = (size_t)(head.width * head.height);
    *before = (struct luc_canvas){ NULL, (size_t)head.height, (size_t)head.width };
    if (pixels) {
        before->data = luc_arena_raw(s->run->arena, 3 * pixels, sizeof(float));
        if (!before->data)
            return luc_fail_nomem(err, "picture", 3 * pixels * sizeof(float));
        memcpy(before->data, bytes + sizeof(head), 3 * pixels * sizeof(float));
    }
    *row = (size_t)head.row;
    s->done = head.done;
    s->run->rng = head.rng;
    for (size_t i = 0; i < *row * N_COLUMNS; i++)
        s->table->cells[i].number = head.losses[i / N_COLUMNS][i % N_COLUMNS];
    s->resume = bytes + sizeof(head) + 3 * pixels * sizeof(float);
    s->resume_size = size - sizeof(head) - 3 * pixels * sizeof(float);
    return LUC_OK;
}

static void preview(const struct style *s, struct luc_paint *paint, const struct luc_canvas *shape,
                    float *scratch)
{
    struct luc_canvas now = { scratch, shape->height, shape->width };
    struct luc_image image = { 0 };
    luc_paint_get(paint, scratch);
    if (luc_canvas_picture(&now, &image, NULL) == LUC_OK)
        luc_run_preview(s->run, &image);
    luc_image_done(&image);
}

/* ---- the steps of one size ---- */

struct turn {
    size_t row;
    const struct luc_canvas *before, *content;
    struct luc_paint *paint;
    struct luc_loop *loop;
    float *scratch; /* a picture */
};

static size_t steps_before(const struct style *s, size_t row)
{
    size_t n = 0;
    for (size_t i = 0; i < row; i++)
        n += s->steps[i];
    return n;
}

static enum luc_status iterate(struct style *s, const struct turn *t, double *total,
                               struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    while (!st && luc_loop_steps(t->loop) < s->steps[t->row]) {
        *total = luc_loop_step(t->loop);
        if (!isfinite(*total))
            return luc_fail_param(err, LUC_INVALID, "rate",
                                  "rate: the loss is no longer finite: choose a lower rate");
        s->done += (double)luc_canvas_pixels(t->content);
        luc_run_report(s->run, steps_before(s, t->row) + (size_t)luc_loop_steps(t->loop),
                       steps_before(s, s->n_sizes), *total);
        if (luc_run_wants_preview(s->run))
            preview(s, t->paint, t->content, t->scratch);
        if (luc_run_wants_checkpoint(s->run))
            save(s, t->row, t->before, t->loop);
        st = luc_run_tick(s->run, fmin(1.0, s->done / s->work), err);
    }
    return st;
}

/* Runs one size; *picture holds the size before (data NULL: none) and receives this one. The new
 * picture's memory is taken before `mark`-able scratch, so that it stays. */
static enum luc_status run_size(struct style *s, size_t row, const struct luc_canvas *before,
                                const struct luc_canvas *content, float *out, struct luc_error *err)
{
    struct luc_run *run = s->run;
    struct luc_arena *arena = run->arena;
    const size_t n = luc_canvas_pixels(content), n_losses = s->n_styles * s->n_layers + 1;
    struct luc_loss *losses = luc_arena_alloc(arena, n_losses, sizeof(*losses));
    struct luc_colour_stats own, colours;
    struct luc_paint paint;
    struct luc_loop *loop = NULL;
    struct luc_exec *x = NULL;
    double total = 0;
    if (!losses)
        return luc_fail_nomem(err, "losses", n_losses * sizeof(*losses));
    luc_colour_measure(content->data, n, &own);
    s->size_rng = run->rng;
    enum luc_status st = LUC_OK;
    for (size_t i = s->n_styles; !st && i-- > 0;) /* the first style's colours stay in `colours` */
        st = add_style(s, i, s->sizes[row], &own, losses + i * s->n_layers, &colours, err);
    if (!st)
        st = luc_features(run->model, run->threads, content->data, content->height, content->width,
                          &s->content_layer, 1, arena, &x, err);
    if (!st)
        st = luc_paint_init(&paint,
                            &(struct luc_paint_spec){ .kind = s->recipe.paint,
                                                      .height = content->height,
                                                      .width = content->width },
                            arena, err);
    if (st)
        return st;
    luc_loss_feature(&losses[n_losses - 1], s->content_layer, 1.0,
                     luc_exec_value(x, s->content_layer));
    if (before->data) {
        struct luc_canvas larger = { out, content->height, content->width };
        st = luc_canvas_enlarge(before, &larger, err);
        luc_paint_set(&paint, out);
    } else {
        start(s, content, &colours, &paint, out);
    }
    const struct luc_loop_spec spec = { .model = run->model,
                                        .threads = run->threads,
                                        .paint = &paint,
                                        .losses = losses,
                                        .n_losses = n_losses,
                                        .optimiser = s->optimiser,
                                        .regular = { .tv = s->p->tv },
                                        .views = { .jitter = s->recipe.jitter },
                                        .reference = s->recipe.jitter ? content->data : NULL,
                                        .rng = run->rng };
    if (!st)
        st = luc_loop_create(&spec, arena, &loop, err);
    if (!st && s->resume) { /* a part that does not fit is left alone: this size starts anew */
        const enum luc_status fits = luc_loop_restore(loop, s->resume, s->resume_size, NULL);
        (void)fits;
        s->resume = NULL;
    }
    const struct turn turn = { row, before, content, &paint, loop, out };
    if (!st)
        st = iterate(s, &turn, &total, err);
    if (st)
        return st;
    luc_paint_get(&paint, out);
    report_losses(s, row, total, losses, n_losses);
    return LUC_OK;
}

/* ---- the whole ---- */

static enum luc_status run_sizes(struct style *s, struct luc_canvas *picture, struct luc_error *err)
{
    struct luc_run *run = s->run;
    size_t first = 0;
    enum luc_status st = restore(s, &first, picture, err);
    for (size_t i = first; !st && i < s->n_sizes; i++) {
        struct luc_canvas content, next;
        st = luc_canvas_load(&content, s->content, s->sizes[i], run->arena, err);
        if (st)
            return st;
        st = luc_canvas_create(&next, content.height, content.width, run->arena, err);
        if (st)
            return st;
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        st = run_size(s, i, picture, &content, next.data, err);
        luc_arena_release(run->arena, mark);
        if (!st && i + 1 == s->n_sizes && s->p->preserve_color == KEEP_LUMINANCE)
            luc_colour_keep_luminance(next.data, content.data, luc_canvas_pixels(&content));
        *picture = next;
    }
    return st;
}

static enum luc_status run_style(struct luc_run *run, const void *params, struct luc_error *err)
{
    static const char *const columns[] = { "size", "steps", "total", "content", "style" };
    struct style s = { .run = run, .p = params };
    struct luc_canvas picture = { 0 };
    struct luc_image image = { 0 };
    enum luc_status st = read_params(&s, err);
    if (!st)
        st = luc_run_image(run, 0, &s.content, err);
    if (!st)
        st = luc_result_table(run->result, "losses", columns, N_COLUMNS, s.n_sizes, &s.table, err);
    if (st)
        return st;
    const double aspect = (double)s.content->width / (double)s.content->height;
    for (size_t i = 0; i < s.n_sizes; i++)
        s.work += (double)s.steps[i] * (double)s.sizes[i] * (double)s.sizes[i] *
                  (aspect > 1 ? 1 / aspect : aspect);
    st = run_sizes(&s, &picture, err);
    if (!st)
        st = luc_canvas_picture(&picture, &image, err);
    if (!st)
        st = luc_result_picture(run->result, "picture", &image, err);
    luc_image_done(&image);
    return st;
}

const struct luc_method luc_method_style = {
    .name = "style",
    .title = "Style transfer",
    .summary = "The content of one picture painted in the style of others.",
    .paper = "Gatys et al. 2016, arXiv:1508.06576",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 2,
    .images_max = 1 + STYLES_MAX,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_style,
};
