/* fast-style: repaints the picture in one pass through a feed-forward style network, or several.
 *
 *   out = (1 - strength) * picture + strength * network(picture), clamped to 0..255
 *
 * Input:  one picture, at its own size.
 * Output: picture `picture`, of the upload's size. With several networks `sheet`, all of them side by
 *         side and small, then `picture_1`, `picture_2`, ...; table `styles` with the network of each.
 * Cost:   one forward pass each; a picture too large for the job's memory goes in tiles, with the
 *         same result (core/graph/tiles.h): a pass over all tiles for each normalisation.
 * Errors: LUC_INVALID a network that does not make pictures; LUC_NOMEM a picture too large even in
 *         tiles; LUC_UNSUPPORTED tiles, and a network that cannot be cut.
 * Source: Johnson, Alahi & Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
 *         Super-Resolution", 2016, arXiv:1603.08155; Chen, Lai & Liu, "CartoonGAN", CVPR 2018.
 */
#include "core/graph/tiles.h"
#include "core/run/method.h"
#include "core/tensor/resize.h"
#include "core/tensor/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STYLES_MAX 8
#define SHEET_SIDE 400               /* pixels, of each picture's longer side in the sheet */
#define SPARE      ((size_t)4 << 20) /* bytes left for everything small */

struct params {
    double strength;
    int64_t tile;
};

static const struct luc_param rows[] = {
    LUC_REAL(struct params, strength, 1.0, 0.0, 1.0, "",
             "How much of the style: 0 is the picture itself, 1 the network's answer"),
    LUC_INT(
        struct params, tile, 0, 0, 8192, "px",
        "Side of the tiles that the picture is worked in, which changes memory and time, not the "
        "answer; 0: the whole picture at once where that fits into memory, else as suits it"),
    LUC_PARAM_END,
};

/* One network's turn of a run. */
struct turn {
    struct luc_run run; /* with this network */
    const struct luc_image *photo;
    const struct params *p;
    size_t index, n;
    size_t tiles;
};
static uint8_t to_byte(float v)
{
    return (uint8_t)lrintf(fminf(fmaxf(v, 0.0f), 255.0f));
}

/* The network's answer [1, 3, h, w] as a picture. */
static enum luc_status to_picture(const struct luc_model *m, const struct luc_tensor *y,
                                  struct luc_image *out, struct luc_error *err)
{
    const struct luc_shape *s = &y->shape;
    if (s->rank != 4 || s->dim[0] != 1 || s->dim[1] != 3)
        return luc_fail_param(err, LUC_INVALID, "model", "model: '%.60s' does not answer pictures",
                              m->name);
    const size_t n = s->dim[2] * s->dim[3];
    const enum luc_status st = luc_image_create(s->dim[3], s->dim[2], 3, out, err);
    for (size_t c = 0; !st && c < 3; c++) {
        const size_t from = m->out.channels == LUC_BGR ? 2 - c : c;
        for (size_t i = 0; i < n; i++)
            out->data[3 * i + c] =
                to_byte(y->data[from * n + i] / m->out.scale[from] + m->out.mean[from]);
    }
    return st;
}

/* Networks that halve and double give sizes rounded to a multiple: back to the upload's own. */
static enum luc_status fit_to(const struct luc_image *photo, struct luc_image *picture,
                              struct luc_error *err)
{
    struct luc_image same = { 0 };
    if (picture->width == photo->width && picture->height == photo->height)
        return LUC_OK;
    const enum luc_status st =
        luc_image_resize(picture, NULL, photo->width, photo->height, LUC_BICUBIC, &same, err);
    if (st)
        return st;
    luc_image_done(picture);
    *picture = same;
    return LUC_OK;
}

static void blend(const struct luc_image *photo, double strength, struct luc_image *picture)
{
    const float a = (float)strength;
    for (size_t i = 0; i < 3 * picture->width * picture->height; i++)
        picture->data[i] =
            to_byte(a * (float)picture->data[i] + (1.0f - a) * (float)photo->data[i]);
}

static double progress(const struct turn *t, double done)
{
    return fmin(1.0, ((double)t->index + done) / (double)t->n);
}

static enum luc_status tick(void *ctx, double done, struct luc_error *err)
{
    struct turn *t = ctx;
    return luc_run_tick(&t->run, progress(t, done), err);
}

/* Bytes that the network may take: the upload, its file, and the pictures made want memory too. */
static size_t left(const struct turn *t)
{
    const struct luc_arena *arena = t->run.arena;
    const size_t pictures = (t->n + 3) * 3 * t->photo->width * t->photo->height;
    const size_t used = luc_arena_used(arena) + pictures + SPARE, limit = luc_arena_limit(arena);
    return used < limit ? limit - used : 0;
}

/* Of the sizes that fit, the one with the least work; small ones only where nothing else does. */
static enum luc_status plan_tiles(struct turn *t, struct luc_tiles_spec spec,
                                  struct luc_tiles **tiles, struct luc_tiles_info *info,
                                  struct luc_error *err)
{
    static const size_t sides[] = { 1024, 512, 256, 128, 64 };
    enum luc_status st = LUC_NOMEM;
    *tiles = NULL;
    if (t->p->tile > 0) {
        spec.tile = (size_t)t->p->tile;
        return luc_tiles_create(&spec, t->run.arena, tiles, info, err);
    }
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]) && (i < 3 || !*tiles); i++) {
        struct luc_tiles *other = NULL;
        struct luc_tiles_info about;
        spec.tile = sides[i];
        st = luc_tiles_create(&spec, t->run.arena, &other, &about, err);
        if (st && st != LUC_NOMEM)
            return st;
        if (!st && (!*tiles || about.flops < info->flops)) {
            *tiles = other;
            *info = about;
        }
    }
    return *tiles ? LUC_OK : st;
}

static enum luc_status run_tiles(struct turn *t, const struct luc_tensor *input,
                                 const struct luc_shape *shape, struct luc_tensor *y,
                                 struct luc_error *err)
{
    struct luc_run *run = &t->run;
    struct luc_tiles *tiles = NULL;
    struct luc_tiles_info info;
    *y = (struct luc_tensor){ .shape = *shape };
    y->data = luc_arena_raw(run->arena, luc_numel(shape), sizeof(float));
    if (!y->data)
        return luc_fail_nomem(err, "the answer", luc_numel(shape) * sizeof(float));
    const struct luc_tiles_spec spec = { .graph = run->model->graph,
                                         .input = input->shape,
                                         .output = run->model->graph->outputs[0],
                                         .keep_bytes = SIZE_MAX,
                                         .limit_bytes = left(t),
                                         .lanes = luc_lanes(run->threads) };
    enum luc_status st = plan_tiles(t, spec, &tiles, &info, err);
    if (st)
        return st;
    t->tiles = info.n_tiles;
    return luc_tiles_run(tiles, input->data, y->data, run->threads, tick, t, err);
}

/* The network's answer: whole where that is asked for or fits, else in tiles. */
static enum luc_status run_network(struct turn *t, const struct luc_tensor *input,
                                   struct luc_tensor *y, struct luc_error *err)
{
    struct luc_run *run = &t->run;
    const size_t *out = run->model->graph->outputs;
    const struct luc_plan_spec ask = { .graph = run->model->graph,
                                       .inputs = &input->shape,
                                       .taps = out,
                                       .n_taps = 1,
                                       .lanes = luc_lanes(run->threads),
                                       .threads = run->threads,
                                       .fast = true };
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    enum luc_status st = luc_plan_create(&ask, run->arena, &plan, err);
    if (st)
        return st;
    if (t->p->tile > 0 || luc_plan_bytes(plan) > left(t))
        return run_tiles(t, input, luc_plan_shape(plan, out[0]), y, err);
    st = luc_exec_create(plan, run->arena, run->threads, &x, err);
    if (st)
        return st;
    if (!luc_run_is_dry(run))
        memcpy(luc_exec_input(x, 0)->data, input->data, luc_numel(&input->shape) * sizeof(float));
    luc_exec_forward(x);
    *y = *luc_exec_value(x, out[0]);
    t->tiles = 1;
    return LUC_OK;
}

static enum luc_status paint(struct turn *t, struct luc_image *picture, struct luc_error *err)
{
    const struct luc_model *m = t->run.model;
    struct luc_frame frame;
    struct luc_tensor input, y;
    if (m->task != LUC_TASK_STYLE)
        return luc_fail_param(err, LUC_INVALID, "model",
                              "model: '%.60s' does not make pictures; the networks of task "
                              "\"style\" do",
                              m->name);
    enum luc_status st = luc_run_input(&t->run, 0, &frame, &input, err);
    if (!st)
        st = run_network(t, &input, &y, err);
    if (st || luc_run_is_dry(&t->run))
        return st;
    st = to_picture(m, &y, picture, err);
    if (!st)
        st = fit_to(t->photo, picture, err);
    if (st)
        return st;
    blend(t->photo, t->p->strength, picture);
    return tick(t, 1.0, err);
}

static enum luc_status put_sheet(struct luc_run *run, const struct luc_image *pictures, size_t n,
                                 struct luc_error *err)
{
    const struct luc_image *first = &pictures[0];
    const size_t longer = first->width > first->height ? first->width : first->height;
    const double scale = fmin(1.0, (double)SHEET_SIDE / (double)longer);
    const size_t w = (size_t)fmax(1, round((double)first->width * scale));
    const size_t h = (size_t)fmax(1, round((double)first->height * scale));
    struct luc_sheet sheet = { 0 };
    enum luc_status st = luc_sheet_create(w, h, n, 0, 1, &sheet, err);
    for (size_t i = 0; !st && i < n; i++) {
        struct luc_image small = { 0 };
        st = luc_image_resize(&pictures[i], NULL, w, h, LUC_BICUBIC, &small, err);
        if (!st)
            luc_sheet_put(&sheet, i, small.data);
        luc_image_done(&small);
    }
    if (!st)
        st = luc_result_picture(run->result, "sheet", &sheet.image, err);
    luc_sheet_done(&sheet);
    return st;
}

static enum luc_status put_all(struct luc_run *run, struct luc_image *pictures, size_t n,
                               const size_t *tiles, struct luc_error *err)
{
    static const char *const columns[] = { "picture", "model", "tiles" };
    struct luc_table *table = NULL;
    if (n == 1) {
        const enum luc_status st = luc_result_picture(run->result, "picture", &pictures[0], err);
        return st ? st : luc_result_number(run->result, "tiles", (double)tiles[0], err);
    }
    enum luc_status st = put_sheet(run, pictures, n, err);
    if (!st)
        st = luc_result_table(run->result, "styles", columns, 3, n, &table, err);
    for (size_t i = 0; !st && i < n; i++) {
        char key[32];
        snprintf(key, sizeof(key), "picture_%zu", i + 1);
        table->cells[3 * i].text = luc_arena_strdup(run->result->arena, key);
        table->cells[3 * i + 1].text = luc_arena_strdup(run->result->arena, run->models[i]->name);
        table->cells[3 * i + 2].number = (double)tiles[i];
        st = luc_result_picture(run->result, key, &pictures[i], err);
    }
    return st;
}

static enum luc_status run_fast_style(struct luc_run *run, const void *params,
                                      struct luc_error *err)
{
    struct luc_image pictures[STYLES_MAX] = { { 0 } };
    size_t tiles[STYLES_MAX] = { 0 };
    const size_t n = run->n_models ? run->n_models : 1;
    const struct luc_image *photo = NULL;
    enum luc_status st = luc_run_image(run, 0, &photo, err);
    for (size_t i = 0; !st && i < n; i++) {
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        struct turn turn = { .run = *run, .photo = photo, .p = params, .index = i, .n = n };
        if (run->n_models)
            turn.run.model = run->models[i];
        st = paint(&turn, &pictures[i], err);
        tiles[i] = turn.tiles;
        luc_arena_release(run->arena, mark);
    }
    if (!st && !luc_run_is_dry(run))
        st = put_all(run, pictures, n, tiles, err);
    for (size_t i = 0; i < n; i++)
        luc_image_done(&pictures[i]);
    return st;
}

const struct luc_method luc_method_fast_style = {
    .name = "fast-style",
    .title = "Fast style",
    .summary = "The picture repainted in one pass through a feed-forward style network. Several, "
               "separated by commas in `model`, give a picture each.",
    .paper = "Johnson et al. 2016, arXiv:1603.08155",
    .groups = LUC_GROUP_INPUT,
    .images_min = 1,
    .images_max = 1,
    .models_max = STYLES_MAX,
    .makes_picture = true,
    .model = "cartoon_hayao",
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_fast_style,
};
