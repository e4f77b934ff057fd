#include "core/judge/explainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void blame(struct luc_error *err, const char *param)
{
    if (err)
        snprintf(err->param, sizeof(err->param), "%s", param);
}

static const struct luc_method *find(const struct luc_run *run, const char *name)
{
    for (const struct luc_method *const *m = run->methods; m && *m; m++)
        if (strcmp((*m)->name, name) == 0)
            return *m;
    return NULL;
}

static bool gives_a_map(const struct luc_method *m)
{
    return (m->groups & LUC_GROUP_VIEW) && m->images_min == 1 && !m->asks_others;
}

/* "KEY=VALUE KEY=VALUE" into params, by the method's rows. */
static enum luc_status read_settings(const struct luc_method *m, const char *settings, void *params,
                                     struct luc_error *err)
{
    static const char *const between = " \t\r\n";
    for (const char *at = settings + strspn(settings, between); *at; at += strspn(at, between)) {
        char word[LUC_TEXT_MAX];
        const size_t n = strcspn(at, between);
        if (n >= sizeof(word))
            return luc_fail(err, LUC_INVALID, "a setting is longer than %zu bytes",
                            sizeof(word) - 1);
        memcpy(word, at, n);
        word[n] = '\0';
        char *value = strchr(word, '=');
        if (!value)
            return luc_fail(err, LUC_INVALID, "'%.60s' is not KEY=VALUE", word);
        *value++ = '\0';
        if (!luc_param_find(m->params, word))
            return luc_fail(err, LUC_INVALID, "%s has no parameter '%.40s'", m->name, word);
        const enum luc_status st = luc_param_set(m->params, word, value, params, err);
        if (st)
            return st;
        at += n;
    }
    return LUC_OK;
}

enum luc_status luc_explainer_find(struct luc_run *run, const char *name, const char *settings,
                                   struct luc_explainer *e, struct luc_error *err)
{
    const struct luc_method *m = find(run, name);
    if (!m)
        return luc_fail_param(err, LUC_NOT_FOUND, "method", "method: none is called '%.40s'", name);
    if (!gives_a_map(m))
        return luc_fail_param(err, LUC_INVALID, "method",
                              "method: %s gives no map of one picture by itself; take saliency, "
                              "grad-cam, integrated-gradients, ...",
                              m->name);
    struct luc_explainer made = { .method = m, .rng = run->rng };
    made.params = luc_arena_alloc(run->arena, 1, m->params_size);
    if (!made.params)
        return luc_fail_nomem(err, "parameters", m->params_size);
    luc_params_default(m->params, made.params);
    const enum luc_status st = read_settings(m, settings, made.params, err);
    if (st) {
        blame(err, "params");
        return st;
    }
    *e = made;
    return LUC_OK;
}

bool luc_explainer_takes(const struct luc_explainer *e, const char *key)
{
    return luc_param_find(e->method->params, key) != NULL;
}

enum luc_status luc_explainer_set(struct luc_explainer *e, const char *key, const char *text,
                                  struct luc_error *err)
{
    return luc_param_set(e->method->params, key, text, e->params, err);
}

enum luc_status luc_explainer_pin(struct luc_explainer *e, size_t class_index,
                                  struct luc_error *err)
{
    char index[32];
    snprintf(index, sizeof(index), "%zu", class_index);
    return luc_explainer_takes(e, "target") ? luc_explainer_set(e, "target", index, err) : LUC_OK;
}

struct scaled {
    struct luc_run *run;
    double from, to;
};

static bool tick(void *ctx, double progress)
{
    const struct scaled *s = ctx;
    return s->run->tick(s->run->tick_ctx, s->from + (s->to - s->from) * progress);
}

static enum luc_status take_map(struct luc_explained *found, const struct luc_method *m,
                                struct luc_error *err)
{
    found->map = luc_result_first(&found->result, LUC_ITEM_MAP);
    if (!found->map)
        return luc_fail_param(err, LUC_INVALID, "params", "params: with these, %s gives no map",
                              m->name);
    const struct luc_tensor *t = &found->map->map;
    for (size_t i = 0; !luc_arena_is_dry(found->arena) && i < luc_numel(&t->shape); i++)
        if (!isfinite(t->data[i]))
            return luc_fail_param(err, LUC_INVALID, "method",
                                  "method: the map of %s is not finite here", m->name);
    return LUC_OK;
}

/* A parameter that only the other method has is one of "params". */
static void blame_mine(const struct luc_explainer *e, struct luc_error *err)
{
    if (err && luc_param_find(e->method->params, err->param) && strcmp(err->param, "target") != 0 &&
        strcmp(err->param, "vs") != 0)
        blame(err, "params");
}

enum luc_status luc_explainer_run(struct luc_run *run, const struct luc_explainer *e,
                                  const struct luc_question *q, struct luc_explained *found,
                                  struct luc_error *err)
{
    struct scaled progress = { run, q->from, q->to };
    struct luc_run_hooks hooks = { 0 }; /* steps and checkpoints are this run's own business */
    struct luc_explained made = { 0 };
    const struct luc_arena_mark mark = luc_arena_mark(run->arena);
    if (run->hooks) {
        hooks.ctx = run->hooks->ctx;
        hooks.wants_preview = run->hooks->wants_preview;
        hooks.preview = run->hooks->preview;
    }
    made.arena = luc_run_is_dry(run) ? luc_arena_create_dry(luc_arena_limit(run->arena))
                                     : luc_arena_create(luc_arena_limit(run->arena));
    if (!made.arena)
        return luc_fail_nomem(err, "a map", luc_arena_limit(run->arena));
    luc_result_init(&made.result, made.arena);
    struct luc_run sub = *run;
    sub.model = q->model ? q->model : run->model;
    sub.given = q->given ? q->given : run->given;
    sub.n_images = 1;
    sub.rng = e->rng;
    sub.result = &made.result;
    sub.hooks = &hooks;
    if (run->tick) {
        sub.tick = tick;
        sub.tick_ctx = &progress;
    }
    enum luc_status st = luc_method_run(e->method, &sub, e->params, err);
    luc_arena_release(run->arena, mark);
    made.passes = sub.passes - run->passes;
    run->passes = sub.passes;
    if (st)
        blame_mine(e, err);
    else
        st = take_map(&made, e->method, err);
    if (st)
        luc_explained_done(&made);
    else
        *found = made;
    return st;
}

void luc_explained_done(struct luc_explained *found)
{
    if (found->arena)
        luc_result_done(&found->result);
    luc_arena_destroy(found->arena);
    *found = (struct luc_explained){ 0 };
}

/* The network saw [from, from + extent) along one side of `size` pixels of width `step`: those whose
 * middle lies inside. */
static void seen(double from, double extent, double step, size_t size, size_t *first, size_t *end)
{
    const double slack = 1e-6;
    const double lo = ceil(from / step - 0.5 - slack);
    const double hi = floor((from + extent) / step - 0.5 + slack) + 1;
    *first = (size_t)fmin(fmax(lo, 0), (double)size);
    *end = (size_t)fmin(fmax(hi, 0), (double)size);
}

/* Same-sized maps are copied exactly: rounding must not make a resampling of them. */
static double snap(double v)
{
    return fabs(v - nearbyint(v)) < 1e-9 * fmax(1, fabs(v)) ? nearbyint(v) : v;
}

enum luc_status luc_explained_on(const struct luc_explained *found, const struct luc_box *part,
                                 size_t width, size_t height, float *out, struct luc_error *err)
{
    const struct luc_tensor *t = &found->map->map;
    const struct luc_place *at = &found->map->place;
    const size_t h = t->shape.dim[2], w = t->shape.dim[3];
    const double sx = (double)w / at->width, sy = (double)h / at->height;
    const struct luc_box box = { snap((part->x - at->x) * sx), snap((part->y - at->y) * sy),
                                 snap(part->width * sx), snap(part->height * sy) };
    const enum luc_status st = luc_map_resize(t->data, w, h, &box, width, height, out, err);
    if (st)
        return st;
    struct luc_box s = { at->x, at->y, at->width, at->height };
    if (at->seen.width > 0)
        s = (struct luc_box){ at->seen.x, at->seen.y, at->seen.width, at->seen.height };
    size_t x0, x1, y0, y1;
    seen(s.x - part->x, s.width, part->width / (double)width, width, &x0, &x1);
    seen(s.y - part->y, s.height, part->height / (double)height, height, &y0, &y1);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            if (y < y0 || y >= y1 || x < x0 || x >= x1)
                out[y * width + x] = 0;
    return LUC_OK;
}

enum luc_status luc_explained_on_input(const struct luc_explained *found,
                                       const struct luc_frame *frame, float *out,
                                       struct luc_error *err)
{
    const struct luc_box part = { frame->x, frame->y, frame->width, frame->height };
    return luc_explained_on(found, &part, frame->in_width, frame->in_height, out, err);
}

double luc_explained_number(const struct luc_explained *found, const char *key, double otherwise)
{
    const struct luc_item *it = luc_result_find(&found->result, key);
    return it && it->kind == LUC_ITEM_NUMBER ? it->number : otherwise;
}
