#include "server/jobs/admission.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 0.1
#define MIB    ((double)(1u << 20))

struct waiter {
    struct waiter *next;
};

struct srv_memory {
    size_t limit;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    size_t jobs, requests, promised;
    struct waiter *first; /* requests that wait, in the order they came */
};

/* What a file of one number says; SIZE_MAX when it says "max", nothing, or is not there. */
static size_t number_in(const char *path)
{
    char text[32] = "";
    FILE *f = fopen(path, "re");
    const bool ok = f && fgets(text, sizeof(text), f);
    if (f)
        fclose(f);
    const unsigned long long n = ok ? strtoull(text, NULL, 10) : 0;
    return n > 0 && n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

static size_t half_of_the_machine(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t least = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : (size_t)2 << 30;
    const size_t groups[] = { number_in("/sys/fs/cgroup/memory.max"),
                              number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes") };
    for (size_t i = 0; i < 2; i++)
        least = groups[i] < least ? groups[i] : least;
    return least / 2;
}

struct srv_memory *srv_memory_create(size_t limit)
{
    struct srv_memory *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->limit = limit ? limit : half_of_the_machine();
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->freed, NULL);
    return m;
}

struct srv_memory *srv_memory_destroy(struct srv_memory *m)
{
    if (m) {
        pthread_cond_destroy(&m->freed);
        pthread_mutex_destroy(&m->lock);
        free(m);
    }
    return NULL;
}

size_t srv_memory_limit(const struct srv_memory *m)
{
    return m->limit;
}

size_t srv_memory_jobs_limit(const struct srv_memory *m)
{
    return m->limit - m->limit / 4;
}

/* What jobs may still have, and what requests may. */
static size_t room_for_jobs(const struct srv_memory *m)
{
    const size_t most = srv_memory_jobs_limit(m), used = m->jobs + m->requests;
    const size_t own = m->jobs < most ? most - m->jobs : 0,
                 all = used < m->limit ? m->limit - used : 0;
    return own < all ? own : all;
}

static size_t room_for_requests(const struct srv_memory *m)
{
    const size_t most = srv_memory_jobs_limit(m);
    size_t jobs = m->jobs + m->promised;
    jobs = m->promised && jobs > most ? (m->jobs > most ? m->jobs : most) : jobs;
    const size_t used = jobs + m->requests;
    return used < m->limit ? m->limit - used : 0;
}

static void wait_a_little(struct srv_memory *m)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(1e9 * LOOK_S);
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&m->freed, &m->lock, &until);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void join_line(struct srv_memory *m, struct waiter *me)
{
    struct waiter **at = &m->first;
    while (*at)
        at = &(*at)->next;
    *at = me;
}

static void leave_line(struct srv_memory *m, const struct waiter *me)
{
    struct waiter **at = &m->first;
    while (*at != me)
        at = &(*at)->next;
    *at = me->next;
    pthread_cond_broadcast(&m->freed);
}

enum luc_status srv_memory_take(struct srv_memory *m, size_t bytes, double patience_s,
                                bool (*wanted)(void *ctx), void *ctx, struct luc_error *err)
{
    const double until = now_s() + patience_s;
    struct waiter me = { NULL };
    bool given_up = false;
    if (bytes > m->limit)
        return luc_fail(err, LUC_TOO_LARGE,
                        "this needs %zu bytes of memory (%.0f MiB), all that computes may hold %zu "
                        "(%.0f MiB): send a smaller picture, or raise memory_bytes",
                        bytes, (double)bytes / MIB, m->limit, (double)m->limit / MIB);
    pthread_mutex_lock(&m->lock);
    join_line(m, &me);
    while (!given_up && (m->first != &me || bytes > room_for_requests(m))) {
        wait_a_little(m);
        pthread_mutex_unlock(&m->lock);
        given_up = now_s() > until || (wanted && !wanted(ctx));
        pthread_mutex_lock(&m->lock);
    }
    const size_t room = room_for_requests(m);
    const bool fits = m->first == &me && bytes <= room;
    m->requests += fits ? bytes : 0;
    leave_line(m, &me);
    pthread_mutex_unlock(&m->lock);
    return fits
               ? LUC_OK
               : luc_fail(err, LUC_BUSY,
                          "this needs %.0f MiB of memory and %.0f MiB are free, the rest is in use "
                          "by others: try again, or send it with `Prefer: respond-async`",
                          (double)bytes / MIB, (double)room / MIB);
}

void srv_memory_give(struct srv_memory *m, size_t bytes)
{
    pthread_mutex_lock(&m->lock);
    m->requests -= bytes;
    pthread_cond_broadcast(&m->freed);
    pthread_mutex_unlock(&m->lock);
}

size_t srv_memory_hold(struct srv_memory *m)
{
    pthread_mutex_lock(&m->lock);
    const size_t room = room_for_jobs(m);
    m->jobs += room;
    pthread_mutex_unlock(&m->lock);
    return room;
}

void srv_memory_settle(struct srv_memory *m, size_t held, size_t used, size_t promised)
{
    pthread_mutex_lock(&m->lock);
    m->jobs -= held - used;
    m->promised = promised;
    pthread_cond_broadcast(&m->freed);
    pthread_mutex_unlock(&m->lock);
}

void srv_memory_promise(struct srv_memory *m, size_t promised)
{
    srv_memory_settle(m, 0, 0, promised);
}

void srv_memory_give_job(struct srv_memory *m, size_t bytes)
{
    pthread_mutex_lock(&m->lock);
    m->jobs -= bytes;
    pthread_cond_broadcast(&m->freed);
    pthread_mutex_unlock(&m->lock);
}

struct srv_memory_use srv_memory_use(struct srv_memory *m)
{
    pthread_mutex_lock(&m->lock);
    const struct srv_memory_use use = { m->jobs, m->requests, m->promised };
    pthread_mutex_unlock(&m->lock);
    return use;
}
