#include "api/jobs.h"
#include "api/multipart.h"
#include "api/pages.h"

#include <string.h>

#define JSON     "application/json"
#define TAIL_MAX 128

/* clang-format off */
static const struct api_route table[] = {
    { "/", NULL, NULL, api_get_index, NULL, API_HERE, NULL, NULL },
    { "/static/", "", "file", api_get_static, NULL, API_HERE, NULL, NULL },
    { "/livez", NULL, NULL, api_get_livez, NULL, API_HERE, "Whether the process answers", JSON },
    { "/readyz", NULL, NULL, api_get_readyz, NULL, API_HERE, "Whether the server takes work", JSON },
    { "/openapi.json", NULL, NULL, api_get_openapi, NULL, API_HERE, "This description", JSON },
    { "/methods", NULL, NULL, api_get_methods, NULL, API_HERE,
      "All methods with their parameters", JSON },
    { "/methods/", "", "method", api_get_method, NULL, API_HERE,
      "One method with its parameters", JSON },
    { "/models", NULL, NULL, api_get_models, NULL, API_HERE, "All networks", JSON },
    { "/models/", "/layers", "model", api_get_layers, NULL, API_WORKER,
      "The layers of a network", JSON },
    { "/models/", "", "model", api_get_model, NULL, API_WORKER, "One network", JSON },
    { "/jobs", NULL, NULL, api_get_jobs, NULL, API_CLERK,
      "Jobs, newest first; `state`, `limit` and `cursor` in the query", JSON },
    { "/jobs/", "", "job", api_get_job, api_delete_job, API_CLERK,
      "One job; DELETE cancels it within one step", JSON },
    { "/jobs/", "/result", "job", api_get_job_result, NULL, API_CLERK,
      "What the job found, as Accept or `format` ask", "*/*" },
    { "/jobs/", "/preview", "job", api_get_job_preview, NULL, API_CLERK,
      "The newest preview picture", "image/jpeg" },
    { "/jobs/", "/events", "job", api_get_job_events, NULL, API_CLERK,
      "Server-sent events: state, progress, preview", "text/event-stream" },
    { "/metrics", NULL, NULL, api_get_metrics, NULL, API_CLERK,
      "Counters for Prometheus", "text/plain" },
    { "/problems/", "", "problem", api_get_problem, NULL, API_HERE, "What a problem type means", JSON },
    { NULL, NULL, NULL, NULL, NULL, API_HERE, NULL, NULL },
};
/* clang-format on */

const struct api_route *api_route_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) - 1 ? &table[i] : NULL;
}

/* Whether `path` is this route's, with what stands for its {name}. */
static bool matches(const struct api_route *r, const char *path, char tail[TAIL_MAX])
{
    const size_t before = strlen(r->before);
    tail[0] = '\0';
    if (!r->after)
        return strcmp(path, r->before) == 0;
    const size_t n = strlen(path), after = strlen(r->after);
    if (n <= before + after || strncmp(path, r->before, before) != 0 ||
        strcmp(path + n - after, r->after) != 0)
        return false;
    const size_t size = n - before - after;
    if (size >= TAIL_MAX || memchr(path + before, '/', size))
        return false;
    memcpy(tail, path + before, size);
    tail[size] = '\0';
    return true;
}

/* Where a path leads: a route, else a method, else neither. */
struct target {
    const struct api_route *route;
    const struct api_method *method;
    char tail[TAIL_MAX];
};

static struct target find_target(const char *path)
{
    struct target t = { 0 };
    for (size_t i = 0; api_route_at(i); i++)
        if (matches(&table[i], path, t.tail))
            return t.route = &table[i], t;
    if (path[0] == '/')
        t.method = api_method_find(path + 1);
    return t;
}

static bool is_get(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool deletes(const struct target *t, const struct api_request *req)
{
    return t->route && t->route->del && strcmp(req->method, "DELETE") == 0;
}

static void refuse_method(const struct target *t, const struct api_request *req,
                          struct api_response *res)
{
    const char *allow = !t->route       ? "POST, OPTIONS"
                        : t->route->del ? "GET, HEAD, DELETE, OPTIONS"
                                        : "GET, HEAD, OPTIONS";
    if (strcmp(req->method, "OPTIONS") == 0)
        res->status = 204;
    else
        api_refuse(res, req, API_PROBLEM_BAD_METHOD, "%.60s answers %s", req->path, allow);
    api_header(res, "Allow", "%s", allow);
}

bool api_is_open(const char *path)
{
    return strcmp(path, "/") == 0 || strncmp(path, "/static/", 8) == 0 ||
           strcmp(path, "/livez") == 0 || strcmp(path, "/readyz") == 0;
}

static void refuse_owner(const struct api_request *req, struct api_response *res)
{
    if (req->denied) {
        api_refuse(res, req, API_PROBLEM_UNAUTHORIZED,
                   "this server wants a key: send Authorization: Bearer KEY");
        api_header(res, "WWW-Authenticate", "Bearer realm=\"lucida\"");
    } else {
        api_refuse(res, req, API_PROBLEM_TOO_MANY,
                   "more requests in a minute than one key may make (key_requests): wait %u s",
                   req->retry_s);
        api_header(res, "Retry-After", "%u", req->retry_s);
    }
}

bool api_check_head(const struct api_env *env, const struct api_request *req,
                    struct api_response *res)
{
    const struct target t = find_target(req->path);
    const bool posts = strcmp(req->method, "POST") == 0;
    if (req->denied || req->retry_s)
        refuse_owner(req, res);
    else if (!t.route && !t.method)
        api_refuse(res, req, API_PROBLEM_NOT_FOUND,
                   "there is no %.60s; GET /methods lists the methods", req->path);
    else if (t.route ? !is_get(req->method) && !deletes(&t, req) : !posts)
        refuse_method(&t, req, res);
    else if (posts && req->content_length < 0)
        api_refuse(res, req, API_PROBLEM_LENGTH_REQUIRED, "a body needs a Content-Length header");
    else if (req->content_length > 0 && (uint64_t)req->content_length > env->limits.body_bytes)
        api_refuse(res, req, API_PROBLEM_TOO_LARGE, "the body has %lld bytes, at most %zu are read",
                   (long long)req->content_length, env->limits.body_bytes);
    else if (posts && (req->content_type || req->content_length > 0) &&
             !api_media_is(req->content_type, "multipart/form-data") &&
             !api_media_is(req->content_type, "image/"))
        api_refuse(res, req, API_PROBLEM_BAD_MEDIA,
                   "Content-Type is %.60s; send multipart/form-data or image/...",
                   req->content_type ? req->content_type : "missing");
    else
        return false;
    return true;
}

enum api_where api_where(const struct api_env *env, const struct api_request *req)
{
    const struct target t = find_target(req->path);
    if (t.route)
        return t.route->where;
    return t.method && api_is_job(env, req, t.method) ? API_PLANNER : API_HERE;
}

void api_dispatch(const struct api_env *env, const struct api_request *req,
                  struct api_response *res)
{
    const struct target t = find_target(req->path);
    if (api_check_head(env, req, res))
        return;
    if (deletes(&t, req))
        t.route->del(env, req, t.tail, res);
    else if (t.route)
        t.route->get(env, req, t.tail, res);
    else
        api_post_method(env, req, t.method->method->name, res);
}
