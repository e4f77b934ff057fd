/* pages.h -- the handlers behind api_dispatch() that are not methods, and the routes themselves. */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "api/json.h"
#include "api/problem.h"

/* `tail` is what the route's {name} stands for, "" when it has none. */
typedef void api_handler(const struct api_env *env, const struct api_request *req, const char *tail,
                         struct api_response *res);

/* A path is before + tail, or before + tail + after, or with `last` before + tail + after + last tail,
 * which handlers get with a '/' between them. */
struct api_route {
    const char *before, *after;    /* after NULL: no tail */
    const char *name, *last;       /* of the tails, in the OpenAPI description */
    api_handler *get, *del, *post; /* del, post NULL: cannot be deleted, takes nothing */
    enum api_where where;
    const char *summary; /* for OpenAPI; NULL: not described */
    const char *type;    /* media type of a success */
};
/* NULL past the end. */
const struct api_route *api_route_at(size_t i);

api_handler api_get_methods, api_get_method, api_get_models, api_get_model, api_get_layers,
    api_get_jobs, api_get_job, api_delete_job, api_get_job_result, api_get_job_preview,
    api_get_job_events, api_get_metrics, api_get_openapi, api_get_livez, api_get_readyz,
    api_get_index, api_get_static, api_get_collections, api_post_collections, api_get_collection,
    api_delete_collection, api_get_pictures, api_post_pictures, api_get_picture, api_delete_picture;

/* JSON Schema (2020-12) of a method's parameters; `model` is the default network. */
json_t *api_schema(const struct luc_method *m, const char *model);

#endif
