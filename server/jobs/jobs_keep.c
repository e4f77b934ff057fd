/* The keeper: what is periodic. */
#include "core/base/hash.h"
#include "server/jobs/jobs_private.h"
#include "server/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TURN_S   0.1  /* while something runs */
#define REPORT_S 0.3  /* between two reports of one job */
#define LOOK_S   0.5  /* between two looks for jobs that others left in the queue */
#define KEYS_S   0.5  /* between two looks at the keys */
#define GONE_S   5.0  /* between two looks for owners that are gone */
#define EXPIRE_S 30.0 /* between two clean-ups */
#define SWEEP_S  600.0

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

bool srv_jobs_owner_path(const struct srv_jobs *j, const char *owner, char path[600])
{
    return luc_hex_decode(owner, (unsigned char[16]){ 0 }, 16) &&
           snprintf(path, 600, "%s/owners/%s", j->cfg->data, owner) < 600;
}

/* Whether it is certain at once: it ran on this kernel (or before there were nodes), which would
 * still hold its lock. A lock file that is not to be seen from here says nothing. */
static bool let_go(const struct srv_jobs *j, const struct srv_node *node)
{
    char path[600];
    if ((node->host && strcmp(node->host, j->host) != 0) ||
        !srv_jobs_owner_path(j, node->name, path))
        return false;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const bool is = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

static void note_if_dead(void *ctx, const struct srv_node *node)
{
    struct dead *d = ctx;
    if (strcmp(node->name, d->jobs->owner) != 0 && d->n < 16 &&
        (node->silent || let_go(d->jobs, node)))
        snprintf(d->name[d->n++], SRV_OWNER_MAX, "%s", node->name);
}

void srv_jobs_live(struct srv_jobs *j)
{
    struct luc_error err = { 0 };
    const struct srv_node node = { .name = j->owner,
                                   .host = j->host,
                                   .most_bytes = srv_memory_jobs_limit(j->memory) };
    if (j->store->kind->live(j->store, &node, (double)j->cfg->lease_s, &err))
        srv_log(SRV_WARN, "cannot tell other servers that this one lives: %s", err.text);
}

void srv_jobs_bury_owners(struct srv_jobs *j)
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
        if (srv_jobs_owner_path(j, d.name[i], path))
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
        if (j->store->collections->trim(j->store, (size_t)j->cfg->features_bytes, &err))
            srv_log(SRV_WARN, "cannot forget what is known of pictures: %s", err.text);
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

static bool any_queued(struct srv_jobs *j)
{
    size_t n[API_N_STATES] = { 0 };
    srv_jobs_counts(j, n);
    return n[API_STATE_queued] > 0 || n[API_STATE_running] > srv_jobs_running(j);
}

static void refresh_keys(struct srv_jobs *j)
{
    struct luc_error err = { 0 };
    if (srv_keys_refresh(j->keys, &err))
        srv_log(SRV_WARN, "cannot read the keys, those known stay: %s", err.text);
}

void *srv_jobs_keep(void *arg)
{
    struct srv_jobs *j = arg;
    double look = 0, live = 0, gone = 0, keys = 0, expire = 0, sweep = srv_now_s() + 5;
    for (;;) {
        const double now = srv_now_s();
        pthread_mutex_lock(&j->lock);
        const bool ending = j->ending, pending = j->pending;
        j->pending = false;
        pthread_mutex_unlock(&j->lock);
        if (ending)
            return NULL;
        keep_running(j);
        if (now >= live) {
            srv_jobs_live(j);
            live = now + (double)j->cfg->lease_s / 3;
        }
        if (now >= gone) {
            srv_jobs_bury_owners(j);
            gone = now + GONE_S;
        }
        if (pending || now >= look) {
            if (any_queued(j))
                srv_jobs_push_turns(j);
            else
                srv_memory_promise(j->memory, 0);
            look = now + LOOK_S;
        }
        if (now >= keys) {
            refresh_keys(j);
            keys = now + KEYS_S;
        }
        if (now >= expire) {
            clean_up(j, now >= sweep);
            expire = now + EXPIRE_S;
            sweep = now >= sweep ? now + SWEEP_S : sweep;
        }
        nap(j);
    }
}
