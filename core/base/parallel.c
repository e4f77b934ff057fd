#define _GNU_SOURCE /* pthread_setaffinity_np, sched_getcpu */
#include "core/base/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long somebody looks before sleeping, which costs both sides tens of microseconds. A helper,
 * for the next loop: the layers of a small network follow each other within microseconds. A
 * caller, for its helpers' last items: nothing else is to be done meanwhile. */
#define HELPER_NS (200 * 1000)
#define CALLER_NS (1000 * 1000)
#define LOOKS     32 /* between two looks at the clock */
#define LINE      64 /* bytes that travel between processors together */
#define CREWS     4  /* for each thread; callers beyond them work alone */

/* The place in the pool where one caller's loops are offered, taken for a run or for one loop. It
 * outlives them, so a helper may look at it at any time; what is not atomic it reads only after it
 * has joined, and while it is inside nobody writes it. */
struct luc_crew {
    alignas(LINE) atomic_size_t places; /* lanes still to be had; also the lane the next one gets */
    atomic_bool taken;
    luc_parallel_body *body;
    void *ctx;
    size_t n;
    alignas(LINE) atomic_size_t next; /* first item nobody has taken */
    atomic_size_t n_left;             /* helpers that joined and are done */
    atomic_bool waits;                /* the caller sleeps: who clears this posts `left` */
    sem_t left;
};

struct helper {
    struct luc_pool *pool;
    atomic_bool asleep; /* who clears this posts `call` */
    sem_t call;
    int away_from; /* the processor it may not use; -1: none. Written by who cleared `asleep` */
    pthread_t thread;
};

struct luc_pool {
    /* Callers with a crew, and helpers at work. Together they are no more than there are helpers
     * and one: a job that has come to a busy machine gets no help, and nobody waits for a helper
     * that waits for a processor. */
    alignas(LINE) atomic_size_t n_callers;
    atomic_size_t n_helping;
    alignas(LINE) atomic_size_t n_asleep;
    atomic_bool stop;
    size_t n_crews;
    struct luc_crew *crews;
    cpu_set_t processors; /* that helpers may use */
    size_t n_helpers, n_started;
    struct helper helper[];
};

/* Counts how often somebody has looked, and how long. */
struct watch {
    unsigned looks;
    int64_t until; /* ns; 0: not begun */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* False when it has been longer than `ns`. */
static bool keep_looking(struct watch *w, int64_t ns)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    if (++w->looks % LOOKS)
        return true;
    const int64_t now = now_ns();
    if (!w->until)
        w->until = now + ns;
    return now < w->until;
}

static void wait_on(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) /* a signal came */
        ;
}

static bool is_crowded(struct luc_pool *pool)
{
    return atomic_load_explicit(&pool->n_callers, memory_order_relaxed) +
               atomic_load_explicit(&pool->n_helping, memory_order_relaxed) >
           pool->n_helpers;
}

/* Takes a lane of the first loop that has one left. */
static struct luc_crew *join(struct luc_pool *pool, size_t *lane)
{
    if (is_crowded(pool))
        return NULL;
    for (size_t i = 0; i < pool->n_crews; i++) {
        struct luc_crew *crew = &pool->crews[i];
        size_t places = atomic_load(&crew->places);
        while (places > 0)
            if (atomic_compare_exchange_weak(&crew->places, &places, places - 1)) {
                *lane = places;
                return crew;
            }
    }
    return NULL;
}

static bool take_item(struct luc_crew *crew, size_t lane)
{
    const size_t i = atomic_fetch_add_explicit(&crew->next, 1, memory_order_relaxed);
    if (i < crew->n)
        crew->body(crew->ctx, i, lane);
    return i < crew->n;
}

/* A helper's share of a loop, of which it has a lane; less when more callers come. */
static void help_with(struct luc_pool *pool, struct luc_crew *crew, size_t lane)
{
    atomic_fetch_add(&pool->n_helping, 1);
    while (take_item(crew, lane) &&
           atomic_load_explicit(&pool->n_callers, memory_order_relaxed) <= pool->n_helpers)
        ;
    atomic_fetch_sub(&pool->n_helping, 1);
    atomic_fetch_add(&crew->n_left, 1); /* from here on the crew may be serving another loop */
    if (atomic_exchange(&crew->waits, false))
        sem_post(&crew->left);
}

/* Sleeps until called. A loop offered before `asleep` was set is found by the last look. */
static struct luc_crew *sleep_well(struct helper *self, size_t *lane)
{
    struct luc_pool *pool = self->pool;
    atomic_fetch_add(&pool->n_asleep, 1);
    atomic_store(&self->asleep, true);
    struct luc_crew *crew = join(pool, lane);
    if ((crew || atomic_load(&pool->stop)) && atomic_exchange(&self->asleep, false))
        atomic_fetch_sub(&pool->n_asleep, 1);
    else
        wait_on(&self->call);
    return crew;
}

static void *help(void *arg)
{
    struct helper *self = arg;
    struct luc_pool *pool = self->pool;
    struct watch watch = { 0 };
    while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        size_t lane = 0;
        struct luc_crew *crew = join(pool, &lane);
        if (!crew) {
            if (keep_looking(&watch, HELPER_NS))
                continue;
            crew = sleep_well(self, &lane);
        }
        if (crew)
            help_with(pool, crew, lane);
        watch = (struct watch){ 0 };
    }
    return NULL;
}

/* Keeps a sleeper off its caller's processor. Left to itself, Linux in a virtual machine, which
 * cannot tell an idle processor from one taken away, mostly wakes it right there, to share what is
 * busy. */
static void send_away(struct helper *h, int processor)
{
    cpu_set_t rest = h->pool->processors;
    if (processor < 0 || processor >= CPU_SETSIZE || h->away_from == processor)
        return;
    CPU_CLR((size_t)processor, &rest);
    if (CPU_COUNT(&rest) > 0 && pthread_setaffinity_np(h->thread, sizeof(rest), &rest) == 0)
        h->away_from = processor;
}

/* Wakes sleepers that could be of use to a loop with this many places. */
static void call_helpers(struct luc_pool *pool, size_t places)
{
    if (atomic_load(&pool->n_asleep) == 0 || is_crowded(pool))
        return;
    const int here = sched_getcpu();
    for (size_t i = 0; i < pool->n_helpers && places > 0; i++)
        if (atomic_exchange(&pool->helper[i].asleep, false)) {
            atomic_fetch_sub(&pool->n_asleep, 1);
            send_away(&pool->helper[i], here);
            sem_post(&pool->helper[i].call);
            places--;
        }
}

/* `size` zero bytes, on lines of their own. */
static void *lines(size_t size)
{
    const size_t bytes = (size + LINE - 1) / LINE * LINE;
    void *p = aligned_alloc(LINE, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static bool start(struct luc_pool *pool, struct helper *h)
{
    h->pool = pool;
    h->away_from = -1;
    sem_init(&h->call, 0, 0);
    return pthread_create(&h->thread, NULL, help, h) == 0;
}

struct luc_pool *luc_pool_create(size_t n_helpers)
{
    struct luc_pool *pool = lines(sizeof(*pool) + n_helpers * sizeof(pool->helper[0]));
    if (!pool)
        return NULL;
    if (sched_getaffinity(0, sizeof(pool->processors), &pool->processors) != 0)
        CPU_ZERO(&pool->processors); /* nobody is sent away */
    pool->n_helpers = n_helpers;
    pool->n_crews = CREWS * (n_helpers + 1);
    pool->crews = lines(pool->n_crews * sizeof(*pool->crews));
    for (size_t i = 0; pool->crews && i < pool->n_crews; i++)
        sem_init(&pool->crews[i].left, 0, 0);
    bool ok = pool->crews != NULL;
    for (; ok && pool->n_started < n_helpers; pool->n_started += ok ? 1 : 0)
        ok = start(pool, &pool->helper[pool->n_started]);
    return ok ? pool : luc_pool_destroy(pool);
}

struct luc_pool *luc_pool_destroy(struct luc_pool *pool)
{
    if (!pool)
        return NULL;
    atomic_store(&pool->stop, true);
    for (size_t i = 0; i < pool->n_started; i++)
        if (atomic_exchange(&pool->helper[i].asleep, false))
            sem_post(&pool->helper[i].call);
    for (size_t i = 0; i < pool->n_started; i++)
        pthread_join(pool->helper[i].thread, NULL);
    free(pool->crews); /* semaphores hold nothing of their own */
    free(pool);
    return NULL;
}

/* NULL: there are more callers than anybody could help. */
static struct luc_crew *take_crew(struct luc_pool *pool)
{
    for (size_t i = 0; i < pool->n_crews; i++)
        if (!atomic_load_explicit(&pool->crews[i].taken, memory_order_relaxed) &&
            !atomic_exchange(&pool->crews[i].taken, true)) {
            atomic_fetch_add(&pool->n_callers, 1);
            return &pool->crews[i];
        }
    return NULL;
}

static void drop_crew(struct luc_pool *pool, struct luc_crew *crew)
{
    atomic_fetch_sub(&pool->n_callers, 1);
    atomic_store(&crew->taken, false);
}

struct luc_threads luc_parallel_begin(const struct luc_threads *threads)
{
    struct luc_threads team = threads ? *threads : (struct luc_threads){ .width = 1 };
    assert(!team.crew);
    if (luc_lanes(threads) > 1) {
        team.crew = take_crew(team.pool);
        call_helpers(team.pool, team.width - 1);
    }
    return team;
}

void luc_parallel_end(struct luc_threads *team)
{
    if (team->crew)
        drop_crew(team->pool, team->crew);
    team->crew = NULL;
}

/* Until `joined` helpers have left. */
static void wait_for(struct luc_crew *crew, size_t joined)
{
    struct watch watch = { 0 };
    while (atomic_load(&crew->n_left) < joined) {
        if (keep_looking(&watch, CALLER_NS))
            continue;
        atomic_store(&crew->waits, true);
        if (atomic_load(&crew->n_left) < joined || !atomic_exchange(&crew->waits, false))
            wait_on(&crew->left);
    }
}

void luc_parallel_for(const struct luc_threads *threads, size_t n, luc_parallel_body *body,
                      void *ctx)
{
    const size_t lanes = luc_lanes(threads), width = lanes < n ? lanes : n;
    struct luc_crew *crew = NULL;
    if (width > 1)
        crew = threads->crew ? threads->crew : take_crew(threads->pool);
    if (!crew) {
        for (size_t i = 0; i < n; i++)
            body(ctx, i, 0);
        return;
    }
    crew->body = body, crew->ctx = ctx, crew->n = n;
    atomic_store_explicit(&crew->next, 0, memory_order_relaxed);
    atomic_store_explicit(&crew->n_left, 0, memory_order_relaxed);
    atomic_store(&crew->places, width - 1);
    call_helpers(threads->pool, width - 1);
    while (take_item(crew, 0))
        ;
    wait_for(crew, width - 1 - atomic_exchange(&crew->places, 0));
    if (!threads->crew)
        drop_crew(threads->pool, crew);
}

struct luc_lock {
    pthread_mutex_t mutex;
};

struct luc_lock *luc_lock_create(void)
{
    struct luc_lock *lock = calloc(1, sizeof(*lock));
    if (lock)
        pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

struct luc_lock *luc_lock_destroy(struct luc_lock *lock)
{
    if (lock)
        pthread_mutex_destroy(&lock->mutex);
    free(lock);
    return NULL;
}

void luc_lock_take(struct luc_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void luc_lock_drop(struct luc_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
