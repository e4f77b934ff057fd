/* invert: a picture made from nothing whose features at a layer are those of the upload.
 *
 *   minimise  |F - F0|^2 / |F0|^2 + alpha_norm R_alpha + beta_tv R_Vbeta
 *
 * What comes out looks as the upload where the layer still knows it: shallow layers give it back
 * nearly, deep ones its parts and their rough places.
 *
 * Input:  one picture.
 * Output: picture `picture`: of one layer the picture made; of several a sheet, the upload as the
 *         network sees it first; table `layers`: the loss, and how far the picture is from the
 *         upload (root mean square of the difference, of 1).
 * Cost:   `steps` forward and backward passes up to each layer, with jitter one more forward.
 * Errors: LUC_NOT_FOUND a layer; LUC_INVALID a line search with jitter; LUC_SHAPE a size that the
 *         network cannot take; LUC_NOMEM.
 * Source: Mahendran & Vedaldi, "Understanding Deep Image Representations by Inverting Them", 2014,
 *         arXiv:1412.0035, sections 2 and 3. Differs: L-BFGS with a line search, or Adam, in place
 *         of gradient descent with momentum; regularisers as core/generate/regular.h scales them;
 *         jitter of both pictures.
 *
 * Tried on SqueezeNet and ResNet-50: on pixels deep layers give grain, and beta_tv of 10 to 50 in
 * its place gray fog; a spectrum has neither. With jitter and Adam the deep layers show whole
 * parts, without it and with L-BFGS only their blurred places; shallow layers come out alike. Of
 * those and VGG-19 every stage: all but the last two give the cat back, its colours fading from
 * stage to stage, the last shows an eye here, a muzzle there. beta_tv says little: 0 and 0.1 leave
 * more grain in the last, 5 less detail. Rate 0.03 stays faint, 0.1 burns the last; 300 steps
 * bring back some colour.
 */
#include "core/ask/stages.h"
#include "core/generate/canvas.h"
#include "core/generate/series.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <string.h>

#define USUAL_SIZE 224

#define USUAL_JITTER 4

enum optimiser { BY_ADAM, BY_LBFGS };

struct params {
    char layers[LUC_TEXT_MAX];
    int64_t size, steps, parametrisation, optimiser;
    struct luc_auto_int jitter;
    double rate, alpha_norm, alpha, beta_tv, beta;
};

static const char *const paint_names[] = { "pixel", "fourier", NULL };
static const char *const optimiser_names[] = { "adam", "lbfgs", NULL };

static const struct luc_param rows[] = {
    LUC_TEXT(struct params, layers, "auto",
             "Layers to invert, separated by commas, a picture for each; auto: one of each size"),
    LUC_INT(struct params, size, 0, 0, 2048, "px",
            "Long side of the picture; 0: the upload as the network takes it"),
    LUC_INT(struct params, steps, 150, 1, 10000, "", "Steps for each layer"),
    LUC_REAL(struct params, beta_tv, 1, 0, 1e6, "", "Weight of the slopes, |slope|^beta"),
    LUC_REAL(struct params, beta, 2, 0.5, 8, "", "The power of the slopes"),
    LUC_REAL(struct params, alpha_norm, 1, 0, 1e6, "", "Weight of the range, |pixel|^alpha"),
    LUC_REAL(struct params, alpha, 6, 1, 20, "", "The power of the range"),
    LUC_CHOICE(struct params, parametrisation, LUC_FOURIER, 2, paint_names,
               "What is optimised: pixels, or a spectrum of decorrelated colours"),
    LUC_CHOICE(struct params, optimiser, BY_ADAM, 2, optimiser_names,
               "How steps are taken: Adam, or L-BFGS with a line search"),
    LUC_REAL(struct params, rate, 0, 0, 1000, "",
             "Length of a step; 0: 1 lbfgs, 3 adam on pixels, 0.05 adam on a spectrum"),
    LUC_AUTO_INT(struct params, jitter, -1, 0, 256, "px",
                 "Each step shifts both pictures by up to this much; auto: 4, lbfgs: 0"),
    LUC_PARAM_END,
};

struct job {
    struct luc_run *run;
    const struct params *p;
    struct luc_layer_list layers;
    struct luc_series series;
    struct luc_loss loss; /* of the turn in work */
    float *upload;        /* [3, H, W] */
    uint8_t *lead;        /* the same as bytes, [H, W, 3] */
};

/* The upload as the network takes it, or with its long side `size`. */
static enum luc_status load(struct job *j, struct luc_error *err)
{
    struct luc_run *run = j->run;
    const struct luc_pixels *in = &run->model->in;
    const struct luc_image *image = NULL;
    struct luc_frame frame = { .in_width = in->width, .in_height = in->height };
    struct luc_canvas c;
    enum luc_status st = luc_run_image(run, 0, &image, err);
    if (st)
        return st;
    if (j->p->size > 0 || in->width == 0) {
        const size_t side = j->p->size > 0 ? (size_t)j->p->size : USUAL_SIZE;
        st = luc_canvas_load(&c, image, side, run->arena, err);
    } else {
        const enum luc_fit fit =
            run->input->fit == 0 ? in->fit : (enum luc_fit)(run->input->fit - 1);
        st = luc_model_frame(run->model, image->width, image->height, fit, &frame, err);
        if (!st)
            st = luc_canvas_create(&c, frame.in_height, frame.in_width, run->arena, err);
        const struct luc_box box = { frame.x, frame.y, frame.width, frame.height };
        if (!st && !luc_run_is_dry(run))
            st = luc_image_resize_planar(image, &box, c.width, c.height, LUC_BICUBIC, c.data, err);
    }
    if (st)
        return st;
    j->series.height = c.height;
    j->series.width = c.width;
    j->upload = c.data;
    return LUC_OK;
}

static enum luc_status make_lead(struct job *j, struct luc_error *err)
{
    const size_t n = 3 * j->series.height * j->series.width;
    struct luc_image image = { 0 };
    j->lead = luc_arena_raw(j->run->arena, n, 1);
    if (!j->lead)
        return luc_fail_nomem(err, "picture", n);
    if (luc_run_is_dry(j->run))
        return LUC_OK;
    const struct luc_canvas c = { j->upload, j->series.height, j->series.width };
    const enum luc_status st = luc_canvas_picture(&c, &image, err);
    if (!st)
        memcpy(j->lead, image.data, n);
    luc_image_done(&image);
    return st;
}

static size_t jitter_of(const struct params *p)
{
    if (p->jitter.given)
        return (size_t)p->jitter.v;
    return p->optimiser == BY_ADAM ? USUAL_JITTER : 0;
}

static double rate_of(const struct params *p)
{
    if (p->rate > 0)
        return p->rate;
    return p->optimiser == BY_LBFGS ? 1 : p->parametrisation == LUC_FOURIER ? 0.05 : 3;
}

static enum luc_status begin(void *ctx, size_t turn, struct luc_rng rng, struct luc_paint *paint,
                             struct luc_loop **loop, struct luc_error *err)
{
    struct job *j = ctx;
    const struct luc_series *s = &j->series;
    const struct params *p = j->p;
    struct luc_arena *arena = j->run->arena;
    struct luc_exec *x = NULL;
    const struct luc_paint_spec kind = { .kind = (enum luc_paint_kind)p->parametrisation,
                                         .height = s->height,
                                         .width = s->width };
    enum luc_status st = luc_features(j->run->model, j->run->threads, j->upload, s->height,
                                      s->width, &j->layers.value[turn], 1, arena, &x, err);
    if (!st)
        st = luc_paint_init(paint, &kind, arena, err);
    if (st)
        return st;
    if (!luc_run_is_dry(j->run))
        luc_paint_noise(paint, kind.kind == LUC_FOURIER ? 0.01 : 0.05, &rng);
    luc_loss_feature(&j->loss, j->layers.value[turn], 1, luc_exec_value(x, j->layers.value[turn]));
    const struct luc_loop_spec spec = {
        .model = j->run->model,
        .threads = j->run->threads,
        .paint = paint,
        .losses = &j->loss,
        .n_losses = 1,
        .optimiser = { .kind = p->optimiser == BY_LBFGS ? LUC_LBFGS_SEARCH : LUC_ADAM,
                       .rate = rate_of(p) },
        .regular = { .alpha_weight = p->alpha_norm,
                     .alpha = p->alpha,
                     .beta_tv_weight = p->beta_tv,
                     .beta = p->beta },
        .views = { .jitter = jitter_of(p) },
        .reference = jitter_of(p) ? j->upload : NULL,
        .rng = rng,
    };
    return luc_loop_create(&spec, arena, loop, err);
}

static enum luc_status report(struct job *j, struct luc_error *err)
{
    static const char *const columns[] = { "layer", "loss", "distance" };
    const size_t n = 3 * j->series.height * j->series.width;
    struct luc_table *table = NULL;
    const enum luc_status st =
        luc_result_table(j->run->result, "layers", columns, 3, j->layers.n, &table, err);
    for (size_t i = 0; !st && i < j->layers.n; i++) {
        const uint8_t *made = j->series.pictures + i * n;
        double squares = 0;
        for (size_t k = 0; k < n && !luc_run_is_dry(j->run); k++)
            squares += pow((double)made[k] - (double)j->lead[k], 2);
        table->cells[3 * i].text = luc_arena_strdup(
            j->run->result->arena, luc_layer_name(j->run->model, j->layers.value[i]));
        if (!table->cells[3 * i].text)
            return luc_fail_nomem(err, "layers", LUC_TEXT_MAX);
        table->cells[3 * i + 1].number = j->series.losses[i];
        table->cells[3 * i + 2].number = sqrt(squares / (double)n) / 255;
    }
    return st;
}

static enum luc_status run_invert(struct luc_run *run, const void *params, struct luc_error *err)
{
    struct job j = { .run = run, .p = params };
    struct luc_image image = { 0 };
    if (jitter_of(j.p) > 0 && j.p->optimiser == BY_LBFGS)
        return luc_fail_param(
            err, LUC_INVALID, "jitter",
            "jitter: needs optimiser adam: a line search cannot tell a shift from "
            "a better picture");
    enum luc_status st = luc_stages_read(run, "layers", j.p->layers, &j.layers, err);
    if (!st)
        st = load(&j, err);
    if (!st)
        st = make_lead(&j, err);
    if (st)
        return st;
    j.series.run = run;
    j.series.n = j.layers.n;
    j.series.each = 1;
    j.series.steps = (size_t)j.p->steps;
    j.series.begin = begin;
    j.series.ctx = &j;
    j.series.lead = j.layers.n > 1 ? j.lead : NULL;
    st = luc_series_run(&j.series, err);
    if (!st)
        st = luc_series_sheet(&j.series, 0, &image, err);
    if (!st)
        st = luc_result_picture(run->result, "picture", &image, err);
    luc_image_done(&image);
    return st ? st : report(&j, err);
}

const struct luc_method luc_method_invert = {
    .name = "invert",
    .title = "Inverted features",
    .summary = "Pictures made from what layers know of an upload: what is lost is not in them.",
    .paper = "Mahendran & Vedaldi 2014, arXiv:1412.0035",
    .groups = LUC_GROUP_INPUT | LUC_GROUP_SEED,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_invert,
};
