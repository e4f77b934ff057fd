#include "core/base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* A helper that finds no work looks again this often before it sleeps: the layers of a small
 * network follow each other within microseconds, and waking a sleeper costs about fifty. */
#define SPINS 4000

/* One running loop, on its caller's stack. Linked into the pool while it wants helpers. */
struct loop {
    luc_parallel_body *body;
    void *ctx;
    size_t n, width;
    atomic_size_t next; /* first item nobody has taken */
    size_t n_lanes;     /* lanes handed out; under the pool's lock */
    size_t n_inside;    /* helpers that hold a pointer to this loop; under the lock */
    struct loop *link;
};

struct luc_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, left; /* a loop was added; a helper left a loop */
    struct loop *loops;        /* those that still take helpers */
    atomic_size_t n_loops;     /* what a spinning helper watches */
    bool stop;
    size_t n_helpers;
    pthread_t helper[];
};

static void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_items(struct loop *loop, size_t lane)
{
    for (;;) {
        const size_t i = atomic_fetch_add_explicit(&loop->next, 1, memory_order_relaxed);
        if (i >= loop->n)
            return;
        loop->body(loop->ctx, i, lane);
    }
}

static void unlink_loop(struct luc_pool *pool, struct loop *loop)
{
    for (struct loop **at = &pool->loops; *at; at = &(*at)->link)
        if (*at == loop) {
            *at = loop->link;
            atomic_fetch_sub(&pool->n_loops, 1);
            return;
        }
}

/* Under the lock: joins the first loop that has a lane left. */
static struct loop *join(struct luc_pool *pool, size_t *lane)
{
    struct loop *loop = pool->loops;
    if (!loop)
        return NULL;
    *lane = loop->n_lanes++;
    loop->n_inside++;
    if (loop->n_lanes == loop->width)
        unlink_loop(pool, loop);
    return loop;
}

static void *help(void *arg)
{
    struct luc_pool *pool = arg;
    for (;;) {
        for (int i = 0;
             i < SPINS && atomic_load_explicit(&pool->n_loops, memory_order_relaxed) == 0; i++)
            pause_cpu();

        size_t lane = 0;
        pthread_mutex_lock(&pool->lock);
        while (!pool->loops && !pool->stop)
            pthread_cond_wait(&pool->work, &pool->lock);
        struct loop *loop = join(pool, &lane);
        pthread_mutex_unlock(&pool->lock);
        if (!loop)
            return NULL;

        take_items(loop, lane);

        pthread_mutex_lock(&pool->lock);
        unlink_loop(pool, loop); /* no items left: no use in more helpers */
        if (--loop->n_inside == 0)
            pthread_cond_broadcast(&pool->left);
        pthread_mutex_unlock(&pool->lock);
    }
}

struct luc_pool *luc_pool_create(size_t n_helpers)
{
    struct luc_pool *pool = calloc(1, sizeof(*pool) + n_helpers * sizeof(pool->helper[0]));
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->left, NULL);
    for (; pool->n_helpers < n_helpers; pool->n_helpers++)
        if (pthread_create(&pool->helper[pool->n_helpers], NULL, help, pool) != 0)
            return luc_pool_destroy(pool);
    return pool;
}

struct luc_pool *luc_pool_destroy(struct luc_pool *pool)
{
    if (!pool)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_helpers; i++)
        pthread_join(pool->helper[i], NULL);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    return NULL;
}

static void run_shared(struct luc_pool *pool, struct loop *loop)
{
    pthread_mutex_lock(&pool->lock);
    loop->link = pool->loops;
    pool->loops = loop;
    atomic_fetch_add(&pool->n_loops, 1);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);

    take_items(loop, 0);

    pthread_mutex_lock(&pool->lock);
    unlink_loop(pool, loop);
    while (loop->n_inside > 0)
        pthread_cond_wait(&pool->left, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void luc_parallel_for(const struct luc_threads *threads, size_t n, luc_parallel_body *body,
                      void *ctx)
{
    struct loop loop = { .body = body, .ctx = ctx, .n = n, .n_lanes = 1 };
    loop.width = luc_lanes(threads) < n ? luc_lanes(threads) : n;
    if (loop.width > 1)
        run_shared(threads->pool, &loop);
    else
        take_items(&loop, 0);
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
