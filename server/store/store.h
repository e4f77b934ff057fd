/* store.h -- where jobs are kept: one interface, SQLite behind it, made so that PostgreSQL can be.
 *
 * A job is queued until someone claims it, which gives a lease and a new attempt number. The pair
 * of owner and attempt is the claim: heartbeats prolong the lease, and whatever is told about a job
 * (progress, checkpoint, outcome) is refused with LUC_CANCELLED once another claim was given out or
 * the job has ended. A lease that ran out but was claimed by nobody is still its holder's. Leases
 * are by the store's own clock, so no function takes a time.
 *
 * Any number of threads and processes may use one store. Outcomes, submissions and checkpoints are
 * on the disk when the function returns; heartbeats, progress and previews may be lost with power.
 * Bytes (pictures, results, checkpoints) are files in blobs.h; the store knows their names.
 */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include "api/stored_job.h"
#include "server/store/blobs.h"

#define SRV_OWNER_MAX  48
#define SRV_LANE_QUICK 1u
#define SRV_LANE_SLOW  2u

struct srv_new_job {
    const char *id, *method, *spec;
    const char *who;            /* its owner in the API's sense; NULL: "" */
    const char *key, *key_hash; /* Idempotency-Key and what it stands for; NULL: none */
    unsigned lane;              /* SRV_LANE_ */
    size_t bytes;               /* memory it will need; 0: unknown */
    const char *const *inputs;  /* names of its files */
    size_t n_inputs;
    size_t max_queued; /* LUC_BUSY when as many wait */
    size_t max_of_who; /* API_SUBMITTED_TOO_MANY when as many of its owner wait; 0: any number */
};

struct srv_claim_ask {
    const char *owner;
    unsigned lanes; /* any of these */
    double lease_s;
    size_t free_bytes;    /* a job that needs more waits; see claim() */
    size_t most_bytes;    /* a job that needs more never runs here; see claim() */
    int64_t max_lost;     /* a job whose claims were lost this often fails */
    const char *lost_to;  /* its problem+json then */
    const char *large_to; /* that of a job which is too large */
    double keep_s;        /* how long these stay before they expire */
    size_t most_running;  /* jobs of one owner (srv_new_job.who) at the same time */
};

/* A process that runs jobs. */
struct srv_node {
    const char *name;  /* the owner of its claims */
    const char *host;  /* equal: the same running kernel; NULL: an owner that never said it lives */
    size_t most_bytes; /* as in srv_claim_ask */
    bool silent;       /* it said that it lives, but not for longer than its lease */
};

struct srv_claim {
    char id[API_ID_MAX], owner[SRV_OWNER_MAX];
    int64_t attempt;
};

struct srv_claimed {
    struct srv_claim claim;
    char *spec; /* heap; NULL: there was nothing to claim */
    size_t bytes;
    double spent_s;    /* run time of earlier attempts, as far as it was reported */
    size_t next_bytes; /* what the oldest job needs that waits for memory; 0: none does */
    char checkpoint[SRV_BLOB_NAME]; /* "": none */
};

struct srv_report {
    double progress, eta_s, loss; /* as in struct api_job_row */
    int64_t step, n_steps;
    const char *preview; /* a file's name, or NULL: no new one */
    double spent_s;      /* run time of all attempts so far */
};

struct srv_answer {
    const char *type, *headers, *file;
};

struct srv_outcome {
    enum api_state state; /* final; a success whose job was to be cancelled becomes cancelled */
    const char *error;    /* problem+json of a failure */
    const struct srv_answer *answers;
    size_t n_answers;
    double keep_s; /* until the results expire */
};

struct srv_event {
    int64_t n;
    const char *kind, *data; /* "state", "progress", "preview"; JSON */
};

struct srv_key_row {
    const char *id, *name, *sha256;
    int64_t created_ms, revoked_ms; /* revoked_ms 0: in force */
};
struct srv_collections_kind;

struct srv_store {
    const struct srv_store_kind *kind;
    const struct srv_collections_kind *collections; /* store_collections.h */
};

struct srv_store_kind {
    const char *name;
    void (*close)(struct srv_store *s);

    enum luc_status (*submit)(struct srv_store *s, const struct srv_new_job *job,
                              char id[API_ID_MAX], enum api_submitted *how, struct luc_error *err);
    /* The oldest job that waits or whose lease ran out, of those that fit into free_bytes. Younger
     * jobs pass one that does not fit at most SRV_PASSES_MAX times; then nothing younger is claimed
     * until it was. One that is too large for this node does not count: it is left to those that
     * are larger, and fails when no node that lives is. */
    enum luc_status (*claim)(struct srv_store *s, const struct srv_claim_ask *ask,
                             struct srv_claimed *got, struct luc_error *err);
    /* Prolongs the lease; *cancel: someone wants the job to end. */
    enum luc_status (*beat)(struct srv_store *s, const struct srv_claim *c, double lease_s,
                            bool *cancel, struct luc_error *err);
    enum luc_status (*report)(struct srv_store *s, const struct srv_claim *c,
                              const struct srv_report *r, struct luc_error *err);
    enum luc_status (*checkpoint)(struct srv_store *s, const struct srv_claim *c, const char *file,
                                  struct luc_error *err);
    enum luc_status (*finish)(struct srv_store *s, const struct srv_claim *c,
                              const struct srv_outcome *o, struct luc_error *err);
    /* Back to the queue, at its old place. */
    enum luc_status (*release)(struct srv_store *s, const struct srv_claim *c,
                               struct luc_error *err);
    /* This node lives, and will say so again before its lease runs out. */
    enum luc_status (*live)(struct srv_store *s, const struct srv_node *node, double lease_s,
                            struct luc_error *err);
    /* A node is gone, and the jobs that it left behind are queued again; *n: how many. */
    enum luc_status (*release_owner)(struct srv_store *s, const char *owner, size_t *n,
                                     struct luc_error *err);
    /* Owners of running jobs. */
    enum luc_status (*owners)(struct srv_store *s,
                              void (*each)(void *ctx, const struct srv_node *node), void *ctx,
                              struct luc_error *err);

    /* As in struct api_jobs. *was: the state before. */
    enum luc_status (*cancel)(struct srv_store *s, const char *id, enum api_state *was,
                              struct luc_error *err);
    enum luc_status (*get)(struct srv_store *s, const char *id, struct api_job_row *row,
                           struct luc_error *err);
    enum luc_status (*list)(struct srv_store *s, const char *who, enum api_state state,
                            int64_t cursor, size_t limit,
                            void (*each)(void *to, const struct api_job_row *row), void *to,
                            struct luc_error *err);
    /* Names of a job's answers, or with role "preview" of its preview. */
    enum luc_status (*files)(struct srv_store *s, const char *id, const char *role,
                             void (*each)(void *ctx, const struct srv_answer *a), void *ctx,
                             struct luc_error *err);
    /* Those after number `after`, in order. The store keeps every change of state, and of progress
     * and previews the newest SRV_EVENTS_KEPT. */
    enum luc_status (*events)(struct srv_store *s, const char *id, int64_t after,
                              void (*each)(void *ctx, const struct srv_event *e), void *ctx,
                              struct luc_error *err);
    enum luc_status (*counts)(struct srv_store *s, size_t by_state[API_N_STATES],
                              struct luc_error *err);

    /* Keys (keys.h); revoking an unknown one is LUC_NOT_FOUND. */
    enum luc_status (*key_add)(struct srv_store *s, const struct srv_key_row *key,
                               struct luc_error *err);
    enum luc_status (*key_revoke)(struct srv_store *s, const char *id, struct luc_error *err);
    enum luc_status (*keys)(struct srv_store *s,
                            void (*each)(void *ctx, const struct srv_key_row *key), void *ctx,
                            struct luc_error *err);

    /* Forgets results past their time, and jobs as long again after `forget_s`. */
    enum luc_status (*expire)(struct srv_store *s, double forget_s, size_t *n,
                              struct luc_error *err);
    /* Whether any job or collection refers to a file; true when in doubt. */
    bool (*uses)(struct srv_store *s, const char *file);
    /* LUC_FORMAT: the store is damaged. */
    enum luc_status (*check)(struct srv_store *s, struct luc_error *err);
};

#define SRV_EVENTS_KEPT 256
#define SRV_PASSES_MAX  16

/* Opens or makes DATA/jobs.sqlite and brings its schema up to date. LUC_IO: it cannot be written;
 * LUC_UNSUPPORTED: a newer version of the program made it. */
LUC_MUST_USE enum luc_status srv_store_sqlite(const char *data, struct srv_store **store,
                                              struct luc_error *err);
/* NULL is fine; returns NULL. */
struct srv_store *srv_store_close(struct srv_store *store);

#endif
