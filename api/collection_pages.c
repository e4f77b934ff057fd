/* /collections and what is below it. */
#include "api/collection.h"
#include "api/multipart.h"
#include "api/pages.h"
#include "api/stored_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define LIST_MAX     1000
#define LABELS_MAX   1000 /* of a collection's summary */

/* What a failure is: of a name in the path, of a limit, or the server's. */
static void fail(struct api_response *res, const struct api_request *req,
                 const struct luc_error *err)
{
    const enum api_problem as = err->code == LUC_NOT_FOUND && !*err->param ? API_PROBLEM_NOT_FOUND
                                : err->code == LUC_INVALID && !*err->param ? API_PROBLEM_CONFLICT
                                : err->code == LUC_TOO_LARGE               ? API_PROBLEM_TOO_LARGE
                                : err->code == LUC_IO                      ? API_PROBLEM_BUSY
                                                                           : api_problem_of(err);
    if (as != API_PROBLEM_BUSY) {
        api_fail(res, req, as, err);
        return;
    }
    api_refuse(res, req, as, "it cannot be kept: the server's disk is full or cannot be written");
    res->error = *err;
}

static bool is_kept(const struct api_env *env, const struct api_request *req,
                    struct api_response *res)
{
    if (!env->collections)
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "this server keeps no collections");
    else
        api_header(res, "Cache-Control", "no-store");
    return env->collections != NULL;
}

static json_t *row_json(const struct api_collection *c)
{
    json_t *o = json_object();
    char text[API_TIME_MAX];
    api_time_print(c->created_ms, text);
    api_json_set(o, "id", json_string(c->id));
    api_json_set(o, "name", api_json_text(c->name));
    api_json_set(o, "images", json_integer((json_int_t)c->n_images));
    api_json_set(o, "bytes", json_integer((json_int_t)c->bytes));
    api_json_set(o, "created", json_string(text));
    return o;
}

/* ---- lists ---------------------------------------------------------------------------------- */

struct listing {
    json_t *list;
    int64_t last; /* the last row's cursor */
    const char *id;
};

struct list_query {
    int64_t limit, cursor;
};

static const struct luc_param list_rows[] = {
    LUC_INT(struct list_query, limit, LIST_DEFAULT, 1, LIST_MAX, "", "Rows to answer with"),
    LUC_INT(struct list_query, cursor, 0, 0, 9007199254740991, "", "Where the list before ended"),
    LUC_PARAM_END,
};

static bool read_list(const struct api_request *req, struct list_query *q, struct api_response *res)
{
    struct luc_error err = { 0 };
    luc_params_default(list_rows, q);
    for (size_t i = 0; i < req->n_query; i++)
        if (luc_param_set(list_rows, req->query[i].key, req->query[i].value, q, &err)) {
            api_fail(res, req, API_PROBLEM_BAD_PARAMETER, &err);
            return false;
        }
    return true;
}

/* Takes l->list. */
static void answer_list(struct listing *l, const char *key, int64_t limit,
                        const struct api_request *req, struct api_response *res)
{
    json_t *doc = json_object();
    char cursor[32];
    snprintf(cursor, sizeof(cursor), "%lld", (long long)l->last);
    const bool more = json_array_size(l->list) == (size_t)limit;
    api_json_set(doc, "cursor", more ? json_string(cursor) : json_null());
    api_json_set(doc, key, l->list);
    api_answer_json(res, req, doc);
}

static void add_row(void *to, const struct api_collection *row)
{
    struct listing *l = to;
    json_array_append_new(l->list, row_json(row));
    l->last = row->cursor;
}

/* GET /collections?limit=&cursor= */
void api_get_collections(const struct api_env *env, const struct api_request *req, const char *tail,
                         struct api_response *res)
{
    struct luc_error err = { 0 };
    struct listing l = { 0 };
    struct list_query q;
    (void)tail;
    if (!is_kept(env, req, res) || !read_list(req, &q, res))
        return;
    l.list = json_array();
    if (!env->collections->list(env->collections->ctx, req->owner, q.cursor, (size_t)q.limit,
                                add_row, &l, &err)) {
        answer_list(&l, "collections", q.limit, req, res);
        return;
    }
    json_decref(l.list);
    fail(res, req, &err);
}

static void add_picture(void *to, const struct api_kept_picture *p)
{
    struct listing *l = to;
    char href[160];
    json_t *o = json_object();
    snprintf(href, sizeof(href), "/collections/%.40s/images/%.64s", l->id, p->ref.sha256);
    api_json_set(o, "sha256", json_string(p->ref.sha256));
    api_json_set(o, "name", api_json_text(p->ref.name));
    api_json_set(o, "label", api_json_text(p->ref.label));
    api_json_set(o, "type", api_json_text(p->type));
    api_json_set(o, "bytes", json_integer((json_int_t)p->ref.size));
    api_json_set(o, "width", json_integer((json_int_t)p->ref.width));
    api_json_set(o, "height", json_integer((json_int_t)p->ref.height));
    api_json_set(o, "href", json_string(href));
    json_array_append_new(l->list, o);
    l->last = p->cursor;
}

/* GET /collections/{collection}/images?limit=&cursor= */
void api_get_pictures(const struct api_env *env, const struct api_request *req, const char *tail,
                      struct api_response *res)
{
    struct luc_error err = { 0 };
    struct listing l = { .id = tail };
    struct list_query q;
    if (!is_kept(env, req, res) || !read_list(req, &q, res))
        return;
    l.list = json_array();
    if (!env->collections->pictures(env->collections->ctx, req->owner, tail, q.cursor,
                                    (size_t)q.limit, add_picture, &l, &err)) {
        answer_list(&l, "images", q.limit, req, res);
        return;
    }
    json_decref(l.list);
    fail(res, req, &err);
}

/* ---- one collection ------------------------------------------------------------------------- */

static void add_label(void *to, const char *label, size_t n)
{
    json_t *o = json_object();
    api_json_set(o, "label", api_json_text(label));
    api_json_set(o, "images", json_integer((json_int_t)n));
    json_array_append_new(to, o);
}

/* Its row with its labels; NULL with *err. */
static json_t *whole(const struct api_env *env, const struct api_request *req, const char *id,
                     struct luc_error *err)
{
    const struct api_collections *c = env->collections;
    struct api_collection row;
    json_t *labels = json_array();
    enum luc_status st = c->get(c->ctx, req->owner, id, &row, err);
    if (!st)
        st = c->labels(c->ctx, req->owner, id, LABELS_MAX, add_label, labels, err);
    if (st) {
        json_decref(labels);
        return NULL;
    }
    json_t *doc = row_json(&row), *links = json_object();
    char path[96];
    api_json_set(doc, "labels", labels);
    snprintf(path, sizeof(path), "/collections/%s", row.id);
    api_json_set(links, "self", json_string(path));
    snprintf(path, sizeof(path), "/collections/%s/images", row.id);
    api_json_set(links, "images", json_string(path));
    api_json_set(doc, "links", links);
    return doc;
}

/* GET /collections/{collection} */
void api_get_collection(const struct api_env *env, const struct api_request *req, const char *tail,
                        struct api_response *res)
{
    struct luc_error err = { 0 };
    if (!is_kept(env, req, res))
        return;
    json_t *doc = whole(env, req, tail, &err);
    if (doc)
        api_answer_json(res, req, doc);
    else
        fail(res, req, &err);
}

static void drop(const struct api_env *env, const struct api_request *req, const char *id,
                 const char *sha256, struct api_response *res)
{
    struct luc_error err = { 0 };
    if (!is_kept(env, req, res))
        return;
    if (env->collections->remove(env->collections->ctx, req->owner, id, sha256, &err))
        fail(res, req, &err);
    else
        res->status = 204;
}

/* DELETE /collections/{collection} */
void api_delete_collection(const struct api_env *env, const struct api_request *req,
                           const char *tail, struct api_response *res)
{
    drop(env, req, tail, NULL, res);
}

/* ---- making one ------------------------------------------------------------------------------ */

/* A name or label out of a request: UTF-8 text without control characters. */
static enum luc_status read_text(struct api_view v, const char *key, char text[API_NAME_MAX],
                                 struct luc_error *err)
{
    if (v.size >= API_NAME_MAX)
        return luc_fail_param(err, LUC_INVALID, key, "%s: longer than %d bytes", key,
                              API_NAME_MAX - 1);
    for (size_t i = 0; i < v.size; i++)
        if ((unsigned char)v.at[i] < ' ' || v.at[i] == 127)
            return luc_fail_param(err, LUC_INVALID, key, "%s: holds a control character", key);
    if (v.size)
        memcpy(text, v.at, v.size);
    text[v.size] = '\0';
    json_t *checked = json_string(text);
    json_decref(checked);
    return checked ? LUC_OK : luc_fail_param(err, LUC_INVALID, key, "%s: is not UTF-8", key);
}

static bool is_called(const struct api_part *p, const char *name)
{
    return p->name.size == strlen(name) && memcmp(p->name.at, name, p->name.size) == 0;
}

static enum luc_status unknown_part(const struct api_part *p, const char *takes,
                                    struct luc_error *err)
{
    char key[LUC_ERROR_PARAM];
    snprintf(key, sizeof(key), "%.*s", (int)(p->name.size < 30 ? p->name.size : 30), p->name.at);
    return luc_fail_param(err, LUC_INVALID, key, "unknown field '%s'; this takes %s", key, takes);
}

static enum luc_status name_of_form(const struct api_request *req, char name[API_NAME_MAX],
                                    struct luc_error *err)
{
    struct api_form form;
    enum luc_status st = api_form_parse(req->content_type, req->body, req->body_size, &form, err);
    for (size_t i = 0; i < form.n_parts && !st; i++)
        st = is_called(&form.part[i], "name") ? read_text(form.part[i].bytes, "name", name, err)
                                              : unknown_part(&form.part[i], "name", err);
    return st;
}

static enum luc_status name_of_json(const struct api_request *req, char name[API_NAME_MAX],
                                    struct luc_error *err)
{
    json_error_t why;
    json_t *doc =
        json_loadb(req->body_size ? req->body : "", req->body_size, JSON_REJECT_DUPLICATES, &why);
    const json_t *text = json_object_get(doc, "name");
    enum luc_status st;
    if (!doc)
        st = luc_fail_param(err, LUC_INVALID, "name", "the body is not JSON: %.80s", why.text);
    else if (!json_is_string(text) || json_object_size(doc) != 1)
        st = luc_fail_param(err, LUC_INVALID, "name", "the body must be {\"name\": \"...\"}");
    else
        st = read_text((struct api_view){ json_string_value(text), json_string_length(text) },
                       "name", name, err);
    json_decref(doc);
    return st;
}

/* POST /collections */
void api_post_collections(const struct api_env *env, const struct api_request *req,
                          const char *tail, struct api_response *res)
{
    struct luc_error err = { 0 };
    char name[API_NAME_MAX] = "", id[API_ID_MAX] = "";
    (void)tail;
    if (!is_kept(env, req, res))
        return;
    enum luc_status st = api_media_is(req->content_type, "application/json")
                             ? name_of_json(req, name, &err)
                         : req->content_type ? name_of_form(req, name, &err)
                                             : LUC_OK;
    if (!st && !*name)
        st = luc_fail_param(&err, LUC_INVALID, "name", "name: a collection needs one");
    if (st) {
        api_fail(res, req, *err.param ? API_PROBLEM_BAD_PARAMETER : API_PROBLEM_BAD_REQUEST, &err);
        return;
    }
    json_t *doc = NULL;
    if (!env->collections->create(env->collections->ctx, req->owner, name, id, &err))
        doc = whole(env, req, id, &err);
    if (!doc) {
        fail(res, req, &err);
        return;
    }
    api_answer_json(res, req, doc);
    if (res->status == 200)
        res->status = 201;
    api_header(res, "Location", "/collections/%s", id);
}

/* ---- adding pictures -------------------------------------------------------------------------- */

/* What a form brings; texts belong to its pictures. */
struct adding {
    const struct api_env *env;
    struct api_new_picture *pictures;
    struct {
        char sha256[API_SHA256_MAX], name[API_NAME_MAX], label[API_NAME_MAX];
    } * texts;
    size_t n;
    char label[API_NAME_MAX]; /* of the pictures that come now */
};

static enum luc_status take_picture(struct adding *a, const struct api_part *p,
                                    struct luc_error *err)
{
    struct luc_image_info info = { 0 };
    const size_t i = a->n;
    enum luc_status st =
        api_image_check(p->bytes.at, p->bytes.size, a->env->limits.image_pixels, &info, err);
    if (!st)
        st = api_sha256(p->bytes.at, p->bytes.size, a->texts[i].sha256, err);
    api_file_name(p->file, a->texts[i].name);
    if (st) { /* which of the many */
        char text[LUC_ERROR_TEXT];
        memcpy(text, err->text, sizeof(text));
        return luc_fail_param(err, st, "image", "picture %zu (%.60s): %.150s", i + 1,
                              a->texts[i].name, text);
    }
    memcpy(a->texts[i].label, a->label, sizeof(a->label));
    a->pictures[i] = (struct api_new_picture){
        .ref = { a->texts[i].sha256, a->texts[i].name, a->texts[i].label, p->bytes.size, info.width,
                 info.height },
        .bytes = p->bytes.at,
        .type = luc_image_media_type(info.format),
    };
    a->n++;
    return LUC_OK;
}

static enum luc_status read_pictures(struct adding *a, const struct api_form *form,
                                     struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    a->pictures = calloc(form->n_parts + 1, sizeof(*a->pictures));
    a->texts = calloc(form->n_parts + 1, sizeof(*a->texts));
    if (!a->pictures || !a->texts)
        return luc_fail_nomem(err, "pictures", form->n_parts * sizeof(*a->texts));
    for (size_t i = 0; i < form->n_parts && !st; i++) {
        const struct api_part *p = &form->part[i];
        st = is_called(p, "image")   ? take_picture(a, p, err)
             : is_called(p, "label") ? read_text(p->bytes, "label", a->label, err)
                                     : unknown_part(p, "image and label", err);
    }
    if (!st && a->n == 0)
        st = luc_fail(err, LUC_INVALID,
                      "a picture is missing: send one or more as the form's parts 'image', as in "
                      "curl -F label=cat -F image=@cat.jpg");
    return st;
}

static void answer_added(const struct adding *a, size_t n_added, const char *id,
                         const struct api_request *req, struct api_response *res)
{
    struct luc_error err = { 0 };
    json_t *doc = json_object(), *all = whole(a->env, req, id, &err);
    if (!all) {
        json_decref(doc);
        fail(res, req, &err);
        return;
    }
    api_json_set(doc, "added", json_integer((json_int_t)n_added));
    api_json_set(doc, "known", json_integer((json_int_t)(a->n - n_added)));
    api_json_set(doc, "collection", all);
    api_answer_json(res, req, doc);
    if (res->status == 200)
        res->status = 201;
    api_header(res, "Location", "/collections/%s/images", id);
}

/* POST /collections/{collection}/images */
void api_post_pictures(const struct api_env *env, const struct api_request *req, const char *tail,
                       struct api_response *res)
{
    struct luc_error err = { 0 };
    struct adding a = { .env = env };
    struct api_form form;
    size_t n_added = 0;
    if (!is_kept(env, req, res))
        return;
    const struct api_collections *c = env->collections;
    struct api_collection row;
    if (c->get(c->ctx, req->owner, tail, &row, &err)) {
        fail(res, req, &err);
        return;
    }
    enum luc_status st =
        api_media_is(req->content_type, "multipart/form-data")
            ? api_form_parse(req->content_type, req->body, req->body_size, &form, &err)
            : luc_fail(&err, LUC_INVALID, "pictures come as parts 'image' of a form");
    if (!st)
        st = read_pictures(&a, &form, &err);
    if (st == LUC_INVALID)
        api_fail(res, req, *err.param ? API_PROBLEM_BAD_PARAMETER : API_PROBLEM_BAD_REQUEST, &err);
    else if (!st && !c->add(c->ctx, req->owner, tail, a.pictures, a.n, &n_added, &err))
        answer_added(&a, n_added, tail, req, res);
    else if (st)
        api_fail(res, req,
                 st == LUC_FORMAT || st == LUC_UNSUPPORTED ? API_PROBLEM_BAD_MEDIA
                 : st == LUC_TOO_LARGE                     ? API_PROBLEM_TOO_LARGE
                                                           : API_PROBLEM_INTERNAL,
                 &err);
    else
        fail(res, req, &err);
    free(a.pictures);
    free(a.texts);
}

/* ---- one picture ------------------------------------------------------------------------------ */

/* "id/hash"; false: a tail that names neither. */
static bool split(const char *tail, char id[API_ID_MAX], const char **sha256)
{
    const size_t n = strcspn(tail, "/");
    if (n >= API_ID_MAX || !tail[n])
        return false;
    memcpy(id, tail, n);
    id[n] = '\0';
    *sha256 = tail + n + 1;
    return true;
}

/* GET /collections/{collection}/images/{image} */
void api_get_picture(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res)
{
    struct luc_error err = { 0 };
    struct luc_image_info info = { 0 };
    char id[API_ID_MAX], *bytes = NULL;
    const char *sha256 = "";
    size_t size = 0;
    if (!is_kept(env, req, res))
        return;
    enum luc_status st = split(tail, id, &sha256)
                             ? env->collections->file(env->collections->ctx, req->owner, id, sha256,
                                                      &bytes, &size, &err)
                             : luc_fail(&err, LUC_NOT_FOUND, "there is no such picture");
    if (!st)
        st = luc_image_probe(bytes, size, &info, &err);
    if (st) {
        free(bytes);
        fail(res, req, &err);
        return;
    }
    res->status = 200;
    res->type = luc_image_media_type(info.format);
    res->body = (struct luc_str){ .data = bytes, .len = size, .cap = size + 1 };
    api_header(res, "ETag", "\"%s\"", sha256);
}

/* DELETE /collections/{collection}/images/{image} */
void api_delete_picture(const struct api_env *env, const struct api_request *req, const char *tail,
                        struct api_response *res)
{
    char id[API_ID_MAX];
    const char *sha256 = "";
    if (split(tail, id, &sha256))
        drop(env, req, id, sha256, res);
    else
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "there is no such picture");
}

/* ---- a job's pictures ------------------------------------------------------------------------- */

struct filling {
    struct api_job *job;
    enum luc_status st;
    struct luc_error *err;
};

static void refer(void *to, const struct api_kept_picture *picture)
{
    struct filling *f = to;
    if (!f->st)
        f->st = api_job_add_ref(f->job, &picture->ref, f->err);
}

enum luc_status api_job_add_collection(struct api_job *job, const struct api_env *env,
                                       const char *owner, const char *id, struct luc_error *err)
{
    struct filling f = { .job = job, .err = err };
    if (!env->collections || !env->jobs)
        return luc_fail_param(err, LUC_INVALID, "collection",
                              "collection: this server keeps no collections");
    if (job->n_images > 0)
        return luc_fail_param(err, LUC_INVALID, "collection",
                              "collection: send pictures or name a collection, not both");
    enum luc_status st =
        env->collections->pictures(env->collections->ctx, owner, id, 0, SIZE_MAX, refer, &f, err);
    if (!st)
        st = f.st;
    if (st == LUC_NOT_FOUND)
        return luc_fail_param(err, LUC_INVALID, "collection", "collection: there is no %.40s", id);
    if (!st && job->n_images < job->what->method->images_min)
        return luc_fail_param(err, LUC_INVALID, "collection", "collection: %.40s is empty", id);
    return st;
}
