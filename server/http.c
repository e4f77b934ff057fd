#define _GNU_SOURCE /* POLLRDHUP, getrandom */
#include "server/http.h"
#include "api/job.h"
#include "api/problem.h"
#include "server/listen.h"
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
#define HEAD_BYTES   ((size_t)64 << 10) /* of one connection: request line and headers */
#define QUERY_MAX    (API_FIELDS_MAX + 1)
#define LOOK_SECONDS 0.1 /* between two looks at a waiting client's socket */
#define PATH_LOG_MAX 256

struct srv_http {
    struct MHD_Daemon *daemon;
    struct api_env env;
    const struct api_env *given;
    struct srv_pool *pool;
    double job_s;
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
    unsigned status;
    int fd;
    bool decided; /* the head alone was enough: the body is read and dropped */
    bool waits;   /* a worker has it: suspended */
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

/* On a worker: a job, or a page that may load a network. */
static void work(void *ctx, const struct luc_threads *threads)
{
    struct exchange *x = ctx;
    const struct api_services services = {
        .env = &x->http->env, .threads = threads, .tick = still_wanted, .tick_ctx = x
    };
    if (!still_wanted(x, 0))
        api_refuse(&x->res, &x->req, API_PROBLEM_BUSY,
                   "given up: no worker was free in %.0f seconds", x->http->job_s);
    else if (x->job)
        api_job_run(x->job, &services, &x->res);
    else
        api_dispatch(&x->http->env, &x->req, &x->res);
    x->job = api_job_destroy(x->job);
    MHD_resume_connection(x->connection); /* from here on x belongs to the polling thread */
}

static enum luc_status hand_over(struct exchange *x, struct api_job *job, struct luc_error *err)
{
    struct srv_http *http = x->http;
    if (atomic_load(&http->draining))
        return luc_fail(err, LUC_BUSY, "the server is going down");
    if (!srv_pool_reserve(http->pool))
        return luc_fail(err, LUC_BUSY, "the queue is full");
    free(x->body); /* a job has its own copy of the pictures */
    x->body = NULL;
    x->req.body = NULL;
    x->req.body_size = 0;
    x->job = job;
    x->waits = true;
    MHD_suspend_connection(x->connection);
    srv_pool_push(http->pool, work, x);
    return LUC_OK;
}

static enum luc_status submit(void *ctx, void *exchange, struct api_job *job, struct luc_error *err)
{
    (void)ctx;
    return hand_over(exchange, job, err);
}

static enum MHD_Result reply(struct exchange *x)
{
    struct api_response *res = &x->res;
    struct MHD_Response *r;
    if (res->status == 0)
        api_refuse(res, &x->req, API_PROBLEM_INTERNAL, "a handler gave no answer");
    x->status = res->status;
    x->answered = res->fixed ? res->fixed_size : res->body.len;
    if (res->fixed)
        r = MHD_create_response_from_buffer(res->fixed_size, (void *)(uintptr_t)res->fixed,
                                            MHD_RESPMEM_PERSISTENT);
    else
        r = MHD_create_response_from_buffer(res->body.len, res->body.data, MHD_RESPMEM_MUST_FREE);
    if (!r)
        return MHD_NO;
    if (!res->fixed)
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
                                   .content_length = stated_length(x),
                                   .exchange = x };
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
    if (!x->decided && api_needs_worker(&x->req)) {
        if (hand_over(x, NULL, &err))
            api_fail(&x->res, &x->req, API_PROBLEM_BUSY, &err);
    } else if (!x->decided) {
        api_dispatch(&x->http->env, &x->req, &x->res);
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

static bool ready(void *ctx, const char **why)
{
    struct srv_http *http = ctx;
    if (atomic_load(&http->draining))
        return *why = "the server is going down", false;
    return http->given->ready ? http->given->ready(http->given->ctx, why) : true;
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

enum luc_status srv_http_start(const struct cfg *cfg, const struct api_env *env,
                               struct srv_pool *pool, struct srv_http **out, struct luc_error *err)
{
    struct srv_http *http = calloc(1, sizeof(*http));
    int fd = -1;
    if (!http)
        return luc_fail_nomem(err, "the server", sizeof(*http));
    enum luc_status st = srv_listen(cfg->listen, !cfg->insecure, &fd, http->address, err);
    if (!st) {
        http->given = env;
        http->env = *env;
        http->env.ctx = http;
        http->env.model_get = model_get;
        http->env.model_put = model_put;
        http->env.models = models;
        http->env.submit = submit;
        http->env.ready = ready;
        http->pool = pool;
        http->job_s = (double)cfg->job_s;
        if (getrandom(&http->start, sizeof(http->start), 0) < 0)
            http->start = (uint32_t)getpid();
        http->daemon = start_daemon(http, cfg, fd);
        if (!http->daemon) {
            st = luc_fail(err, LUC_IO, "libmicrohttpd does not start on %s", http->address);
            close(fd);
        }
    }
    if (st)
        free(http);
    else
        *out = http;
    return st;
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
    if (http) {
        MHD_stop_daemon(http->daemon);
        free(http);
    }
    return NULL;
}
