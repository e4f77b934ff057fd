#include "core/survey/survey.h"
#include "core/ask/batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REHEARSED 64 /* pictures that a dry run tells of */

/* What is kept of one picture, as it lies in memory; the peaks follow. */
struct record {
    uint32_t n_channels, n_peaks, height, width; /* of the layer's maps */
    uint32_t image_width, image_height;
};

/* A survey that is under way. */
struct state {
    struct luc_survey *survey;
    luc_survey_each *each;
    void *ctx;
    double to;
    size_t done;           /* pictures that each() has seen */
    struct record *record; /* room for one with its peaks */
    struct luc_arena_mark mark;
    struct luc_batch batch; /* exec NULL: none is open */
    struct luc_shape one;   /* that it is open for */
    struct waiting {
        size_t image, width, height;
        struct luc_frame frame;
    } waiting[LUC_BATCH_MAX]; /* in the batch, not yet run */
    size_t n_waiting, batch_max;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t record_size(size_t n_channels, size_t n_peaks)
{
    return sizeof(struct record) + n_channels * n_peaks * sizeof(struct luc_peak);
}

static struct luc_peak *peaks_of(struct record *r)
{
    return (struct luc_peak *)(void *)(r + 1);
}

static enum luc_status find_layer(struct luc_survey *s, const struct luc_frame *f,
                                  struct luc_shape *shape, struct luc_error *err)
{
    struct luc_layers all;
    const struct luc_arena_mark mark = luc_arena_mark(s->run->arena);
    const enum luc_status st =
        luc_model_layers(s->run->model, f->in_height, f->in_width, s->run->arena, &all, err);
    s->field = (struct luc_field){ .whole = true };
    *shape = (struct luc_shape){ 0 };
    for (size_t i = 0; !st && i < all.n; i++)
        if (all.rows[i].value == s->layer) {
            *shape = all.rows[i].shape;
            if (all.rows[i].field.known)
                s->field = all.rows[i].field;
        }
    s->in_width = f->in_width;
    s->in_height = f->in_height;
    luc_arena_release(s->run->arena, mark);
    return st;
}

enum luc_status luc_survey_open(struct luc_run *run, const char *layer, size_t n_peaks,
                                struct luc_survey *survey, struct luc_error *err)
{
    struct luc_survey s = { .run = run, .n_peaks = n_peaks };
    const struct luc_image *first = NULL;
    struct luc_frame frame;
    struct luc_shape shape;
    char text[LUC_SHAPE_TEXT], kind[48];
    enum luc_status st = luc_model_layer(run->model, layer, &s.layer, err);
    if (st && err)
        memcpy(err->param, "layer", sizeof("layer"));
    if (!st)
        st = luc_run_image(run, 0, &first, err);
    if (!st)
        st = luc_run_frame(run, first, &frame, err);
    if (!st)
        st = find_layer(&s, &frame, &shape, err);
    if (st)
        return st;
    if ((shape.rank != 2 && shape.rank != 4) || shape.dim[0] != 1 || luc_numel(&shape) == 0)
        return luc_fail_param(err, LUC_SHAPE, "layer",
                              "layer: '%.60s' is %s, not channels of one picture", layer,
                              luc_shape_print(&shape, text));
    s.n_channels = shape.dim[1];
    snprintf(kind, sizeof(kind), "peaks 1, %zu of each channel", n_peaks);
    st = luc_keep_name(run, kind, s.layer, s.name, err);
    if (!st)
        *survey = s;
    return st;
}

/* Tells each() of a picture whose record is filled. */
static enum luc_status deliver(struct state *t, size_t image, const struct luc_frame *frame,
                               struct luc_error *err)
{
    struct luc_survey *s = t->survey;
    struct luc_shape ignored;
    enum luc_status st = LUC_OK;
    if (frame->in_width != s->in_width || frame->in_height != s->in_height)
        st = find_layer(s, frame, &ignored, err);
    const struct luc_seen seen = { .image = image,
                                   .frame = *frame,
                                   .field = &s->field,
                                   .height = t->record->height,
                                   .width = t->record->width,
                                   .n_peaks = t->record->n_peaks,
                                   .peaks = peaks_of(t->record) };
    if (!st)
        st = t->each(t->ctx, &seen, err);
    if (st)
        return st;
    t->done++;
    luc_run_report(s->run, t->done, s->run->n_images, (double)NAN);
    return luc_run_tick(s->run, t->to * (double)t->done / (double)s->run->n_images, err);
}

/* ---- what is kept --------------------------------------------------------------------------- */

static bool is_whole(const struct luc_survey *s, const struct record *r, size_t size)
{
    if (size < sizeof(*r) || r->n_channels != s->n_channels || r->n_peaks == 0 ||
        r->n_peaks > s->n_peaks || size != record_size(r->n_channels, r->n_peaks) ||
        r->width == 0 || r->image_width == 0 || r->image_height == 0)
        return false;
    const struct luc_peak *p = (const struct luc_peak *)(const void *)(r + 1);
    for (size_t i = 0; i < s->n_channels * r->n_peaks; i++)
        if (!isfinite(p[i].value) || p[i].at / r->width >= r->height)
            return false;
    return true;
}

/* *found: picture i was known, and t->record holds it. */
static enum luc_status find_kept(struct state *t, size_t i, struct luc_frame *frame, bool *found,
                                 struct luc_error *err)
{
    struct luc_survey *s = t->survey;
    size_t size = 0;
    struct record *r = luc_keep_find(s->run, i, s->name, &size);
    *found = r && is_whole(s, r, size);
    if (*found)
        memcpy(t->record, r, size);
    free(r);
    if (!*found)
        return LUC_OK;
    const struct luc_image size_only = { .width = t->record->image_width,
                                         .height = t->record->image_height };
    return luc_run_frame(s->run, &size_only, frame, err);
}

/* ---- what goes through the network ---------------------------------------------------------- */

static enum luc_status find_peaks(struct state *t, const float *a, struct luc_error *err)
{
    struct record *r = t->record;
    const size_t plane = (size_t)r->height * r->width, most = r->n_peaks;
    for (size_t k = 0; k < r->n_channels; k++) {
        struct luc_peak *best = peaks_of(r) + k * most;
        size_t n = 0;
        for (size_t i = 0; i < plane; i++) {
            const float v = a[k * plane + i];
            if (!isfinite(v))
                return luc_fail(err, LUC_INVALID,
                                "the layer's answer is not finite: check the model's "
                                "preprocessing");
            if (n == most && !(v > best[n - 1].value))
                continue;
            size_t at = n < most ? n++ : n - 1;
            for (; at > 0 && v > best[at - 1].value; at--)
                best[at] = best[at - 1];
            best[at] = (struct luc_peak){ v, (uint32_t)i };
        }
    }
    return LUC_OK;
}

/* The record of a picture, its peaks still missing. */
static void begin_record(struct state *t, const struct waiting *w)
{
    const struct luc_survey *s = t->survey;
    const struct luc_shape *d = &luc_exec_value(t->batch.exec, s->layer)->shape;
    const size_t plane = luc_numel(d) / t->batch.n / s->n_channels;
    *t->record = (struct record){
        .n_channels = (uint32_t)s->n_channels,
        .n_peaks = (uint32_t)smaller(s->n_peaks, plane),
        .height = (uint32_t)(d->rank == 4 ? d->dim[2] : 1),
        .width = (uint32_t)(d->rank == 4 ? d->dim[3] : 1),
        .image_width = (uint32_t)w->width,
        .image_height = (uint32_t)w->height,
    };
}

static enum luc_status read_slot(struct state *t, size_t slot, struct luc_error *err)
{
    struct luc_survey *s = t->survey;
    const struct luc_tensor *a = luc_exec_value(t->batch.exec, s->layer);
    const size_t per = luc_numel(&a->shape) / t->batch.n, i = t->waiting[slot].image;
    begin_record(t, &t->waiting[slot]);
    enum luc_status st = find_peaks(t, a->data + slot * per, err);
    if (st)
        return st;
    luc_keep_put(s->run, i, s->name, t->record, record_size(s->n_channels, t->record->n_peaks));
    s->n_computed++;
    return deliver(t, i, &t->waiting[slot].frame, err);
}

/* Runs what waits; a batch that is not full runs as it is. */
static enum luc_status flush(struct state *t, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    if (t->n_waiting > 0)
        luc_exec_forward(t->batch.exec);
    for (size_t i = 0; i < t->n_waiting && !st; i++)
        st = read_slot(t, i, err);
    t->n_waiting = 0;
    return st;
}

/* A batch for pictures of this size. The first of a size runs alone, then twice as many each time:
 * pictures of a collection have one size, or many. */
static enum luc_status reopen(struct state *t, const struct luc_frame *f, struct luc_error *err)
{
    struct luc_survey *s = t->survey;
    const size_t channels = s->run->model->in.channels == LUC_GRAY ? 1 : 3;
    const struct luc_shape one = luc_shape4(1, channels, f->in_height, f->in_width);
    const bool same = t->batch.exec && luc_shape_equal(&one, &t->one);
    const size_t left = s->run->n_images - t->done;
    const size_t next = same ? smaller(2 * t->batch.n, t->batch_max) : 1;
    const size_t want = smaller(luc_run_is_dry(s->run) ? LUC_BATCH_MAX : next, left);
    if (same && (t->n_waiting > 0 || want == t->batch.n))
        return LUC_OK;
    enum luc_status st = flush(t, err);
    if (st)
        return st;
    luc_arena_release(s->run->arena, t->mark);
    t->batch = (struct luc_batch){ 0 };
    t->one = one;
    st = luc_batch_open(s->run, &one, want,
                        &(struct luc_ask){ .taps = &s->layer, .n_taps = 1, .fast = true },
                        &t->batch, err);
    if (st)
        return st;
    t->batch_max = t->batch.n < want ? t->batch.n : LUC_BATCH_MAX; /* as memory allows */
    return luc_exec_value(t->batch.exec, s->layer)->shape.dim[1] == s->n_channels
               ? LUC_OK
               : luc_fail_param(err, LUC_SHAPE, "layer",
                                "layer: its channels vary with the picture");
}

static enum luc_status look_at(struct state *t, size_t i, const struct luc_image **image,
                               struct waiting *w, struct luc_error *err)
{
    enum luc_status st = luc_run_image(t->survey->run, i, image, err);
    if (st)
        return st;
    *w = (struct waiting){ .image = i, .width = (*image)->width, .height = (*image)->height };
    return luc_run_frame(t->survey->run, *image, &w->frame, err);
}

static enum luc_status add(struct state *t, size_t i, struct luc_error *err)
{
    struct luc_run *run = t->survey->run;
    const struct luc_image *image = NULL;
    struct waiting w = { 0 };
    enum luc_status st = look_at(t, i, &image, &w, err);
    if (!st)
        st = reopen(t, &w.frame, err);
    if (!st)
        st = luc_model_preprocess(
            run->model, image, &w.frame,
            luc_exec_input(t->batch.exec, 0)->data + t->n_waiting * luc_numel(&t->one), err);
    luc_run_drop(run, i);
    if (st)
        return st;
    t->waiting[t->n_waiting++] = w;
    return t->n_waiting == t->batch.n ? flush(t, err) : LUC_OK;
}

/* A dry run: the largest batch, and peaks that are all zero. */
static enum luc_status rehearse(struct state *t, struct luc_error *err)
{
    struct luc_survey *s = t->survey;
    const struct luc_image *image = NULL;
    struct waiting w = { 0 };
    enum luc_status st = look_at(t, 0, &image, &w, err);
    if (!st)
        st = reopen(t, &w.frame, err);
    if (!st)
        begin_record(t, &w);
    for (size_t i = 0; i < s->run->n_images && i < REHEARSED && !st; i++)
        st = deliver(t, i, &w.frame, err);
    luc_run_drop(s->run, 0);
    return st;
}

enum luc_status luc_survey_run(struct luc_survey *s, double to, luc_survey_each *each, void *ctx,
                               struct luc_error *err)
{
    struct state t = { .survey = s, .each = each, .ctx = ctx, .to = to };
    const struct luc_arena_mark start = luc_arena_mark(s->run->arena);
    const size_t size = record_size(s->n_channels, s->n_peaks);
    enum luc_status st = LUC_OK;
    t.record = luc_arena_alloc(s->run->arena, 1, size);
    if (!t.record)
        return luc_fail_nomem(err, "peaks", size);
    t.mark = luc_arena_mark(s->run->arena);
    t.batch_max = LUC_BATCH_MAX;
    if (luc_run_is_dry(s->run))
        st = rehearse(&t, err);
    for (size_t i = 0; i < s->run->n_images && !st && !luc_run_is_dry(s->run); i++) {
        struct luc_frame frame;
        bool known = false;
        st = find_kept(&t, i, &frame, &known, err);
        if (!st && known && t.n_waiting > 0) { /* in order: those before it, then it again */
            st = flush(&t, err);
            if (!st)
                st = find_kept(&t, i, &frame, &known, err);
        }
        if (!st && !known) {
            st = add(&t, i, err);
        } else if (!st) {
            s->n_kept++;
            luc_run_drop(s->run, i); /* luc_survey_open() has looked at the first */
            st = deliver(&t, i, &frame, err);
        }
    }
    if (!st)
        st = flush(&t, err);
    luc_arena_release(s->run->arena, start);
    return st;
}
