/* dream: amplifies what layers already see in the picture (DeepDream).
 *
 *   x += step * g / mean |g|,   g = d (sum_l w_l e_l) / dx
 *   e_l = mean A_l^2 / 2, or with a guide how well A_l fits what the guide makes the layer answer
 *
 * at several sizes, small to large; what was added at one is carried to the next as detail over the
 * picture at that size. Each step looks at the picture shifted by a random amount, large pictures in
 * overlapping tiles (core/generate/ascent.h). Frames after the first begin from the one before, seen
 * from nearer.
 *
 * Input:  one picture; a second is the guide.
 * Output: picture `picture`, the last frame; `frame_1`, ... those before it; table `octaves` with
 *         size, last loss and tiles of each.
 * Cost:   frames * octaves * steps forward and backward passes.
 * Errors: LUC_NOT_FOUND a layer; LUC_INVALID weights that do not fit; LUC_NOMEM a size too large for
 *         the job's memory.
 * Source: Mordvintsev, Olah & Tyka, "Inceptionism: Going Deeper into Neural Networks", Google
 *         Research, 2015, and the code published with it.
 *
 * Tried with a cat and a street, layers of all depths of three networks. What a layer adds follows
 * from how many of the convolutions are behind it: lines and scales up to half of them (res3d,
 * fire5, relu3_3), eyes at three fifths (res4b_2b, fire6, relu4_1), heads and whole animals at
 * four fifths (res4f_2b, fire8, relu5_1), mud after that (res5c, fire9, conv10; relu5_4 still has
 * parts): hence USUAL_DEPTH. 10 steps leave ResNet-50's cat a cat, 20 give it a second one, 40, or
 * 20 of 3, cover it; VGG-19 has heads with 10 and only harder colours with 20. Six octaves of
 * 1.25: smaller things.
 */
#include "core/ask/layer_list.h"
#include "core/ask/stages.h"
#include "core/generate/ascent.h"
#include "core/generate/guide.h"
#include "core/run/method.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIDE_MIN    64  /* pixels; smaller octaves are left out */
#define GUIDE_SIDE  256 /* pixels of the guide's long side, at most */
#define FRAMES_MAX  24
#define N_COLUMNS   3
#define OCTAVES     10
#define USUAL_DEPTH 0.78               /* of the convolutions: res4f_2b, fire8, relu5_1 */
#define SPARE       ((size_t)16 << 20) /* bytes that a picture as one tile must leave free */

struct params {
    char layers[LUC_TEXT_MAX];
    struct luc_reals layer_weights;
    double octave_scale, step, zoom;
    int64_t size, octaves, steps, jitter, tile, frames;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layers, "auto",
             "Layers to amplify, separated by commas; auto: one, four fifths of the way"),
    LUC_REALS(struct params, layer_weights, "", -1e6, 1e6, "",
              "One weight for each layer; negative ones are dampened; empty: all alike"),
    LUC_INT(struct params, size, 512, 64, 4096, "px", "Long side of the picture that is made"),
    LUC_INT(struct params, octaves, 4, 1, OCTAVES, "", "Sizes to work at"),
    LUC_REAL(struct params, octave_scale, 1.4, 1.1, 3.0, "", "Ratio from one size to the next"),
    LUC_INT(struct params, steps, 20, 1, 1000, "", "Steps at each size"),
    LUC_REAL(struct params, step, 1.5, 0.01, 100, "", "Mean change of a pixel in one step, of 255"),
    LUC_INT(struct params, jitter, 32, 0, 256, "px", "Each step shifts the picture by up to this"),
    LUC_INT(struct params, tile, 0, 0, 4096, "px",
            "Work in tiles of at most this side, shifted at random so that no seams show; 0: only "
            "where the picture is too large for memory"),
    LUC_INT(struct params, frames, 1, 1, FRAMES_MAX, "",
            "Pictures to make, each dreamt from the one before, zoomed in"),
    LUC_REAL(struct params, zoom, 1.05, 1.0, 2.0, "", "Zoom from one frame to the next"),
    LUC_PARAM_END,
};

struct dream {
    struct luc_run *run;
    const struct params *p;
    const struct luc_image *upload;
    struct luc_loss losses[LUC_LIST_MAX];
    size_t n_losses, n_octaves;
    double work, done; /* of all frames: steps times pixels */
    struct luc_table *table;
    struct luc_image frames[FRAMES_MAX]; /* those that are finished */
    size_t frame, octave, step;          /* where the run is */
    const float *resume;                 /* the picture at that place, once, after a checkpoint */
};

/* ---- what is asked ---- */

static enum luc_status list_layers(struct dream *d, struct luc_layer_list *list,
                                   struct luc_error *err)
{
    const struct params *p = d->p;
    if (strcmp(p->layers, "auto") != 0)
        return luc_layers_read(d->run->model, "layers", p->layers, "layer_weights",
                               &p->layer_weights, list, err);
    if (p->layer_weights.n > 1)
        return luc_fail_param(err, LUC_INVALID, "layer_weights",
                              "layer_weights: %zu weights, but auto is one layer",
                              p->layer_weights.n);
    list->n = 1;
    list->weight[0] = p->layer_weights.n ? p->layer_weights.v[0] : 1;
    return luc_stages_depth(d->run, "layers", USUAL_DEPTH, &list->value[0], err);
}

/* The guide's features at the layers become what the layers are to answer. */
static enum luc_status read_guide(struct dream *d, const struct luc_layer_list *list,
                                  struct luc_error *err)
{
    struct luc_run *run = d->run;
    const struct luc_image *guide = NULL;
    struct luc_canvas c;
    struct luc_exec *x = NULL;
    enum luc_status st = luc_run_image(run, 1, &guide, err);
    if (st)
        return st;
    const size_t longer = guide->width > guide->height ? guide->width : guide->height;
    st = luc_canvas_load(&c, guide, longer < GUIDE_SIDE ? longer : GUIDE_SIDE, run->arena, err);
    if (!st)
        st = luc_features(run->model, run->threads, c.data, c.height, c.width, list->value, list->n,
                          run->arena, &x, err);
    for (size_t i = 0; !st && i < list->n; i++) {
        const struct luc_tensor *f = luc_exec_value(x, list->value[i]);
        if (f->shape.rank != 4)
            return luc_fail_param(err, LUC_INVALID, "layers",
                                  "layers: a guide wants layers with places, not classes");
        st = luc_loss_guide(&d->losses[i], list->value[i], list->weight[i], f, run->arena, err);
    }
    return st;
}

static enum luc_status read_layers(struct dream *d, struct luc_error *err)
{
    struct luc_layer_list list;
    const enum luc_status st = list_layers(d, &list, err);
    if (st)
        return st;
    d->n_losses = list.n;
    if (d->run->n_images > 1)
        return read_guide(d, &list, err);
    for (size_t i = 0; i < list.n; i++)
        d->losses[i] = (struct luc_loss){ .kind = LUC_LOSS_ENERGY,
                                          .value = list.value[i],
                                          .weight = list.weight[i] };
    return LUC_OK;
}

static size_t side_of(const struct dream *d, size_t octave)
{
    const double small = pow(d->p->octave_scale, (double)(d->n_octaves - 1 - octave));
    return (size_t)fmax(1, round((double)d->p->size / small));
}

/* ---- checkpoints: where the run is, the frames that are finished, the picture ---- */

#define MAGIC 0x316d61657264u /* "dream" and a version */

struct head {
    uint64_t magic, frame, octave, step, height, width;
    double done, losses[OCTAVES][N_COLUMNS];
    struct luc_rng rng;
};

static size_t frame_bytes(const struct luc_image *frame)
{
    return 3 * frame->width * frame->height;
}

/* Best effort, as in style. */
static void save(const struct dream *d, const struct luc_canvas *canvas)
{
    struct luc_str out = { 0 };
    struct head head = { .magic = MAGIC,
                         .frame = d->frame,
                         .octave = d->octave,
                         .step = d->step,
                         .height = canvas->height,
                         .width = canvas->width,
                         .done = d->done,
                         .rng = d->run->rng };
    for (size_t i = 0; i < d->n_octaves * N_COLUMNS; i++)
        head.losses[i / N_COLUMNS][i % N_COLUMNS] = d->table->cells[i].number;
    luc_str_put(&out, &head, sizeof(head));
    luc_str_put(&out, canvas->data, 3 * luc_canvas_pixels(canvas) * sizeof(float));
    for (size_t i = 0; i < d->frame; i++) {
        const uint64_t size[2] = { d->frames[i].width, d->frames[i].height };
        luc_str_put(&out, size, sizeof(size));
        luc_str_put(&out, d->frames[i].data, frame_bytes(&d->frames[i]));
    }
    if (!out.failed)
        luc_run_save(d->run, out.data, out.len);
    luc_str_done(&out);
}

static void drop_frames(struct dream *d)
{
    for (size_t i = 0; i < FRAMES_MAX; i++)
        luc_image_done(&d->frames[i]);
}

/* The finished frames; false: not all there. */
static bool restore_frames(struct dream *d, size_t n, const unsigned char *at, size_t left)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t size[2];
        if (left < sizeof(size))
            return false;
        memcpy(size, at, sizeof(size));
        at += sizeof(size), left -= sizeof(size);
        if (size[0] == 0 || size[1] == 0 || size[0] > left / 3 / size[1] ||
            luc_image_create((size_t)size[0], (size_t)size[1], 3, &d->frames[i], NULL))
            return false;
        memcpy(d->frames[i].data, at, frame_bytes(&d->frames[i]));
        at += frame_bytes(&d->frames[i]), left -= frame_bytes(&d->frames[i]);
    }
    return left == 0;
}

/* Whether the checkpoint's picture is what a picture of this size becomes at that octave. */
static bool has_size(const struct dream *d, const struct head *head, size_t width, size_t height)
{
    const double side = (double)side_of(d, (size_t)head->octave);
    const double scale = side / fmax((double)width, (double)height);
    return (double)head->width == fmax(1, round((double)width * scale)) &&
           (double)head->height == fmax(1, round((double)height * scale));
}

/* Goes on from a checkpoint of this run; another's is left alone. */
static void restore(struct dream *d)
{
    size_t size = 0;
    const unsigned char *bytes = luc_run_checkpoint(d->run, &size);
    struct head head;
    if (!bytes || size < sizeof(head))
        return;
    memcpy(&head, bytes, sizeof(head));
    const size_t left = size - sizeof(head);
    if (head.magic != MAGIC || head.frame >= (uint64_t)d->p->frames ||
        head.octave >= d->n_octaves || head.step > (uint64_t)d->p->steps || head.height == 0 ||
        head.width == 0 || head.height > left / (3 * sizeof(float)) / head.width)
        return;
    const size_t pixels = (size_t)(head.height * head.width) * 3 * sizeof(float);
    const struct luc_image *last = head.frame > 0 ? &d->frames[head.frame - 1] : d->upload;
    if (!restore_frames(d, (size_t)head.frame, bytes + sizeof(head) + pixels, left - pixels) ||
        !has_size(d, &head, last->width, last->height)) {
        drop_frames(d);
        return;
    }
    d->resume = luc_arena_raw(d->run->arena, pixels, 1); /* aligned */
    if (!d->resume) {
        drop_frames(d);
        return;
    }
    memcpy((float *)(uintptr_t)d->resume, bytes + sizeof(head), pixels);
    d->frame = (size_t)head.frame;
    d->octave = (size_t)head.octave;
    d->step = (size_t)head.step;
    d->done = head.done;
    d->run->rng = head.rng;
    for (size_t i = 0; i < d->n_octaves * N_COLUMNS; i++)
        d->table->cells[i].number = head.losses[i / N_COLUMNS][i % N_COLUMNS];
}

/* ---- one size ---- */

static void preview(const struct dream *d, const struct luc_canvas *now)
{
    struct luc_image image = { 0 };
    if (luc_canvas_picture(now, &image, NULL) == LUC_OK)
        luc_run_preview(d->run, &image);
    luc_image_done(&image);
}

/* As one tile where that is asked for or leaves memory over, else in smaller ones. */
static enum luc_status make_ascent(struct dream *d, const struct luc_canvas *canvas,
                                   struct luc_ascent **ascent, struct luc_error *err)
{
    static const size_t sides[] = { 0, 1024, 512, 256 };
    struct luc_run *run = d->run;
    enum luc_status st = LUC_NOMEM;
    for (size_t i = 0; st == LUC_NOMEM && i < sizeof(sides) / sizeof(sides[0]); i++) {
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        const size_t tile = d->p->tile ? (size_t)d->p->tile : sides[i];
        st = luc_ascent_create(&(struct luc_ascent_spec){ .model = run->model,
                                                          .threads = run->threads,
                                                          .losses = d->losses,
                                                          .n_losses = d->n_losses,
                                                          .height = canvas->height,
                                                          .width = canvas->width,
                                                          .tile = tile,
                                                          .jitter = (size_t)d->p->jitter,
                                                          .rate = d->p->step },
                               run->arena, ascent, err);
        const size_t over = luc_arena_limit(run->arena) - luc_arena_used(run->arena);
        if (!st && tile == 0 && over < SPARE + 9 * luc_canvas_pixels(canvas))
            st = LUC_NOMEM; /* the pictures themselves want memory, too */
        if (st)
            luc_arena_release(run->arena, mark);
        if (d->p->tile)
            break;
    }
    return st;
}

static enum luc_status tick(void *ctx, double done, struct luc_error *err)
{
    struct dream *d = ctx;
    const double here = pow((double)side_of(d, d->octave), 2);
    return luc_run_tick(d->run, fmin(1.0, (d->done + done * here) / d->work), err);
}

/* The steps at one size, on `canvas` in place. */
static enum luc_status amplify(struct dream *d, struct luc_canvas *canvas, struct luc_error *err)
{
    struct luc_run *run = d->run;
    struct luc_cell *cells = &d->table->cells[N_COLUMNS * d->octave];
    struct luc_ascent *ascent = NULL;
    const size_t n = (size_t)d->p->steps, octaves = d->n_octaves;
    enum luc_status st = make_ascent(d, canvas, &ascent, err);
    if (st)
        return st;
    cells[0].number = (double)side_of(d, d->octave);
    cells[2].number = (double)luc_ascent_tiles(ascent);
    while (!st && d->step < luc_run_turns(run, n)) {
        double loss = 0;
        st = luc_ascent_step(ascent, canvas->data, &run->rng, tick, d, &loss, err);
        if (st)
            return st;
        cells[1].number = loss;
        d->step++;
        d->done += pow((double)side_of(d, d->octave), 2);
        luc_run_report(run, (d->frame * octaves + d->octave) * n + d->step,
                       (size_t)d->p->frames * octaves * n, loss);
        if (luc_run_wants_preview(run))
            preview(d, canvas);
        if (luc_run_wants_checkpoint(run))
            save(d, canvas);
    }
    return st;
}

/* ---- from size to size, from frame to frame ---- */

/* canvas: the picture at this size plus the detail that the size before added to it; or what a
 * checkpoint holds. */
static enum luc_status begin_octave(struct dream *d, const struct luc_image *source,
                                    const struct luc_canvas *detail, struct luc_canvas *plain,
                                    struct luc_canvas *canvas, struct luc_error *err)
{
    struct luc_run *run = d->run;
    enum luc_status st = luc_canvas_load(plain, source, side_of(d, d->octave), run->arena, err);
    if (!st)
        st = luc_canvas_create(canvas, plain->height, plain->width, run->arena, err);
    if (st || luc_run_is_dry(run))
        return st;
    const size_t n = 3 * luc_canvas_pixels(plain);
    memcpy(canvas->data, d->resume ? d->resume : plain->data, n * sizeof(float));
    if (detail->data && !d->resume) {
        st = luc_canvas_enlarge(detail, canvas, err);
        for (size_t i = 0; !st && i < n; i++)
            canvas->data[i] = fminf(fmaxf(canvas->data[i] + plain->data[i], 0.0f), 255.0f);
    }
    d->resume = NULL;
    return st;
}

static enum luc_status run_octaves(struct dream *d, const struct luc_image *source,
                                   struct luc_canvas *picture, struct luc_error *err)
{
    struct luc_run *run = d->run;
    struct luc_canvas detail = { 0 };
    enum luc_status st = LUC_OK;
    for (; !st && d->octave < d->n_octaves; d->octave++, d->step = 0) {
        struct luc_canvas plain;
        st = begin_octave(d, source, &detail, &plain, picture, err);
        if (st)
            return st;
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        st = amplify(d, picture, err);
        luc_arena_release(run->arena, mark);
        for (size_t k = 0; !luc_run_is_dry(run) && k < 3 * luc_canvas_pixels(&plain); k++)
            plain.data[k] = picture->data[k] - plain.data[k];
        detail = plain;
    }
    d->octave = 0;
    return st;
}

/* What the next frame begins from: the last one's middle. */
static enum luc_status zoom_in(const struct dream *d, struct luc_image *source,
                               struct luc_error *err)
{
    const struct luc_image *last = &d->frames[d->frame - 1];
    const double w = (double)last->width, h = (double)last->height, z = d->p->zoom;
    const struct luc_box middle = { (w - w / z) / 2, (h - h / z) / 2, w / z, h / z };
    return luc_image_resize(last, &middle, last->width, last->height, LUC_BICUBIC, source, err);
}

static enum luc_status run_frame(struct dream *d, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(d->run->arena);
    struct luc_image zoomed = { 0 };
    struct luc_canvas picture = { 0 };
    enum luc_status st = d->frame > 0 ? zoom_in(d, &zoomed, err) : LUC_OK;
    if (!st)
        st = run_octaves(d, d->frame > 0 ? &zoomed : d->upload, &picture, err);
    if (!st && !luc_run_is_dry(d->run))
        st = luc_canvas_picture(&picture, &d->frames[d->frame], err);
    luc_image_done(&zoomed);
    luc_arena_release(d->run->arena, mark);
    return st;
}

static enum luc_status put_frames(struct dream *d, struct luc_error *err)
{
    const size_t n = (size_t)d->p->frames;
    enum luc_status st = luc_result_picture(d->run->result, "picture", &d->frames[n - 1], err);
    for (size_t i = 0; !st && i + 1 < n; i++) {
        char key[32];
        snprintf(key, sizeof(key), "frame_%zu", i + 1);
        st = luc_result_picture(d->run->result, key, &d->frames[i], err);
    }
    return st;
}

static enum luc_status run_dream(struct luc_run *run, const void *params, struct luc_error *err)
{
    static const char *const columns[] = { "size", "loss", "tiles" };
    struct dream d = { .run = run, .p = params };
    d.n_octaves = (size_t)d.p->octaves;
    while (d.n_octaves > 1 && side_of(&d, 0) < SIDE_MIN)
        d.n_octaves--;
    enum luc_status st = read_layers(&d, err);
    if (!st)
        st = luc_run_image(run, 0, &d.upload, err);
    if (!st)
        st = luc_result_table(run->result, "octaves", columns, N_COLUMNS, d.n_octaves, &d.table,
                              err);
    if (st)
        return st;
    for (size_t i = 0; i < d.n_octaves; i++)
        d.work += (double)d.p->frames * (double)d.p->steps * pow((double)side_of(&d, i), 2);
    restore(&d);
    for (; !st && d.frame < luc_run_turns(run, (size_t)d.p->frames); d.frame++)
        st = run_frame(&d, err);
    if (!st)
        st = put_frames(&d, err); /* of a dry run, empty ones */
    drop_frames(&d);
    return st;
}

const struct luc_method luc_method_dream = {
    .name = "dream",
    .title = "DeepDream",
    .summary = "The picture with what a layer sees in it amplified, again and again; with a second "
               "picture, what the layer sees in that one.",
    .paper = "Mordvintsev et al. 2015, \"Inceptionism\"",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 2,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_dream,
};
