/* The page and what belongs to it, the two health checks, and the metrics. */
#include "api/pages.h"

#include <stdio.h>
#include <string.h>

static const char *media_type(const char *name)
{
    static const struct {
        const char *end, *type;
    } known[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".json", "application/json" },
    };
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const size_t end = strlen(known[i].end);
        if (n > end && strcmp(name + n - end, known[i].end) == 0)
            return known[i].type;
    }
    return "application/octet-stream";
}

/* FNV-1a: files change with the program only, so any fingerprint of the bytes will do. */
static void fingerprint(const struct luc_embedded *f, char tag[20])
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < f->size; i++)
        h = (h ^ f->data[i]) * 1099511628211u;
    snprintf(tag, 20, "\"%016llx\"", (unsigned long long)h);
}

static void send_file(const struct api_env *env, const struct api_request *req, const char *name,
                      struct api_response *res)
{
    const struct luc_embedded *f = env->files;
    char tag[20];
    while (f && f->name && strcmp(f->name, name) != 0)
        f++;
    if (!f || !f->name) {
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "there is no file '%.60s'", name);
        return;
    }
    fingerprint(f, tag);
    const bool same = req->if_none_match && strstr(req->if_none_match, tag);
    res->status = same ? 304 : 200;
    if (!same) {
        res->type = media_type(name);
        res->fixed = f->data;
        res->fixed_size = f->size;
    }
    api_header(res, "ETag", "%s", tag);
    api_header(res, "Cache-Control", "no-cache");
    api_header(res, "Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: "
               "data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
               "frame-ancestors 'none'");
    api_header(res, "Referrer-Policy", "no-referrer");
}

/* GET / */
void api_get_index(const struct api_env *env, const struct api_request *req, const char *tail,
                   struct api_response *res)
{
    (void)tail;
    send_file(env, req, "index.html", res);
}

/* GET /static/{file} */
void api_get_static(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    send_file(env, req, tail, res);
}

/* GET /livez */
void api_get_livez(const struct api_env *env, const struct api_request *req, const char *tail,
                   struct api_response *res)
{
    json_t *doc = json_object();
    (void)tail;
    api_json_set(doc, "status", json_string("ok"));
    api_json_set(doc, "version", api_json_text(env->version));
    api_header(res, "Cache-Control", "no-store");
    api_answer_json(res, req, doc);
}

/* GET /readyz */
void api_get_readyz(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    struct luc_error err = { 0 };
    (void)tail;
    api_header(res, "Cache-Control", "no-store");
    if (env->ready(env->ctx, &err)) {
        err.param[0] = '\0'; /* nobody gave one */
        api_fail(res, req, API_PROBLEM_BUSY, &err);
        return;
    }
    json_t *doc = json_object();
    api_json_set(doc, "status", json_string("ready"));
    api_answer_json(res, req, doc);
}

/* GET /metrics */
void api_get_metrics(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res)
{
    (void)tail;
    if (!env->metrics) {
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "this server counts nothing");
        return;
    }
    env->metrics(env->ctx, &res->body);
    res->status = 200;
    res->type = "text/plain; version=0.0.4; charset=utf-8";
    api_header(res, "Cache-Control", "no-store");
    if (res->body.failed)
        api_refuse(res, req, API_PROBLEM_INTERNAL, "out of memory");
}
