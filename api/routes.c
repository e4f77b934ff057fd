#include "api/multipart.h"
#include "api/pages.h"
#include "api/stored_job.h"

#include <stdio.h>
#include <string.h>

#define JSON     "application/json"
#define TAIL_MAX 128

/* clang-format off */
static const struct api_route table[] = {
    { "/", NULL, NULL, NULL, api_get_index, NULL, NULL, API_HERE,
      NULL, NULL },
    { "/static/", "", "file", NULL, api_get_static, NULL, NULL, API_HERE,
      NULL, NULL },
    { "/livez", NULL, NULL, NULL, api_get_livez, NULL, NULL, API_HERE,
      "Whether the process answers", JSON },
    { "/readyz", NULL, NULL, NULL, api_get_readyz, NULL, NULL, API_HERE,
      "Whether the server takes work", JSON },
    { "/openapi.json", NULL, NULL, NULL, api_get_openapi, NULL, NULL, API_HERE,
      "This description", JSON },
    { "/methods", NULL, NULL, NULL, api_get_methods, NULL, NULL, API_HERE,
      "All methods with their parameters", JSON },
    { "/methods/", "", "method", NULL, api_get_method, NULL, NULL, API_HERE,
      "One method with its parameters", JSON },
    { "/models", NULL, NULL, NULL, api_get_models, NULL, NULL, API_HERE,
      "All networks", JSON },
    { "/models/", "/layers", "model", NULL, api_get_layers, NULL, NULL, API_WORKER,
      "The layers of a network", JSON },
    { "/models/", "", "model", NULL, api_get_model, NULL, NULL, API_WORKER,
      "One network", JSON },
    { "/jobs", NULL, NULL, NULL, api_get_jobs, NULL, NULL, API_CLERK,
      "Jobs, newest first; `state`, `limit` and `cursor` in the query", JSON },
    { "/jobs/", "", "job", NULL, api_get_job, api_delete_job, NULL, API_CLERK,
      "One job; DELETE cancels it within one step", JSON },
    { "/jobs/", "/result", "job", NULL, api_get_job_result, NULL, NULL, API_CLERK,
      "What the job found, as Accept or `format` ask", "*/*" },
    { "/jobs/", "/preview", "job", NULL, api_get_job_preview, NULL, NULL, API_CLERK,
      "The newest preview picture", "image/jpeg" },
    { "/jobs/", "/events", "job", NULL, api_get_job_events, NULL, NULL, API_CLERK,
      "Server-sent events: state, progress, preview", "text/event-stream" },
    { "/collections", NULL, NULL, NULL, api_get_collections, NULL, api_post_collections, API_CLERK,
      "Collections of pictures, newest first; `limit` and `cursor` in the query. POST makes one", JSON },
    { "/collections/", "", "collection", NULL, api_get_collection, api_delete_collection, NULL,
      API_CLERK, "One collection with its labels; DELETE removes it", JSON },
    { "/collections/", "/images", "collection", NULL, api_get_pictures, NULL, api_post_pictures,
      API_CLERK, "Its pictures in the order they came; POST adds some", JSON },
    { "/collections/", "/images/", "collection", "image", api_get_picture, api_delete_picture, NULL,
      API_CLERK, "One picture's file, by its SHA-256; DELETE takes it out", "image/*" },
    { "/metrics", NULL, NULL, NULL, api_get_metrics, NULL, NULL, API_CLERK,
      "Counters for Prometheus", "text/plain" },
    { "/problems/", "", "problem", NULL, api_get_problem, NULL, NULL, API_HERE,
      "What a problem type means", JSON },
    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, API_HERE, NULL, NULL },
};
/* clang-format on */

const struct api_route *api_route_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) - 1 ? &table[i] : NULL;
}

/* Whether `path` is this route's, with what stands for its {names}. */
static bool matches(const struct api_route *r, const char *path, char tail[TAIL_MAX])
{
    const size_t before = strlen(r->before);
    tail[0] = '\0';
    if (!r->after)
        return strcmp(path, r->before) == 0;
    const size_t n = strlen(path), after = strlen(r->after);
    if (n <= before + after || strncmp(path, r->before, before) != 0)
        return false;
    const char *first = path + before, *last = "";
    size_t size = n - before - after;
    if (r->last) {
        const char *end = strstr(first, r->after);
        size = end ? (size_t)(end - first) : 0;
        last = end ? end + after : "";
        if (!*last || strchr(last, '/'))
            return false;
    } else if (strcmp(path + n - after, r->after) != 0) {
        return false;
    }
    if (size == 0 || size + strlen(last) + 2 > TAIL_MAX || memchr(first, '/', size))
        return false;
    snprintf(tail, TAIL_MAX, "%.*s%s%s", (int)size, first, r->last ? "/" : "", last);
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

/* What a route does with this HTTP method; NULL: it does not know it. */
static api_handler *handler_of(const struct api_route *r, const struct api_request *req)
{
    return is_get(req->method)                  ? r->get
           : strcmp(req->method, "DELETE") == 0 ? r->del
           : strcmp(req->method, "POST") == 0   ? r->post
                                                : NULL;
}

static void refuse_method(const struct target *t, const struct api_request *req,
                          struct api_response *res)
{
    char allow[64];
    snprintf(allow, sizeof(allow), "%s%s%sOPTIONS", t->route ? "GET, HEAD, " : "",
             !t->route || t->route->post ? "POST, " : "",
             t->route && t->route->del ? "DELETE, " : "");
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

/* Whether a body of this type may come: a form, else JSON to a route, a picture to a method. */
static bool is_readable(const struct target *t, const char *type)
{
    return api_media_is(type, "multipart/form-data") ||
           api_media_is(type, t->route ? "application/json" : "image/");
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
    else if (t.route ? !handler_of(t.route, req) : !posts)
        refuse_method(&t, req, res);
    else if (posts && req->content_length < 0)
        api_refuse(res, req, API_PROBLEM_LENGTH_REQUIRED, "a body needs a Content-Length header");
    else if (req->content_length > 0 && (uint64_t)req->content_length > env->limits.body_bytes)
        api_refuse(res, req, API_PROBLEM_TOO_LARGE, "the body has %lld bytes, at most %zu are read",
                   (long long)req->content_length, env->limits.body_bytes);
    else if (posts && (req->content_type || req->content_length > 0) &&
             !is_readable(&t, req->content_type))
        api_refuse(res, req, API_PROBLEM_BAD_MEDIA,
                   "Content-Type is %.60s; send multipart/form-data or %s",
                   req->content_type ? req->content_type : "missing",
                   t.route ? "application/json" : "image/...");
    else
        return false;
    return true;
}

enum api_where api_where(const struct api_env *env, const struct api_request *req)
{
    const struct target t = find_target(req->path);
    if (t.route)
        return t.route->where;
    const bool may_ask = t.method && t.method->method->groups & LUC_GROUP_COLLECTION;
    return t.method && (may_ask || api_is_job(env, req, t.method)) ? API_PLANNER : API_HERE;
}

void api_dispatch(const struct api_env *env, const struct api_request *req,
                  struct api_response *res)
{
    const struct target t = find_target(req->path);
    if (api_check_head(env, req, res))
        return;
    if (t.route)
        handler_of(t.route, req)(env, req, t.tail, res);
    else
        api_post_method(env, req, t.method->method->name, res);
}
