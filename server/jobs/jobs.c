#include "core/base/hash.h"
#include "server/jobs/jobs_private.h"
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lost_problem[] =
    "{\"type\":\"/problems/internal\",\"title\":\"The server failed\",\"status\":500,\"detail\":"
    "\"The server ended several times while it ran this job, so it will not be tried again.\"}";

static const char large_problem[] =
    "{\"type\":\"/problems/too-large\",\"title\":\"Something is over a limit\",\"status\":413,"
    "\"detail\":\"The job needs more memory than the server gives to a job since its settings were "
    "changed: raise memory_bytes, or send it again with a smaller picture or size.\"}";

bool srv_jobs_name(char text[33])
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

void srv_jobs_wake(struct srv_jobs *j)
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
        srv_memory_give_job(j->memory, r->got.bytes);
        for (struct srv_running **at = &j->running; *at; at = &(*at)->next)
            if (*at == r) {
                *at = r->next;
                break;
            }
        j->n_running--;
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
    const size_t held = srv_memory_hold(j->memory);
    const struct srv_claim_ask ask = { .owner = j->owner,
                                       .lanes = lane,
                                       .lease_s = (double)j->cfg->lease_s,
                                       .free_bytes = held,
                                       .most_bytes = srv_memory_jobs_limit(j->memory),
                                       .max_lost = j->cfg->attempts,
                                       .lost_to = lost_problem,
                                       .large_to = large_problem,
                                       .keep_s = (double)j->cfg->results_s,
                                       .most_running = (size_t)j->cfg->key_running };
    const enum luc_status st = j->store->kind->claim(j->store, &ask, &r->got, &err);
    srv_memory_settle(j->memory, held, r->got.bytes, r->got.next_bytes);
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
    atomic_init(&r->eta_ms, -1);
    r->claimed_s = srv_now_s();
    r->report.spent_s = r->got.spent_s;
    r->beat_s = r->claimed_s + (double)j->cfg->lease_s / 3;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_lock(&j->lock);
    r->next = j->running;
    j->running = r;
    j->n_running++;
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

void srv_jobs_push_turns(struct srv_jobs *j)
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

/* ---- starting and ending -------------------------------------------------------------------- */

const struct api_jobs *srv_jobs_api(const struct srv_jobs *j)
{
    return &j->api;
}

struct srv_keys *srv_jobs_keys(struct srv_jobs *j)
{
    return j->keys;
}

const struct api_collections *srv_jobs_collections(const struct srv_jobs *j)
{
    return &j->collections.api;
}

void srv_jobs_features(const struct srv_jobs *j, size_t *recalled, size_t *computed)
{
    *recalled = atomic_load(&j->collections.recalled);
    *computed = atomic_load(&j->collections.kept);
}

void srv_jobs_watch(struct srv_jobs *j, void (*changed)(void *ctx, const char *id), void *ctx)
{
    pthread_mutex_lock(&j->lock);
    j->changed = changed;
    j->changed_ctx = ctx;
    pthread_mutex_unlock(&j->lock);
}

/* The running kernel's name for itself: whoever has the same sees the same locks. */
static void name_host(char host[64])
{
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, host, 36) : -1;
    if (fd >= 0)
        close(fd);
    if (n != 36 && gethostname(host, 63) != 0)
        host[0] = '\0';
}

static enum luc_status own(struct srv_jobs *j, struct luc_error *err)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/owners", j->cfg->data);
    if (!srv_jobs_name(j->owner) || !srv_data_make(path))
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
                               struct srv_pool *pool, struct srv_memory *memory, size_t n_workers,
                               struct srv_jobs **jobs, struct luc_error *err)
{
    struct srv_jobs *j = calloc(1, sizeof(*j));
    if (!j)
        return luc_fail_nomem(err, "the jobs", sizeof(*j));
    *j = (struct srv_jobs){
        .cfg = cfg, .env = env, .pool = pool, .memory = memory, .owner_fd = -1, .pending = true
    };
    j->lane_max[0] = n_workers;
    j->lane_max[1] = n_workers > 1 ? n_workers / 2 : 1;
    srv_jobs_fill_api(j);
    pthread_mutex_init(&j->lock, NULL);
    pthread_mutex_init(&j->claiming, NULL);
    pthread_cond_init(&j->wake, NULL);
    pthread_cond_init(&j->let_go, NULL);
    name_host(j->host);
    enum luc_status st = own(j, err);
    if (!st)
        st = srv_blobs_open(cfg->data, &j->blobs, err);
    if (!st)
        st = srv_store_sqlite(cfg->data, &j->store, err);
    if (!st)
        st = srv_keys_create(j->store, (size_t)cfg->key_requests, &j->keys, err);
    if (!st) {
        srv_collections_init(&j->collections, j->store, j->blobs, cfg);
        srv_jobs_live(j);
        srv_jobs_bury_owners(j);
        j->has_keeper = pthread_create(&j->keeper, NULL, srv_jobs_keep, j) == 0;
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

static void leave(struct srv_jobs *j)
{
    size_t n = 0;
    struct luc_error err = { 0 };
    if (j->store->kind->release_owner(j->store, j->owner, &n, &err))
        srv_log(SRV_WARN, "cannot tell other servers that this one goes: %s", err.text);
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
    if (j->has_keeper)
        leave(j);
    srv_keys_destroy(j->keys);
    srv_store_close(j->store);
    srv_blobs_close(j->blobs);
    if (j->owner_fd >= 0) {
        char path[600];
        if (srv_jobs_owner_path(j, j->owner, path))
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
