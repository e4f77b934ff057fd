#include "server/jobs/pool.h"

#include <pthread.h>
#include <stdlib.h>

struct task {
    srv_task *run;
    void *ctx;
};

struct srv_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct task *ring; /* capacity */
    size_t capacity, first, n_queued, n_reserved, n_running;
    bool ending;
    size_t n_workers;
    pthread_t *worker;
    struct luc_threads threads;
};

static void *work(void *arg)
{
    struct srv_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->n_queued == 0 && !p->ending)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->n_queued == 0)
            break;
        const struct task t = p->ring[p->first];
        p->first = (p->first + 1) % p->capacity;
        p->n_queued--;
        p->n_running++;
        pthread_mutex_unlock(&p->lock);
        t.run(t.ctx, &p->threads);
        pthread_mutex_lock(&p->lock);
        p->n_running--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct srv_pool *srv_pool_create(size_t n_workers, size_t width, size_t capacity)
{
    struct srv_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->capacity = capacity;
    p->ring = calloc(capacity, sizeof(*p->ring));
    p->worker = calloc(n_workers, sizeof(*p->worker));
    p->threads.width = width;
    p->threads.pool = width > 1 ? luc_pool_create(width - 1) : NULL;
    bool ok = p->ring && p->worker && (width <= 1 || p->threads.pool);
    while (ok && p->n_workers < n_workers) {
        ok = pthread_create(&p->worker[p->n_workers], NULL, work, p) == 0;
        p->n_workers += ok ? 1 : 0;
    }
    return ok ? p : srv_pool_destroy(p);
}

struct srv_pool *srv_pool_destroy(struct srv_pool *p)
{
    if (!p)
        return NULL;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_workers; i++)
        pthread_join(p->worker[i], NULL);
    luc_pool_destroy(p->threads.pool);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->worker);
    free(p->ring);
    free(p);
    return NULL;
}

bool srv_pool_reserve(struct srv_pool *p)
{
    pthread_mutex_lock(&p->lock);
    const bool room = p->n_queued + p->n_reserved < p->capacity;
    p->n_reserved += room ? 1 : 0;
    pthread_mutex_unlock(&p->lock);
    return room;
}

void srv_pool_push(struct srv_pool *p, srv_task *run, void *ctx)
{
    pthread_mutex_lock(&p->lock);
    p->ring[(p->first + p->n_queued) % p->capacity] = (struct task){ run, ctx };
    p->n_queued++;
    p->n_reserved--;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

const struct luc_threads *srv_pool_threads(const struct srv_pool *p)
{
    return &p->threads;
}

void srv_pool_load(struct srv_pool *p, size_t *queued, size_t *running)
{
    pthread_mutex_lock(&p->lock);
    *queued = p->n_queued + p->n_reserved;
    *running = p->n_running;
    pthread_mutex_unlock(&p->lock);
}
