/* jobs_private.h -- what jobs.c (turns; starting and ending), jobs_keep.c (the keeper), jobs_api.c
 * (what the API asks) and jobs_run.c (one job on a worker) share. */
#ifndef SERVER_JOBS_JOBS_PRIVATE_H
#define SERVER_JOBS_JOBS_PRIVATE_H

#include "server/jobs/collections.h"
#include "server/jobs/jobs.h"
#include "server/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* A job on a worker. Its fields belong to the worker but for those under `lock`. */
struct srv_running {
    struct srv_jobs *jobs;
    struct srv_claimed got;
    const struct api_job *job; /* while it runs */
    unsigned lane;
    char *checkpoint; /* bytes, heap */
    size_t checkpoint_size;
    double claimed_s;
    double began_s, began_at; /* time and progress of the first tick; began_s 0: none yet */
    double checkpoint_s;      /* when the last one was made */
    double preview_s;
    bool overtime;           /* it ran longer than run_s and was told to stop */
    bool checkpoints, saved; /* the method makes them; one was made since draining began */
    atomic_bool cancelled, lost;
    atomic_llong eta_ms; /* until it should end; below 0: unknown */

    pthread_mutex_t lock;
    struct srv_report report;
    struct luc_str preview; /* a picture that is not in the store yet */
    bool changed;
    double beat_s, report_s, looked_s; /* keeper: when next, and when last */
    struct srv_running *next;
};

struct srv_jobs {
    const struct cfg *cfg;
    const struct api_env *env;
    struct srv_pool *pool;
    struct srv_memory *memory;
    struct srv_store *store;
    struct srv_blobs *blobs;
    struct srv_keys *keys;
    struct api_jobs api;
    struct srv_collections collections;
    char owner[SRV_OWNER_MAX], host[64];
    int owner_fd;
    size_t lane_max[2]; /* turns at once: quick, slow */
    atomic_bool draining, abandoned;
    atomic_size_t stuck; /* workers that cannot store an outcome: nothing more is claimed */
    pthread_t keeper;
    bool has_keeper;

    pthread_mutex_t claiming, lock;
    pthread_cond_t wake, let_go;
    struct srv_running *running, *held; /* held: the keeper looks at it */
    size_t turns[2], n_running;
    bool ending, pending; /* pending: something may wait in the queue */
    void (*changed)(void *ctx, const char *id);
    void *changed_ctx;
};

double srv_now_s(void); /* monotonic */
void srv_jobs_changed(struct srv_jobs *j, const char *id);

/* 32 random hexadecimal digits; false: the system gives none. */
bool srv_jobs_name(char text[33]);
/* Something may wait in the queue. */
void srv_jobs_wake(struct srv_jobs *j);
/* Turns for every lane that has room; the pool may be full, then the next look tries again. */
void srv_jobs_push_turns(struct srv_jobs *j);
void srv_jobs_fill_api(struct srv_jobs *j);

/* The keeper's thread; arg is the struct srv_jobs. */
void *srv_jobs_keep(void *arg);
/* DATA/owners/OWNER; false: that is no owner's name. */
bool srv_jobs_owner_path(const struct srv_jobs *j, const char *owner, char path[600]);
/* Tells the store that this process lives. */
void srv_jobs_live(struct srv_jobs *j);
/* Queues the jobs again of owners that are gone. */
void srv_jobs_bury_owners(struct srv_jobs *j);

/* Runs what was claimed to its end and tells the store. */
void srv_jobs_run(struct srv_running *r, const struct luc_threads *threads);

#endif
