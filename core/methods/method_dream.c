/* dream: amplifies what layers already see in the picture (DeepDream).
 *
 *   x += step * g / mean |g|,   g = d (sum_l w_l mean A_l^2 / 2) / dx
 *
 * at several sizes, small to large; what was added at one is carried to the next as detail over the
 * picture at that size. Each step looks at the picture shifted by a random amount.
 *
 * Input:  one picture.
 * Output: picture `picture`; table `octaves` with size and last loss of each.
 * Cost:   octaves * steps forward and backward passes.
 * Errors: LUC_NOT_FOUND a layer; LUC_INVALID weights that do not fit; LUC_NOMEM a size too large for
 *         the job's memory.
 * Source: Mordvintsev, Olah & Tyka, "Inceptionism: Going Deeper into Neural Networks", Google
 *         Research, 2015, and the code published with it.
 *
 * Tried on ResNet-50: res4f_2b gives whole animals, res4f and res4c eyes, res3d stripes and scales.
 */
#include "core/generate/canvas.h"
#include "core/generate/loop.h"
#include "core/methods/layers.h"
#include "core/methods/method.h"

#include <math.h>
#include <string.h>

#define LAYERS_MAX LUC_LIST_MAX
#define SIDE_MIN   64 /* pixels; smaller octaves are left out */

struct params {
    char layers[LUC_TEXT_MAX];
    struct luc_reals layer_weights;
    double octave_scale, step;
    int64_t size, octaves, steps, jitter;
};

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layers, "auto",
             "Layers to amplify, separated by commas; auto: res4f_2b on ResNet-50, else last_conv"),
    LUC_REALS(struct params, layer_weights, "", -1e6, 1e6, "",
              "One weight for each layer; negative ones are dampened; empty: all alike"),
    LUC_INT(struct params, size, 512, 64, 4096, "px", "Long side of the picture that is made"),
    LUC_INT(struct params, octaves, 4, 1, 10, "", "Sizes to work at"),
    LUC_REAL(struct params, octave_scale, 1.4, 1.1, 3.0, "", "Ratio from one size to the next"),
    LUC_INT(struct params, steps, 10, 1, 1000, "", "Steps at each size"),
    LUC_REAL(struct params, step, 1.5, 0.01, 100, "", "Mean change of a pixel in one step, of 255"),
    LUC_INT(struct params, jitter, 32, 0, 256, "px", "Each step shifts the picture by up to this"),
    LUC_PARAM_END,
};

struct dream {
    struct luc_run *run;
    const struct params *p;
    const struct luc_image *upload;
    struct luc_loss losses[LAYERS_MAX];
    size_t n_losses;
    double work, done;
    struct luc_table *table;
};

static const char *usual_layer(const struct luc_model *m)
{
    size_t value = 0;
    return luc_model_layer(m, "res4f_2b", &value, NULL) == LUC_OK ? "res4f_2b" : "last_conv";
}

static enum luc_status read_layers(struct dream *d, struct luc_error *err)
{
    const struct params *p = d->p;
    const char *names = strcmp(p->layers, "auto") == 0 ? usual_layer(d->run->model) : p->layers;
    struct luc_layer_list list;
    const enum luc_status st = luc_layers_read(d->run->model, "layers", names, "layer_weights",
                                               &p->layer_weights, &list, err);
    if (st)
        return st;
    for (size_t i = 0; i < list.n; i++)
        d->losses[i] = (struct luc_loss){ .kind = LUC_LOSS_ENERGY,
                                          .value = list.value[i],
                                          .weight = list.weight[i] };
    d->n_losses = list.n;
    return LUC_OK;
}

static void preview(const struct dream *d, const struct luc_canvas *now)
{
    struct luc_image image = { 0 };
    if (luc_canvas_picture(now, &image, NULL) == LUC_OK)
        luc_run_preview(d->run, &image);
    luc_image_done(&image);
}

/* The steps at one size, on `canvas` in place. */
static enum luc_status amplify(struct dream *d, size_t octave, struct luc_canvas *canvas,
                               struct luc_error *err)
{
    struct luc_run *run = d->run;
    struct luc_paint paint;
    struct luc_loop *loop = NULL;
    enum luc_status st =
        luc_paint_init(&paint,
                       &(struct luc_paint_spec){
                           .kind = LUC_PIXEL, .height = canvas->height, .width = canvas->width },
                       run->arena, err);
    if (st)
        return st;
    luc_paint_set(&paint, canvas->data);
    const struct luc_loop_spec spec = { .model = run->model,
                                        .threads = run->threads,
                                        .paint = &paint,
                                        .losses = d->losses,
                                        .n_losses = d->n_losses,
                                        .optimiser = { .kind = LUC_ASCENT, .rate = d->p->step },
                                        .views = { .jitter = (size_t)d->p->jitter },
                                        .rng = run->rng };
    st = luc_loop_create(&spec, run->arena, &loop, err);
    double total = 0;
    for (size_t i = 0; !st && i < luc_run_turns(run, (size_t)d->p->steps); i++) {
        total = luc_loop_step(loop);
        d->done += (double)luc_canvas_pixels(canvas);
        luc_paint_get(&paint, canvas->data);
        luc_run_report(run, octave * (size_t)d->p->steps + i + 1,
                       d->table->n_rows * (size_t)d->p->steps, total);
        if (luc_run_wants_preview(run))
            preview(d, canvas);
        st = luc_run_tick(run, fmin(1.0, d->done / d->work), err);
    }
    d->table->cells[2 * octave].number =
        (double)(canvas->width > canvas->height ? canvas->width : canvas->height);
    d->table->cells[2 * octave + 1].number = total;
    (void)luc_rng_bits(&run->rng); /* the next octave draws other shifts */
    return st;
}

static size_t side_of(const struct params *p, size_t octave, size_t n)
{
    return (size_t)fmax(1, round((double)p->size / pow(p->octave_scale, (double)(n - 1 - octave))));
}

/* canvas: the picture at this size plus the detail that the size before added to it. */
static enum luc_status begin_octave(struct dream *d, size_t side, const struct luc_canvas *detail,
                                    struct luc_canvas *plain, struct luc_canvas *canvas,
                                    struct luc_error *err)
{
    struct luc_run *run = d->run;
    enum luc_status st = luc_canvas_load(plain, d->upload, side, run->arena, err);
    if (!st)
        st = luc_canvas_create(canvas, plain->height, plain->width, run->arena, err);
    if (st)
        return st;
    const size_t n = 3 * luc_canvas_pixels(plain);
    memcpy(canvas->data, plain->data, n * sizeof(float));
    if (detail->data) {
        st = luc_canvas_enlarge(detail, canvas, err);
        for (size_t i = 0; !st && i < n; i++)
            canvas->data[i] = fminf(fmaxf(canvas->data[i] + plain->data[i], 0.0f), 255.0f);
    }
    return st;
}

static enum luc_status run_octaves(struct dream *d, size_t n, struct luc_canvas *picture,
                                   struct luc_error *err)
{
    struct luc_run *run = d->run;
    struct luc_canvas detail = { 0 };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        struct luc_canvas plain;
        st = begin_octave(d, side_of(d->p, i, n), &detail, &plain, picture, err);
        if (st)
            return st;
        const struct luc_arena_mark mark = luc_arena_mark(run->arena);
        st = amplify(d, i, picture, err);
        luc_arena_release(run->arena, mark);
        for (size_t k = 0; k < 3 * luc_canvas_pixels(&plain); k++)
            plain.data[k] = picture->data[k] - plain.data[k];
        detail = plain;
    }
    return st;
}

static enum luc_status run_dream(struct luc_run *run, const void *params, struct luc_error *err)
{
    static const char *const columns[] = { "size", "loss" };
    struct dream d = { .run = run, .p = params };
    struct luc_canvas picture = { 0 };
    struct luc_image image = { 0 };
    size_t n = (size_t)d.p->octaves;
    while (n > 1 && side_of(d.p, 0, n) < SIDE_MIN)
        n--;
    enum luc_status st = read_layers(&d, err);
    if (!st)
        st = luc_run_image(run, 0, &d.upload, err);
    if (!st)
        st = luc_result_table(run->result, "octaves", columns, 2, n, &d.table, err);
    if (st)
        return st;
    const double aspect = (double)d.upload->width / (double)d.upload->height;
    for (size_t i = 0; i < n; i++)
        d.work += (double)d.p->steps * pow((double)side_of(d.p, i, n), 2) *
                  (aspect > 1 ? 1 / aspect : aspect);
    st = run_octaves(&d, n, &picture, err);
    if (!st)
        st = luc_canvas_picture(&picture, &image, err);
    if (!st)
        st = luc_result_picture(run->result, "picture", &image, err);
    luc_image_done(&image);
    return st;
}

const struct luc_method luc_method_dream = {
    .name = "dream",
    .title = "DeepDream",
    .summary = "The picture with what a layer sees in it amplified, again and again.",
    .paper = "Mordvintsev et al. 2015, \"Inceptionism\"",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_dream,
};
