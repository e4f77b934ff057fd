/* rise: how high the score is, on average, while a pixel can be seen through random masks.
 *
 *   M[h,w] = 1 / (keep n) sum_i m_i[h,w] s(x * m_i + x0 * (1 - m_i))
 *
 * A mask m_i is a coarse grid of cells, each open with probability `keep`, enlarged smoothly and
 * shifted by a random part of a cell.
 *
 * Input:  one picture.
 * Output: map `rise` [1, 1, h, w], a probability (logit, activation); `base`: its mean over all
 *         masks.
 * Cost:   `masks` forward passes.
 * Errors: those of core/ask/unit.h.
 * Source: Petsiuk, Das & Saenko, "RISE", 2018, arXiv:1806.07421, section 3. Differs: what is masked
 *         shows `fill` (the paper: zero, which after its normalisation is the mean colour of the
 *         training pictures), and each pixel is divided by how often the drawn masks showed it.
 */
#include "core/ask/fill.h"
#include "core/ask/perturb.h"
#include "core/ask/watch.h"
#include "core/show/show.h"

#include <math.h>
#include <string.h>

#define CELLS_MAX 64

struct params {
    struct luc_unit_params unit;
    int64_t masks, cells, fill, score;
    double keep;
};

static const struct luc_param rows[] = {
    LUC_UNIT_ROWS(struct params, unit),
    LUC_INT(struct params, masks, 2000, 1, 20000, "", "Random masks"),
    LUC_INT(struct params, cells, 7, 2, CELLS_MAX, "", "Cells of a mask along each side"),
    LUC_REAL(struct params, keep, 0.5, 0.05, 0.95, "", "Part of the cells that stays visible"),
    LUC_CHOICE(struct params, fill, LUC_FILL_GRAY, LUC_N_FILLS, luc_fill_names, LUC_FILL_DOC),
    LUC_SCORE_ROW(struct params, score, LUC_SCORE_PROBABILITY),
    LUC_PARAM_END,
};

#define RING ((size_t)LUC_BATCH_MAX)

/* One axis of the enlargement: where pixel i lies in the grid, between `low` and the next cell. */
struct place {
    size_t low;
    float part;
};

struct rise {
    struct luc_run *run;
    const struct params *p;
    struct luc_frame frame;
    struct luc_tensor input, filled;
    struct luc_watch watch;
    float *masks; /* of the batch that is under way, [RING][H * W] */
    struct place *ys, *xs;
    double *sum, *shown;
    double total;
    float *map; /* [H * W] */
};

static void place_axis(size_t size, size_t cells, double shift, struct place *out)
{
    for (size_t i = 0; i < size; i++) {
        const double at = ((double)i + 0.5) * (double)cells / (double)size + shift;
        out[i].low = (size_t)at;
        out[i].part = (float)(at - floor(at));
    }
}

/* A grid of cells + 2 along each side covers every shift by less than a cell. */
static void draw_mask(struct luc_rng *rng, size_t cells, double keep, size_t h, size_t w,
                      struct place *ys, struct place *xs, float *mask)
{
    float grid[(CELLS_MAX + 2) * (CELLS_MAX + 2)];
    const size_t side = cells + 2;
    for (size_t i = 0; i < side * side; i++)
        grid[i] = luc_rng_uniform(rng) < keep ? 1.0f : 0.0f;
    place_axis(h, cells, luc_rng_uniform(rng), ys);
    place_axis(w, cells, luc_rng_uniform(rng), xs);
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) {
            const float *g = grid + ys[y].low * side + xs[x].low;
            const float top = g[0] + xs[x].part * (g[1] - g[0]);
            const float low = g[side] + xs[x].part * (g[side + 1] - g[side]);
            mask[y * w + x] = top + ys[y].part * (low - top);
        }
}

static void make(void *ctx, size_t i, float *picture)
{
    struct rise *r = ctx;
    const struct luc_shape *s = &r->input.shape;
    const size_t h = s->dim[2], w = s->dim[3], n = h * w;
    float *mask = r->masks + i % RING * n;
    draw_mask(&r->run->rng, (size_t)r->p->cells, r->p->keep, h, w, r->ys, r->xs, mask);
    for (size_t c = 0; c < s->dim[1]; c++)
        for (size_t k = c * n; k < (c + 1) * n; k++)
            picture[k] =
                r->filled.data[k] + mask[k - c * n] * (r->input.data[k] - r->filled.data[k]);
}

static void use(void *ctx, size_t i, const struct luc_tensor *held)
{
    struct rise *r = ctx;
    const size_t n = r->input.shape.dim[2] * r->input.shape.dim[3];
    const float *mask = r->masks + i % RING * n;
    const double score = luc_watch_score(&r->watch, held);
    r->total += score;
    for (size_t k = 0; k < n; k++) {
        r->sum[k] += score * (double)mask[k];
        r->shown[k] += (double)mask[k];
    }
}

static void finish(struct rise *r)
{
    for (size_t k = 0; k < r->input.shape.dim[2] * r->input.shape.dim[3]; k++)
        r->map[k] = r->shown[k] > 0 ? (float)(r->sum[k] / r->shown[k]) : 0.0f;
}

static void preview(void *ctx)
{
    struct rise *r = ctx;
    finish(r);
    luc_show_preview(r->run, r->map, r->input.shape.dim[3], r->input.shape.dim[2], false,
                     &r->frame);
}

static enum luc_status open_rise(struct rise *r, struct luc_error *err)
{
    struct luc_run *run = r->run;
    enum luc_status st = luc_run_input(run, 0, &r->frame, &r->input, err);
    if (!st)
        st = luc_watch_open(run, &r->p->unit, r->p->score, &r->input, &r->watch, err);
    if (!st)
        st = luc_fill_picture(run, (enum luc_fill)r->p->fill,
                              (double)r->input.shape.dim[3] / (double)r->p->cells, &r->input,
                              &r->filled, err);
    if (st)
        return st;
    const size_t h = r->input.shape.dim[2], w = r->input.shape.dim[3];
    r->masks = luc_arena_raw(run->arena, RING * h * w, sizeof(float));
    r->sum = luc_arena_alloc(run->arena, h * w, sizeof(double));
    r->shown = luc_arena_alloc(run->arena, h * w, sizeof(double));
    r->map = luc_arena_alloc(run->arena, h * w, sizeof(float));
    r->ys = luc_arena_alloc(run->arena, h, sizeof(*r->ys));
    r->xs = luc_arena_alloc(run->arena, w, sizeof(*r->xs));
    if (!r->masks || !r->sum || !r->shown || !r->map || !r->ys || !r->xs)
        return luc_fail_nomem(err, "masks", RING * h * w * sizeof(float));
    return LUC_OK;
}

static enum luc_status report(struct rise *r, struct luc_error *err)
{
    const struct luc_shape *s = &r->input.shape;
    const struct luc_tensor map = { .shape = luc_shape4(1, 1, s->dim[2], s->dim[3]),
                                    .data = r->map };
    finish(r);
    enum luc_status st = luc_unit_report(r->run, &r->watch.unit, err);
    if (!st)
        st = luc_result_number(r->run->result, "passes", (double)r->p->masks, err);
    if (!st)
        st = luc_result_number(r->run->result, "base", r->total / (double)r->p->masks, err);
    return st ? st
              : luc_show_map(r->run, "rise", &map, false, &r->frame, "no mask changes the score",
                             err);
}

static enum luc_status run_rise(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct rise r = { .run = run, .p = params };
    enum luc_status st = open_rise(&r, err);
    if (!st)
        st = luc_perturb_run(run,
                             &(struct luc_perturb){ .shape = &r.input.shape,
                                                    .n = (size_t)r.p->masks,
                                                    .value = r.watch.unit.value,
                                                    .to = 1,
                                                    .ctx = &r,
                                                    .make = make,
                                                    .use = use,
                                                    .preview = preview },
                             err);
    return st ? st : report(&r, err);
}

const struct luc_method luc_method_rise = {
    .name = "rise",
    .title = "RISE",
    .summary = "How likely the class stays, on average, while a pixel can be seen through random "
               "masks.",
    .paper = "Petsiuk et al. 2018, arXiv:1806.07421",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_VIEW | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_rise,
};
