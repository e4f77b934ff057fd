/* pool.h -- worker threads and the bounded queue before them.
 *
 * A place is reserved first and filled or given back after: whoever submits may then do what cannot
 * be undone (suspend a connection) in between, knowing that the queue will take the task.
 */
#ifndef SERVER_JOBS_POOL_H
#define SERVER_JOBS_POOL_H

#include "core/base/parallel.h"

#include <stdbool.h>
#include <stddef.h>

struct srv_pool; /* opaque */

typedef void srv_task(void *ctx, const struct luc_threads *threads);

/* `n_workers` tasks run at once, each may use up to `width` threads, `capacity` tasks wait. NULL
 * when threads or memory are short. */
struct srv_pool *srv_pool_create(size_t n_workers, size_t width, size_t capacity);
/* Runs what is queued, then ends. NULL is fine; returns NULL. */
struct srv_pool *srv_pool_destroy(struct srv_pool *pool);

/* False when the queue is full. */
bool srv_pool_reserve(struct srv_pool *pool);
/* Fills a reserved place; cannot fail. */
void srv_pool_push(struct srv_pool *pool, srv_task *run, void *ctx);

/* What its tasks are given; lives as long as the pool. */
const struct luc_threads *srv_pool_threads(const struct srv_pool *pool);

/* Tasks that wait, and tasks that run. */
void srv_pool_load(struct srv_pool *pool, size_t *queued, size_t *running);

#endif
