/* occlusion: how much the score drops when a patch of the picture is covered.
 *
 *   M[h,w] = mean over patches P that cover (h,w) of  s(x) - s(x with P covered)
 *
 * Input:  one picture.
 * Output: map `occlusion` [1, 1, h, w] at the network's input size; signed: covering may help.
 * Cost:   one pass for each position, of which only the part that the patch can reach is computed
 *         (core/graph/region.h); `share` in the answer says how much of the whole work that was.
 *         With max_window below 1, less, and the map is approximate.
 * Errors: those of core/ask/unit.h; LUC_RANGE a patch larger than the network's input.
 * Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
 *         arXiv:1311.2901, section 4.2. Differs: overlapping patches are averaged per pixel, and
 *         other fillings than gray are offered. max_window: Nakandala, Kumar & Papakonstantinou
 *         (Krypton), SIGMOD 2019, projective field thresholding.
 */
#include "core/ask/fill.h"
#include "core/ask/perturb.h"
#include "core/ask/watch.h"
#include "core/graph/region.h"
#include "core/show/show.h"

#include <string.h>

#define PATCH_MAX 4096

struct params {
    struct luc_unit_params unit;
    int64_t patch, stride, fill, score, incremental;
    double max_window;
};

static const struct luc_param rows[] = {
    LUC_UNIT_ROWS(struct params, unit),
    LUC_INT(struct params, patch, 32, 1, PATCH_MAX, "px", "Side of the covering square"),
    LUC_INT(struct params, stride, 8, 1, PATCH_MAX, "px", "Steps between positions"),
    LUC_CHOICE(struct params, fill, LUC_FILL_MEAN, LUC_N_FILLS, luc_fill_names, LUC_FILL_DOC),
    LUC_SCORE_ROW(struct params, score, LUC_SCORE_PROBABILITY),
    LUC_BOOL(struct params, incremental, 1,
             "Compute again only what the patch can reach; off: run each covered picture whole"),
    LUC_REAL(struct params, max_window, 1, 0.1, 1, "",
             "With incremental: longest side of what is computed again, as a share of its layer's; "
             "below 1 the map is an approximation, several times faster on deep networks"),
    LUC_PARAM_END,
};

/* One run's state. */
struct cover {
    struct luc_run *run;
    const struct params *p;
    struct luc_frame frame;
    struct luc_tensor input, filled; /* [1, C, H, W] */
    struct luc_watch watch;
    size_t *grid[2], n_grid[2]; /* patch corners, vertical and horizontal */
    double *sum, *count;        /* [H * W] */
    float *scores;              /* of each position, [n_ys * n_xs] */
    size_t done;                /* positions that have one */
    float *map;                 /* [H * W] */
    double share;
};

/* Corners every `stride` pixels, and one flush with the far border. */
static enum luc_status make_grid(struct cover *c, size_t axis, struct luc_error *err)
{
    const size_t side = c->input.shape.dim[2 + axis], patch = (size_t)c->p->patch;
    const size_t stride = (size_t)c->p->stride;
    if (patch > side)
        return luc_fail_param(err, LUC_RANGE, "patch",
                              "patch: %zu px, but the network's input is only %zu", patch, side);
    const size_t last = side - patch, n = last / stride + (last % stride ? 2 : 1);
    c->grid[axis] = luc_arena_alloc(c->run->arena, n, sizeof(*c->grid[axis]));
    if (!c->grid[axis])
        return luc_fail_nomem(err, "positions", n * sizeof(*c->grid[axis]));
    for (size_t i = 0; i < n; i++)
        c->grid[axis][i] = i * stride < last ? i * stride : last;
    c->n_grid[axis] = n;
    return LUC_OK;
}

static void use(void *ctx, size_t i, const struct luc_tensor *held)
{
    struct cover *c = ctx;
    c->scores[i] = (float)luc_watch_score(&c->watch, held);
    c->done = i + 1;
}

/* The mean over the patches that cover a pixel. */
static void average(struct cover *c)
{
    const size_t h = c->input.shape.dim[2], w = c->input.shape.dim[3], patch = (size_t)c->p->patch;
    memset(c->sum, 0, h * w * sizeof(*c->sum));
    memset(c->count, 0, h * w * sizeof(*c->count));
    for (size_t i = 0; i < c->done; i++) {
        const size_t y0 = c->grid[0][i / c->n_grid[1]], x0 = c->grid[1][i % c->n_grid[1]];
        for (size_t y = y0; y < y0 + patch; y++)
            for (size_t x = x0; x < x0 + patch; x++) {
                c->sum[y * w + x] += c->watch.base - (double)c->scores[i];
                c->count[y * w + x] += 1;
            }
    }
    for (size_t i = 0; i < h * w; i++)
        c->map[i] = c->count[i] > 0 ? (float)(c->sum[i] / c->count[i]) : 0.0f;
}

static void preview(void *ctx)
{
    struct cover *c = ctx;
    average(c);
    luc_show_preview(c->run, c->map, c->input.shape.dim[3], c->input.shape.dim[2], true, &c->frame);
}

/* Copies the filling's patch at a corner: [C, patch, patch] out of [C, H, W]. */
static void take_patch(const struct cover *c, size_t y0, size_t x0, float *out)
{
    const struct luc_shape *s = &c->filled.shape;
    const size_t patch = (size_t)c->p->patch;
    for (size_t k = 0; k < s->dim[1]; k++)
        for (size_t y = 0; y < patch; y++, out += patch)
            memcpy(out, c->filled.data + (k * s->dim[2] + y0 + y) * s->dim[3] + x0,
                   patch * sizeof(*out));
}

static enum luc_status tick_at(struct cover *c, size_t done, struct luc_error *err)
{
    return luc_run_tick(c->run, (double)done / (double)(c->n_grid[0] * c->n_grid[1]), err);
}

static void use_slots(struct cover *c, const struct luc_tensor *held, size_t at, size_t slots)
{
    struct luc_tensor row = { .shape = held->shape };
    row.shape.dim[0] = 1;
    for (size_t s = 0; s < slots; s++) {
        row.data = held->data + s * luc_numel(&row.shape);
        use(c, at + s, &row);
    }
}

static enum luc_status run_region(struct cover *c, struct luc_region *r, size_t batch,
                                  struct luc_error *err)
{
    const size_t n_xs = c->n_grid[1], n = c->n_grid[0] * n_xs;
    const size_t per_channel = (size_t)(c->p->patch * c->p->patch);
    const size_t per = c->input.shape.dim[1] * per_channel;
    enum luc_status st = LUC_OK;
    for (size_t at = 0; !st && at < luc_run_turns(c->run, n); at += batch) {
        const size_t slots = n - at < batch ? n - at : batch;
        for (size_t s = 0; s < slots; s++) {
            const size_t iy = (at + s) / n_xs, ix = (at + s) % n_xs;
            luc_region_place(r, s, iy, ix);
            take_patch(c, c->grid[0][iy], c->grid[1][ix], luc_region_patches(r) + s * per);
        }
        luc_region_run(r);
        use_slots(c, luc_region_value(r, c->watch.unit.value), at, slots);
        c->run->passes += c->share * (double)slots;
        if (luc_run_wants_preview(c->run))
            preview(c);
        st = tick_at(c, at + slots, err);
    }
    return st;
}

static enum luc_status try_region(struct cover *c, size_t batch, struct luc_error *err)
{
    struct luc_region *r = NULL;
    const struct luc_region_spec spec = { .graph = c->run->model->graph,
                                          .input = &c->input,
                                          .values = &c->watch.unit.value,
                                          .n_values = 1,
                                          .patch_h = (size_t)c->p->patch,
                                          .patch_w = (size_t)c->p->patch,
                                          .ys = c->grid[0],
                                          .xs = c->grid[1],
                                          .n_ys = c->n_grid[0],
                                          .n_xs = c->n_grid[1],
                                          .batch = batch,
                                          .most_side = c->p->max_window,
                                          .threads = c->run->threads };
    enum luc_status st = luc_region_create(&spec, c->run->arena, &r, err);
    if (st)
        return st;
    c->share = luc_region_share(r);
    st = run_region(c, r, batch, err);
    luc_region_done(r);
    return st;
}

static void make_covered(void *ctx, size_t i, float *picture)
{
    const struct cover *c = ctx;
    const struct luc_shape *s = &c->input.shape;
    const size_t patch = (size_t)c->p->patch, n_xs = c->n_grid[1];
    const size_t y0 = c->grid[0][i / n_xs], x0 = c->grid[1][i % n_xs];
    memcpy(picture, c->input.data, luc_numel(s) * sizeof(*picture));
    for (size_t line = 0; line < s->dim[1] * patch; line++) {
        const size_t from = (line / patch * s->dim[2] + y0 + line % patch) * s->dim[3] + x0;
        memcpy(picture + from, c->filled.data + from, patch * sizeof(*picture));
    }
}

/* Covered pictures run whole. */
static enum luc_status score_whole(struct cover *c, struct luc_error *err)
{
    const struct luc_perturb all = { .shape = &c->input.shape,
                                     .n = c->n_grid[0] * c->n_grid[1],
                                     .value = c->watch.unit.value,
                                     .to = 1,
                                     .ctx = c,
                                     .make = make_covered,
                                     .use = use,
                                     .preview = preview };
    c->share = 1;
    return luc_perturb_run(c->run, &all, err);
}

/* Regions with the largest batch that the memory allows; whole pictures where they do not work. */
static enum luc_status score_all(struct cover *c, struct luc_error *err)
{
    enum luc_status st = c->p->incremental ? LUC_NOMEM : LUC_UNSUPPORTED;
    for (size_t batch = LUC_BATCH_MAX; batch > 0 && st == LUC_NOMEM; batch /= 2) {
        const struct luc_arena_mark mark = luc_arena_mark(c->run->arena);
        st = try_region(c, batch, err);
        luc_arena_release(c->run->arena, mark);
    }
    return st == LUC_UNSUPPORTED || st == LUC_SHAPE ? score_whole(c, err) : st;
}

static enum luc_status report(struct cover *c, struct luc_error *err)
{
    const struct luc_shape *s = &c->input.shape;
    const struct luc_tensor map = { .shape = luc_shape4(1, 1, s->dim[2], s->dim[3]),
                                    .data = c->map };
    average(c);
    enum luc_status st = luc_unit_report(c->run, &c->watch.unit, err);
    if (!st)
        st = luc_result_number(c->run->result, "positions", (double)(c->n_grid[0] * c->n_grid[1]),
                               err);
    if (!st)
        st = luc_result_number(c->run->result, "share", c->share, err);
    return st ? st
              : luc_show_map(c->run, "occlusion", &map, true, &c->frame,
                             "covering no part changes the score", err);
}

static enum luc_status run_occlusion(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct cover c = { .run = run, .p = params };
    enum luc_status st = luc_run_input(run, 0, &c.frame, &c.input, err);
    if (!st)
        st = luc_watch_open(run, &c.p->unit, c.p->score, &c.input, &c.watch, err);
    if (!st)
        st = make_grid(&c, 0, err);
    if (!st)
        st = make_grid(&c, 1, err);
    if (!st)
        st = luc_fill_picture(run, (enum luc_fill)c.p->fill, (double)c.p->patch / 2, &c.input,
                              &c.filled, err);
    if (st)
        return st;
    const size_t pixels = c.input.shape.dim[2] * c.input.shape.dim[3];
    c.sum = luc_arena_alloc(run->arena, pixels, sizeof(*c.sum));
    c.count = luc_arena_alloc(run->arena, pixels, sizeof(*c.count));
    c.map = luc_arena_alloc(run->arena, pixels, sizeof(*c.map));
    c.scores = luc_arena_alloc(run->arena, c.n_grid[0] * c.n_grid[1], sizeof(*c.scores));
    if (!c.sum || !c.count || !c.map || !c.scores)
        return luc_fail_nomem(err, "map", 2 * pixels * sizeof(*c.sum));
    st = score_all(&c, err);
    return st ? st : report(&c, err);
}

const struct luc_method luc_method_occlusion = {
    .name = "occlusion",
    .title = "Occlusion",
    .summary = "How much the class score drops when a patch of the picture is covered.",
    .paper = "Zeiler & Fergus 2013, arXiv:1311.2901",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_occlusion,
};
