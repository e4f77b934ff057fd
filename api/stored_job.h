/* stored_job.h -- jobs that outlive their request: what the API shows of one, and what it asks of whoever
 * keeps them (server/jobs/jobs.c, or a test's fake).
 */
#ifndef API_STORED_JOB_H
#define API_STORED_JOB_H

#include "api/job.h"

#define API_STATE_MAP(X) X(queued) X(running) X(succeeded) X(failed) X(cancelled)

enum api_state {
#define X(name) API_STATE_##name,
    API_STATE_MAP(X)
#undef X
        API_N_STATES
};
/* "queued" ...; NULL past the end. */
const char *api_state_name(size_t state);
/* Whether nothing more will happen. */
bool api_state_is_final(enum api_state state);

/* A stored job as it is now. Times are milliseconds since 1970, 0: not yet. */
struct api_job_row {
    char id[API_ID_MAX], method[LUC_ERROR_PARAM], owner[API_OWNER_MAX];
    enum api_state state;
    int64_t attempt, step, n_steps; /* n_steps 0: the method does not say */
    int64_t queue_position;         /* from 1; 0: not queued */
    double progress, loss;          /* loss NAN: none */
    double eta_s;                   /* below 0: unknown */
    int64_t created_ms, started_ms, finished_ms, expires_ms;
    bool cancelling, has_preview, expired;
    int64_t cursor;           /* where a list goes on after this row */
    char format[16];          /* what its answer was asked as: api_format_name() */
    char *parameters, *error; /* heap: JSON, problem+json or NULL */
};
void api_job_row_done(struct api_job_row *row); /* frees; fine on a zeroed one */

/* One stored answer. */
struct api_kept {
    char *type, *headers; /* heap; headers as "Name: value\n..." */
    char *bytes;          /* heap */
    size_t size;
};
void api_kept_done(struct api_kept *kept);

/* What a job's result was kept as: every media type that its method offers. */
struct api_kept_types {
    char type[8][48];
    size_t n;
};

enum api_submitted {
    API_SUBMITTED_NEW,
    API_SUBMITTED_BEFORE,
    API_SUBMITTED_OTHER_BODY,
    API_SUBMITTED_TOO_MANY, /* not kept: the owner has as many in the queue as it may */
};

/* Every function may be called from any thread; all fail with LUC_IO and LUC_NOMEM, those that name
 * a job with LUC_NOT_FOUND. */
struct api_jobs {
    void *ctx;
    /* Keeps the job (borrowed) for its owner and gives it an id. `key`, an Idempotency-Key, may be
     * NULL; owners do not see each other's. LUC_BUSY: the queue is full;
     * LUC_TOO_LARGE: it needs more memory than this server gives. */
    enum luc_status (*submit)(void *ctx, const char *owner, const struct api_job *job,
                              const char *key, char id[API_ID_MAX], enum api_submitted *how,
                              struct luc_error *err);
    enum luc_status (*get)(void *ctx, const char *id, struct api_job_row *row,
                           struct luc_error *err);
    enum luc_status (*state)(void *ctx, const char *id, enum api_state *state,
                             struct luc_error *err);
    /* Whole seconds, at least 1, until the first running job should end. */
    unsigned (*retry_s)(void *ctx);
    /* The owner's, newest first, those after `cursor` (0: from the newest); state API_N_STATES: all. The row is
     * each()'s for the time of the call. */
    enum luc_status (*list)(void *ctx, const char *owner, enum api_state state, int64_t cursor,
                            size_t limit, void (*each)(void *to, const struct api_job_row *row),
                            void *to, struct luc_error *err);
    /* LUC_INVALID: it has ended otherwise. */
    enum luc_status (*cancel)(void *ctx, const char *id, struct luc_error *err);
    enum luc_status (*types)(void *ctx, const char *id, struct api_kept_types *types,
                             struct luc_error *err);
    enum luc_status (*result)(void *ctx, const char *id, const char *type, struct api_kept *kept,
                              struct luc_error *err);
    enum luc_status (*preview)(void *ctx, const char *id, struct api_kept *kept,
                               struct luc_error *err);
    /* Appends the events after number *after as text/event-stream and moves *after on. *end: the
     * job has ended and everything was appended. */
    enum luc_status (*events)(void *ctx, const char *id, int64_t *after, struct luc_str *out,
                              bool *end, struct luc_error *err);
};

/* api_job_print()'s text back; its pictures are only referred to. From api_job_print_bare()'s they are
 * still to come by api_job_read_picture(), then api_job_check() is the caller's. LUC_FORMAT: not such a
 * text, or of a method or parameter that this version does not have. */
LUC_MUST_USE enum luc_status api_job_read(const char *text, struct api_job **job,
                                          struct luc_error *err);
/* Adds a picture from api_picture_print()'s text. */
LUC_MUST_USE enum luc_status api_job_read_picture(struct api_job *job, const char *text,
                                                  struct luc_error *err);

/* Prefer (RFC 7240): respond-async, and wait=SECONDS (below 0: not given). */
struct api_prefer {
    bool async;
    double wait_s;
};
struct api_prefer api_prefer_parse(const char *text); /* NULL is fine */

/* Whether a request to `what` becomes a stored job. */
bool api_is_job(const struct api_env *env, const struct api_request *req,
                const struct api_method *what);
#define API_IDEMPOTENCY_MAX 200 /* characters of an Idempotency-Key */

/* Keeps `job` (borrowed) and answers 202; a wait is left to res->follow. */
void api_submit_job(const struct api_env *env, const struct api_request *req,
                    const struct api_job *job, struct api_response *res);

/* "2026-01-02T03:04:05.678Z" */
#define API_TIME_MAX 32
void api_time_print(int64_t ms, char text[API_TIME_MAX]);

#define API_ANSWERS_MAX 4
/* api_job_run(), rendered in every media type that the method offers. On success *n answers, each a
 * complete 200; else one, the problem, and the status says why. */
LUC_MUST_USE enum luc_status api_job_run_kept(const struct api_job *job,
                                              const struct api_services *services,
                                              struct api_response answers[API_ANSWERS_MAX],
                                              size_t *n);

#endif
