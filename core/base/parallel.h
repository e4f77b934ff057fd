/* parallel.h -- one parallel loop, shared helper threads.
 *
 * A pool owns helper threads; any number of jobs share it. luc_parallel_for() runs on the calling
 * thread, and idle helpers join it, at most `width` threads in all. So an idle machine gives one
 * job every core and a busy one shares them: callers and helpers at work are together never more
 * than the helpers and one.
 *
 * A loop costs half a microsecond while helpers are awake, which they are for a while after each;
 * to wake one costs its caller ten or twenty. Many loops in a row belong between
 * luc_parallel_begin() and luc_parallel_end().
 *
 * Same bits for any thread count: the split into items must depend on the shapes alone, never on
 * `width`, and an item must not read what another item writes. `lane` (0 <= lane < width) tells
 * which scratch area is free to use; it must not influence results.
 */
#ifndef LUC_BASE_PARALLEL_H
#define LUC_BASE_PARALLEL_H

#include <stddef.h>

struct luc_pool; /* opaque */
struct luc_crew; /* opaque */

/* A pool with `n_helpers` threads besides the callers. NULL when threads or memory are short. */
struct luc_pool *luc_pool_create(size_t n_helpers);
/* Waits for the helpers to end; no loop may be running. NULL is fine. Returns NULL. */
struct luc_pool *luc_pool_destroy(struct luc_pool *pool);

/* A job's thread budget. { .width = 1 } runs everything on the caller. */
struct luc_threads {
    struct luc_pool *pool; /* borrowed; may be NULL */
    size_t width;          /* lanes, at least 1 */
    struct luc_crew *crew; /* luc_parallel_begin()'s; else NULL */
    /* Told what every step of a network took that runs on these threads (core/graph/exec.h); may be
     * NULL. */
    const struct luc_probe *probe;
};

typedef void luc_parallel_body(void *ctx, size_t item, size_t lane);

/* Runs body(ctx, i, lane) for every i in [0, n), in any order; returns when all are done.
 * Not to be nested. `threads` may be NULL (serial). */
void luc_parallel_for(const struct luc_threads *threads, size_t n, luc_parallel_body *body,
                      void *ctx);

/* Wakes helpers for loops that are about to come: returns *threads (NULL: serial) to be given to
 * those, by one thread, until luc_parallel_end(). Not to be nested. */
struct luc_threads luc_parallel_begin(const struct luc_threads *threads);
void luc_parallel_end(struct luc_threads *team);

/* A lock, for the rare thing that is made once and then shared. */
struct luc_lock;                                          /* opaque */
struct luc_lock *luc_lock_create(void);                   /* NULL when memory is short */
struct luc_lock *luc_lock_destroy(struct luc_lock *lock); /* NULL is fine; returns NULL */
void luc_lock_take(struct luc_lock *lock);
void luc_lock_drop(struct luc_lock *lock);

static inline size_t luc_lanes(const struct luc_threads *threads)
{
    return threads && threads->pool && threads->width > 1 ? threads->width : 1;
}

#endif
