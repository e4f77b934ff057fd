#include "core/attack/victim.h"

#include "core/ask/target.h"
#include "core/tensor/resize.h"

#include <math.h>
#include <string.h>

static const float luma[3] = { 0.299f, 0.587f, 0.114f }; /* as luc_model_preprocess() */

enum luc_status luc_victim_open(struct luc_run *run, struct luc_victim *v, struct luc_error *err)
{
    const size_t logits = run->model->logits, in = run->model->input;
    struct luc_victim made = { .run = run, .dry = luc_run_is_dry(run) };
    struct luc_frame frame;
    struct luc_tensor input;
    enum luc_status st = luc_run_input(run, 0, &frame, &input, err);
    if (!st)
        st = luc_run_forward(run, &input,
                             &(struct luc_ask){ .taps = &logits,
                                                .seeds = &logits,
                                                .wrt = &in,
                                                .n_taps = 1,
                                                .n_seeds = 1,
                                                .n_wrt = 1,
                                                .backward_again = true },
                             &made.exec, err);
    if (!st)
        st = luc_check_logits(luc_exec_value(made.exec, logits), err);
    if (st)
        return st;
    made.width = frame.in_width;
    made.height = frame.in_height;
    made.n = 3 * made.width * made.height;
    made.n_classes = luc_numel(&luc_exec_value(made.exec, logits)->shape);
    made.passes = 1;
    *v = made;
    return LUC_OK;
}

enum luc_status luc_victim_picture(struct luc_victim *v, float *pixels, struct luc_error *err)
{
    struct luc_run *run = v->run;
    const struct luc_image *photo = NULL;
    struct luc_frame f;
    struct luc_image small = { 0 };
    enum luc_status st = luc_run_image(run, 0, &photo, err);
    if (!st)
        st = luc_run_frame(run, photo, &f, err);
    if (st || v->dry)
        return st;
    const struct luc_box box = { f.x, f.y, f.width, f.height };
    st = luc_image_resize(photo, &box, v->width, v->height, LUC_BICUBIC, &small, err);
    if (!st)
        luc_victim_pixels(v, &small, pixels);
    luc_image_done(&small);
    return st;
}

const float *luc_victim_ask(struct luc_victim *v, const float *pixels)
{
    const struct luc_pixels *px = &v->run->model->in;
    const size_t plane = v->n / 3;
    float *in = luc_exec_input(v->exec, 0)->data;
    for (size_t c = 0; c < 3 && px->channels != LUC_GRAY; c++) {
        const float *from = pixels + plane * (px->channels == LUC_BGR ? 2 - c : c);
        for (size_t i = 0; i < plane; i++)
            in[c * plane + i] = (from[i] - px->mean[c]) * px->scale[c];
    }
    for (size_t i = 0; i < plane && px->channels == LUC_GRAY; i++) {
        const float y =
            luma[0] * pixels[i] + luma[1] * pixels[plane + i] + luma[2] * pixels[2 * plane + i];
        in[i] = (y - px->mean[0]) * px->scale[0];
    }
    luc_exec_forward(v->exec);
    v->passes++;
    return luc_exec_value(v->exec, v->run->model->logits)->data;
}

void luc_victim_gradient(struct luc_victim *v, const float *seed, float *gradient)
{
    const struct luc_pixels *px = &v->run->model->in;
    const size_t plane = v->n / 3;
    memcpy(luc_exec_seed(v->exec, v->run->model->logits)->data, seed, v->n_classes * sizeof(float));
    luc_exec_backward(v->exec, LUC_RELU_PLAIN);
    v->passes++;
    const float *g = luc_exec_grad(v->exec, v->run->model->input)->data;
    for (size_t c = 0; c < 3; c++) {
        const size_t from = px->channels == LUC_GRAY ? 0 : px->channels == LUC_BGR ? 2 - c : c;
        const float by = px->scale[from] * (px->channels == LUC_GRAY ? luma[c] : 1);
        for (size_t i = 0; i < plane; i++)
            gradient[c * plane + i] = g[from * plane + i] * by;
    }
}

enum luc_status luc_victim_image(const struct luc_victim *v, const float *pixels,
                                 struct luc_image *image, struct luc_error *err)
{
    const size_t plane = v->n / 3;
    const enum luc_status st = luc_image_create(v->width, v->height, 3, image, err);
    for (size_t i = 0; !st && !v->dry && i < v->n; i++)
        image->data[3 * (i % plane) + i / plane] =
            (uint8_t)nearbyintf(fminf(fmaxf(pixels[i], 0.0f), 255.0f));
    return st;
}

void luc_victim_pixels(const struct luc_victim *v, const struct luc_image *image, float *pixels)
{
    const size_t plane = v->n / 3;
    for (size_t i = 0; i < v->n; i++) {
        const size_t at = 3 * (i % plane) + i / plane;
        pixels[i] = image->data[at];
    }
}
