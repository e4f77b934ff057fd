/* texture: more of a sample's texture, as large as wanted.
 *
 *   gram      minimise mean_l w_l sum (G_l - G0_l)^2 / sum G0_l^2, G the Gram matrices of the layers'
 *             features: a picture made from noise whose filters answer together as the sample's do
 *   nearest   no network: each pixel is that of the sample whose surroundings are most alike
 *
 * Input:  one picture, the sample.
 * Output: picture `picture`: the texture, or with `compare` the sample, gram's and nearest's side by
 *         side; gram: table `layers` with the last loss of each.
 * Cost:   gram: `steps` forward and backward passes. nearest: at each of `levels` sizes pixels made
 *         times pixels of the sample times neighbourhood, of which it does a fraction.
 * Errors: LUC_NOT_FOUND a layer; LUC_INVALID lists that do not fit, L-BFGS with shifts;
 *         LUC_NOMEM.
 * Source: gram: Gatys, Ecker & Bethge, "Texture Synthesis Using Convolutional Neural Networks", 2015,
 *         arXiv:1505.07376. Differs: losses relative to their targets; shifts that wrap around, which
 *         make the picture tile. nearest: Wei & Levoy, SIGGRAPH 2000 (core/generate/nearest.h).
 *
 * Tried with pebbles, moss and a painting on three networks. A spectrum whose largest waves are
 * free drifts to black and white patches, one that starts from full noise keeps it as pepper;
 * hence COARSEST and START. The first steps' borders stay as seams, sharp with ResNet-50, whatever
 * comes later (a rate that falls at the end does not help): hence WARM. SqueezeNet's last
 * stage, its classes, blurs stones to a paste; without it they are as round as VGG-19's: hence
 * DEEPEST. ResNet-50's have less contrast. Pixels (Adam, L-BFGS) leave a weave; 0.02 in 200 steps
 * is fainter.
 */
#include "core/ask/stages.h"
#include "core/generate/canvas.h"
#include "core/generate/colour.h"
#include "core/generate/nearest.h"
#include "core/generate/series.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <string.h>

#define LEVELS_MAX  6
#define AUTO_LAYERS 4
#define DEEPEST     0.82 /* of the convolutions: res4f, fire7; what follows names objects */
#define START       0.1  /* noise at the start, of the sample's own deviation */
#define WARM        10   /* steps; a whole first one leaves its view's border in the picture */
#define COARSEST    4    /* parts of the sample's side that the largest free waves have */
#define GAP         8    /* pixels between pictures that are compared */

enum method { BY_GRAM, BY_NEAREST };
enum optimiser { BY_ADAM, BY_LBFGS };

struct params {
    char layers[LUC_TEXT_MAX];
    struct luc_reals layer_weights;
    int64_t method, compare, size, sample_size, steps, optimiser, parametrisation, tile;
    struct luc_auto_int jitter;
    int64_t neighbourhood, levels;
    double rate, tv;
};

static const char *const method_names[] = { "gram", "nearest", NULL };
static const char *const optimiser_names[] = { "adam", "lbfgs", NULL };
static const char *const paint_names[] = { "pixel", "fourier", NULL };

static const struct luc_param rows[] = {
    LUC_INT(struct params, size, 384, 32, 2048, "px", "Side of the texture that is made"),
    LUC_INT(struct params, sample_size, 256, 16, 1024, "px",
            "Long side that the sample is taken at: its grain against the texture's"),
    LUC_CHOICE(struct params, method, BY_GRAM, 2, method_names,
               "By a network's Gram matrices, or pixel by pixel from the nearest neighbourhoods"),
    LUC_BOOL(struct params, compare, 0, "Make both and show them beside the sample"),
    LUC_BOOL(struct params, tile, 1, "Make it continue over its borders, so that it tiles"),
    LUC_INT(struct params, steps, 100, 1, 10000, "", "Gram: steps"),
    LUC_TEXT(struct params, layers, "auto",
             "Gram: layers, separated by commas; auto: the last of each size but the deepest, at "
             "most four"),
    LUC_REALS(struct params, layer_weights, "", 0, 1e6, "",
              "Gram: one weight for each layer; empty: all alike"),
    LUC_CHOICE(struct params, optimiser, BY_ADAM, 2, optimiser_names, "Gram: how steps are taken"),
    LUC_CHOICE(struct params, parametrisation, LUC_FOURIER, 2, paint_names,
               "Gram: what is optimised, pixels or a spectrum of decorrelated colours"),
    LUC_REAL(struct params, rate, 0, 0, 1000, "",
             "Gram: length of a step; 0: 0.05 on a spectrum, 3 on pixels, 1 lbfgs"),
    LUC_AUTO_INT(
        struct params, jitter, -1, 0, 1024, "px",
        "Gram: shifts of each step; auto: half the size where it is to tile, else 8; lbfgs: 0"),
    LUC_REAL(struct params, tv, 0, 0, 1e6, "", "Gram: weight of the total variation"),
    LUC_INT(struct params, neighbourhood, 7, 3, 15, "px", "Nearest: side of the surroundings, odd"),
    LUC_INT(struct params, levels, 4, 1, LEVELS_MAX, "", "Nearest: sizes, each half the next"),
    LUC_PARAM_END,
};

struct job {
    struct luc_run *run;
    const struct params *p;
    const struct luc_image *upload;
    struct luc_canvas sample;
    struct luc_layer_list layers;
    struct luc_loss losses[LUC_LIST_MAX];
    struct luc_series series;
    struct luc_canvas made[LEVELS_MAX]; /* nearest: coarse to fine, the last is the answer */
    uint32_t *source[LEVELS_MAX];       /* and where their pixels came from */
    size_t n_pictures, done;            /* to make in all; made */
};

/* ---- by Gram matrices ---- */

static enum luc_status read_layers(struct job *j, struct luc_error *err)
{
    const struct luc_reals *weights = &j->p->layer_weights;
    const bool usual = strcmp(j->p->layers, "auto") == 0;
    const enum luc_status st =
        usual ? luc_stages_find(j->run, "layers", DEEPEST, &j->layers, err)
              : luc_stages_read(j->run, "layers", j->p->layers, &j->layers, err);
    double sum = 0;
    if (st)
        return st;
    if (usual && j->layers.n > AUTO_LAYERS)
        j->layers.n = AUTO_LAYERS;
    if (weights->n && weights->n != j->layers.n)
        return luc_fail_param(err, LUC_INVALID, "layer_weights",
                              "layer_weights: %zu weights for %zu layers", weights->n, j->layers.n);
    for (size_t i = 0; i < j->layers.n; i++)
        sum += j->layers.weight[i] = weights->n ? weights->v[i] : 1;
    for (size_t i = 0; i < j->layers.n && sum > 0; i++)
        j->layers.weight[i] /= sum;
    return LUC_OK;
}

/* The sample's mean colour with a little noise: a spectrum moves too slowly at high frequencies to
 * take much of it back. */
static void set_start(struct job *j, struct luc_paint *paint, float *scratch, struct luc_rng *rng)
{
    const size_t pixels = paint->height * paint->width;
    struct luc_colour_stats colours;
    luc_colour_measure(j->sample.data, luc_canvas_pixels(&j->sample), &colours);
    for (size_t i = 0; i < 3 * pixels; i++)
        scratch[i] = (float)luc_rng_normal(rng);
    luc_colour_move(scratch, pixels, &colours);
    for (size_t i = 0; i < 3 * pixels; i++)
        scratch[i] = (float)(colours.mean[i / pixels] +
                             START * ((double)scratch[i] - colours.mean[i / pixels]));
    luc_paint_set(paint, scratch);
}

static enum luc_status make_losses(struct job *j, struct luc_error *err)
{
    struct luc_arena *arena = j->run->arena;
    struct luc_exec *x = NULL;
    enum luc_status st =
        luc_features(j->run->model, j->run->threads, j->sample.data, j->sample.height,
                     j->sample.width, j->layers.value, j->layers.n, arena, &x, err);
    for (size_t i = 0; !st && i < j->layers.n; i++)
        st = luc_loss_gram(&j->losses[i], j->layers.value[i], j->layers.weight[i], j->run->threads,
                           luc_exec_value(x, j->layers.value[i]), arena, err);
    return st;
}

static double rate_of(const struct params *p)
{
    if (p->rate > 0)
        return p->rate;
    return p->optimiser == BY_LBFGS ? 1 : p->parametrisation == LUC_FOURIER ? 0.05 : 3;
}

static size_t jitter_of(const struct params *p)
{
    if (p->jitter.given)
        return (size_t)p->jitter.v;
    return p->optimiser == BY_LBFGS ? 0 : p->tile ? (size_t)p->size / 2 : 8;
}

static enum luc_status begin(void *ctx, size_t turn, struct luc_rng rng, struct luc_paint *paint,
                             struct luc_loop **loop, struct luc_error *err)
{
    struct job *j = ctx;
    const struct params *p = j->p;
    const size_t side = (size_t)p->size;
    struct luc_arena *arena = j->run->arena;
    const struct luc_paint_spec kind = { .kind = (enum luc_paint_kind)p->parametrisation,
                                         .height = side,
                                         .width = side,
                                         .coarsest = (double)p->sample_size / COARSEST };
    (void)turn;
    float *scratch = luc_arena_raw(arena, 3 * side * side, sizeof(float));
    if (!scratch)
        return luc_fail_nomem(err, "picture", 3 * side * side * sizeof(float));
    enum luc_status st = make_losses(j, err);
    if (!st)
        st = luc_paint_init(paint, &kind, arena, err);
    if (st)
        return st;
    if (!luc_run_is_dry(j->run))
        set_start(j, paint, scratch, &rng);
    const struct luc_loop_spec spec = {
        .model = j->run->model,
        .threads = j->run->threads,
        .paint = paint,
        .losses = j->losses,
        .n_losses = j->layers.n,
        .optimiser = { .kind = p->optimiser == BY_LBFGS ? LUC_LBFGS_SEARCH : LUC_ADAM,
                       .rate = rate_of(p),
                       .warm = WARM },
        .regular = { .tv = p->tv },
        .views = { .jitter = jitter_of(p), .border = LUC_BORDER_WRAP },
        .rng = rng,
    };
    return luc_loop_create(&spec, arena, loop, err);
}

static enum luc_status report_layers(struct job *j, struct luc_error *err)
{
    static const char *const columns[] = { "layer", "loss" };
    struct luc_table *table = NULL;
    const enum luc_status st =
        luc_result_table(j->run->result, "layers", columns, 2, j->layers.n, &table, err);
    for (size_t i = 0; !st && i < j->layers.n; i++) {
        table->cells[2 * i].text = luc_arena_strdup(
            j->run->result->arena, luc_layer_name(j->run->model, j->layers.value[i]));
        if (!table->cells[2 * i].text)
            return luc_fail_nomem(err, "layers", LUC_TEXT_MAX);
        table->cells[2 * i + 1].number = j->losses[i].latest;
    }
    return st;
}

static enum luc_status make_gram(struct job *j, struct luc_image *image, struct luc_error *err)
{
    if (j->p->optimiser == BY_LBFGS && jitter_of(j->p) > 0)
        return luc_fail_param(
            err, LUC_INVALID, "jitter",
            "jitter: needs optimiser adam: a line search cannot tell a shift from "
            "a better picture");
    enum luc_status st = read_layers(j, err);
    if (st)
        return st;
    j->series = (struct luc_series){ .run = j->run,
                                     .n = 1,
                                     .each = 1,
                                     .height = (size_t)j->p->size,
                                     .width = (size_t)j->p->size,
                                     .steps = (size_t)j->p->steps,
                                     .begin = begin,
                                     .ctx = j,
                                     .before = (double)j->done / (double)j->n_pictures,
                                     .share = 1.0 / (double)j->n_pictures };
    st = luc_series_run(&j->series, err);
    if (!st)
        st = luc_series_sheet(&j->series, 0, image, err);
    if (!st)
        j->done++;
    return st;
}

/* ---- by nearest neighbourhoods ---- */

static size_t halved(size_t side, size_t times)
{
    const size_t n = side >> times;
    return n > 0 ? n : 1;
}

#define MAGIC 0x317473657261656eu /* "nearest" and a version */

/* Of a checkpoint; after it, for each level up to `level`, where its pixels came from. */
struct head {
    uint64_t magic, size, width, height, neighbourhood, levels, level, rows;
    struct luc_rng rng;
};

static struct head make_head(const struct job *j, size_t level, size_t n_rows)
{
    return (struct head){ .magic = MAGIC,
                          .size = (uint64_t)j->p->size,
                          .width = j->sample.width,
                          .height = j->sample.height,
                          .neighbourhood = (uint64_t)j->p->neighbourhood,
                          .levels = (uint64_t)j->p->levels,
                          .level = level,
                          .rows = n_rows,
                          .rng = j->run->rng };
}

/* Best effort: a checkpoint that cannot be made is only a longer way to go again. */
static void save(const struct job *j, size_t level, size_t n_rows)
{
    struct luc_str out = { 0 };
    const struct head head = make_head(j, level, n_rows);
    luc_str_put(&out, &head, sizeof(head));
    for (size_t i = 0; i <= level; i++)
        luc_str_put(&out, j->source[i], luc_canvas_pixels(&j->made[i]) * sizeof(uint32_t));
    if (!out.failed)
        luc_run_save(j->run, out.data, out.len);
    luc_str_done(&out);
}

/* What is left of a checkpoint while levels take theirs; size 0: nothing, begin anew. */
struct resume {
    const unsigned char *at;
    size_t size, level, rows;
};

static struct resume restore(struct job *j)
{
    struct head head;
    size_t size = 0;
    const unsigned char *at = luc_run_checkpoint(j->run, &size);
    if (!at || size < sizeof(head))
        return (struct resume){ 0 };
    memcpy(&head, at, sizeof(head));
    struct head own = make_head(j, (size_t)head.level, (size_t)head.rows);
    own.rng = head.rng;
    if (memcmp(&head, &own, sizeof(head)) != 0 || head.level >= head.levels)
        return (struct resume){ 0 };
    j->run->rng = head.rng;
    return (struct resume){ at + sizeof(head), size - sizeof(head), (size_t)head.level,
                            (size_t)head.rows };
}

/* Whether a level, or its first *n_rows, are there already. */
static bool take_level(struct luc_nearest *n, struct resume *from, size_t level, size_t *n_rows)
{
    const size_t bytes = luc_canvas_pixels(n->to) * sizeof(*n->source);
    if (!from->at || from->size < bytes || level > from->level)
        return false;
    memcpy(n->source, from->at, bytes);
    from->at += bytes;
    from->size -= bytes;
    *n_rows = level < from->level || from->rows > n->to->height ? n->to->height : from->rows;
    return luc_nearest_restore(n);
}

/* Pixels up to row y of a level, each level having four times those of the one before. */
static double part_done(const struct job *j, size_t level, double made, double height)
{
    const double before = (pow(4, (double)level) - 1) / 3;
    const double all = (pow(4, (double)j->p->levels) - 1) / 3;
    return fmin(1, (before + pow(4, (double)level) * made / height) / all);
}

static void preview(struct luc_run *run, const struct luc_canvas *canvas)
{
    struct luc_image image = { 0 };
    if (luc_canvas_picture(canvas, &image, NULL) == LUC_OK)
        luc_run_preview(run, &image);
    luc_image_done(&image);
}

static size_t side_at(const struct job *j, size_t level)
{
    return halved((size_t)j->p->size, (size_t)j->p->levels - 1 - level);
}

static enum luc_status make_rows(struct job *j, struct luc_nearest *n, size_t level, size_t from,
                                 struct luc_error *err)
{
    struct luc_run *run = j->run;
    const size_t height = n->to->height;
    size_t before = 0, all = 0;
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < (size_t)j->p->levels; i++) {
        before += i < level ? side_at(j, i) : 0;
        all += side_at(j, i);
    }
    for (size_t y = from; !st && y < luc_run_turns(run, height); y++) {
        const double part = part_done(j, level, (double)(y + 1), (double)height);
        if (!luc_run_is_dry(run))
            luc_nearest_row(n, y);
        if (j->n_pictures == 1) /* with both, the steps are the network's */
            luc_run_report(run, before + y + 1, all, 0);
        if (luc_run_wants_preview(run))
            preview(run, n->to);
        if (luc_run_wants_checkpoint(run))
            save(j, level, y + 1);
        st = luc_run_tick(run, fmin(1, ((double)j->done + part) / (double)j->n_pictures), err);
    }
    return st;
}

static enum luc_status make_level(struct job *j, size_t level, const struct luc_canvas *samples,
                                  struct resume *resume, struct luc_error *err)
{
    static const struct luc_canvas none = { 0 };
    struct luc_run *run = j->run;
    struct luc_nearest n = { .threads = run->threads,
                             .neighbourhood = (size_t)j->p->neighbourhood,
                             .sample = &samples[level],
                             .sample_before = level ? &samples[level - 1] : &none,
                             .to = &j->made[level],
                             .to_before = level ? &j->made[level - 1] : &none,
                             .source = j->source[level] };
    size_t made = 0;
    const bool kept = !luc_run_is_dry(run) && take_level(&n, resume, level, &made);
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    if (kept && made == n.to->height)
        return LUC_OK;
    enum luc_status st = luc_nearest_begin(&n, run->arena, err);
    if (!st && !kept && !luc_run_is_dry(run))
        luc_nearest_scatter(&n, &run->rng);
    if (!st)
        st = make_rows(j, &n, level, made, err);
    luc_arena_release(run->arena, mark);
    return st;
}

static enum luc_status make_nearest(struct job *j, struct luc_image *image, struct luc_error *err)
{
    const size_t levels = (size_t)j->p->levels, side = (size_t)j->p->size;
    const size_t longest = j->sample.width > j->sample.height ? j->sample.width : j->sample.height;
    struct luc_canvas samples[LEVELS_MAX];
    struct resume resume = restore(j);
    enum luc_status st = LUC_OK;
    if (j->p->neighbourhood % 2 == 0)
        return luc_fail_param(err, LUC_INVALID, "neighbourhood", "neighbourhood: must be odd");
    for (size_t i = 0; !st && i < levels; i++) {
        const size_t at = side_at(j, i);
        st = luc_canvas_load(&samples[i], j->upload, halved(longest, levels - 1 - i), j->run->arena,
                             err);
        if (!st)
            st = luc_canvas_create(&j->made[i], at, at, j->run->arena, err);
        j->source[i] = luc_arena_raw(j->run->arena, at * at, sizeof(*j->source[i]));
        if (!st && !j->source[i])
            st = luc_fail_nomem(err, "picture", at * at * sizeof(*j->source[i]));
        if (!st)
            st = make_level(j, i, samples, &resume, err);
    }
    if (!st && !luc_run_is_dry(j->run))
        st = luc_canvas_picture(&j->made[levels - 1], image, err);
    else if (!st)
        st = luc_image_create(side, side, 3, image, err);
    if (!st)
        j->done++;
    return st;
}

/* ---- the whole ---- */

static enum luc_status show(struct job *j, const struct luc_image *made, struct luc_image *image,
                            struct luc_error *err)
{
    const size_t side = (size_t)j->p->size;
    struct luc_image sample = { 0 };
    enum luc_status st = luc_canvas_picture(&j->sample, &sample, err);
    const size_t height = !st && sample.height > side ? sample.height : side;
    if (!st)
        st = luc_image_create(sample.width + 2 * (GAP + side), height, 3, image, err);
    if (!st && !luc_run_is_dry(j->run)) {
        memset(image->data, 255, 3 * image->width * image->height);
        luc_image_paste(image, &sample, 0, 0);
        luc_image_paste(image, &made[BY_GRAM], sample.width + GAP, 0);
        luc_image_paste(image, &made[BY_NEAREST], sample.width + 2 * GAP + side, 0);
    }
    luc_image_done(&sample);
    return st;
}

static enum luc_status run_texture(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct job j = { .run = run, .p = params };
    struct luc_image made[2] = { 0 }, image = { 0 };
    const bool both = j.p->compare != 0;
    j.n_pictures = both ? 2 : 1;
    enum luc_status st = luc_run_image(run, 0, &j.upload, err);
    if (!st)
        st = luc_canvas_load(&j.sample, j.upload, (size_t)j.p->sample_size, run->arena, err);
    /* The quick one first: a checkpoint of the other leaves it to be made again. */
    if (!st && (both || j.p->method == BY_NEAREST))
        st = make_nearest(&j, &made[BY_NEAREST], err);
    if (!st && (both || j.p->method == BY_GRAM))
        st = make_gram(&j, &made[BY_GRAM], err);
    if (!st && both)
        st = show(&j, made, &image, err);
    if (!st)
        st = luc_result_picture(run->result, "picture", both ? &image : &made[j.p->method], err);
    if (!st && j.layers.n)
        st = report_layers(&j, err);
    luc_image_done(&image);
    luc_image_done(&made[BY_GRAM]);
    luc_image_done(&made[BY_NEAREST]);
    return st;
}

const struct luc_method luc_method_texture = {
    .name = "texture",
    .title = "Texture synthesis",
    .summary = "More of a sample's texture, as large as wanted, and tiling.",
    .paper = "Gatys et al. 2015, arXiv:1505.07376; Wei & Levoy 2000, doi:10.1145/344779.345009",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_texture,
};
