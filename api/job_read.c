#include "api/json.h"
#include "api/stored_job.h"

#include <stdio.h>
#include <string.h>

/* A value of api_params_json() as the text of a request. */
static bool value_text(const json_t *v, char text[LUC_TEXT_MAX])
{
    int n = -1;
    if (json_is_string(v))
        n = snprintf(text, LUC_TEXT_MAX, "%s", json_string_value(v));
    else if (json_is_integer(v))
        n = snprintf(text, LUC_TEXT_MAX, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        n = snprintf(text, LUC_TEXT_MAX, "%.17g", json_real_value(v));
    else if (json_is_boolean(v))
        n = snprintf(text, LUC_TEXT_MAX, "%d", json_is_true(v) ? 1 : 0);
    return n >= 0 && n < LUC_TEXT_MAX;
}

static enum luc_status set_value(struct api_job *job, const char *key, const json_t *v,
                                 struct luc_error *err)
{
    char text[LUC_TEXT_MAX];
    if (!value_text(v, text))
        return luc_fail_param(err, LUC_FORMAT, key, "%s: not a value of a stored job", key);
    return api_params_set(&job->params, key, text, err);
}

static enum luc_status set_answer(struct api_job *job, const json_t *doc, struct luc_error *err)
{
    static const char *const keys[] = { "format", "quality", "embed" };
    enum luc_status st = LUC_OK;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !st; i++)
        st = set_value(job, keys[i], json_object_get(doc, keys[i]), err);
    return st ? st : api_job_choose_format(job, NULL, err);
}

static size_t size_at(const json_t *o, const char *key)
{
    const json_int_t v = json_integer_value(json_object_get(o, key));
    return v > 0 ? (size_t)v : 0;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static enum luc_status add_picture(struct api_job *job, const json_t *o, struct luc_error *err)
{
    const struct api_ref ref = { .sha256 = text_at(o, "sha256"),
                                 .name = text_at(o, "name"),
                                 .label = text_at(o, "label"),
                                 .size = size_at(o, "bytes"),
                                 .width = size_at(o, "width"),
                                 .height = size_at(o, "height") };
    return api_job_add_ref(job, &ref, err);
}

static enum luc_status fill(struct api_job *job, const json_t *doc, struct luc_error *err)
{
    const char *key;
    json_t *v;
    size_t i;
    enum luc_status st = LUC_OK;
    json_object_foreach(json_object_get(doc, "parameters"), key, v)
    {
        if (!st)
            st = set_value(job, key, v, err);
    }
    json_array_foreach(json_object_get(doc, "images"), i, v)
    {
        if (!st)
            st = add_picture(job, v, err);
    }
    if (!st)
        st = set_answer(job, doc, err);
    return st || !json_object_get(doc, "images") ? st : api_job_check(job, err);
}

enum luc_status api_job_read(const char *text, struct api_job **job, struct luc_error *err)
{
    json_t *doc = json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(doc, "method"));
    const char *id = json_string_value(json_object_get(doc, "id"));
    const struct api_method *what = name ? api_method_find(name) : NULL;
    struct api_job *made = NULL;
    enum luc_status st =
        what ? api_job_create(what, id, &made, err)
             : luc_fail(err, LUC_FORMAT, "a stored job names no method that this version has");
    if (!st)
        st = fill(made, doc, err);
    json_decref(doc);
    if (st)
        api_job_destroy(made);
    else
        *job = made;
    return st;
}

enum luc_status api_job_read_picture(struct api_job *job, const char *text, struct luc_error *err)
{
    json_t *doc = json_loads(text, 0, NULL);
    const enum luc_status st =
        doc ? add_picture(job, doc, err)
            : luc_fail(err, LUC_FORMAT, "a stored job's picture has no name or size");
    json_decref(doc);
    return st;
}
