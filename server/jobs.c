#include "core/base/hash.h"
#include "server/jobs_private.h"
#include "server/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TURN_S   0.1  /* the keeper's while something runs */
#define REPORT_S 0.3  /* between two reports of one job */
#define LOOK_S   0.5  /* between two looks for jobs that others left in the queue */
#define GONE_S   5.0  /* between two looks for owners that are gone */
#define EXPIRE_S 30.0 /* between two clean-ups */
#define SWEEP_S  600.0

#define KEY_TEXT_MAX (API_OWNER_MAX + API_IDEMPOTENCY_MAX + 1)

static const char lost_problem[] =
    "{\"type\":\"/problems/internal\",\"title\":\"The server failed\",\"status\":500,\"detail\":"
    "\"The server ended several times while it ran this job, so it will not be tried again.\"}";

static bool random_name(char text[33])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    luc_hex_encode(bytes, sizeof(bytes), text);
    return true;
}

void srv_jobs_changed(struct srv_jobs *j, const char *id)
{
    pthread_mutex_lock(&j->lock);
    void (*changed)(void *, const char *) = j->changed;
    void *ctx = j->changed_ctx;
    pthread_mutex_unlock(&j->lock);
    if (changed)
        changed(ctx, id);
}

static void wake(struct srv_jobs *j)
{
    pthread_mutex_lock(&j->lock);
    j->pending = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
}

/* ---- turns ---------------------------------------------------------------------------------- */

static void end_turn(struct srv_jobs *j, unsigned lane, struct srv_running *r)
{
    pthread_mutex_lock(&j->lock);
    while (r && j->held == r)
        pthread_cond_wait(&j->let_go, &j->lock);
    if (r) {
        for (struct srv_running **at = &j->running; *at; at = &(*at)->next)
            if (*at == r) {
                *at = r->next;
                break;
            }
        j->n_running--;
        j->bytes -= r->got.bytes;
    }
    j->turns[lane == SRV_LANE_SLOW]--;
    j->pending = j->pending || r; /* there may be more where this came from */
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
}

static struct srv_running *claim(struct srv_jobs *j, unsigned lane)
{
    struct luc_error err = { 0 };
    struct srv_running *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    pthread_mutex_lock(&j->lock);
    const size_t limit = (size_t)j->cfg->job_bytes * (j->lane_max[0]), used = j->bytes;
    pthread_mutex_unlock(&j->lock);
    const struct srv_claim_ask ask = { .owner = j->owner,
                                       .lanes = lane,
                                       .lease_s = (double)j->cfg->lease_s,
                                       .free_bytes = limit > used ? limit - used : 0,
                                       .max_lost = j->cfg->attempts,
                                       .lost_to = lost_problem };
    const enum luc_status st = j->store->kind->claim(j->store, &ask, &r->got, &err);
    if (st)
        srv_log(SRV_ERROR, "cannot claim a job: %s", err.text);
    if (st || !r->got.spec) {
        free(r);
        return NULL;
    }
    r->jobs = j;
    r->lane = lane;
    r->report.loss = (double)NAN;
    r->report.eta_s = -1;
    r->beat_s = srv_now_s() + (double)j->cfg->lease_s / 3;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_lock(&j->lock);
    r->next = j->running;
    j->running = r;
    j->n_running++;
    j->bytes += r->got.bytes;
    j->pending = true; /* there may be more in the queue than turns were given */
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    return r;
}

/* On a worker. */
static void turn(struct srv_jobs *j, unsigned lane, const struct luc_threads *threads)
{
    struct srv_running *r = NULL;
    /* One claim at a time, so that both lanes together keep to the number of jobs at once. */
    pthread_mutex_lock(&j->claiming);
    if (!atomic_load(&j->draining) && srv_jobs_running(j) < j->lane_max[0])
        r = claim(j, lane);
    pthread_mutex_unlock(&j->claiming);
    if (r)
        srv_jobs_run(r, threads);
    end_turn(j, lane, r);
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    luc_str_done(&r->preview);
    free(r->checkpoint);
    free(r->got.spec);
    free(r);
}

static void quick_turn(void *ctx, const struct luc_threads *threads)
{
    turn(ctx, SRV_LANE_QUICK, threads);
}

static void slow_turn(void *ctx, const struct luc_threads *threads)
{
    turn(ctx, SRV_LANE_SLOW, threads);
}

/* Turns for every lane that has room; the pool may be full, then the next look tries again. */
static void push_turns(struct srv_jobs *j)
{
    for (size_t lane = 0; lane < 2; lane++) {
        pthread_mutex_lock(&j->lock);
        const bool room = j->turns[lane] < j->lane_max[lane] && !atomic_load(&j->stuck) &&
                          !atomic_load(&j->draining);
        j->turns[lane] += room ? 1 : 0;
        pthread_mutex_unlock(&j->lock);
        if (!room)
            continue;
        if (srv_pool_reserve(j->pool))
            srv_pool_push(j->pool, lane ? slow_turn : quick_turn, j);
        else
            end_turn(j, lane ? SRV_LANE_SLOW : SRV_LANE_QUICK, NULL);
    }
}

static bool any_queued(struct srv_jobs *j)
{
    size_t n[API_N_STATES] = { 0 };
    srv_jobs_counts(j, n);
    return n[API_STATE_queued] > 0 || n[API_STATE_running] > srv_jobs_running(j);
}

/* ---- the keeper ----------------------------------------------------------------------------- */

static void send_beat(struct srv_jobs *j, struct srv_running *r, double now)
{
    bool cancel = false;
    struct luc_error err = { 0 };
    const enum luc_status st =
        j->store->kind->beat(j->store, &r->got.claim, (double)j->cfg->lease_s, &cancel, &err);
    if (st == LUC_CANCELLED)
        atomic_store(&r->lost, true);
    else if (st)
        srv_log(SRV_WARN, "job %s: no heartbeat: %s", r->got.claim.id, err.text);
    if (cancel)
        atomic_store(&r->cancelled, true);
    r->beat_s = now + (st ? 1 : (double)j->cfg->lease_s / 3);
}

static void send_report(struct srv_jobs *j, struct srv_running *r, double now)
{
    char name[SRV_BLOB_NAME];
    struct luc_error err = { 0 };
    pthread_mutex_lock(&r->lock);
    struct srv_report report = r->report;
    struct luc_str picture = r->preview;
    r->preview = (struct luc_str){ 0 };
    r->changed = false;
    pthread_mutex_unlock(&r->lock);
    if (picture.len && !srv_blobs_put(j->blobs, picture.data, picture.len, name, &err))
        report.preview = name;
    luc_str_done(&picture);
    if (!j->store->kind->report(j->store, &r->got.claim, &report, &err))
        srv_jobs_changed(j, r->got.claim.id);
    r->report_s = now + REPORT_S;
}

/* The next job that was not looked at since `now`, held: its worker waits in end_turn(). */
static struct srv_running *hold_next(struct srv_jobs *j, double now)
{
    pthread_mutex_lock(&j->lock);
    struct srv_running *r = j->running;
    while (r && r->looked_s >= now)
        r = r->next;
    if (r)
        r->looked_s = now;
    j->held = r;
    pthread_cond_broadcast(&j->let_go);
    pthread_mutex_unlock(&j->lock);
    return r;
}

static void keep_running(struct srv_jobs *j)
{
    const double now = srv_now_s();
    struct srv_running *r;
    while ((r = hold_next(j, now))) {
        if (now >= r->beat_s)
            send_beat(j, r, now);
        pthread_mutex_lock(&r->lock);
        const bool due = r->changed && now >= r->report_s;
        pthread_mutex_unlock(&r->lock);
        if (due)
            send_report(j, r, now);
    }
}

struct dead {
    struct srv_jobs *jobs;
    char name[16][SRV_OWNER_MAX];
    size_t n;
};

static bool owner_path(const struct srv_jobs *j, const char *owner, char path[600])
{
    return luc_hex_decode(owner, (unsigned char[16]){ 0 }, 16) &&
           snprintf(path, 600, "%s/owners/%s", j->cfg->data, owner) < 600;
}

static void note_if_dead(void *ctx, const char *owner)
{
    struct dead *d = ctx;
    char path[600];
    if (strcmp(owner, d->jobs->owner) == 0 || d->n == 16 || !owner_path(d->jobs, owner, path))
        return;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 ? errno == ENOENT : flock(fd, LOCK_EX | LOCK_NB) == 0)
        snprintf(d->name[d->n++], SRV_OWNER_MAX, "%s", owner);
    if (fd >= 0)
        close(fd);
}

static void bury_owners(struct srv_jobs *j)
{
    struct dead d = { .jobs = j };
    struct luc_error err = { 0 };
    if (j->store->kind->owners(j->store, note_if_dead, &d, &err))
        srv_log(SRV_WARN, "cannot look for lost jobs: %s", err.text);
    for (size_t i = 0; i < d.n; i++) {
        char path[600];
        size_t n = 0;
        if (j->store->kind->release_owner(j->store, d.name[i], &n, &err)) {
            srv_log(SRV_WARN, "cannot take over lost jobs: %s", err.text);
            continue;
        }
        srv_log(SRV_INFO, "%zu jobs of a process that is gone are queued again", n);
        if (owner_path(j, d.name[i], path))
            unlink(path);
    }
}

static bool is_used(void *ctx, const char *name)
{
    struct srv_store *s = ctx;
    return s->kind->uses(s, name);
}

static void clean_up(struct srv_jobs *j, bool sweep)
{
    size_t n = 0;
    struct luc_error err = { 0 };
    if (j->store->kind->expire(j->store, 7.0 * (double)j->cfg->results_s, &n, &err))
        srv_log(SRV_WARN, "cannot expire results: %s", err.text);
    if (n)
        srv_log(SRV_INFO, "%zu results expired", n);
    if (sweep) {
        const size_t gone = srv_blobs_sweep(j->blobs, SRV_BLOB_GRACE_S, is_used, j->store);
        if (gone)
            srv_log(SRV_INFO, "%zu files that no job uses were removed", gone);
    }
}

static void nap(struct srv_jobs *j)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&j->lock);
    const double s = j->running ? TURN_S : LOOK_S;
    until.tv_nsec += (long)(1e9 * s);
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (!j->pending && !j->ending)
        pthread_cond_timedwait(&j->wake, &j->lock, &until);
    pthread_mutex_unlock(&j->lock);
}

static void *keep(void *arg)
{
    struct srv_jobs *j = arg;
    double look = 0, gone = 0, expire = 0, sweep = srv_now_s() + 5;
    for (;;) {
        const double now = srv_now_s();
        pthread_mutex_lock(&j->lock);
        const bool ending = j->ending, pending = j->pending;
        j->pending = false;
        pthread_mutex_unlock(&j->lock);
        if (ending)
            return NULL;
        keep_running(j);
        if (now >= gone) {
            bury_owners(j);
            gone = now + GONE_S;
        }
        if (pending || now >= look) {
            if (any_queued(j))
                push_turns(j);
            look = now + LOOK_S;
        }
        if (now >= expire) {
            clean_up(j, now >= sweep);
            expire = now + EXPIRE_S;
            sweep = now >= sweep ? now + SWEEP_S : sweep;
        }
        nap(j);
    }
}

/* ---- what the API asks ---------------------------------------------------------------------- */

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
    if (!random_name(named.id))
        return luc_fail(err, LUC_INTERNAL, "no random numbers for a job's id");
    enum luc_status st = hash_of(job, hash, err);
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
                                      .lane = job->what->cost == API_SLOW ? SRV_LANE_SLOW
                                                                          : SRV_LANE_QUICK,
                                      .inputs = inputs,
                                      .n_inputs = job->n_images,
                                      .max_queued = (size_t)j->cfg->jobs };
    if (!st)
        st = j->store->kind->submit(j->store, &made, id, how, err);
    luc_str_done(&spec);
    free(inputs);
    if (!st)
        wake(j);
    return st;
}

static enum luc_status get(void *ctx, const char *id, struct api_job_row *row,
                           struct luc_error *err)
{
    struct srv_store *s = ((struct srv_jobs *)ctx)->store;
    return s->kind->get(s, id, row, err);
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

/* ---- starting and ending -------------------------------------------------------------------- */

const struct api_jobs *srv_jobs_api(const struct srv_jobs *j)
{
    return &j->api;
}

void srv_jobs_watch(struct srv_jobs *j, void (*changed)(void *ctx, const char *id), void *ctx)
{
    pthread_mutex_lock(&j->lock);
    j->changed = changed;
    j->changed_ctx = ctx;
    pthread_mutex_unlock(&j->lock);
}

static bool make_directories(const char *path)
{
    char part[LUC_TEXT_MAX + 16];
    const size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

static enum luc_status own(struct srv_jobs *j, struct luc_error *err)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/owners", j->cfg->data);
    if (!random_name(j->owner) || !make_directories(path))
        return luc_fail(err, LUC_IO, "cannot write in the data directory %.120s: %s", j->cfg->data,
                        strerror(errno));
    snprintf(path, sizeof(path), "%s/owners/%s", j->cfg->data, j->owner);
    j->owner_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->owner_fd < 0 || flock(j->owner_fd, LOCK_EX | LOCK_NB) != 0)
        return luc_fail(err, LUC_IO, "cannot write in the data directory %.120s: %s", j->cfg->data,
                        strerror(errno));
    return LUC_OK;
}

enum luc_status srv_jobs_start(const struct cfg *cfg, const struct api_env *env,
                               struct srv_pool *pool, size_t n_workers, struct srv_jobs **jobs,
                               struct luc_error *err)
{
    struct srv_jobs *j = calloc(1, sizeof(*j));
    if (!j)
        return luc_fail_nomem(err, "the jobs", sizeof(*j));
    *j = (struct srv_jobs){ .cfg = cfg, .env = env, .pool = pool, .owner_fd = -1, .pending = true };
    j->lane_max[0] = n_workers;
    j->lane_max[1] = n_workers > 1 ? n_workers / 2 : 1;
    j->api = (struct api_jobs){ .ctx = j,
                                .submit = submit,
                                .get = get,
                                .list = list,
                                .cancel = cancel,
                                .types = types,
                                .result = result,
                                .preview = preview,
                                .events = events };
    pthread_mutex_init(&j->lock, NULL);
    pthread_mutex_init(&j->claiming, NULL);
    pthread_cond_init(&j->wake, NULL);
    pthread_cond_init(&j->let_go, NULL);
    enum luc_status st = own(j, err);
    if (!st)
        st = srv_blobs_open(cfg->data, &j->blobs, err);
    if (!st)
        st = srv_store_sqlite(cfg->data, &j->store, err);
    if (!st) {
        bury_owners(j);
        j->has_keeper = pthread_create(&j->keeper, NULL, keep, j) == 0;
        st = j->has_keeper ? LUC_OK : luc_fail(err, LUC_NOMEM, "cannot start the jobs' keeper");
    }
    if (st)
        srv_jobs_stop(j);
    else
        *jobs = j;
    return st;
}

void srv_jobs_drain(struct srv_jobs *j)
{
    atomic_store(&j->draining, true);
}

void srv_jobs_abandon(struct srv_jobs *j)
{
    atomic_store(&j->abandoned, true);
}

size_t srv_jobs_running(struct srv_jobs *j)
{
    pthread_mutex_lock(&j->lock);
    const size_t n = j->n_running;
    pthread_mutex_unlock(&j->lock);
    return n;
}

void srv_jobs_counts(struct srv_jobs *j, size_t by_state[API_N_STATES])
{
    struct luc_error err = { 0 };
    if (j->store->kind->counts(j->store, by_state, &err))
        srv_log(SRV_WARN, "cannot count jobs: %s", err.text);
}

struct srv_jobs *srv_jobs_stop(struct srv_jobs *j)
{
    if (!j)
        return NULL;
    pthread_mutex_lock(&j->lock);
    j->ending = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    if (j->has_keeper)
        pthread_join(j->keeper, NULL);
    srv_store_close(j->store);
    srv_blobs_close(j->blobs);
    if (j->owner_fd >= 0) {
        char path[600];
        if (owner_path(j, j->owner, path))
            unlink(path);
        close(j->owner_fd);
    }
    pthread_cond_destroy(&j->wake);
    pthread_cond_destroy(&j->let_go);
    pthread_mutex_destroy(&j->claiming);
    pthread_mutex_destroy(&j->lock);
    free(j);
    return NULL;
}
