#include "api/pages.h"
#include "core/model/layers.h"

#include <string.h>

#define LISTING_BYTES ((size_t)256 << 20) /* shapes and fields of the largest network */

struct listing {
    json_t *list;
    const char *want, *standard; /* want: one name only, or NULL */
};

static void add_model(void *to, const struct api_model_info *info)
{
    struct listing *l = to;
    if (l->want && strcmp(l->want, info->name) != 0)
        return;
    json_t *o = json_object();
    api_json_set(o, "name", api_json_text(info->name));
    api_json_set(o, "title", api_json_text(info->title ? info->title : info->name));
    api_json_set(o, "task", api_json_text(info->task ? info->task : ""));
    api_json_set(o, "licence", api_json_text(info->licence ? info->licence : ""));
    api_json_set(o, "installed", json_boolean(info->installed));
    api_json_set(o, "loaded", json_boolean(info->loaded));
    api_json_set(o, "default", json_boolean(strcmp(info->name, l->standard) == 0));
    json_array_append_new(l->list, o);
}

/* A failure outside the request's own words: only 404 is the client's. */
static void fail(struct api_response *res, const struct api_request *req,
                 const struct luc_error *err)
{
    api_fail(res, req,
             err->code == LUC_NOT_FOUND                                ? API_PROBLEM_NOT_FOUND
             : err->code == LUC_BUSY                                   ? API_PROBLEM_BUSY
             : err->code == LUC_TOO_LARGE || err->code == LUC_NOMEM    ? API_PROBLEM_TOO_LARGE
             : err->code == LUC_FORMAT || err->code == LUC_UNSUPPORTED ? API_PROBLEM_CANNOT
                                                                       : API_PROBLEM_INTERNAL,
             err);
}

/* GET /models */
void api_get_models(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    struct luc_error err = { 0 };
    struct listing l = { json_array(), NULL, env->model };
    (void)tail;
    if (env->models(env->ctx, add_model, &l, &err)) {
        json_decref(l.list);
        fail(res, req, &err);
        return;
    }
    json_t *doc = json_object();
    api_json_set(doc, "models", l.list);
    api_answer_json(res, req, doc);
}

static json_t *reals(const float *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, api_json_number((double)v[i]));
    return a;
}

static json_t *size_json(size_t width, size_t height)
{
    json_t *a = json_array();
    if (width == 0 || height == 0)
        return json_decref(a), json_null();
    json_array_append_new(a, json_integer((json_int_t)width));
    json_array_append_new(a, json_integer((json_int_t)height));
    return a;
}

static json_t *input_json(const struct luc_pixels *in)
{
    static const char *const orders[] = { "RGB", "BGR", "gray" };
    static const char *const fits[] = { "resize", "crop", "native" };
    const size_t n = in->channels == LUC_GRAY ? 1 : 3;
    json_t *o = json_object();
    api_json_set(o, "channels", json_string(orders[in->channels]));
    api_json_set(o, "mean", reals(in->mean, n));
    api_json_set(o, "scale", reals(in->scale, n));
    api_json_set(o, "size", size_json(in->width, in->height));
    api_json_set(o, "fit", json_string(fits[in->fit]));
    return o;
}

static size_t count_parameters(const struct luc_graph *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].constant.data)
            n += luc_numel(&g->values[i].constant.shape);
    return n;
}

static void add_details(json_t *o, const struct luc_model *m)
{
    json_t *aliases = json_object();
    for (size_t i = 0; i < m->n_aliases; i++)
        api_json_set(aliases, m->aliases[i].name,
                     api_json_text(m->graph->values[m->aliases[i].value].name));
    api_json_set(o, "loaded", json_true());
    api_json_set(o, "hash", api_json_text(m->hash ? m->hash : ""));
    api_json_set(o, "bytes", json_integer((json_int_t)m->bytes));
    api_json_set(o, "parameters", json_integer((json_int_t)count_parameters(m->graph)));
    api_json_set(o, "nodes", json_integer((json_int_t)m->graph->n_nodes));
    api_json_set(o, "classes", json_integer((json_int_t)m->n_classes));
    api_json_set(o, "input", input_json(&m->in));
    api_json_set(o, "aliases", aliases);
}

/* GET /models/{model}: what the catalog says; of an installed network also what is inside. */
void api_get_model(const struct api_env *env, const struct api_request *req, const char *tail,
                   struct api_response *res)
{
    struct luc_error err = { 0 };
    struct listing l = { json_array(), tail, env->model };
    const struct luc_model *m = NULL;
    enum luc_status st = env->models(env->ctx, add_model, &l, &err);
    json_t *o = json_array_get(l.list, 0);
    if (!st && !o)
        st = luc_fail(&err, LUC_NOT_FOUND, "no network is called '%.60s'; GET /models lists them",
                      tail);
    if (!st && json_is_true(json_object_get(o, "installed")))
        st = env->model_get(env->ctx, tail, &m, &err);
    if (st) {
        fail(res, req, &err);
    } else {
        if (m)
            add_details(o, m);
        api_answer_json(res, req, json_incref(o));
    }
    if (m)
        env->model_put(env->ctx, m);
    json_decref(l.list);
}

static json_t *pair(const double v[2])
{
    json_t *a = json_array();
    json_array_append_new(a, api_json_number(v[0]));
    json_array_append_new(a, api_json_number(v[1]));
    return a;
}

static json_t *layer_json(const struct luc_layer *l)
{
    json_t *o = json_object(), *dims = json_array(), *field = json_object();
    for (size_t i = 0; i < l->shape.rank; i++)
        json_array_append_new(dims, json_integer((json_int_t)l->shape.dim[i]));
    if (l->field.known && !l->field.whole) {
        api_json_set(field, "size", pair(l->field.size));
        api_json_set(field, "stride", pair(l->field.stride));
        api_json_set(field, "start", pair(l->field.start));
    }
    api_json_set(field, "whole", json_boolean(l->field.whole));
    api_json_set(o, "name", api_json_text(l->name));
    api_json_set(o, "alias", *l->alias ? api_json_text(l->alias) : json_null());
    api_json_set(o, "operator", api_json_text(l->op));
    api_json_set(o, "shape", dims);
    api_json_set(o, "parameters", json_integer((json_int_t)l->n_parameters));
    api_json_set(o, "receptive_field", l->field.known ? json_incref(field) : json_null());
    json_decref(field);
    return o;
}

static json_t *layers_json(const char *name, const struct luc_layers *l)
{
    json_t *doc = json_object(), *rows = json_array();
    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(rows, layer_json(&l->rows[i]));
    api_json_set(doc, "model", api_json_text(name));
    api_json_set(doc, "size", size_json(l->width, l->height));
    api_json_set(doc, "parameters", json_integer((json_int_t)l->n_parameters));
    api_json_set(doc, "gflop", api_json_number(l->flops / 1e9));
    api_json_set(doc, "layers", rows);
    return doc;
}

/* GET /models/{model}/layers */
void api_get_layers(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    struct luc_error err = { 0 };
    const struct luc_model *m = NULL;
    struct luc_layers layers;
    struct luc_arena *arena = luc_arena_create(LISTING_BYTES);
    enum luc_status st = arena ? env->model_get(env->ctx, tail, &m, &err)
                               : luc_fail_nomem(&err, "a list of layers", LISTING_BYTES);
    if (!st)
        st = luc_model_layers(m, 0, 0, arena, &layers, &err);
    if (st)
        fail(res, req, &err);
    else
        api_answer_json(res, req, layers_json(tail, &layers));
    if (m)
        env->model_put(env->ctx, m);
    luc_arena_destroy(arena);
}
