#include "core/generate/series.h"

#include "core/generate/canvas.h"
#include "core/tensor/sheet.h"

#include <math.h>
#include <string.h>

static size_t picture_bytes(const struct luc_series *s)
{
    return 3 * s->height * s->width;
}

/* ---- checkpoints: the pictures that are done, their losses, and the loop in work ---- */

#define MAGIC 0x31736569726573u /* "series" and a version */

struct head {
    uint64_t magic, n, each, height, width, turn;
};

static struct head make_head(const struct luc_series *s, size_t turn)
{
    return (struct head){ MAGIC, s->n, s->each, s->height, s->width, turn };
}

/* Best effort: a checkpoint that cannot be made is only a longer way to go again. */
static void save(const struct luc_series *s, size_t turn, const struct luc_loop *loop)
{
    struct luc_str out = { 0 };
    const struct head head = make_head(s, turn);
    luc_str_put(&out, &head, sizeof(head));
    luc_str_put(&out, s->losses, turn * sizeof(*s->losses));
    luc_str_put(&out, s->pictures, turn * s->each * picture_bytes(s));
    luc_loop_save(loop, &out);
    if (!out.failed)
        luc_run_save(s->run, out.data, out.len);
    luc_str_done(&out);
}

/* The loop's part of a checkpoint, for the turn to begin with. */
struct resume {
    size_t turn, size;
    const unsigned char *loop;
};

/* A checkpoint of another version or of other parameters is left alone; the loop checks its part. */
static struct resume restore(const struct luc_series *s)
{
    struct resume none = { 0 };
    struct head head;
    size_t size = 0;
    const unsigned char *at = luc_run_checkpoint(s->run, &size);
    if (!at || size < sizeof(head))
        return none;
    memcpy(&head, at, sizeof(head));
    if (head.turn >= s->n)
        return none;
    const struct head own = make_head(s, (size_t)head.turn);
    const size_t losses = (size_t)head.turn * sizeof(*s->losses);
    const size_t pictures = (size_t)head.turn * s->each * picture_bytes(s);
    if (memcmp(&head, &own, sizeof(head)) != 0 || size < sizeof(head) + losses + pictures)
        return none;
    at += sizeof(head);
    memcpy(s->losses, at, losses);
    memcpy(s->pictures, at + losses, pictures);
    return (struct resume){ (size_t)head.turn, size - sizeof(head) - losses - pictures,
                            at + losses + pictures };
}

/* ---- one turn ---- */

static enum luc_status keep(struct luc_series *s, size_t turn, struct luc_paint *paint,
                            float *scratch, struct luc_error *err)
{
    const size_t n = picture_bytes(s);
    enum luc_status st = LUC_OK;
    if (luc_run_is_dry(s->run))
        return LUC_OK;
    luc_paint_get(paint, scratch);
    for (size_t i = 0; !st && i < s->each; i++) {
        const struct luc_canvas c = { scratch + i * n, s->height, s->width };
        struct luc_image image = { 0 };
        st = luc_canvas_picture(&c, &image, err);
        if (!st)
            memcpy(s->pictures + (turn * s->each + i) * n, image.data, n);
        luc_image_done(&image);
    }
    return st;
}

static void preview(struct luc_series *s, size_t turn, struct luc_paint *paint, float *scratch)
{
    struct luc_image image = { 0 };
    if (keep(s, turn, paint, scratch, NULL) == LUC_OK &&
        luc_series_sheet(s, 0, &image, NULL) == LUC_OK)
        luc_run_preview(s->run, &image);
    luc_image_done(&image);
}

static enum luc_status iterate(struct luc_series *s, size_t turn, struct luc_paint *paint,
                               struct luc_loop *loop, float *scratch, struct luc_error *err)
{
    const size_t all = s->n * s->steps;
    const double share = s->share > 0 ? s->share : 1;
    enum luc_status st = LUC_OK;
    while (!st && luc_loop_steps(loop) < luc_run_turns(s->run, s->steps)) {
        s->losses[turn] = luc_loop_step(loop);
        const size_t done = turn * s->steps + (size_t)luc_loop_steps(loop);
        if (!isfinite(s->losses[turn]))
            return luc_fail_param(err, LUC_INVALID, "rate",
                                  "rate: the loss is no longer finite: choose a lower rate");
        luc_run_report(s->run, done, all, s->losses[turn]);
        if (luc_run_wants_preview(s->run))
            preview(s, turn, paint, scratch);
        if (luc_run_wants_checkpoint(s->run))
            save(s, turn, loop);
        st = luc_run_tick(s->run, s->before + share * (double)done / (double)all, err);
    }
    return st;
}

static enum luc_status run_turn(struct luc_series *s, size_t turn, uint64_t seed,
                                const struct resume *resume, struct luc_error *err)
{
    struct luc_arena *arena = s->run->arena;
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct luc_paint paint = { 0 };
    struct luc_loop *loop = NULL;
    struct luc_rng rng;
    luc_rng_seed(&rng, seed + turn);
    enum luc_status st = s->begin(s->ctx, turn, rng, &paint, &loop, err);
    float *scratch = luc_arena_raw(arena, s->each * picture_bytes(s), sizeof(float));
    if (!st && !scratch)
        st = luc_fail_nomem(err, "picture", s->each * picture_bytes(s) * sizeof(float));
    if (!st && resume->loop) { /* a part that does not fit is left alone: the turn starts anew */
        const enum luc_status fits = luc_loop_restore(loop, resume->loop, resume->size, NULL);
        (void)fits;
    }
    if (!st)
        st = iterate(s, turn, &paint, loop, scratch, err);
    if (!st) {
        luc_loop_finish(loop);
        st = keep(s, turn, &paint, scratch, err);
    }
    luc_arena_release(arena, mark);
    return st;
}

enum luc_status luc_series_run(struct luc_series *s, struct luc_error *err)
{
    const size_t count = s->n * s->each;
    const uint64_t seed = luc_rng_bits(&s->run->rng);
    s->pictures = luc_arena_raw(s->run->arena, count, picture_bytes(s));
    s->losses = luc_arena_alloc(s->run->arena, s->n, sizeof(*s->losses));
    if (!s->pictures || !s->losses)
        return luc_fail_nomem(err, "pictures", count * picture_bytes(s));
    if (!luc_run_is_dry(s->run))
        memset(s->pictures, 255, count * picture_bytes(s));
    const struct resume none = { 0 }, resume = restore(s);
    enum luc_status st = LUC_OK;
    for (size_t i = resume.turn; !st && i < s->n; i++)
        st = run_turn(s, i, seed, i == resume.turn ? &resume : &none, err);
    return st;
}

enum luc_status luc_series_sheet(const struct luc_series *s, size_t columns,
                                 struct luc_image *image, struct luc_error *err)
{
    const size_t n = picture_bytes(s), lead = s->lead ? 1 : 0, count = s->n * s->each + lead;
    struct luc_sheet sheet = { 0 };
    if (count == 1) {
        const enum luc_status st = luc_image_create(s->width, s->height, 3, image, err);
        if (!st && !luc_run_is_dry(s->run))
            memcpy(image->data, s->pictures, n);
        return st;
    }
    const enum luc_status st =
        luc_sheet_create(s->width, s->height, count, columns, 1, &sheet, err);
    if (st)
        return st;
    for (size_t i = 0; i < count && !luc_run_is_dry(s->run); i++)
        luc_sheet_put(&sheet, i, i < lead ? s->lead : s->pictures + (i - lead) * n);
    *image = sheet.image;
    return LUC_OK;
}
