#include "api/collection.h"
#include "api/multipart.h"
#include "api/problem.h"
#include "api/stored_job.h"

#include <string.h>

/* What a request says, whichever way it says it: at most API_FIELDS_MAX parameters. */
struct reading {
    const struct api_env *env;
    struct api_job *job;
    struct luc_error *err;
    char seen[API_FIELDS_MAX][API_KEY_MAX];
    size_t n_seen;
};

static enum luc_status read_field(struct reading *r, struct api_view key, struct api_view value)
{
    char k[API_KEY_MAX], v[LUC_TEXT_MAX];
    if (key.size >= sizeof(k) || memchr(key.at, '\0', key.size))
        return luc_fail(r->err, LUC_INVALID, "a parameter's name is longer than %zu characters",
                        sizeof(k) - 1);
    memcpy(k, key.at, key.size);
    k[key.size] = '\0';
    if (value.size >= sizeof(v))
        return luc_fail_param(r->err, LUC_INVALID, k, "%s: longer than %zu bytes", k,
                              sizeof(v) - 1);
    if (value.size && memchr(value.at, '\0', value.size))
        return luc_fail_param(r->err, LUC_INVALID, k, "%s: holds a zero byte", k);
    if (value.size)
        memcpy(v, value.at, value.size);
    v[value.size] = '\0';
    for (size_t i = 0; i < r->n_seen; i++)
        if (strcmp(r->seen[i], k) == 0)
            return luc_fail_param(r->err, LUC_INVALID, k, "%s is given twice", k);
    if (r->n_seen == API_FIELDS_MAX)
        return luc_fail(r->err, LUC_INVALID, "more than %d parameters", API_FIELDS_MAX);
    memcpy(r->seen[r->n_seen++], k, key.size + 1);
    return api_params_set(&r->job->params, k, v, r->err);
}

static enum luc_status read_query(struct reading *r, const struct api_request *req)
{
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < req->n_query && !st; i++) {
        const struct api_field *f = &req->query[i];
        st = read_field(r, (struct api_view){ f->key, strlen(f->key) },
                        (struct api_view){ f->value, strlen(f->value) });
    }
    return st;
}

static enum luc_status read_form(struct reading *r, const struct api_form *form)
{
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < form->n_parts && !st; i++) {
        const struct api_part *p = &form->part[i];
        char name[API_NAME_MAX];
        api_file_name(p->file, name);
        if (p->name.size == 5 && memcmp(p->name.at, "image", 5) == 0)
            st = api_job_add_image(r->job, name, p->bytes.at, p->bytes.size,
                                   r->env->limits.image_pixels, r->err);
        else
            st = read_field(r, p->name, p->bytes);
    }
    return st;
}

static enum luc_status read_body(struct reading *r, const struct api_request *req,
                                 enum api_problem *problem)
{
    struct api_form form;
    if (api_media_is(req->content_type, "image/"))
        return api_job_add_image(r->job, "", req->body, req->body_size, r->env->limits.image_pixels,
                                 r->err);
    if (!req->content_type && req->body_size == 0)
        return LUC_OK; /* a method without pictures, or the sentence that one is missing */
    const enum luc_status st =
        api_form_parse(req->content_type, req->body, req->body_size, &form, r->err);
    if (st)
        *problem = API_PROBLEM_BAD_REQUEST;
    return st ? st : read_form(r, &form);
}

/* LUC_OK, or a failure with its problem. */
static enum luc_status read_request(struct reading *r, const struct api_request *req,
                                    enum api_problem *problem)
{
    enum luc_status st = LUC_OK;
    *problem = API_PROBLEM_COUNT;
    if (r->job->what->method->groups & LUC_GROUP_INPUT) /* not the table's default */
        st = api_params_set(&r->job->params, "model",
                            api_default_model(r->job->what->method, r->env->model), r->err);
    if (!st)
        st = read_query(r, req);
    if (!st)
        st = read_body(r, req, problem);
    if (!st) {
        st = api_job_choose_format(r->job, req->accept, r->err);
        if (st)
            *problem = API_PROBLEM_NOT_ACCEPTABLE;
    }
    if (!st && r->job->params.pool.collection[0])
        st = api_job_add_collection(r->job, r->env, req->owner, r->job->params.pool.collection,
                                    r->err);
    if (!st)
        st = api_job_check(r->job, r->err);
    if (st && *problem == API_PROBLEM_COUNT)
        *problem = st != LUC_INVALID && st != LUC_RANGE ? api_problem_of(r->err)
                   : *r->err->param                     ? API_PROBLEM_BAD_PARAMETER
                                                        : API_PROBLEM_BAD_REQUEST;
    return st;
}

void api_post_method(const struct api_env *env, const struct api_request *req, const char *name,
                     struct api_response *res)
{
    const struct api_method *what = api_method_find(name);
    struct luc_error err = { 0 };
    struct reading r = { .env = env, .err = &err };
    enum api_problem problem = API_PROBLEM_INTERNAL;
    if (!what) {
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "no method is called '%.40s'", name);
        return;
    }
    enum luc_status st = api_job_create(what, req->id, &r.job, &err);
    if (!st)
        st = read_request(&r, req, &problem);
    if (!st && (api_is_job(env, req, what) || r.job->params.pool.collection[0])) {
        api_submit_job(env, req, r.job, res);
        api_job_destroy(r.job);
        return;
    }
    if (!st) {
        st = env->submit(env->ctx, req->exchange, r.job, &err);
        problem = api_problem_of(&err);
    }
    if (st) {
        api_job_destroy(r.job);
        api_fail(res, req, problem, &err);
    }
}
