#include "api/job_models.h"
#include "api/problem.h"
#include "api/render.h"
#include "api/stored_job.h"

#include <string.h>

/* Everything that one run holds, so that one function gives it all back. */
struct running {
    const struct api_job *job;
    const struct api_services *services;
    struct api_models models;
    struct api_pictures pictures;
    struct luc_arena *arena, *found;
    struct luc_result result;
};

static enum luc_status admit(const struct running *r, struct luc_error *err)
{
    size_t bytes = 0;
    if (!r->services->admit)
        return LUC_OK;
    const enum luc_status st = api_job_plan(r->job, r->services, &bytes, err);
    return st ? st : r->services->admit(r->services->admit_ctx, bytes, err);
}

static enum luc_status compute(struct running *r, struct luc_error *err)
{
    const struct api_job *job = r->job;
    const size_t limit = r->services->env->limits.job_bytes;
    r->arena = luc_arena_create(limit);
    r->found = luc_arena_create(limit);
    if (!r->arena || !r->found)
        return luc_fail_nomem(err, "a job", limit);
    luc_result_init(&r->result, r->found);
    struct luc_run run = { .model = r->models.at[0],
                           .models = r->models.at,
                           .n_models = r->models.n,
                           .pictures = { &r->pictures, api_pictures_get, api_pictures_drop,
                                         api_pictures_about },
                           .n_images = job->n_images,
                           .input = &job->params.input,
                           .arena = r->arena,
                           .threads = r->services->threads,
                           .result = &r->result,
                           .tick = r->services->tick,
                           .tick_ctx = r->services->tick_ctx,
                           .hooks = r->services->hooks,
                           .methods = api_method_list() };
    luc_rng_seed(&run.rng, (uint64_t)job->params.seed.seed);
    return luc_method_run(job->what->method, &run, job->params.own, err);
}

static void give_back(struct running *r)
{
    const struct api_env *env = r->services->env;
    if (r->found)
        luc_result_done(&r->result);
    luc_arena_destroy(r->found);
    luc_arena_destroy(r->arena);
    api_pictures_done(&r->pictures);
    api_models_put(env, &r->models);
}

/* Up to the result; what was taken is given back by give_back(). */
static enum luc_status find_result(struct running *r, struct luc_error *err)
{
    enum luc_status st = admit(r, err);
    if (!st)
        st = api_pictures_init(&r->pictures, r->job, r->services, err);
    if (!st)
        st = api_models_get(r->services->env, r->job, &r->models, err);
    if (!st)
        st = compute(r, err);
    r->arena = luc_arena_destroy(r->arena); /* drawing wants the memory that the network held */
    return st;
}

static enum luc_status render(struct running *r, const struct api_job *job,
                              struct api_response *res, struct luc_error *err)
{
    const struct api_shown shown = { .job = job,
                                     .models = &r->models,
                                     .pictures = &r->pictures,
                                     .result = &r->result,
                                     .version = r->services->env->version };
    return api_render(&shown, res, err);
}

static void fail_run(const struct api_job *job, enum luc_status st, struct api_response *res,
                     struct luc_error *err)
{
    const struct api_request req = { .id = job->id };
    if (st == LUC_CANCELLED)
        luc_fail(err, st, "given up: it took longer than this server allows");
    api_fail(res, &req, api_problem_of(err), err);
}

void api_job_run(const struct api_job *job, const struct api_services *services,
                 struct api_response *res)
{
    struct running r = { .job = job, .services = services };
    struct luc_error err = { 0 };
    enum luc_status st = find_result(&r, &err);
    if (!st)
        st = render(&r, job, res, &err);
    if (st)
        fail_run(job, st, res, &err);
    give_back(&r);
}

enum luc_status api_job_run_kept(const struct api_job *job, const struct api_services *services,
                                 struct api_response answers[API_ANSWERS_MAX], size_t *n)
{
    struct running r = { .job = job, .services = services };
    struct luc_error err = { 0 };
    struct api_offers offers;
    api_offers(job->what->method, &offers);
    *n = 0;
    enum luc_status st = find_result(&r, &err);
    for (size_t i = 0; i < offers.n && i < API_ANSWERS_MAX && !st; i++) {
        struct api_job as = *job; /* the same but for the format */
        as.format = offers.format[i];
        answers[i] = (struct api_response){ 0 };
        st = render(&r, &as, &answers[i], &err);
        *n += 1;
    }
    if (st) {
        for (size_t i = 0; i < *n; i++)
            api_response_done(&answers[i]);
        answers[0] = (struct api_response){ 0 };
        *n = 1;
        fail_run(job, st, &answers[0], &err);
    }
    give_back(&r);
    return st;
}
