#include "core/run/method.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const fits[] = { "model", "resize", "crop", "native", NULL };

const struct luc_param luc_input_rows[] = {
    LUC_TEXT(struct luc_input_params, model, "resnet50",
             "Network to ask, by its name in /models; several, separated by commas, where the "
             "method says so"),
    LUC_CHOICE(struct luc_input_params, fit, 0, 4, fits,
               "How the upload becomes the network's input: the network's own way, resized to its "
               "size, its centre cropped, or at its own size"),
    LUC_TEXT(struct luc_input_params, background, "white",
             "Colour behind transparent pixels: #rrggbb, white, gray or black"),
    LUC_PARAM_END,
};

enum luc_status luc_colour_parse(const char *text, uint8_t rgb[3], struct luc_error *err)
{
    static const struct {
        const char *name, *hex;
    } names[] = { { "white", "#ffffff" }, { "black", "#000000" }, { "gray", "#808080" } };
    const char *hex = text;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i].name) == 0)
            hex = names[i].hex;
    if (hex[0] != '#' || strlen(hex) != 7 || strspn(hex + 1, "0123456789abcdefABCDEF") != 6)
        return luc_fail_param(err, LUC_INVALID, "background",
                              "background: '%.40s' is not #rrggbb, white, gray or black", text);
    const unsigned long v = strtoul(hex + 1, NULL, 16);
    rgb[0] = (uint8_t)(v >> 16);
    rgb[1] = (uint8_t)(v >> 8);
    rgb[2] = (uint8_t)v;
    return LUC_OK;
}

enum luc_status luc_run_tick(struct luc_run *run, double progress, struct luc_error *err)
{
    if (run->tick && !run->tick(run->tick_ctx, progress))
        return luc_fail(err, LUC_CANCELLED, "the job was cancelled");
    return LUC_OK;
}

bool luc_run_is_dry(const struct luc_run *run)
{
    return luc_arena_is_dry(run->arena);
}

size_t luc_run_turns(const struct luc_run *run, size_t n)
{
    return n > 1 && luc_run_is_dry(run) ? 1 : n;
}

double luc_run_now(const struct luc_run *run)
{
    struct timespec t;
    if (run->hooks && run->hooks->now)
        return run->hooks->now(run->hooks->ctx);
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void luc_run_report(const struct luc_run *run, size_t step, size_t n_steps, double loss)
{
    if (run->hooks && run->hooks->report)
        run->hooks->report(run->hooks->ctx, step, n_steps, loss);
}

bool luc_run_wants_preview(const struct luc_run *run)
{
    const struct luc_run_hooks *h = run->hooks;
    return h && h->preview && h->wants_preview && h->wants_preview(h->ctx);
}

void luc_run_preview(const struct luc_run *run, const struct luc_image *picture)
{
    if (run->hooks && run->hooks->preview)
        run->hooks->preview(run->hooks->ctx, picture);
}

bool luc_run_wants_checkpoint(const struct luc_run *run)
{
    const struct luc_run_hooks *h = run->hooks;
    return h && h->save && h->wants_checkpoint && h->wants_checkpoint(h->ctx);
}

void luc_run_save(const struct luc_run *run, const void *bytes, size_t size)
{
    if (run->hooks && run->hooks->save)
        run->hooks->save(run->hooks->ctx, bytes, size);
}

const void *luc_run_checkpoint(const struct luc_run *run, size_t *size)
{
    *size = run->hooks ? run->hooks->checkpoint_size : 0;
    return run->hooks ? run->hooks->checkpoint : NULL;
}

static enum luc_status get_decoded(void *ctx, size_t i, const struct luc_image **image,
                                   struct luc_error *err)
{
    (void)err;
    *image = (const struct luc_image *)ctx + i;
    return LUC_OK;
}

struct luc_source luc_source_of(const struct luc_image *images)
{
    return (struct luc_source){ .ctx = (void *)(uintptr_t)images, .get = get_decoded };
}

enum luc_status luc_run_image(struct luc_run *run, size_t i, const struct luc_image **image,
                              struct luc_error *err)
{
    assert(i < run->n_images);
    return run->pictures.get(run->pictures.ctx, i, image, err);
}

void luc_run_drop(struct luc_run *run, size_t i)
{
    if (run->pictures.drop)
        run->pictures.drop(run->pictures.ctx, i);
}

struct luc_about luc_run_about(const struct luc_run *run, size_t i)
{
    return run->pictures.about ? run->pictures.about(run->pictures.ctx, i)
                               : (struct luc_about){ "", "", "" };
}

enum luc_status luc_run_frame(const struct luc_run *run, const struct luc_image *image,
                              struct luc_frame *frame, struct luc_error *err)
{
    const struct luc_model *m = run->model;
    const enum luc_fit fit = run->input->fit == 0 ? m->in.fit : (enum luc_fit)(run->input->fit - 1);
    return luc_model_frame(m, image->width, image->height, fit, frame, err);
}

enum luc_status luc_run_input(struct luc_run *run, size_t i, struct luc_frame *frame,
                              struct luc_tensor *input, struct luc_error *err)
{
    const struct luc_model *m = run->model;
    const struct luc_image *image = NULL;
    enum luc_status st = luc_run_image(run, i, &image, err);
    if (!st)
        st = luc_run_frame(run, image, frame, err);
    if (st)
        return st;
    const size_t channels = m->in.channels == LUC_GRAY ? 1 : 3;
    struct luc_tensor t = { .shape = luc_shape4(1, channels, frame->in_height, frame->in_width) };
    st = luc_shape_check(&t.shape, "input", err);
    if (st)
        return st;
    t.data = luc_arena_raw(run->arena, luc_numel(&t.shape), sizeof(float));
    if (!t.data)
        return luc_fail_nomem(err, "input", luc_numel(&t.shape) * sizeof(float));
    if (run->given && i == 0) {
        assert(luc_shape_equal(&run->given->shape, &t.shape));
        memcpy(t.data, run->given->data, luc_numel(&t.shape) * sizeof(float));
    } else {
        st = luc_run_is_dry(run) ? LUC_OK : luc_model_preprocess(m, image, frame, t.data, err);
    }
    if (!st)
        *input = t;
    return st;
}

enum luc_status luc_run_plan(struct luc_run *run, const struct luc_shape *input,
                             const struct luc_ask *ask, const struct luc_plan **plan,
                             struct luc_error *err)
{
    const struct luc_plan_spec spec = { .graph = run->model->graph,
                                        .inputs = input,
                                        .taps = ask->taps,
                                        .n_taps = ask->n_taps,
                                        .seeds = ask->seeds,
                                        .n_seeds = ask->n_seeds,
                                        .wrt = ask->wrt,
                                        .n_wrt = ask->n_wrt,
                                        .lanes = luc_lanes(run->threads),
                                        .threads = run->threads,
                                        .backward_again = ask->backward_again,
                                        .fast = ask->fast };
    return luc_plan_create(&spec, run->arena, plan, err);
}

enum luc_status luc_run_forward(struct luc_run *run, const struct luc_tensor *input,
                                const struct luc_ask *ask, struct luc_exec **exec,
                                struct luc_error *err)
{
    const struct luc_plan *plan = NULL;
    enum luc_status st = luc_run_plan(run, &input->shape, ask, &plan, err);
    if (!st)
        st = luc_exec_create(plan, run->arena, run->threads, exec, err);
    if (st)
        return st;
    if (!luc_run_is_dry(run))
        memcpy(luc_exec_input(*exec, 0)->data, input->data,
               luc_numel(&input->shape) * sizeof(float));
    luc_exec_forward(*exec);
    run->passes += 1;
    return LUC_OK;
}

enum luc_status luc_method_run(const struct luc_method *method, struct luc_run *run,
                               const void *params, struct luc_error *err)
{
    if (run->n_images < method->images_min || run->n_images > method->images_max)
        return luc_fail(err, LUC_INVALID, "%s takes %zu to %zu images, %zu were given",
                        method->name, method->images_min, method->images_max, run->n_images);
    if (method->needs_classes && run->model->logits == LUC_NONE)
        return luc_fail_param(err, LUC_INVALID, "model",
                              "model: %s needs a classifier, '%.60s' is none", method->name,
                              run->model->name);
    const enum luc_status st = luc_run_tick(run, 0.0, err);
    return st ? st : method->run(run, params, err);
}
