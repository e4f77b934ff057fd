/* api.h -- from request to response without sockets, threads or files.
 *
 * server/ turns HTTP into struct api_request, calls api_dispatch() and writes struct api_response
 * back, so every handler can be tested as a function. What handlers need from the process comes
 * through struct api_env, which server/ fills and tests fake.
 *
 * One POST: api_check_head() refuses what the head alone condemns, before the body is read;
 * api_dispatch() checks everything that can be checked without the network, and hands a job
 * (job.h) to env->submit; a worker calls api_job_run(), whose response answers the request.
 */
#ifndef API_API_H
#define API_API_H

#include "core/base/embed.h"
#include "core/base/str.h"
#include "core/run/method.h"

#define API_ID_MAX      40   /* bytes of a request id, NUL included */
#define API_FIELDS_MAX  64   /* parameters of one request */
#define API_KEY_MAX     64   /* bytes, NUL included; values have LUC_TEXT_MAX */
#define API_PARTS_MAX   1024 /* parts of one form, parameters and pictures */
#define API_NAME_MAX    128  /* bytes of what a picture, a label or a collection is called */
#define API_HEADERS_MAX 16
#define API_OWNER_MAX   40 /* bytes of an owner, NUL included */

enum api_cost { API_QUICK, API_SLOW };

/* A row of api/methods.def. */
struct api_method {
    const struct luc_method *method;
    const char *tag; /* OpenAPI tag and group in the browser form */
    enum api_cost cost;
};

/* NULL past the end; NULL when there is none. */
const struct api_method *api_method_at(size_t i);
const struct api_method *api_method_find(const char *name);
/* The same methods without what only api/ knows of them, ended by NULL: luc_run.methods. */
const struct luc_method *const *api_method_list(void);
/* The network that a method asks when the request names none. */
static inline const char *api_default_model(const struct luc_method *m, const char *server_default)
{
    return m->model ? m->model : server_default;
}

struct api_field {
    const char *key, *value;
};

struct api_request {
    const char *id;     /* printable; goes into logs and answers */
    const char *method; /* "GET", "POST", ... */
    const char *path;   /* without query string, percent-decoded */
    const struct api_field *query;
    size_t n_query;
    const char *content_type, *accept, *if_none_match; /* NULL: absent */
    const char *prefer, *idempotency_key, *last_event_id;
    int64_t content_length; /* -1: not stated */
    const void *body;
    size_t body_size;
    void *exchange; /* the server's own, handed to env->submit */
    /* Whose request it is: the id of its key, "" without keys. What is kept (jobs, collections) is
     * shown to its owner only; to others it does not exist. */
    char owner[API_OWNER_MAX];
    bool denied;      /* it needs a key and came with none, or with one that is not valid */
    unsigned retry_s; /* its owner asks too often and may ask again in so many seconds; 0: it may */
};

struct api_header {
    const char *name; /* static */
    char *value;      /* heap */
};

/* What is left to do once a handler has returned. */
enum api_follow {
    API_FOLLOW_NOTHING,
    API_FOLLOW_WAIT,   /* for the end of a job, at most wait_s; then api_answer_waited() */
    API_FOLLOW_EVENTS, /* the body is the job's events after number `after`, as they come */
};

struct api_response {
    unsigned status;  /* HTTP; 0: a job was submitted, the answer comes from api_job_run() */
    const char *type; /* Content-Type, static; NULL: no body */
    struct api_header headers[API_HEADERS_MAX];
    size_t n_headers;
    struct luc_str body;
    const void *fixed; /* instead of body: bytes that outlive the response */
    size_t fixed_size;
    enum api_follow follow;
    char job[API_ID_MAX]; /* that is followed */
    double wait_s;
    int64_t after;
    struct luc_error error; /* what went wrong, for the log; code LUC_OK: nothing */
};

void api_response_done(struct api_response *res); /* frees; res is empty again */
/* Printable ASCII only: other characters become '?'. Past API_HEADERS_MAX it is dropped. */
void api_header(struct api_response *res, const char *name, const char *fmt, ...) LUC_PRINTF(3, 4);
/* NULL when the response has no such header. */
const char *api_header_find(const struct api_response *res, const char *name);

struct api_model_info {
    const char *name, *title, *task, *licence;
    bool installed, loaded;
};

struct api_limits {
    size_t body_bytes, image_pixels, job_bytes;
};

struct api_job;
struct api_jobs;
struct api_collections;

struct api_env {
    void *ctx;
    const char *version;
    const char *model; /* answers when a request names none */
    struct api_limits limits;
    const struct luc_embedded *files; /* the page, "index.html" and what it asks for; NULL: none */

    /* Loads on first use; the model stays until model_put(). LUC_NOT_FOUND: no such network. */
    enum luc_status (*model_get)(void *ctx, const char *name, const struct luc_model **model,
                                 struct luc_error *err);
    void (*model_put)(void *ctx, const struct luc_model *model);
    /* Calls each() for every network of the catalog and of the models directory. */
    enum luc_status (*models)(void *ctx, void (*each)(void *to, const struct api_model_info *info),
                              void *to, struct luc_error *err);
    /* Takes `job` on LUC_OK; a worker will api_job_run() it and answer `exchange`. LUC_BUSY: the
     * queue is full. */
    enum luc_status (*submit)(void *ctx, void *exchange, struct api_job *job,
                              struct luc_error *err);
    /* Where SLOW methods and `Prefer: respond-async` go (jobs.h); NULL: everything is answered in
     * place. */
    const struct api_jobs *jobs;
    const struct api_collections *collections; /* collections.h; NULL: none are kept */
    double wait_max_s;                         /* of `Prefer: wait` */
    /* Appends what /metrics tells; NULL: there is no such page. */
    void (*metrics)(void *ctx, struct luc_str *out);
    /* LUC_OK when the server can do work: not while it goes down, nor without its default network. */
    enum luc_status (*ready)(void *ctx, struct luc_error *err);
};

/* Whether a path needs no key and counts against no limit: the page, and whether the server lives. */
bool api_is_open(const char *path);
/* True when the head alone decides: no key, too many requests, no such page, wrong HTTP method, OPTIONS, body without a stated
 * length, over the limit, or of a type that no handler reads. *res is then the whole answer. */
bool api_check_head(const struct api_env *env, const struct api_request *req,
                    struct api_response *res);
/* On which thread to call api_dispatch(). */
enum api_where {
    API_HERE,   /* at once: it neither waits nor computes */
    API_WORKER, /* it may load a network */
    API_CLERK,  /* it asks the store, which may wait for the disk */
    API_PLANNER /* it plans a job, for which it may load a network, and asks the store */
};
enum api_where api_where(const struct api_env *env, const struct api_request *req);
void api_dispatch(const struct api_env *env, const struct api_request *req,
                  struct api_response *res);
/* After API_FOLLOW_WAIT: makes *res the answer, which is the result when the job has ended, else
 * still the job. */
void api_answer_waited(const struct api_env *env, const struct api_request *req,
                       struct api_response *res);

/* The parameter tables of a method, one after the other: its own, then those of its groups, then
 * the answer's (format, quality, embed). NULL past the end. Whatever lists parameters (schemas,
 * flags, forms, the parser) loops over these. */
const struct luc_param *api_method_table(const struct luc_method *m, size_t i);

/* {"openapi": "3.1.0", ...} as text. Out of memory shows in out->failed. */
void api_openapi(const struct api_env *env, struct luc_str *out);

#endif
