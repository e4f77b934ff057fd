/* What the API asks of jobs (api/stored_job.h). */
#include "core/base/hash.h"
#include "server/jobs/jobs_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_S       5.0 /* a plan that takes longer is cut off: what it has seen counts */
#define RETRY_MAX_MS 60000
#define KEY_TEXT_MAX (API_OWNER_MAX + API_IDEMPOTENCY_MAX + 1)

/* What an Idempotency-Key stands for: everything about the job but its id. */
static enum luc_status hash_of(const struct api_job *job, char hash[SRV_BLOB_NAME],
                               struct luc_error *err)
{
    struct api_job plain = *job;
    struct luc_str text = { 0 };
    struct luc_hash h = { 0 };
    char hex[LUC_HASH_HEX_MAX] = "";
    plain.id[0] = '\0';
    api_job_print(&plain, &text);
    enum luc_status st =
        text.failed ? luc_fail_nomem(err, "a job", text.len) : luc_hash_init(&h, LUC_SHA256, err);
    if (!st) {
        luc_hash_update(&h, text.data, text.len);
        st = luc_hash_finish_hex(&h, hex, err);
    }
    snprintf(hash, SRV_BLOB_NAME, "%.64s", hex);
    luc_str_done(&text);
    return st;
}

/* The names of its pictures, whose files are there, into *names (heap). */
static enum luc_status put_inputs(struct srv_jobs *j, const struct api_job *job,
                                  const char ***names, struct luc_error *err)
{
    char name[SRV_BLOB_NAME];
    enum luc_status st = LUC_OK;
    *names = calloc(job->n_images + 1, sizeof(**names));
    if (!*names)
        return luc_fail_nomem(err, "a job", job->n_images * sizeof(**names));
    for (size_t i = 0; i < job->n_images && !st; i++) {
        const struct api_upload *u = &job->images[i];
        st = u->bytes ? srv_blobs_put(j->blobs, u->bytes, u->size, name, err)
                      : srv_blobs_touch(j->blobs, u->sha256, err);
        (*names)[i] = u->sha256;
    }
    return st;
}

static bool in_time(void *ctx, double progress)
{
    (void)progress;
    return srv_now_s() < *(const double *)ctx;
}

/* What memory the job will need. While its network cannot be loaded because others are in use, it
 * is taken to need as much as a job may. */
static enum luc_status plan(struct srv_jobs *j, const struct api_job *job, size_t *bytes,
                            struct luc_error *err)
{
    struct api_env env = *j->env;
    double until = srv_now_s() + PLAN_S;
    const struct api_services services = {
        .env = &env, .threads = srv_pool_threads(j->pool), .tick = in_time, .tick_ctx = &until
    };
    if (env.limits.job_bytes > srv_memory_jobs_limit(j->memory))
        env.limits.job_bytes = srv_memory_jobs_limit(j->memory);
    const enum luc_status st = api_job_plan(job, &services, bytes, err);
    if (st != LUC_BUSY)
        return st;
    *bytes = env.limits.job_bytes;
    return LUC_OK;
}

/* Owners choose their keys without seeing each other's: the store's key begins with the owner. */
static const char *own_key(const char *owner, const char *key, char text[KEY_TEXT_MAX])
{
    if (!key || !*owner)
        return key;
    snprintf(text, KEY_TEXT_MAX, "%s\n%s", owner, key);
    return text;
}

static enum luc_status submit(void *ctx, const char *owner, const struct api_job *job,
                              const char *key, char id[API_ID_MAX], enum api_submitted *how,
                              struct luc_error *err)
{
    struct srv_jobs *j = ctx;
    struct api_job named = *job;
    struct luc_str spec = { 0 };
    char hash[SRV_BLOB_NAME] = "", key_text[KEY_TEXT_MAX];
    const char **inputs = NULL;
    size_t bytes = 0;
    if (atomic_load(&j->draining))
        return luc_fail(err, LUC_BUSY, "the server is going down");
    if (!srv_jobs_name(named.id))
        return luc_fail(err, LUC_INTERNAL, "no random numbers for a job's id");
    enum luc_status st = hash_of(job, hash, err);
    if (!st)
        st = plan(j, job, &bytes, err);
    if (!st)
        st = put_inputs(j, job, &inputs, err);
    api_job_print(&named, &spec);
    if (!st && spec.failed)
        st = luc_fail_nomem(err, "a job", spec.len);
    const struct srv_new_job made = { .id = named.id,
                                      .method = job->what->method->name,
                                      .spec = spec.data,
                                      .who = owner,
                                      .key = own_key(owner, key, key_text),
                                      .key_hash = key ? hash : NULL,
                                      .lane = api_job_is_slow(job) ? SRV_LANE_SLOW : SRV_LANE_QUICK,
                                      .bytes = bytes,
                                      .inputs = inputs,
                                      .n_inputs = job->n_images,
                                      .max_queued = (size_t)j->cfg->jobs,
                                      .max_of_who = (size_t)j->cfg->key_queued };
    if (!st)
        st = j->store->kind->submit(j->store, &made, id, how, err);
    luc_str_done(&spec);
    free(inputs);
    if (!st)
        srv_jobs_wake(j);
    return st;
}

static enum luc_status get(void *ctx, const char *id, struct api_job_row *row,
                           struct luc_error *err)
{
    struct srv_store *s = ((struct srv_jobs *)ctx)->store;
    return s->kind->get(s, id, row, err);
}

static unsigned retry_s(void *ctx)
{
    struct srv_jobs *j = ctx;
    long long least = RETRY_MAX_MS;
    pthread_mutex_lock(&j->lock);
    for (const struct srv_running *r = j->running; r; r = r->next) {
        const long long eta = atomic_load(&r->eta_ms);
        least = eta >= 0 && eta < least ? eta : least;
    }
    pthread_mutex_unlock(&j->lock);
    return least < 1000 ? 1 : (unsigned)((least + 999) / 1000);
}

static enum luc_status list(void *ctx, const char *owner, enum api_state state, int64_t cursor,
                            size_t limit, void (*each)(void *to, const struct api_job_row *row),
                            void *to, struct luc_error *err)
{
    struct srv_store *s = ((struct srv_jobs *)ctx)->store;
    return s->kind->list(s, owner, state, cursor, limit, each, to, err);
}

static enum luc_status cancel(void *ctx, const char *id, struct luc_error *err)
{
    struct srv_jobs *j = ctx;
    enum api_state was = API_STATE_queued;
    const enum luc_status st = j->store->kind->cancel(j->store, id, &was, err);
    if (st)
        return st;
    pthread_mutex_lock(&j->lock); /* ours: no need to wait for the heartbeat */
    for (struct srv_running *r = j->running; r; r = r->next)
        if (strcmp(r->got.claim.id, id) == 0)
            atomic_store(&r->cancelled, true);
    pthread_mutex_unlock(&j->lock);
    srv_jobs_changed(j, id);
    return LUC_OK;
}

static void add_type(void *ctx, const struct srv_answer *a)
{
    struct api_kept_types *t = ctx;
    if (t->n < sizeof(t->type) / sizeof(t->type[0]) && a->type)
        snprintf(t->type[t->n++], sizeof(t->type[0]), "%s", a->type);
}

static enum luc_status types(void *ctx, const char *id, struct api_kept_types *t,
                             struct luc_error *err)
{
    struct srv_store *s = ((struct srv_jobs *)ctx)->store;
    return s->kind->files(s, id, "result", add_type, t, err);
}

struct wanted {
    const char *type; /* NULL: the first */
    char file[SRV_BLOB_NAME];
    struct api_kept kept;
};

static void pick(void *ctx, const struct srv_answer *a)
{
    struct wanted *w = ctx;
    if (w->file[0] || (w->type && (!a->type || strcmp(w->type, a->type) != 0)))
        return;
    snprintf(w->file, sizeof(w->file), "%s", a->file);
    w->kept.type = strdup(a->type ? a->type : "");
    struct luc_str headers = { 0 };
    luc_str_printf(&headers, "ETag: \"%s\"\n%s", w->file, a->headers ? a->headers : "");
    w->kept.headers = headers.data;
}

static enum luc_status kept_file(struct srv_jobs *j, const char *id, const char *role,
                                 const char *type, struct api_kept *kept, struct luc_error *err)
{
    struct wanted w = { .type = type };
    enum luc_status st = j->store->kind->files(j->store, id, role, pick, &w, err);
    if (!st && !w.file[0])
        st = luc_fail(err, LUC_NOT_FOUND, "the job has no such %s", role);
    if (!st)
        st = srv_blobs_get(j->blobs, w.file, &w.kept.bytes, &w.kept.size, err);
    if (st)
        api_kept_done(&w.kept);
    else
        *kept = w.kept;
    return st;
}

static enum luc_status result(void *ctx, const char *id, const char *type, struct api_kept *kept,
                              struct luc_error *err)
{
    return kept_file(ctx, id, "result", type, kept, err);
}

static enum luc_status preview(void *ctx, const char *id, struct api_kept *kept,
                               struct luc_error *err)
{
    return kept_file(ctx, id, "preview", NULL, kept, err);
}

struct writing {
    struct luc_str *out;
    int64_t last;
    bool end;
};

static void write_event(void *ctx, const struct srv_event *e)
{
    struct writing *w = ctx;
    luc_str_printf(w->out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)e->n, e->kind, e->data);
    w->last = e->n;
}

static enum luc_status events(void *ctx, const char *id, int64_t *after, struct luc_str *out,
                              bool *end, struct luc_error *err)
{
    struct srv_store *s = ((struct srv_jobs *)ctx)->store;
    struct writing w = { .out = out, .last = *after };
    struct api_job_row row = { 0 };
    /* The state first: an end that is seen here has its event in what is read after. */
    enum luc_status st = s->kind->get(s, id, &row, err);
    const bool ended = !st && api_state_is_final(row.state);
    api_job_row_done(&row);
    if (!st)
        st = s->kind->events(s, id, *after, write_event, &w, err);
    if (!st) {
        *after = w.last;
        *end = ended;
    }
    return st;
}

void srv_jobs_fill_api(struct srv_jobs *j)
{
    j->api = (struct api_jobs){ .ctx = j,
                                .submit = submit,
                                .get = get,
                                .retry_s = retry_s,
                                .list = list,
                                .cancel = cancel,
                                .types = types,
                                .result = result,
                                .preview = preview,
                                .events = events };
}
