#include "api/problem.h"
#include "api/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct api_problem_info table[] = {
#define X(name, http, slug, title, doc) { http, slug, title, doc },
    API_PROBLEM_MAP(X)
#undef X
};

const struct api_problem_info *api_problem_info(enum api_problem p)
{
    return p < API_PROBLEM_COUNT ? &table[p] : NULL;
}

/* No default: a new status without its problem is a -Wswitch error. */
static enum api_problem of_status(enum luc_status st)
{
    switch (st) {
    case LUC_INVALID:
    case LUC_RANGE:
    case LUC_NOT_FOUND:
    case LUC_SHAPE:
    case LUC_UNSUPPORTED: return API_PROBLEM_CANNOT;
    case LUC_FORMAT: return API_PROBLEM_BAD_MEDIA;
    case LUC_TOO_LARGE:
    case LUC_NOMEM: return API_PROBLEM_TOO_LARGE;
    case LUC_BUSY:
    case LUC_CANCELLED: return API_PROBLEM_BUSY;
    case LUC_OK:
    case LUC_IO:
    case LUC_INTERNAL: return API_PROBLEM_INTERNAL;
    }
    return API_PROBLEM_INTERNAL;
}

enum api_problem api_problem_of(const struct luc_error *err)
{
    const bool theirs =
        err->code == LUC_INVALID || err->code == LUC_RANGE || err->code == LUC_NOT_FOUND;
    return *err->param && theirs ? API_PROBLEM_BAD_PARAMETER : of_status(err->code);
}

void api_fail(struct api_response *res, const struct api_request *req, enum api_problem p,
              const struct luc_error *err)
{
    const struct api_problem_info *info = &table[p];
    char type[64];
    json_t *doc = json_object();
    luc_str_done(&res->body);
    res->fixed = NULL;
    res->error = *err;
    res->status = info->http;
    res->type = "application/problem+json";
    snprintf(type, sizeof(type), "/problems/%s", info->slug);
    api_json_set(doc, "type", json_string(type));
    api_json_set(doc, "title", json_string(info->title));
    api_json_set(doc, "status", json_integer(info->http));
    api_json_set(doc, "detail", api_json_text(p == API_PROBLEM_INTERNAL ? info->doc : err->text));
    if (*err->param && p != API_PROBLEM_INTERNAL) {
        json_t *list = json_array(), *one = json_object();
        api_json_set(one, "parameter", api_json_text(err->param));
        api_json_set(one, "message", api_json_text(err->text));
        json_array_append_new(list, one);
        api_json_set(doc, "errors", list);
    }
    api_json_set(doc, "request", api_json_text(req->id ? req->id : ""));
    api_json_print(doc, false, &res->body);
    luc_str_puts(&res->body, "\n");
    json_decref(doc);
    if (res->body.failed)
        luc_str_done(&res->body); /* the status is left to speak */
    if (info->http == 503)
        api_header(res, "Retry-After", "2");
}

void api_refuse(struct api_response *res, const struct api_request *req, enum api_problem p,
                const char *fmt, ...)
{
    struct luc_error err = { .code = LUC_INVALID };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err.text, sizeof(err.text), fmt, ap);
    va_end(ap);
    if (p == API_PROBLEM_INTERNAL)
        err.code = LUC_INTERNAL;
    api_fail(res, req, p, &err);
}

void api_get_problem(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res)
{
    (void)env;
    for (size_t i = 0; i < API_PROBLEM_COUNT; i++) {
        if (strcmp(table[i].slug, tail) != 0)
            continue;
        json_t *doc = json_object();
        api_json_set(doc, "title", json_string(table[i].title));
        api_json_set(doc, "status", json_integer(table[i].http));
        api_json_set(doc, "description", json_string(table[i].doc));
        api_answer_json(res, req, doc);
        return;
    }
    api_refuse(res, req, API_PROBLEM_NOT_FOUND, "no problem is called '%.40s'", tail);
}
