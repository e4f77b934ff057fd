#include "core/generate/feed.h"

#include <string.h>

enum luc_status luc_feed_exec(const struct luc_model *m, const struct luc_threads *threads,
                              size_t count, size_t height, size_t width, struct luc_plan_spec ask,
                              struct luc_arena *arena, struct luc_exec **exec,
                              struct luc_error *err)
{
    const struct luc_shape shape = luc_shape4(count, 3, height, width);
    const struct luc_plan *plan = NULL;
    if (m->in.channels == LUC_GRAY)
        return luc_fail_param(err, LUC_INVALID, "model", "model: '%.60s' takes gray pictures only",
                              m->name);
    ask.graph = m->graph;
    ask.inputs = &shape;
    ask.lanes = luc_lanes(threads);
    ask.threads = threads;
    ask.fast = true; /* hundreds of passes; no single gradient matters to the last digit */
    const enum luc_status st = luc_plan_create(&ask, arena, &plan, err);
    return st ? st : luc_exec_create(plan, arena, threads, exec, err);
}

static void swap_red_and_blue(float *x, size_t pixels)
{
    for (size_t i = 0; i < pixels; i++) {
        const float red = x[i];
        x[i] = x[2 * pixels + i];
        x[2 * pixels + i] = red;
    }
}

static void shift_and_scale(float *v, size_t n, float mean, float scale)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (v[i] - mean) * scale;
}

void luc_feed_in(const struct luc_model *m, size_t count, size_t pixels, float *x)
{
    for (size_t p = 0; p < count; p++, x += 3 * pixels) {
        if (m->in.channels == LUC_BGR)
            swap_red_and_blue(x, pixels);
        for (size_t c = 0; c < 3; c++)
            shift_and_scale(x + c * pixels, pixels, m->in.mean[c], m->in.scale[c]);
    }
}

void luc_feed_out(const struct luc_model *m, size_t count, size_t pixels, float *d)
{
    for (size_t p = 0; p < count; p++, d += 3 * pixels) {
        for (size_t c = 0; c < 3; c++)
            shift_and_scale(d + c * pixels, pixels, 0, m->in.scale[c]);
        if (m->in.channels == LUC_BGR)
            swap_red_and_blue(d, pixels);
    }
}

void luc_feed_centre(const struct luc_model *m, float rgb[3])
{
    for (size_t c = 0; c < 3; c++)
        rgb[c] = m->in.mean[m->in.channels == LUC_BGR ? 2 - c : c];
}

enum luc_status luc_features(const struct luc_model *model, const struct luc_threads *threads,
                             const float *picture, size_t height, size_t width,
                             const size_t *layers, size_t n_layers, struct luc_arena *arena,
                             struct luc_exec **exec, struct luc_error *err)
{
    const struct luc_plan_spec ask = { .taps = layers, .n_taps = n_layers };
    const enum luc_status st =
        luc_feed_exec(model, threads, 1, height, width, ask, arena, exec, err);
    if (st || luc_exec_is_dry(*exec))
        return st;
    float *x = luc_exec_input(*exec, 0)->data;
    memcpy(x, picture, 3 * height * width * sizeof(*x));
    luc_feed_in(model, 1, height * width, x);
    luc_exec_forward(*exec);
    return LUC_OK;
}
