#define _GNU_SOURCE /* POLLRDHUP, getrandom */
#include "server/http/http.h"
#include "api/job.h"
#include "api/problem.h"
#include "server/http/http_follow.h"
#include "server/http/listen.h"
#include "server/http/metrics.h"
#include "server/log.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IO_THREADS   2
#define CLERKS       2
#define HEAD_BYTES   ((size_t)64 << 10) /* of one connection: request line and headers */
#define QUERY_MAX    (API_FIELDS_MAX + 1)
#define PATIENCE_S   10.0 /* of a request that waits for memory, on its worker */
#define LOOK_SECONDS 0.1  /* between two looks at a waiting client's socket */
#define PATH_LOG_MAX 256

struct srv_http {
    struct MHD_Daemon *daemon;
    struct api_env env;
    const struct api_env *given;
    struct srv_pool *pool, *clerks, *planner;
    struct srv_memory *memory;
    struct srv_follow *follow;
    struct srv_jobs *jobs;
    struct srv_keys *keys; /* NULL: everyone may ask */
    struct srv_metrics *metrics;
    double job_s;
    size_t streams_max;
    atomic_size_t streams;
    char address[SRV_ADDRESS_MAX];
    atomic_size_t active;
    atomic_bool draining, abandoned;
    atomic_ulong counter;
    uint32_t start;
};

/* One request, from its head to the end of its answer. */
struct exchange {
    struct srv_http *http;
    struct MHD_Connection *connection;
    struct api_request req;
    struct api_response res;
    struct api_job *job; /* while a worker has it */
    struct api_field query[QUERY_MAX];
    char id[API_ID_MAX], method[16], path[PATH_LOG_MAX];
    char *body;
    double began, looked;
    size_t answered; /* bytes of the answer */
    size_t memory;   /* that its job was let in with */
    unsigned status;
    int fd;
    bool decided; /* the head alone was enough: the body is read and dropped */
    bool waits;   /* a worker or a clerk has it: suspended */
    bool streams; /* its body is a job's events */
    struct srv_follower follower;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool client_is_gone(const struct exchange *x)
{
    struct pollfd p = { .fd = x->fd, .events = POLLRDHUP };
    return x->fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Whether anyone still wants the answer; a job's tick. */
static bool still_wanted(void *ctx, double progress)
{
    struct exchange *x = ctx;
    const double now = now_s();
    (void)progress;
    if (atomic_load(&x->http->abandoned) || now > x->began + x->http->job_s)
        return false;
    if (now < x->looked + LOOK_SECONDS)
        return true;
    x->looked = now;
    return !client_is_gone(x);
}

static bool is_wanted(void *ctx)
{
    return still_wanted(ctx, 0);
}

static enum luc_status admit(void *ctx, size_t bytes, struct luc_error *err)
{
    struct exchange *x = ctx;
    const enum luc_status st =
        srv_memory_take(x->http->memory, bytes, PATIENCE_S, is_wanted, x, err);
    x->memory = st ? 0 : bytes;
    return st;
}

/* On a worker: a job, or a page that may load a network. */
static void work(void *ctx, const struct luc_threads *threads)
{
    struct exchange *x = ctx;
    const struct api_services services = { .env = &x->http->env,
                                           .threads = threads,
                                           .tick = still_wanted,
                                           .tick_ctx = x,
                                           .admit = admit,
                                           .admit_ctx = x };
    if (!still_wanted(x, 0))
        api_refuse(&x->res, &x->req, API_PROBLEM_BUSY,
                   "given up: no worker was free in %.0f seconds", x->http->job_s);
    else if (x->job)
        api_job_run(x->job, &services, &x->res);
    else
        api_dispatch(&x->http->env, &x->req, &x->res);
    x->job = api_job_destroy(x->job);
    srv_memory_give(x->http->memory, x->memory);
    MHD_resume_connection(x->connection); /* from here on x belongs to the polling thread */
}

static void suspend(struct exchange *x, srv_task *task, struct srv_pool *pool)
{
    x->waits = true;
    MHD_suspend_connection(x->connection);
    srv_pool_push(pool, task, x);
}

/* To a worker; `job` NULL: the request itself. */
static enum luc_status hand_over(struct exchange *x, struct api_job *job, struct luc_error *err)
{
    struct srv_http *http = x->http;
    if (atomic_load(&http->draining))
        return luc_fail(err, LUC_BUSY, "the server is going down");
    if (!srv_pool_reserve(http->pool))
        return luc_fail(err, LUC_BUSY, "the queue is full");
    if (job) { /* it has its own copy of the pictures */
        free(x->body);
        x->body = NULL;
        x->req.body = NULL;
        x->req.body_size = 0;
    }
    x->job = job;
    if (!x->waits) /* else a clerk has it, and pushes it when it is done with it */
        suspend(x, work, http->pool);
    return LUC_OK;
}

/* ---- clerks, and what follows a job --------------------------------------------------------- */

static void look_again(void *ctx, const struct luc_threads *threads);

/* On the watcher. The clerks' queue has room for every connection. */
static void fire(void *ctx)
{
    struct exchange *x = ctx;
    if (srv_pool_reserve(x->http->clerks))
        srv_pool_push(x->http->clerks, look_again, x);
    else
        MHD_resume_connection(x->connection);
}

static void follow(struct exchange *x)
{
    x->follower.connection = x->connection;
    x->follower.fd = x->fd;
    memcpy(x->follower.job, x->res.job, sizeof(x->follower.job));
    x->follower.after = x->res.after;
    x->follower.fire = x->res.follow == API_FOLLOW_WAIT ? fire : NULL;
    x->follower.ctx = x;
}

/* On a clerk: whether what a request waits for has come. */
static void look_again(void *ctx, const struct luc_threads *threads)
{
    struct exchange *x = ctx;
    const struct api_jobs *jobs = x->http->env.jobs;
    enum api_state now = API_STATE_queued;
    (void)threads;
    const bool open =
        !jobs->state(jobs->ctx, x->follower.job, &now, NULL) && !api_state_is_final(now);
    if (open && now_s() < x->follower.until_s && !atomic_load(&x->http->draining) &&
        !client_is_gone(x)) {
        srv_follow_wait(x->http->follow, &x->follower);
        return;
    }
    api_answer_waited(&x->http->env, &x->req, &x->res);
    MHD_resume_connection(x->connection);
}

/* On a clerk or the planner. */
static void ask_store(void *ctx, const struct luc_threads *threads)
{
    struct exchange *x = ctx;
    (void)threads;
    api_dispatch(&x->http->env, &x->req, &x->res);
    if (x->job) { /* answered in place after all */
        srv_pool_push(x->http->pool, work, x);
        return;
    }
    free(x->body);
    x->body = NULL;
    if (x->res.follow == API_FOLLOW_WAIT) {
        follow(x);
        x->follower.until_s = now_s() + x->res.wait_s;
        look_again(x, threads);
    } else {
        MHD_resume_connection(x->connection);
    }
}

static struct MHD_Response *start_stream(struct exchange *x)
{
    struct srv_http *http = x->http;
    if (atomic_fetch_add(&http->streams, 1) >= http->streams_max) {
        atomic_fetch_sub(&http->streams, 1);
        api_response_done(&x->res);
        api_refuse(&x->res, &x->req, API_PROBLEM_BUSY, "%zu event streams are open, the most",
                   http->streams_max);
        return NULL;
    }
    x->streams = true;
    follow(x);
    return srv_follow_stream(http->follow, &x->follower);
}

static enum luc_status submit(void *ctx, void *exchange, struct api_job *job, struct luc_error *err)
{
    (void)ctx;
    return hand_over(exchange, job, err);
}

static enum MHD_Result reply(struct exchange *x)
{
    struct api_response *res = &x->res;
    struct MHD_Response *r = NULL;
    if (res->status == 0)
        api_refuse(res, &x->req, API_PROBLEM_INTERNAL, "a handler gave no answer");
    if (res->follow == API_FOLLOW_EVENTS && strcmp(x->method, "HEAD") != 0)
        r = start_stream(x);
    x->status = res->status;
    x->answered = res->fixed ? res->fixed_size : res->body.len;
    if (x->streams)
        res->follow = API_FOLLOW_NOTHING;
    else if (res->fixed)
        r = MHD_create_response_from_buffer(res->fixed_size, (void *)(uintptr_t)res->fixed,
                                            MHD_RESPMEM_PERSISTENT);
    else
        r = MHD_create_response_from_buffer(res->body.len, res->body.data, MHD_RESPMEM_MUST_FREE);
    if (!r)
        return MHD_NO;
    if (!res->fixed && !x->streams)
        res->body = (struct luc_str){ 0 }; /* libmicrohttpd frees it */
    if (res->type)
        MHD_add_response_header(r, "Content-Type", res->type);
    for (size_t i = 0; i < res->n_headers; i++)
        MHD_add_response_header(r, res->headers[i].name, res->headers[i].value);
    MHD_add_response_header(r, "X-Request-Id", x->id);
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    const enum MHD_Result queued = MHD_queue_response(x->connection, res->status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result collect_query(void *cls, enum MHD_ValueKind kind, const char *key,
                                     size_t key_size, const char *value, size_t value_size)
{
    struct exchange *x = cls;
    (void)kind;
    if (x->req.n_query == QUERY_MAX)
        return MHD_NO;
    /* A zero byte inside would cut the text short: the value is then replaced by one that no
     * parameter takes. */
    const bool clean = strlen(key) == key_size && (!value || strlen(value) == value_size);
    x->query[x->req.n_query++] = (struct api_field){ key, !clean ? "\x01" : value ? value : "" };
    return MHD_YES;
}

static const char *header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* Content-Length as a number; -1 when it is missing or not one. */
static int64_t stated_length(const struct exchange *x)
{
    const char *text = header(x, "Content-Length");
    char *end = NULL;
    if (!text || *text < '0' || *text > '9')
        return -1;
    const long long n = strtoll(text, &end, 10);
    return *end || n < 0 ? -1 : n;
}

static struct exchange *begin(struct srv_http *http, struct MHD_Connection *c, const char *url,
                              const char *method)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    x->http = http;
    x->connection = c;
    x->fd = info ? info->connect_fd : -1;
    x->began = now_s();
    snprintf(x->id, sizeof(x->id), "%08x%08lx", http->start, atomic_fetch_add(&http->counter, 1));
    snprintf(x->method, sizeof(x->method), "%s", method);
    snprintf(x->path, sizeof(x->path), "%s", url);
    x->req = (struct api_request){ .id = x->id,
                                   .method = x->method,
                                   .path = x->path,
                                   .query = x->query,
                                   .content_type = header(x, "Content-Type"),
                                   .accept = header(x, "Accept"),
                                   .if_none_match = header(x, "If-None-Match"),
                                   .prefer = header(x, "Prefer"),
                                   .idempotency_key = header(x, "Idempotency-Key"),
                                   .last_event_id = header(x, "Last-Event-ID"),
                                   .content_length = stated_length(x),
                                   .exchange = x };
    if (http->keys && !api_is_open(x->path))
        x->req.denied =
            !srv_keys_admit(http->keys, header(x, "Authorization"), x->req.owner, &x->req.retry_s);
    MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, collect_query, x);
    atomic_fetch_add(&http->active, 1);
    return x;
}

/* The first call, with the head only. What is refused for its size, or while the client waits for
 * "100 Continue", is answered now and the connection closed; else the body is read and dropped
 * first, so that a client which is still sending does not lose the answer to a reset. */
static enum MHD_Result on_head(struct exchange *x)
{
    const struct api_limits *limits = &x->http->env.limits;
    const int64_t length = x->req.content_length;
    x->decided = api_check_head(&x->http->env, &x->req, &x->res);
    const bool chunked = header(x, "Transfer-Encoding") != NULL;
    if (x->decided &&
        (chunked || length <= 0 || (uint64_t)length > limits->body_bytes || header(x, "Expect")))
        return reply(x);
    if (!x->decided && length > 0) {
        x->body = malloc((size_t)length);
        if (!x->body) {
            api_refuse(&x->res, &x->req, API_PROBLEM_BUSY, "no memory for the body");
            return reply(x);
        }
        x->req.body = x->body;
    }
    return MHD_YES;
}

static enum MHD_Result on_body(struct exchange *x, const char *data, size_t *size)
{
    const size_t room = x->body ? (size_t)x->req.content_length - x->req.body_size : 0;
    if (now_s() > x->began + x->http->job_s)
        return MHD_NO; /* closes: it has been sending for too long */
    if (x->body && *size <= room) {
        memcpy(x->body + x->req.body_size, data, *size);
        x->req.body_size += *size;
    }
    *size = 0;
    return MHD_YES;
}

/* The whole request is there. */
static enum MHD_Result on_whole(struct exchange *x)
{
    struct luc_error err = { 0 };
    struct srv_http *http = x->http;
    const enum api_where where = x->decided ? API_HERE : api_where(&http->env, &x->req);
    if (where == API_WORKER) {
        if (hand_over(x, NULL, &err))
            api_fail(&x->res, &x->req, API_PROBLEM_BUSY, &err);
    } else if ((where == API_CLERK || where == API_PLANNER) && http->jobs) {
        struct srv_pool *to = where == API_CLERK ? http->clerks : http->planner;
        if (srv_pool_reserve(to))
            suspend(x, ask_store, to);
        else
            api_refuse(&x->res, &x->req, API_PROBLEM_BUSY, "too many requests wait for the store");
    } else if (!x->decided) {
        api_dispatch(&http->env, &x->req, &x->res);
    }
    return x->waits ? MHD_YES : reply(x);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **slot)
{
    struct exchange *x = *slot;
    (void)version;
    if (!x) {
        *slot = x = begin(cls, c, url, method);
        return x ? on_head(x) : MHD_NO;
    }
    if (*size != 0)
        return on_body(x, data, size);
    return x->waits ? reply(x) : on_whole(x); /* waits: a worker has resumed it */
}

static void on_completed(void *cls, struct MHD_Connection *c, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    struct srv_http *http = cls;
    struct exchange *x = *slot;
    (void)c;
    if (!x)
        return;
    const struct luc_error *e = &x->res.error;
    const bool sent = why == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    srv_log_request(&(struct srv_request_log){ .id = x->id,
                                               .method = x->method,
                                               .path = x->path,
                                               .detail = e->code ? e->text
                                                         : sent
                                                             ? NULL
                                                             : "the client did not take the answer",
                                               .status = x->status ? x->status : 499,
                                               .ms = 1e3 * (now_s() - x->began),
                                               .bytes = x->answered });
    if (http->follow)
        srv_follow_remove(http->follow, &x->follower);
    if (x->streams)
        atomic_fetch_sub(&http->streams, 1);
    srv_metrics_request(http->metrics, strcmp(x->method, "POST") == 0 ? x->path : "",
                        x->status ? x->status : 499, now_s() - x->began, x->answered);
    api_response_done(&x->res);
    free(x->body);
    free(x);
    *slot = NULL;
    atomic_fetch_sub(&http->active, 1);
}

static void on_message(void *cls, const char *fmt, va_list ap) LUC_PRINTF(2, 0);
static void on_message(void *cls, const char *fmt, va_list ap)
{
    char text[512];
    (void)cls;
    vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    srv_log(SRV_WARN, "http: %s", text);
}

static enum luc_status ready(void *ctx, struct luc_error *err)
{
    struct srv_http *http = ctx;
    if (atomic_load(&http->draining))
        return luc_fail(err, LUC_BUSY, "the server is going down");
    return http->given->ready ? http->given->ready(http->given->ctx, err) : LUC_OK;
}

/* env->ctx is the caller's; ready() wants this file's. Models go through. */
static enum luc_status model_get(void *ctx, const char *name, const struct luc_model **model,
                                 struct luc_error *err)
{
    const struct api_env *given = ((struct srv_http *)ctx)->given;
    return given->model_get(given->ctx, name, model, err);
}

static void model_put(void *ctx, const struct luc_model *model)
{
    const struct api_env *given = ((struct srv_http *)ctx)->given;
    given->model_put(given->ctx, model);
}

static enum luc_status models(void *ctx, void (*each)(void *, const struct api_model_info *),
                              void *to, struct luc_error *err)
{
    const struct api_env *given = ((struct srv_http *)ctx)->given;
    return given->models(given->ctx, each, to, err);
}

static double resident_bytes(void)
{
    char line[128] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    const char *resident = f && fgets(line, sizeof(line), f) ? strchr(line, ' ') : NULL;
    if (f)
        fclose(f);
    return resident ? (double)strtol(resident, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void print_jobs(const size_t by_state[API_N_STATES], struct luc_str *out)
{
    srv_metric_head(out, "lucida_jobs", "gauge", "Stored jobs by state.");
    for (size_t i = 0; i < API_N_STATES; i++)
        luc_str_printf(out, "lucida_jobs{state=\"%s\"} %zu\n", api_state_name(i), by_state[i]);
}

static void print_memory(struct srv_memory *m, struct luc_str *out)
{
    const struct srv_memory_use use = srv_memory_use(m);
    srv_metric(out, "lucida_memory_limit_bytes", "gauge", "Memory that all computing may hold.",
               (double)srv_memory_limit(m));
    srv_metric_head(out, "lucida_memory_bytes", "gauge",
                    "Memory of what computes, as planned; promised: to the next job.");
    luc_str_printf(out, "lucida_memory_bytes{for=\"jobs\"} %zu\n", use.jobs);
    luc_str_printf(out, "lucida_memory_bytes{for=\"requests\"} %zu\n", use.requests);
    luc_str_printf(out, "lucida_memory_bytes{for=\"promised\"} %zu\n", use.promised);
}

static void metrics(void *ctx, struct luc_str *out)
{
    struct srv_http *http = ctx;
    size_t queued = 0, running = 0, recalled = 0, computed = 0, by_state[API_N_STATES] = { 0 };
    srv_pool_load(http->pool, &queued, &running);
    srv_metrics_print(http->metrics, out);
    srv_metric(out, "lucida_queue_length", "gauge", "Requests and turns that wait for a worker.",
               (double)queued);
    srv_metric(out, "lucida_workers_busy", "gauge", "Workers that compute.", (double)running);
    srv_metric(out, "lucida_requests_active", "gauge", "Requests that are not answered yet.",
               (double)atomic_load(&http->active));
    srv_metric(out, "lucida_event_streams", "gauge", "Open event streams.",
               (double)atomic_load(&http->streams));
    srv_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    print_memory(http->memory, out);
    if (http->jobs) {
        srv_jobs_counts(http->jobs, by_state);
        print_jobs(by_state, out);
        srv_jobs_features(http->jobs, &recalled, &computed);
        srv_metric(out, "lucida_features_recalled_total", "counter",
                   "Pictures whose features a method found kept.", (double)recalled);
        srv_metric(out, "lucida_features_computed_total", "counter",
                   "Pictures whose features were computed and kept.", (double)computed);
    }
    if (http->given->metrics)
        http->given->metrics(http->given->ctx, out);
}

static struct MHD_Daemon *start_daemon(struct srv_http *http, const struct cfg *cfg, int fd)
{
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)IO_THREADS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)cfg->idle_s,
        MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(cfg->connections < IO_THREADS ? IO_THREADS : cfg->connections),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
}

static void fill_env(struct srv_http *http, const struct cfg *cfg, const struct api_env *env,
                     struct srv_pool *pool, struct srv_memory *memory, struct srv_jobs *jobs)
{
    http->given = env;
    http->env = *env;
    http->env.ctx = http;
    http->env.model_get = model_get;
    http->env.model_put = model_put;
    http->env.models = models;
    http->env.submit = submit;
    http->env.ready = ready;
    http->env.metrics = metrics;
    http->env.jobs = jobs ? srv_jobs_api(jobs) : NULL;
    http->env.collections = jobs ? srv_jobs_collections(jobs) : NULL;
    http->env.wait_max_s = (double)cfg->wait_s;
    if (http->env.limits.job_bytes > srv_memory_limit(memory))
        http->env.limits.job_bytes = srv_memory_limit(memory);
    http->pool = pool;
    http->memory = memory;
    http->jobs = jobs;
    http->keys = jobs ? srv_jobs_keys(jobs) : NULL;
    http->job_s = (double)cfg->job_s;
    http->streams_max = (size_t)cfg->connections - (size_t)cfg->connections / 4;
    if (getrandom(&http->start, sizeof(http->start), 0) < 0)
        http->start = (uint32_t)getpid();
}

/* Event streams leave a quarter of the connections to others. */
static enum luc_status start_followers(struct srv_http *http, const struct cfg *cfg,
                                       struct luc_error *err)
{
    http->metrics = srv_metrics_create();
    if (!http->metrics)
        return luc_fail_nomem(err, "the metrics", 0);
    if (!http->jobs)
        return LUC_OK;
    http->follow = srv_follow_create(&http->env);
    http->clerks = srv_pool_create(CLERKS, 1, (size_t)cfg->connections + 1);
    http->planner = srv_pool_create(1, 1, (size_t)cfg->connections + 1);
    return http->follow && http->clerks && http->planner
               ? LUC_OK
               : luc_fail(err, LUC_NOMEM, "cannot start: threads or memory are short");
}

enum luc_status srv_http_start(const struct cfg *cfg, const struct api_env *env,
                               struct srv_pool *pool, struct srv_memory *memory,
                               struct srv_jobs *jobs, struct srv_http **out, struct luc_error *err)
{
    struct srv_http *http = calloc(1, sizeof(*http));
    int fd = -1;
    if (!http)
        return luc_fail_nomem(err, "the server", sizeof(*http));
    fill_env(http, cfg, env, pool, memory, jobs);
    enum luc_status st = start_followers(http, cfg, err);
    if (!st)
        st = srv_listen(cfg->listen, !cfg->insecure && !(http->keys && srv_keys_needed(http->keys)),
                        &fd, http->address, err);
    if (!st) {
        http->daemon = start_daemon(http, cfg, fd);
        if (!http->daemon) {
            st = luc_fail(err, LUC_IO, "libmicrohttpd does not start on %s", http->address);
            close(fd);
        }
    }
    if (st) {
        srv_http_stop(http);
        return st;
    }
    if (jobs)
        srv_jobs_watch(jobs, srv_follow_changed, http->follow);
    *out = http;
    return LUC_OK;
}

const char *srv_http_address(const struct srv_http *http)
{
    return http->address;
}

void srv_http_drain(struct srv_http *http)
{
    if (atomic_exchange(&http->draining, true))
        return;
    const MHD_socket fd = MHD_quiesce_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    if (http->follow)
        srv_follow_drain(http->follow);
}

size_t srv_http_active(const struct srv_http *http)
{
    return atomic_load(&http->active);
}

void srv_http_abandon(struct srv_http *http)
{
    atomic_store(&http->abandoned, true);
}

struct srv_http *srv_http_stop(struct srv_http *http)
{
    if (!http)
        return NULL;
    if (http->jobs)
        srv_jobs_watch(http->jobs, NULL, NULL);
    srv_pool_destroy(http->planner);
    srv_pool_destroy(http->clerks);
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    srv_follow_destroy(http->follow);
    srv_metrics_destroy(http->metrics);
    free(http);
    return NULL;
}
