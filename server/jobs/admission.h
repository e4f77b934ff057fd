/* admission.h -- the ledger of memory that computing may hold at the same time, networks not
 * counted.
 *
 * Stored jobs (jobs.h) may hold three quarters of it, what requests compute in place may hold
 * whatever is free; so a quarter is always left to requests, however long the jobs run. A job is
 * claimed when its bytes are free. When the oldest that waits does not fit, what it needs is
 * promised to it: requests keep to their quarter from then on, so that a job which needs much is
 * not kept waiting by many that need little. (Smaller jobs may pass it SRV_PASSES_MAX times:
 * store.h.) Requests are let in in the order they came; one that does not fit holds back those
 * behind it, as long as it has patience.
 */
#ifndef SERVER_JOBS_ADMISSION_H
#define SERVER_JOBS_ADMISSION_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct srv_memory; /* opaque */

/* `limit` in bytes; 0: half of what this machine, or the container it runs in, has. NULL when out
 * of memory. */
struct srv_memory *srv_memory_create(size_t limit);
struct srv_memory *srv_memory_destroy(struct srv_memory *m); /* NULL is fine; returns NULL */

size_t srv_memory_limit(const struct srv_memory *m);
size_t srv_memory_jobs_limit(const struct srv_memory *m); /* what one job may need at most */

/* For a request, on its worker; given back by srv_memory_give(). Waits until it fits, at most
 * `patience_s` and while wanted() says so (it is asked ten times a second). LUC_TOO_LARGE: it never
 * will; LUC_BUSY: not in that time. */
LUC_MUST_USE enum luc_status srv_memory_take(struct srv_memory *m, size_t bytes, double patience_s,
                                             bool (*wanted)(void *ctx), void *ctx,
                                             struct luc_error *err);
void srv_memory_give(struct srv_memory *m, size_t bytes);

/* For a claim, one at a time: takes all that jobs may still have and says how much that is;
 * srv_memory_settle() then gives back what the claimed job does not need (all of it: `used` 0) and
 * notes what is promised to the job that comes next, 0: nothing. */
size_t srv_memory_hold(struct srv_memory *m);
void srv_memory_settle(struct srv_memory *m, size_t held, size_t used, size_t promised);
void srv_memory_promise(struct srv_memory *m, size_t promised); /* as there, without a claim */
void srv_memory_give_job(struct srv_memory *m, size_t bytes);

struct srv_memory_use {
    size_t jobs, requests, promised;
};
struct srv_memory_use srv_memory_use(struct srv_memory *m);

#endif
