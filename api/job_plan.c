#include "api/job_models.h"

#include <stdlib.h>
#include <string.h>

#define MIB           ((double)(1u << 20))
#define DRAW_BYTES    20 /* for each pixel of the upload that a map is drawn on, encoding included */
#define WITHOUT_LIMIT (SIZE_MAX / 4)

/* A dry run: pictures that are all zeros, of the uploads' sizes, one block for all of them. */
struct planning {
    const struct api_job *job;
    const struct api_services *services;
    struct api_models models;
    struct luc_arena *seen, *arena, *found;
    struct luc_image *image; /* [job->n_images]; width 0: not asked for, or dropped */
    uint8_t *pixels;
    size_t picture_bytes, picture_peak;
};

static size_t pixels_of(const struct api_upload *u)
{
    return u->width * u->height;
}

static size_t largest_upload(const struct api_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->n_images; i++)
        n = pixels_of(&job->images[i]) > n ? pixels_of(&job->images[i]) : n;
    return n;
}

static enum luc_status get_picture(void *ctx, size_t i, const struct luc_image **image,
                                   struct luc_error *err)
{
    struct planning *p = ctx;
    const struct api_upload *u = &p->job->images[i];
    (void)err;
    if (!p->image[i].width) {
        p->image[i] = (struct luc_image){ .width = u->width, .height = u->height, .channels = 3 };
        p->image[i].data = p->pixels;
        p->picture_bytes += 3 * pixels_of(u);
        if (p->picture_bytes > p->picture_peak)
            p->picture_peak = p->picture_bytes;
    }
    *image = &p->image[i];
    return LUC_OK;
}

static void drop_picture(void *ctx, size_t i)
{
    struct planning *p = ctx;
    if (p->image[i].width)
        p->picture_bytes -= 3 * pixels_of(&p->job->images[i]);
    p->image[i] = (struct luc_image){ 0 };
}

static void give_back(struct planning *p)
{
    luc_arena_destroy(p->found);
    luc_arena_destroy(p->arena);
    luc_arena_destroy(p->seen);
    free(p->image);
}

/* With memory for `limit` bytes; *bytes: what the run held at most. */
static enum luc_status try(const struct planning *given, size_t limit, size_t *bytes,
                           struct luc_error *err)
{
    struct planning p = *given;
    const struct api_job *job = p.job;
    struct luc_result result;
    p.seen = luc_arena_create_dry(WITHOUT_LIMIT);
    p.arena = luc_arena_create_dry(limit);
    p.found = luc_arena_create_dry(limit);
    p.image = calloc(job->n_images + 1, sizeof(*p.image));
    if (p.seen)
        p.pixels = luc_arena_alloc(p.seen, largest_upload(job), 3);
    if (!p.arena || !p.found || !p.image || !p.pixels) {
        give_back(&p);
        return luc_fail_nomem(err, "a plan", 3 * largest_upload(job));
    }
    luc_result_init(&result, p.found);
    struct luc_run run = { .model = p.models.at[0],
                           .models = p.models.at,
                           .n_models = p.models.n,
                           .pictures = { &p, get_picture, drop_picture, NULL },
                           .n_images = job->n_images,
                           .input = &job->params.input,
                           .arena = p.arena,
                           .threads = p.services->threads,
                           .result = &result,
                           .tick = p.services->tick,
                           .tick_ctx = p.services->tick_ctx,
                           .methods = api_method_list() };
    luc_rng_seed(&run.rng, (uint64_t)job->params.seed.seed);
    const enum luc_status st = luc_method_run(job->what->method, &run, job->params.own, err);
    const bool draws = (job->what->method->groups & LUC_GROUP_VIEW) != 0;
    const size_t computed = luc_arena_peak(p.arena);
    const size_t drawn = draws ? DRAW_BYTES * largest_upload(job) : 0;
    *bytes = luc_arena_peak(p.found) + p.picture_peak + (computed > drawn ? computed : drawn);
    for (size_t i = 0; i < job->n_images; i++)
        *bytes += job->images[i].bytes ? job->images[i].size : 0;
    luc_result_done(&result);
    give_back(&p);
    return st;
}

static enum luc_status too_large(size_t bytes, size_t limit, struct luc_error *err)
{
    return luc_fail(err, LUC_TOO_LARGE,
                    "this needs %zu bytes of memory (%.0f MiB), the server gives %zu (%.0f MiB): "
                    "send a smaller picture or ask for a smaller size, or raise job_bytes or "
                    "memory_bytes",
                    bytes, (double)bytes / MIB, limit, (double)limit / MIB);
}

enum luc_status api_job_plan(const struct api_job *job, const struct api_services *services,
                             size_t *bytes, struct luc_error *err)
{
    const size_t limit = services->env->limits.job_bytes;
    struct planning p = { .job = job, .services = services };
    struct luc_error why = { 0 };
    size_t needed = 0;
    enum luc_status st = api_models_get(services->env, job, &p.models, err);
    if (st) {
        api_models_put(services->env, &p.models);
        return st;
    }
    st = try(&p, limit, &needed, &why);
    if (st == LUC_NOMEM) {
        size_t all = 0;
        if (try(&p, WITHOUT_LIMIT, &all, NULL) != LUC_NOMEM && all > limit)
            st = too_large(all, limit, err);
        else
            st = luc_fail(err, LUC_TOO_LARGE, "%s", why.text);
    } else if (needed > limit) {
        st = too_large(needed, limit, err);
    } else if (st == LUC_NOT_FOUND && *why.param) {
        st = luc_fail_param(err, st, why.param, "%s", why.text);
    } else { /* any other failure is the real run's to find, or came of the zeros */
        *bytes = needed;
        st = LUC_OK;
    }
    api_models_put(services->env, &p.models);
    return st;
}
