/* fast-style: repaints the picture in one pass through a feed-forward style network.
 *
 *   out = (1 - strength) * picture + strength * network(picture), clamped to 0..255
 *
 * Input:  one picture, at its own size.
 * Output: picture `picture`, of the upload's size.
 * Cost:   one forward pass; memory grows with the picture (about 0.5 kB a pixel).
 * Errors: LUC_INVALID a network that does not make pictures; LUC_NOMEM a picture too large for the
 *         job's memory.
 * Source: Johnson, Alahi & Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
 *         Super-Resolution", 2016, arXiv:1603.08155; Chen, Lai & Liu, "CartoonGAN", CVPR 2018.
 */
#include "core/methods/method.h"
#include "core/tensor/resize.h"

#include <math.h>

struct params {
    double strength;
};

static const struct luc_param rows[] = {
    LUC_REAL(struct params, strength, 1.0, 0.0, 1.0, "",
             "How much of the style: 0 is the picture itself, 1 the network's answer"),
    LUC_PARAM_END,
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

static enum luc_status run_fast_style(struct luc_run *run, const void *params,
                                      struct luc_error *err)
{
    const struct params *p = params;
    const struct luc_model *m = run->model;
    struct luc_frame frame;
    struct luc_tensor input;
    struct luc_exec *x = NULL;
    struct luc_image picture = { 0 };
    const struct luc_image *upload = NULL;
    if (m->task != LUC_TASK_STYLE)
        return luc_fail_param(err, LUC_INVALID, "model",
                              "model: '%.60s' does not make pictures; the networks of task "
                              "\"style\" do",
                              m->name);
    enum luc_status st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st = luc_run_forward(
            run, &input, &(struct luc_ask){ .taps = m->graph->outputs, .n_taps = 1, .fast = true },
            &x, err);
    if (!st)
        st = to_picture(m, luc_exec_value(x, m->graph->outputs[0]), &picture, err);
    if (!st)
        st = luc_run_image(run, 0, &upload, err);
    if (!st)
        st = fit_to(upload, &picture, err);
    if (!st) {
        blend(upload, p->strength, &picture);
        st = luc_result_picture(run->result, "picture", &picture, err);
    }
    luc_image_done(&picture);
    return st ? st : luc_run_tick(run, 1.0, err);
}

const struct luc_method luc_method_fast_style = {
    .name = "fast-style",
    .title = "Fast style",
    .summary = "The picture repainted in one pass through a feed-forward style network.",
    .paper = "Johnson et al. 2016, arXiv:1603.08155",
    .groups = LUC_GROUP_INPUT,
    .images_min = 1,
    .images_max = 1,
    .makes_picture = true,
    .model = "cartoon_hayao",
    .params_size = sizeof(struct params),
    .params = rows,
    .run = run_fast_style,
};
