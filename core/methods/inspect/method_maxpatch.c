/* maxpatch: the parts of many pictures that excite a channel most, one row of patches per channel.
 *
 *   for each channel k: the `top` largest A_k[i, j] over all pictures, at most `per_image` of each
 *
 * With channels=top:N the N most selective ones are shown. With m[p] the channel's largest answer to
 * picture p, and T the `top` pictures (at most a quarter of all) where it is largest,
 *
 *   selectivity = (mean of m over T - mean of m over all) / standard deviation of m over all
 *
 * which no scaling or shift of the channel changes, and which a channel that answers to a few alike
 * pictures has more of than one that answers to everything, or to a single odd picture. A channel
 * that answers all pictures alike has none; of equals the stronger one comes first.
 *
 * Input:  one or more pictures, or a collection.
 * Output: picture `sheet`, a row per channel, strongest first; table `channels` with the selectivity
 *         and what it is made of; table `patches` with each one's picture, activation and place in
 *         upload pixels. A patch is the unit's receptive field, cut from the upload at its full
 *         resolution; what lies outside of what the network saw is gray. with=guided draws guided
 *         backpropagation from that very unit in the same place, both draws it before the patches.
 * Cost:   one forward pass per picture that was not looked at before (core/survey/survey.h), with
 *         guided one more per picture shown and one backward pass per patch.
 * Errors: LUC_NOT_FOUND the layer; LUC_RANGE a channel; LUC_SHAPE a layer without channels.
 * Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
 *         arXiv:1311.2901, section 4; Springenberg et al., "Striving for Simplicity: The All
 *         Convolutional Net", 2014, arXiv:1412.6806, figure 4 (guided). The ranking is our own.
 */
#include "core/show/show.h"
#include "core/survey/patch.h"
#include "core/survey/survey.h"
#include "core/tensor/sheet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOP_MAX    64
#define IMAGES_MAX 100000
#define PREVIEWED  4 /* channels */

enum with { WITH_PATCH, WITH_GUIDED, WITH_BOTH };

struct params {
    char layer[LUC_TEXT_MAX], channels[LUC_TEXT_MAX];
    int64_t top, per_image, with, tile;
};

static const char *const with_names[] = { "patch", "guided", "both", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layer, "last_conv", "Layer whose channels are shown"),
    LUC_TEXT(
        struct params, channels, "top:8",
        "Channels to show: their numbers, separated by commas, or top:N, the N most selective"),
    LUC_INT(struct params, top, 9, 1, TOP_MAX, "", "Patches per channel"),
    LUC_INT(struct params, per_image, 1, 1, TOP_MAX, "", "Patches of one picture in a row at most"),
    LUC_CHOICE(struct params, with, WITH_PATCH, 3, with_names,
               "What is shown: the patch, guided backpropagation from that unit, or both"),
    LUC_INT(struct params, tile, 96, 16, 256, "px", "Side of a drawn patch"),
    LUC_PARAM_END,
};

struct hit {
    float activation;
    size_t image, row, column;
    struct luc_patch patch;
};

/* A channel's answers to all pictures. */
struct tally {
    double mean, squares; /* running: squares is the sum of squared deviations */
    size_t n_hits;
};

struct search {
    struct luc_run *run;
    const struct params *p;
    struct luc_survey survey;
    size_t top;            /* patches per channel */
    size_t n_best;         /* pictures of T */
    struct hit *hits;      /* [n_channels][top], strongest first */
    float *best;           /* [n_channels][n_best], largest answers of different pictures */
    struct tally *tallies; /* [n_channels] */
    size_t n_seen;
    size_t named[TOP_MAX], n_named, n_shown; /* as asked; n_named 0: the n_shown most selective */
    size_t shown[TOP_MAX];
};

/* ---- the channels that are asked for --------------------------------------------------------- */

static enum luc_status bad_channels(const char *text, struct luc_error *err)
{
    return luc_fail_param(err, LUC_INVALID, "channels",
                          "channels: '%.60s' is neither numbers with commas between them, at most "
                          "%d, nor top:N",
                          text, TOP_MAX);
}

/* Digits at *at, and moves past them. */
static bool read_number(const char **at, size_t *number)
{
    char *end = NULL;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    const unsigned long long v = strtoull(*at, &end, 10);
    *number = errno || v > SIZE_MAX ? SIZE_MAX : (size_t)v;
    *at = end;
    return true;
}

static enum luc_status read_channels(struct search *s, struct luc_error *err)
{
    const char *text = s->p->channels, *at = text;
    const size_t n_channels = s->survey.n_channels;
    if (strncmp(text, "top:", 4) == 0) {
        at += 4;
        if (!read_number(&at, &s->n_shown) || *at)
            return bad_channels(text, err);
        if (s->n_shown < 1 || s->n_shown > TOP_MAX)
            return luc_fail_param(err, LUC_RANGE, "channels", "channels: top:N with N from 1 to %d",
                                  TOP_MAX);
        s->n_shown = s->n_shown < n_channels ? s->n_shown : n_channels;
        return LUC_OK;
    }
    for (;; at++) {
        size_t k = 0;
        if (s->n_named == TOP_MAX || !read_number(&at, &k) || (*at && *at != ','))
            return bad_channels(text, err);
        if (k >= n_channels)
            return luc_fail_param(err, LUC_RANGE, "channels",
                                  "channels: %zu, but the layer has %zu channels", k, n_channels);
        s->named[s->n_named++] = k;
        if (!*at)
            break;
    }
    s->n_shown = s->n_named;
    return LUC_OK;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* Keeps `list` sorted and no longer than `max`; of equals the first stays in front. */
static void insert_hit(struct hit *list, size_t *n, size_t max, const struct hit *h)
{
    size_t at = *n;
    while (at > 0 && h->activation > list[at - 1].activation)
        at--;
    if (at >= max)
        return;
    const size_t end = *n < max ? *n : max - 1;
    memmove(list + at + 1, list + at, (end - at) * sizeof(*list));
    list[at] = *h;
    *n = end + 1;
}

/* The same for the largest answers; n of them are there. */
static void insert_best(float *list, size_t n, size_t max, float v)
{
    size_t at = n;
    while (at > 0 && v > list[at - 1])
        at--;
    if (at >= max)
        return;
    const size_t end = n < max ? n : max - 1;
    memmove(list + at + 1, list + at, (end - at) * sizeof(*list));
    list[at] = v;
}

static enum luc_status prepare(struct search *s, struct luc_error *err)
{
    struct luc_run *run = s->run;
    const size_t n = s->survey.n_channels, quarter = (run->n_images + 3) / 4;
    const size_t most = run->n_images * (size_t)s->p->per_image;
    s->top = (size_t)s->p->top < most ? (size_t)s->p->top : most; /* no empty columns */
    s->n_best = (size_t)s->p->top < quarter ? (size_t)s->p->top : quarter;
    s->hits = luc_arena_alloc(run->arena, n * s->top, sizeof(*s->hits));
    s->best = luc_arena_alloc(run->arena, n * s->n_best, sizeof(*s->best));
    s->tallies = luc_arena_alloc(run->arena, n, sizeof(*s->tallies));
    return s->hits && s->best && s->tallies
               ? LUC_OK
               : luc_fail_nomem(err, "patches", n * s->top * sizeof(*s->hits));
}

static void tally(struct search *s, size_t k, float strongest)
{
    struct tally *t = &s->tallies[k];
    const double off = (double)strongest - t->mean;
    t->mean += off / (double)(s->n_seen + 1);
    t->squares += off * ((double)strongest - t->mean);
    insert_best(s->best + k * s->n_best, s->n_seen < s->n_best ? s->n_seen : s->n_best, s->n_best,
                strongest);
}

static double selectivity(const struct search *s, size_t k)
{
    const struct tally *t = &s->tallies[k];
    const double spread = sqrt(t->squares / (double)s->n_seen);
    double sum = 0;
    for (size_t i = 0; i < s->n_best; i++)
        sum += (double)s->best[k * s->n_best + i];
    return spread > 0 ? (sum / (double)s->n_best - t->mean) / spread : 0;
}

/* The channels to show into s->shown. */
static void choose(struct search *s)
{
    double score[TOP_MAX];
    size_t have = 0;
    memcpy(s->shown, s->named, sizeof(s->shown));
    for (size_t k = 0; s->n_named == 0 && k < s->survey.n_channels; k++) {
        const double mine = selectivity(s, k), peak = (double)s->best[k * s->n_best];
        size_t at = have;
        while (at > 0 &&
               (mine > score[at - 1] ||
                (mine >= score[at - 1] && peak > (double)s->best[s->shown[at - 1] * s->n_best])))
            at--;
        if (at >= s->n_shown)
            continue;
        have = have < s->n_shown ? have + 1 : have;
        memmove(s->shown + at + 1, s->shown + at, (have - at - 1) * sizeof(*s->shown));
        memmove(score + at + 1, score + at, (have - at - 1) * sizeof(*score));
        s->shown[at] = k;
        score[at] = mine;
    }
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* A place in the sheet, to be drawn in the order of the pictures, so that each is decoded once. */
struct place {
    const struct hit *hit;
    size_t channel, tile; /* of the patch */
};

static int by_image(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;
    return a->hit->image != b->hit->image ? (a->hit->image < b->hit->image ? -1 : 1)
                                          : (a->tile > b->tile) - (a->tile < b->tile);
}

/* The network, kept for one picture after the other. */
struct guide {
    struct luc_exec *exec;
    struct luc_shape shape;
    struct luc_arena_mark mark;
    size_t image; /* that went through it last */
};

static enum luc_status guide_to(struct search *s, struct guide *g, size_t image,
                                struct luc_error *err)
{
    struct luc_run *run = s->run;
    const struct luc_ask ask = { .taps = &s->survey.layer,
                                 .seeds = &s->survey.layer,
                                 .wrt = &run->model->input,
                                 .n_taps = 1,
                                 .n_seeds = 1,
                                 .n_wrt = 1,
                                 .backward_again = true };
    struct luc_frame frame;
    struct luc_tensor input;
    if (g->exec && g->image == image)
        return LUC_OK;
    luc_arena_release(run->arena, g->mark);
    enum luc_status st = luc_run_input(run, image, &frame, &input, err);
    if (!st)
        st = luc_run_forward(run, &input, &ask, &g->exec, err);
    g->image = image;
    return st;
}

/* Guided backpropagation from one unit, drawn where its patch is. */
static enum luc_status draw_guided(struct search *s, struct guide *g, const struct place *p,
                                   struct luc_image *tile, struct luc_error *err)
{
    const struct hit *h = p->hit;
    struct luc_image colours = { 0 };
    enum luc_status st = guide_to(s, g, h->image, err);
    if (st)
        return st;
    struct luc_tensor *seed = luc_exec_seed(g->exec, s->survey.layer);
    const size_t width = seed->shape.rank == 4 ? seed->shape.dim[3] : 1;
    const size_t plane = luc_numel(&seed->shape) / s->survey.n_channels;
    if (!luc_run_is_dry(s->run)) {
        memset(seed->data, 0, luc_numel(&seed->shape) * sizeof(float));
        seed->data[p->channel * plane + h->row * width + h->column] = 1;
    }
    luc_exec_backward(g->exec, LUC_RELU_GUIDED);
    st = luc_gradient_picture(s->run, luc_exec_grad(g->exec, s->run->model->input), &h->patch.in,
                              &colours, err);
    if (!st)
        st = luc_patch_draw(&h->patch, &colours, &h->patch.in, (size_t)s->p->tile, tile, err);
    luc_image_done(&colours);
    return st;
}

static enum luc_status draw_place(struct search *s, struct guide *g, const struct place *p,
                                  enum with with, struct luc_sheet *sheet, struct luc_error *err)
{
    const struct luc_image *upload = NULL;
    struct luc_image patch = { 0 }, guided = { 0 };
    enum luc_status st = luc_run_image(s->run, p->hit->image, &upload, err);
    if (!st && with != WITH_PATCH)
        st = draw_guided(s, g, p, &guided, err);
    if (!st && with != WITH_GUIDED)
        st = luc_patch_draw(&p->hit->patch, upload, &p->hit->patch.seen, (size_t)s->p->tile, &patch,
                            err);
    if (!st && guided.data)
        luc_sheet_put(sheet, p->tile, guided.data);
    if (!st && patch.data)
        luc_sheet_put(sheet, p->tile + (with == WITH_BOTH ? s->top : 0), patch.data);
    luc_image_done(&patch);
    luc_image_done(&guided);
    return st;
}

/* The first n_rows channels shown; progress goes from `from` to 1, or nowhere when it is 1. */
static enum luc_status draw(struct search *s, size_t n_rows, enum with with, double from,
                            struct luc_image *picture, struct luc_error *err)
{
    struct luc_run *run = s->run;
    const size_t tile = (size_t)s->p->tile, columns = s->top * (with == WITH_BOTH ? 2 : 1);
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    struct place *places = luc_arena_alloc(run->arena, n_rows * s->top, sizeof(*places));
    struct luc_sheet sheet = { 0 };
    struct guide guide = { .mark = luc_arena_mark(run->arena) };
    size_t n = 0;
    if (!places)
        return luc_fail_nomem(err, "patches", n_rows * s->top * sizeof(*places));
    for (size_t i = 0; i < n_rows; i++)
        for (size_t r = 0; r < s->tallies[s->shown[i]].n_hits; r++)
            places[n++] =
                (struct place){ &s->hits[s->shown[i] * s->top + r], s->shown[i], i * columns + r };
    qsort(places, n, sizeof(*places), by_image);
    enum luc_status st = luc_sheet_create(tile, tile, n_rows * columns, columns, 1, &sheet, err);
    for (size_t i = 0; i < luc_run_turns(run, n) && !st; i++) {
        st = draw_place(s, &guide, &places[i], with, &sheet, err);
        if (i + 1 == n || places[i + 1].hit->image != places[i].hit->image)
            luc_run_drop(run, places[i].hit->image);
        if (!st && from < 1)
            st = luc_run_tick(run, from + (1 - from) * (double)(i + 1) / (double)n, err);
    }
    luc_arena_release(run->arena, mark);
    if (st)
        luc_sheet_done(&sheet);
    else
        *picture = sheet.image;
    return st;
}

static enum luc_status preview(struct search *s, struct luc_error *err)
{
    struct luc_image picture = { 0 };
    choose(s);
    const size_t n = s->n_shown < PREVIEWED ? s->n_shown : PREVIEWED;
    const enum luc_status st = draw(s, n, WITH_PATCH, 1, &picture, err);
    if (!st)
        luc_run_preview(s->run, &picture);
    luc_image_done(&picture);
    return st;
}

/* One picture of the survey. */
static enum luc_status look(void *ctx, const struct luc_seen *seen, struct luc_error *err)
{
    struct search *s = ctx;
    const size_t per = (size_t)s->p->per_image;
    for (size_t k = 0; k < s->survey.n_channels; k++) {
        const struct luc_peak *peaks = seen->peaks + k * seen->n_peaks;
        struct hit *list = s->hits + k * s->top;
        tally(s, k, peaks[0].value);
        for (size_t i = 0; i < per && i < seen->n_peaks; i++) {
            struct hit h = { .activation = peaks[i].value,
                             .image = seen->image,
                             .row = peaks[i].at / seen->width,
                             .column = peaks[i].at % seen->width };
            const size_t n = s->tallies[k].n_hits;
            if (n == s->top && !(h.activation > list[n - 1].activation))
                break;
            luc_patch_place(seen->field, &seen->frame, h.row, h.column, &h.patch);
            insert_hit(list, &s->tallies[k].n_hits, s->top, &h);
        }
    }
    s->n_seen++;
    return s->n_seen < s->run->n_images && luc_run_wants_preview(s->run) ? preview(s, err) : LUC_OK;
}

/* ---- what was found -------------------------------------------------------------------------- */

static enum luc_status report_channels(const struct search *s, struct luc_error *err)
{
    static const char *const columns[] = { "channel", "selectivity", "mean_of_top", "mean",
                                           "deviation" };
    struct luc_table *t = NULL;
    const enum luc_status st =
        luc_result_table(s->run->result, "channels", columns, 5, s->n_shown, &t, err);
    for (size_t i = 0; i < s->n_shown && !st; i++) {
        const size_t k = s->shown[i];
        const double spread = sqrt(s->tallies[k].squares / (double)s->n_seen);
        const double cells[] = { (double)k, selectivity(s, k),
                                 selectivity(s, k) * spread + s->tallies[k].mean,
                                 s->tallies[k].mean, spread };
        for (size_t c = 0; c < 5; c++)
            t->cells[5 * i + c].number = cells[c];
    }
    return st;
}

static enum luc_status put_text(const struct search *s, const char *text, struct luc_cell *cell,
                                struct luc_error *err)
{
    cell->text = luc_arena_strdup(s->run->result->arena, text);
    return cell->text ? LUC_OK : luc_fail_nomem(err, "result", strlen(text));
}

static enum luc_status report_hit(const struct search *s, const double numbers[8],
                                  const struct hit *h, struct luc_cell *cells,
                                  struct luc_error *err)
{
    const struct luc_about about = luc_run_about(s->run, h->image);
    const char *const texts[] = { about.name, about.label, about.sha256 };
    enum luc_status st = LUC_OK;
    for (size_t c = 0; c < 8; c++)
        cells[c].number = numbers[c];
    for (size_t c = 0; c < 3 && !st; c++)
        st = put_text(s, texts[c], &cells[8 + c], err);
    return st;
}

static enum luc_status report_patches(const struct search *s, struct luc_error *err)
{
    static const char *const columns[] = { "channel", "rank",   "image", "activation", "x",     "y",
                                           "width",   "height", "name",  "label",      "sha256" };
    const size_t n_columns = sizeof(columns) / sizeof(columns[0]);
    struct luc_table *t = NULL;
    size_t n_rows = 0, row = 0;
    for (size_t i = 0; i < s->n_shown; i++)
        n_rows += s->tallies[s->shown[i]].n_hits;
    enum luc_status st =
        luc_result_table(s->run->result, "patches", columns, n_columns, n_rows, &t, err);
    for (size_t i = 0; i < s->n_shown; i++)
        for (size_t r = 0; r < s->tallies[s->shown[i]].n_hits && !st; r++, row++) {
            const struct hit *h = &s->hits[s->shown[i] * s->top + r];
            const struct luc_box *b = &h->patch.seen;
            const double numbers[] = { (double)s->shown[i],
                                       (double)r,
                                       (double)h->image,
                                       (double)h->activation,
                                       b->x,
                                       b->y,
                                       b->width,
                                       b->height };
            st = report_hit(s, numbers, h, &t->cells[row * n_columns], err);
        }
    return st;
}

static enum luc_status report(const struct search *s, struct luc_error *err)
{
    struct luc_result *r = s->run->result;
    enum luc_status st =
        luc_result_text(r, "layer", s->run->model->graph->values[s->survey.layer].name, err);
    if (!st)
        st = luc_result_number(r, "images_computed", (double)s->survey.n_computed, err);
    if (!st)
        st = luc_result_number(r, "images_cached", (double)s->survey.n_kept, err);
    if (!st)
        st = report_channels(s, err);
    return st ? st : report_patches(s, err);
}

static enum luc_status run_maxpatch(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct search s = { .run = run, .p = params };
    const enum with with = (enum with)s.p->with;
    const double looked = with == WITH_PATCH ? 0.95 : 0.6; /* of the progress */
    struct luc_image picture = { 0 };
    enum luc_status st = luc_survey_open(run, s.p->layer, (size_t)s.p->per_image, &s.survey, err);
    if (!st)
        st = read_channels(&s, err);
    if (!st)
        st = prepare(&s, err);
    if (!st)
        st = luc_survey_run(&s.survey, looked, look, &s, err);
    if (st)
        return st;
    choose(&s);
    st = report(&s, err);
    if (!st)
        st = draw(&s, s.n_shown, with, looked, &picture, err);
    if (!st)
        st = luc_result_picture(run->result, "sheet", &picture, err);
    luc_image_done(&picture);
    return st;
}

const struct luc_method luc_method_maxpatch = {
    .name = "maxpatch",
    .title = "Strongest patches",
    .summary = "The parts of many pictures that excite a layer's channels most, one row per "
               "channel, cut from the uploads at each unit's receptive field.",
    .paper = "Zeiler & Fergus 2013, arXiv:1311.2901",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_COLLECTION,
    .images_min = 1,
    .images_max = IMAGES_MAX,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_maxpatch,
};
