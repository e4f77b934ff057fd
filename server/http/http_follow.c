#define _GNU_SOURCE /* POLLRDHUP */
#include "server/http/http_follow.h"
#include "api/stored_job.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMENT_S 15.0
#define LOOK_S    1.0 /* between two looks at sockets, and of waits at their job */
#define STREAM_S  5.0 /* between two looks of a stream at a job that another process may run */
#define BLOCK     ((size_t)4096)

struct srv_follow {
    const struct api_env *env;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t watcher;
    struct srv_follower *first;
    struct pollfd *polled;
    size_t n_polled;
    bool draining, ending, woken;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void link_up(struct srv_follow *f, struct srv_follower *w)
{
    w->follow = f;
    w->next = f->first;
    f->first = w;
    w->linked = true;
}

static void unlink_from(struct srv_follow *f, struct srv_follower *w)
{
    for (struct srv_follower **at = &f->first; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    w->linked = false;
}

/* One look at every socket. */
static void find_gone(struct srv_follow *f)
{
    size_t n = 0;
    for (struct srv_follower *w = f->first; w; w = w->next)
        n++;
    if (n > f->n_polled) {
        struct pollfd *grown = realloc(f->polled, 2 * n * sizeof(*grown));
        if (!grown)
            return;
        f->polled = grown;
        f->n_polled = 2 * n;
    }
    n = 0;
    for (struct srv_follower *w = f->first; w; w = w->next)
        f->polled[n++] = (struct pollfd){ .fd = w->fd, .events = POLLRDHUP };
    if (poll(f->polled, (nfds_t)n, 0) <= 0)
        return;
    n = 0;
    for (struct srv_follower *w = f->first; w; w = w->next)
        w->gone = (f->polled[n++].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0 || w->gone;
}

/* Whether a follower has to be looked at now. */
static bool is_due(const struct srv_follow *f, const struct srv_follower *w, double now)
{
    if (f->draining || w->dirty || w->gone || now >= w->look_s)
        return true;
    return w->fire ? now >= w->until_s : now >= w->comment_s;
}

/* Resuming happens under the lock: a stream decides to suspend itself under it, so that no change
 * falls between the decision and the suspension. */
static void let_go(struct srv_follow *f, double now)
{
    struct srv_follower *w = f->first;
    while (w) {
        struct srv_follower *next = w->next;
        const bool due = is_due(f, w, now);
        if (due && w->fire) {
            unlink_from(f, w);
            w->fire(w->ctx); /* hands a task to the clerks, no more */
        } else if (due && w->suspended) {
            w->suspended = false;
            MHD_resume_connection(w->connection);
        }
        w = next;
    }
}

static void *watch(void *arg)
{
    struct srv_follow *f = arg;
    double look = 0;
    pthread_mutex_lock(&f->lock);
    while (!f->ending) {
        struct timespec until;
        const double now = now_s();
        if (now >= look) {
            find_gone(f);
            look = now + LOOK_S;
        }
        let_go(f, now);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (!f->woken && !f->ending)
            pthread_cond_timedwait(&f->wake, &f->lock, &until);
        f->woken = false;
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

struct srv_follow *srv_follow_create(const struct api_env *env)
{
    struct srv_follow *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->env = env;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    if (pthread_create(&f->watcher, NULL, watch, f) != 0) {
        free(f);
        return NULL;
    }
    return f;
}

struct srv_follow *srv_follow_destroy(struct srv_follow *f)
{
    if (!f)
        return NULL;
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->watcher, NULL);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f->polled);
    free(f);
    return NULL;
}

static void rouse(struct srv_follow *f)
{
    f->woken = true;
    pthread_cond_signal(&f->wake);
}

void srv_follow_wait(struct srv_follow *f, struct srv_follower *w)
{
    pthread_mutex_lock(&f->lock);
    w->dirty = w->gone = false;
    w->look_s = now_s() + LOOK_S;
    link_up(f, w);
    rouse(f); /* what changed before this is seen by the first look, or within a second */
    pthread_mutex_unlock(&f->lock);
}

/* Fetches what is new. False: nothing, and the connection was suspended. */
static bool fetch(struct srv_follower *w)
{
    struct srv_follow *f = w->follow;
    const struct api_jobs *jobs = f->env->jobs;
    for (;;) {
        pthread_mutex_lock(&f->lock);
        const bool draining = f->draining, gone = w->gone;
        const double now = now_s(), comment_s = w->comment_s;
        w->dirty = false;
        pthread_mutex_unlock(&f->lock);
        if (gone)
            return w->ended = true;
        if (jobs->events(jobs->ctx, w->job, &w->after, &w->text, &w->ended, NULL) || draining)
            w->ended = true; /* what was appended is still sent; the client comes again */
        if (!w->ended && w->text.len == 0 && now >= comment_s)
            luc_str_puts(&w->text, ": still here\n\n");
        if (w->text.len || w->ended) {
            pthread_mutex_lock(&f->lock);
            w->comment_s = now + COMMENT_S;
            pthread_mutex_unlock(&f->lock);
            return true;
        }
        pthread_mutex_lock(&f->lock);
        if (!w->dirty && !w->gone && !f->draining) {
            w->suspended = true;
            w->look_s = now + STREAM_S;
            MHD_suspend_connection(w->connection);
            pthread_mutex_unlock(&f->lock);
            return false;
        }
        pthread_mutex_unlock(&f->lock);
    }
}

static ssize_t read_stream(void *cls, uint64_t at, char *buffer, size_t max)
{
    struct srv_follower *w = cls;
    (void)at;
    if (w->sent == w->text.len) {
        luc_str_done(&w->text);
        w->sent = 0;
        if (w->ended)
            return w->gone ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        if (!fetch(w))
            return 0;
        if (w->text.len == 0)
            return w->gone ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    }
    const size_t left = w->text.len - w->sent, n = left < max ? left : max;
    memcpy(buffer, w->text.data + w->sent, n);
    w->sent += n;
    return (ssize_t)n;
}

struct MHD_Response *srv_follow_stream(struct srv_follow *f, struct srv_follower *w)
{
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, w, NULL);
    if (!r)
        return NULL;
    pthread_mutex_lock(&f->lock);
    w->comment_s = now_s() + COMMENT_S;
    w->look_s = now_s() + LOOK_S;
    link_up(f, w);
    pthread_mutex_unlock(&f->lock);
    return r;
}

void srv_follow_remove(struct srv_follow *f, struct srv_follower *w)
{
    pthread_mutex_lock(&f->lock);
    if (w->linked)
        unlink_from(f, w);
    pthread_mutex_unlock(&f->lock);
    luc_str_done(&w->text);
}

void srv_follow_changed(void *ctx, const char *job)
{
    struct srv_follow *f = ctx;
    bool any = false;
    pthread_mutex_lock(&f->lock);
    for (struct srv_follower *w = f->first; w; w = w->next)
        if (strcmp(w->job, job) == 0)
            any = w->dirty = true;
    if (any)
        rouse(f);
    pthread_mutex_unlock(&f->lock);
}

void srv_follow_drain(struct srv_follow *f)
{
    pthread_mutex_lock(&f->lock);
    f->draining = true;
    rouse(f);
    pthread_mutex_unlock(&f->lock);
}
