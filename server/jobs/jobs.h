/* jobs.h -- runs stored jobs on the pool's workers.
 *
 * Two lanes: jobs of SLOW methods hold at most half of `n_workers` (at least one), all jobs
 * together at most `n_workers`; the pool has one worker more, which only requests use. What is
 * pushed to the pool is not a job but a turn: when it comes, the worker claims the oldest job of
 * its lane, so a job is running in the store only while a worker has it.
 *
 * A job is planned when it is sent (api_job_plan), so its row says what memory it needs; it is claimed
 * when that is free (admission.h, and store.h for the order).
 *
 * One thread, the keeper, does everything that is periodic: heartbeats at a third of the lease,
 * progress and previews at most every 0.3 s, turns for jobs that other processes left, expiry,
 * sweeping. A worker itself touches the store only to claim, to checkpoint and to finish.
 *
 * A process is a node of the store and says at a third of the lease that it lives; jobs of nodes
 * that were silent for a lease go back to the queue. On the same kernel that is known at once, by
 * the lock that each holds on DATA/owners/NAME. When a result cannot be stored (the disk is full),
 * the worker keeps it and tries again until it can, or until the server goes down; nothing more is
 * claimed meanwhile.
 */
#ifndef SERVER_JOBS_JOBS_H
#define SERVER_JOBS_JOBS_H

#include "api/collection.h"
#include "api/stored_job.h"
#include "config/config.h"
#include "server/jobs/admission.h"
#include "server/jobs/pool.h"
#include "server/store/keys.h"

struct srv_jobs; /* opaque */

/* Opens the store under cfg->data. `env`, `pool` and `memory` are borrowed; env->jobs need not be
 * set. */
LUC_MUST_USE enum luc_status srv_jobs_start(const struct cfg *cfg, const struct api_env *env,
                                            struct srv_pool *pool, struct srv_memory *memory,
                                            size_t n_workers, struct srv_jobs **jobs,
                                            struct luc_error *err);
const struct api_jobs *srv_jobs_api(const struct srv_jobs *jobs);
/* Who may ask; read again once a second. */
struct srv_keys *srv_jobs_keys(struct srv_jobs *jobs);
const struct api_collections *srv_jobs_collections(const struct srv_jobs *jobs);
/* Pictures whose features a method found kept, and had to compute, for /metrics. */
void srv_jobs_features(const struct srv_jobs *jobs, size_t *recalled, size_t *computed);

/* Calls back, on the keeper or a worker, after something about a job changed. Set once, before any
 * job is submitted; NULL to end it. */
void srv_jobs_watch(struct srv_jobs *jobs, void (*changed)(void *ctx, const char *id), void *ctx);

/* No job is claimed any more; running ones checkpoint and go back to the queue. */
void srv_jobs_drain(struct srv_jobs *jobs);
/* They stop at their next step, checkpoint or not. */
void srv_jobs_abandon(struct srv_jobs *jobs);
size_t srv_jobs_running(struct srv_jobs *jobs);
/* After the pool has ended. NULL is fine; returns NULL. */
struct srv_jobs *srv_jobs_stop(struct srv_jobs *jobs);

/* By state, for /metrics. */
void srv_jobs_counts(struct srv_jobs *jobs, size_t by_state[API_N_STATES]);

#endif
