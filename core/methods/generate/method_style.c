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
#include "core/generate/style.h"

#include "core/generate/colour.h"

#include <math.h>
#include <string.h>

#define STEPS_TIMED 3 /* at each size, before they tell what a step takes */

/* The Gram losses of one style picture at this size. */
static enum luc_status add_style(struct luc_style *s, size_t which, size_t side,
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
    if (s->p->preserve_color == LUC_KEEP_HISTOGRAM)
        luc_colour_move(c.data, luc_canvas_pixels(&c), keep);
    luc_colour_measure(c.data, luc_canvas_pixels(&c), colours);
    st = luc_features(run->model, run->threads, c.data, c.height, c.width, s->layers.value,
                      s->layers.n, run->arena, &x, err);
    for (size_t i = 0; !st && i < s->layers.n; i++) {
        const double weight =
            s->recipe.beta * s->layers.weight[i] *
            luc_style_share(s->p->style_weights.v, s->p->style_weights.n, which, s->n_styles);
        st = luc_loss_gram(&losses[i], s->layers.value[i], weight, run->threads,
                           luc_exec_value(x, s->layers.value[i]), run->arena, err);
    }
    return st;
}

/* The start at the coarsest size. */
static void start(struct luc_style *s, const struct luc_canvas *content,
                  const struct luc_colour_stats *colours, struct luc_paint *paint, float *scratch)
{
    const size_t n = luc_canvas_pixels(content);
    if (s->p->init == LUC_START_NOISE) {
        luc_paint_noise(paint, s->recipe.paint == LUC_FOURIER ? 0.1 : 0.15, &s->run->rng);
        return;
    }
    memcpy(scratch, content->data, 3 * n * sizeof(float));
    if (s->p->init == LUC_START_MOVED)
        luc_colour_move(scratch, n, colours);
    luc_paint_set(paint, scratch);
}

static void report_losses(struct luc_style *s, size_t row, double total,
                          const struct luc_loss *losses, size_t n)
{
    double style = 0;
    for (size_t i = 0; i + 1 < n; i++)
        style += losses[i].weight * losses[i].latest / s->recipe.beta;
    const double cells[LUC_STYLE_COLUMNS] = { (double)s->plan.size[row], (double)s->plan.steps[row],
                                              total, losses[n - 1].latest, style };
    for (size_t k = 0; k < LUC_STYLE_COLUMNS; k++)
        s->table->cells[row * LUC_STYLE_COLUMNS + k].number = cells[k];
}

static void preview(const struct luc_style *s, struct luc_paint *paint,
                    const struct luc_canvas *shape, float *scratch)
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
    float *scratch;      /* a picture */
    uint64_t first_step; /* of this run; more than 0 after a checkpoint */
    double began_s;
};

static size_t steps_before(const struct luc_style *s, size_t row)
{
    size_t n = 0;
    for (size_t i = 0; i < row; i++)
        n += s->plan.steps[i];
    return n;
}

double luc_style_seconds(const struct luc_style *s)
{
    return s->spent_s + luc_run_now(s->run) - s->start_s;
}

static double area(const struct luc_style *s, size_t row)
{
    return (double)s->plan.size[row] * (double)s->plan.size[row];
}

static double progress(const struct luc_style *s)
{
    double work = 0;
    for (size_t i = 0; i < s->plan.n; i++)
        work += (double)s->plan.steps[i] * area(s, i);
    return fmin(1.0, s->done / work);
}

/* Sizes and steps to come, after some steps at this size have shown what one takes. */
static void keep_time(struct luc_style *s, const struct turn *t)
{
    const uint64_t taken = luc_loop_steps(t->loop), here = taken - t->first_step;
    if (s->p->time_budget_s <= 0 || here < STEPS_TIMED || luc_run_is_dry(s->run))
        return;
    const double seconds = (luc_run_now(s->run) - t->began_s) / (double)here / area(s, t->row);
    luc_schedule_fit(&s->plan, &s->usual, t->row, (size_t)taken, fmax(seconds, 1e-12),
                     s->p->time_budget_s - luc_style_seconds(s));
}

static enum luc_status iterate(struct luc_style *s, const struct turn *t, double *total,
                               struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    while (!st && luc_loop_steps(t->loop) < s->plan.steps[t->row]) {
        *total = luc_loop_step(t->loop);
        if (!isfinite(*total))
            return luc_fail_param(err, LUC_INVALID, "rate",
                                  "rate: the loss is no longer finite: choose a lower rate");
        s->done += area(s, t->row);
        keep_time(s, t);
        luc_run_report(s->run, steps_before(s, t->row) + (size_t)luc_loop_steps(t->loop),
                       steps_before(s, s->plan.n), *total);
        if (luc_run_wants_preview(s->run))
            preview(s, t->paint, t->content, t->scratch);
        if (luc_run_wants_checkpoint(s->run))
            luc_style_save(s, t->row, t->before, t->loop);
        st = luc_run_tick(s->run, progress(s), err);
    }
    return st;
}

/* Runs one size; *picture holds the size before (data NULL: none) and receives this one. The new
 * picture's memory is taken before `mark`-able scratch, so that it stays. */
static enum luc_status run_size(struct luc_style *s, size_t row, const struct luc_canvas *before,
                                const struct luc_canvas *content, float *out, struct luc_error *err)
{
    struct luc_run *run = s->run;
    struct luc_arena *arena = run->arena;
    const size_t n = luc_canvas_pixels(content), n_losses = s->n_styles * s->layers.n + 1;
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
        st = add_style(s, i, s->plan.size[row], &own, losses + i * s->layers.n, &colours, err);
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
    const struct turn turn = { .row = row,
                               .before = before,
                               .content = content,
                               .paint = &paint,
                               .loop = loop,
                               .scratch = out,
                               .first_step = st ? 0 : luc_loop_steps(loop),
                               .began_s = luc_run_now(run) };
    if (!st)
        st = iterate(s, &turn, &total, err);
    if (st)
        return st;
    luc_paint_get(&paint, out);
    report_losses(s, row, total, losses, n_losses);
    return LUC_OK;
}

/* ---- the whole ---- */

static enum luc_status run_sizes(struct luc_style *s, struct luc_canvas *picture,
                                 struct luc_error *err)
{
    struct luc_run *run = s->run;
    size_t first = 0;
    enum luc_status st = luc_style_restore(s, &first, picture, err);
    for (size_t i = first; !st && i < s->plan.n; i++) {
        struct luc_canvas content, next;
        st = luc_canvas_load(&content, s->content, s->plan.size[i], run->arena, err);
        if (st)
            return st;
        st = luc_canvas_create(&next, content.height, content.width, run->arena, err);
        if (st)
            return st;
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        st = run_size(s, i, picture, &content, next.data, err);
        luc_arena_release(run->arena, mark);
        if (!st && i + 1 == s->plan.n && s->p->preserve_color == LUC_KEEP_LUMINANCE)
            luc_colour_keep_luminance(next.data, content.data, luc_canvas_pixels(&content));
        *picture = next;
    }
    return st;
}

/* What the clock decided, so that it can be asked for. */
static enum luc_status report_plan(const struct luc_style *s, struct luc_error *err)
{
    static const char *const keys[] = { "sizes", "steps" };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < 2; i++) {
        struct luc_str text = { 0 };
        luc_schedule_print(i ? s->plan.steps : s->plan.size, s->plan.n, &text);
        st = text.failed ? luc_fail_nomem(err, "result", text.len)
                         : luc_result_decision(s->run->result, keys[i], text.data, err);
        luc_str_done(&text);
    }
    return st ? st : luc_result_number(s->run->result, "seconds", luc_style_seconds(s), err);
}

static enum luc_status run_style(struct luc_run *run, const void *params, struct luc_error *err)
{
    static const char *const columns[] = { "size", "steps", "total", "content", "style" };
    struct luc_style s = { .run = run, .p = params };
    struct luc_canvas picture = { 0 };
    struct luc_image image = { 0 };
    enum luc_status st = luc_style_read(&s, err);
    if (!st)
        st = luc_run_image(run, 0, &s.content, err);
    if (!st)
        st = luc_result_table(run->result, "losses", columns, LUC_STYLE_COLUMNS, s.plan.n, &s.table,
                              err);
    if (st)
        return st;
    s.start_s = luc_run_now(run);
    st = run_sizes(&s, &picture, err);
    s.table->n_rows = s.plan.n;
    if (!st && s.p->time_budget_s > 0)
        st = report_plan(&s, err);
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
    .images_max = 1 + LUC_STYLES_MAX,
    .makes_picture = true,
    .params_size = sizeof(struct luc_style_params),
    .params = luc_style_rows,
    .run = run_style,
};
