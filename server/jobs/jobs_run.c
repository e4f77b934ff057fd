#include "api/problem.h"
#include "core/tensor/codec.h"
#include "server/jobs/jobs_private.h"
#include "server/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PREVIEW_S 1.0
#define RETRY_S   1.0 /* between attempts to store a result */

double srv_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what the method calls ------------------------------------------------------------------ */

static bool tick(void *ctx, double progress)
{
    struct srv_running *r = ctx;
    struct srv_jobs *j = r->jobs;
    const double now = srv_now_s();
    if (r->began_s <= 0) {
        r->began_s = now;
        r->began_at = progress;
    }
    const double done = progress - r->began_at, spent = now - r->began_s;
    const double all_s = r->got.spent_s + (now - r->claimed_s);
    pthread_mutex_lock(&r->lock);
    r->report.progress = progress;
    r->report.spent_s = all_s;
    r->report.eta_s = done > 1e-3 && spent > 0.2 ? (1 - progress) * spent / done : -1;
    r->changed = true;
    atomic_store(&r->eta_ms, (long long)(1e3 * r->report.eta_s));
    pthread_mutex_unlock(&r->lock);
    if (atomic_load(&r->cancelled) || atomic_load(&r->lost) || atomic_load(&j->abandoned))
        return false;
    r->overtime = all_s > (double)j->cfg->run_s;
    if (r->overtime)
        return false;
    /* Going down: a method that makes checkpoints makes one more first. */
    return !atomic_load(&j->draining) || (r->checkpoints && !r->saved);
}

static void report(void *ctx, size_t step, size_t n_steps, double loss)
{
    struct srv_running *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->report.step = (int64_t)step;
    r->report.n_steps = (int64_t)n_steps;
    r->report.loss = loss;
    r->changed = true;
    pthread_mutex_unlock(&r->lock);
}

static bool wants_preview(void *ctx)
{
    return srv_now_s() >= ((struct srv_running *)ctx)->preview_s + PREVIEW_S;
}

static void preview(void *ctx, const struct luc_image *picture)
{
    struct srv_running *r = ctx;
    struct luc_str made = { 0 };
    r->preview_s = srv_now_s();
    if (luc_image_encode_jpeg(picture, 85, &made, NULL) || made.failed) {
        luc_str_done(&made);
        return;
    }
    pthread_mutex_lock(&r->lock);
    luc_str_done(&r->preview);
    r->preview = made;
    r->changed = true;
    pthread_mutex_unlock(&r->lock);
}

static bool wants_checkpoint(void *ctx)
{
    struct srv_running *r = ctx;
    r->checkpoints = true;
    return srv_now_s() >= r->checkpoint_s + (double)r->jobs->cfg->checkpoint_s ||
           (atomic_load(&r->jobs->draining) && !r->saved);
}

static void save(void *ctx, const void *bytes, size_t size)
{
    struct srv_running *r = ctx;
    struct srv_jobs *j = r->jobs;
    struct luc_error err = { 0 };
    char name[SRV_BLOB_NAME] = "";
    enum luc_status st = srv_blobs_put(j->blobs, bytes, size, name, &err);
    if (!st)
        st = srv_store_checkpoint(j->store, &r->got.claim, name, &err);
    if (st == LUC_CANCELLED)
        atomic_store(&r->lost, true);
    else if (st)
        srv_log(SRV_WARN, "job %s: no checkpoint: %s", r->got.claim.id, err.text);
    r->checkpoint_s = srv_now_s();
    if (atomic_load(&j->draining))
        r->saved = true;
}

static void *recall(void *ctx, size_t i, const char *name, size_t *size)
{
    struct srv_running *r = ctx;
    return srv_collections_recall(&r->jobs->collections, name, r->job->images[i].sha256, size);
}

static void keep(void *ctx, size_t i, const char *name, const void *bytes, size_t size)
{
    struct srv_running *r = ctx;
    srv_collections_keep(&r->jobs->collections, name, r->job->images[i].sha256, bytes, size);
}

/* ---- from the claim to the outcome ---------------------------------------------------------- */

static enum luc_status get_picture(void *ctx, const struct api_upload *picture, char **bytes,
                                   size_t *size, struct luc_error *err)
{
    return srv_blobs_get(ctx, picture->sha256, bytes, size, err);
}

static void headers_text(const struct api_response *res, struct luc_str *out)
{
    for (size_t i = 0; i < res->n_headers; i++)
        luc_str_printf(out, "%s: %s\n", res->headers[i].name, res->headers[i].value);
}

/* Stores the answers and finishes the job; may be called again when it failed. */
static enum luc_status store_success(struct srv_running *r, const struct api_response *answers,
                                     size_t n, struct luc_error *err)
{
    struct srv_jobs *j = r->jobs;
    struct srv_answer kept[API_ANSWERS_MAX] = { 0 };
    char name[API_ANSWERS_MAX][SRV_BLOB_NAME];
    struct luc_str headers[API_ANSWERS_MAX] = { 0 };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < n && !st; i++) {
        headers_text(&answers[i], &headers[i]);
        st = srv_blobs_put(j->blobs, answers[i].body.data, answers[i].body.len, name[i], err);
        kept[i] = (struct srv_answer){ answers[i].type, headers[i].data, name[i] };
    }
    const struct srv_outcome o = { .state = API_STATE_succeeded,
                                   .answers = kept,
                                   .n_answers = n,
                                   .keep_s = (double)j->cfg->results_s };
    if (!st)
        st = srv_store_finish(j->store, &r->got.claim, &o, err);
    for (size_t i = 0; i < n; i++)
        luc_str_done(&headers[i]);
    return st;
}

static enum luc_status store_failure(struct srv_running *r, enum api_state state,
                                     const char *problem, struct luc_error *err)
{
    struct srv_jobs *j = r->jobs;
    const struct srv_outcome o = { .state = state,
                                   .error = problem,
                                   .keep_s = (double)j->cfg->results_s };
    return srv_store_finish(j->store, &r->got.claim, &o, err);
}

/* What a run came to, and what the store is told of it. */
struct outcome {
    enum { SUCCESS, FAILURE, CANCEL, RELEASE, NOTHING } what;
    struct api_response answers[API_ANSWERS_MAX];
    size_t n;
};

static enum luc_status tell(struct srv_running *r, const struct outcome *o, struct luc_error *err)
{
    struct srv_store *s = r->jobs->store;
    switch (o->what) {
    case SUCCESS: return store_success(r, o->answers, o->n, err);
    case FAILURE:
        return store_failure(r, API_STATE_failed, o->n ? o->answers[0].body.data : NULL, err);
    case CANCEL: return store_failure(r, API_STATE_cancelled, NULL, err);
    case RELEASE: return srv_store_release(s, &r->got.claim, err);
    case NOTHING: break;
    }
    return LUC_OK;
}

/* Until it is stored, or nobody wants it, or the server goes down: then the store still says
 * "running", and the job is run again. */
static void tell_until_heard(struct srv_running *r, const struct outcome *o)
{
    struct luc_error err = { 0 };
    enum luc_status st;
    size_t tries = 0;
    while ((st = tell(r, o, &err)) != LUC_OK) {
        if (st == LUC_CANCELLED || atomic_load(&r->lost)) {
            srv_log(SRV_WARN, "job %s: late result refused: %s", r->got.claim.id, err.text);
            break;
        }
        if (tries++ == 0) {
            srv_log(SRV_ERROR, "job %s: cannot store its outcome, trying again: %s",
                    r->got.claim.id, err.text);
            atomic_fetch_add(&r->jobs->stuck, 1);
        }
        if (atomic_load(&r->jobs->draining))
            break;
        nanosleep(&(struct timespec){ (time_t)RETRY_S, 0 }, NULL);
    }
    if (tries > 0)
        atomic_fetch_sub(&r->jobs->stuck, 1);
}

static void refuse_overtime(const struct srv_running *r, struct outcome *o)
{
    const struct api_request req = { .id = r->got.claim.id };
    for (size_t i = 0; i < o->n; i++)
        api_response_done(&o->answers[i]);
    api_refuse(&o->answers[0], &req, API_PROBLEM_TIME_LIMIT,
               "the job has run for %.0f s, the most that this server allows (run_s), and is done "
               "to %.0f %%: ask for fewer steps or a smaller size, or raise run_s",
               r->report.spent_s, floor(100 * r->report.progress));
    o->n = 1;
    o->what = FAILURE;
}

static void judge(struct srv_running *r, enum luc_status st, struct outcome *o)
{
    if (!st)
        o->what = SUCCESS;
    else if (atomic_load(&r->lost))
        o->what = NOTHING;
    else if (atomic_load(&r->cancelled))
        o->what = CANCEL;
    else if (r->overtime)
        refuse_overtime(r, o);
    else if (st == LUC_CANCELLED || st == LUC_BUSY)
        o->what = RELEASE; /* going down, or no memory for the network just now */
    else
        o->what = FAILURE;
}

static void compute(struct srv_running *r, const struct api_job *job,
                    const struct luc_threads *threads, struct outcome *o)
{
    const struct luc_run_hooks hooks = { .ctx = r,
                                         .report = report,
                                         .wants_preview = wants_preview,
                                         .preview = preview,
                                         .wants_checkpoint = wants_checkpoint,
                                         .save = save,
                                         .checkpoint = r->checkpoint,
                                         .checkpoint_size = r->checkpoint_size,
                                         .recall = recall,
                                         .keep = keep };
    const struct api_services services = { .env = r->jobs->env,
                                           .threads = threads,
                                           .tick = tick,
                                           .tick_ctx = r,
                                           .hooks = &hooks,
                                           .picture = get_picture,
                                           .picture_ctx = r->jobs->blobs };
    r->checkpoint_s = srv_now_s();
    r->job = job;
    const enum luc_status st = api_job_run_kept(job, &services, o->answers, &o->n);
    judge(r, st, o);
    if (st == LUC_BUSY)
        nanosleep(&(struct timespec){ (time_t)RETRY_S, 0 }, NULL);
}

static enum luc_status add_picture(void *job, const struct srv_picture *p, struct luc_error *err)
{
    return api_job_read_picture(job, p->about, err);
}

/* What was claimed; jobs of earlier versions have their pictures in their spec. */
static enum luc_status read_job(struct srv_running *r, struct api_job **job, struct luc_error *err)
{
    struct api_job *made = NULL;
    enum luc_status st = api_job_read(r->got.spec, &made, err);
    if (!st && made->n_images == 0)
        st = srv_store_pictures(r->jobs->store, r->got.claim.id, add_picture, made, err);
    if (!st)
        st = api_job_check(made, err);
    if (st)
        api_job_destroy(made);
    else
        *job = made;
    return st;
}

void srv_jobs_run(struct srv_running *r, const struct luc_threads *threads)
{
    struct srv_jobs *j = r->jobs;
    struct outcome o = { .what = FAILURE };
    struct api_job *job = NULL;
    struct luc_error err = { 0 };
    const double began = srv_now_s();
    enum luc_status st = read_job(r, &job, &err);
    if (!st && r->got.checkpoint[0] &&
        srv_blobs_get(j->blobs, r->got.checkpoint, &r->checkpoint, &r->checkpoint_size, &err)) {
        srv_log(SRV_WARN, "job %s: starts from the beginning: %s", r->got.claim.id, err.text);
        r->checkpoint = NULL;
    }
    srv_jobs_changed(j, r->got.claim.id);
    if (st) {
        const struct api_request req = { .id = r->got.claim.id };
        api_fail(&o.answers[0], &req, API_PROBLEM_INTERNAL, &err);
        o.n = 1;
    } else {
        compute(r, job, threads, &o);
    }
    tell_until_heard(r, &o);
    static const char *const words[] = { "succeeded", "failed", "cancelled", "released", "lost" };
    srv_log(o.what == FAILURE ? SRV_WARN : SRV_INFO, "job %s: attempt %lld %s after %.2f s%s%s",
            r->got.claim.id, (long long)r->got.claim.attempt, words[o.what], srv_now_s() - began,
            o.what == FAILURE ? ": " : "", o.what == FAILURE ? o.answers[0].error.text : "");
    for (size_t i = 0; i < o.n; i++)
        api_response_done(&o.answers[i]);
    api_job_destroy(job);
    srv_jobs_changed(j, r->got.claim.id);
}
