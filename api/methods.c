#include "api/pages.h"
#include "api/params.h"

static json_t *describe(const struct api_env *env, const struct api_method *what)
{
    const struct luc_method *m = what->method;
    struct api_offers offers;
    api_offers(m, &offers);
    json_t *o = json_object(), *images = json_object(), *answers = json_array();
    for (size_t i = 0; i < offers.n; i++)
        json_array_append_new(answers, json_string(offers.type[i]));
    api_json_set(images, "min", json_integer((json_int_t)m->images_min));
    api_json_set(images, "max", json_integer((json_int_t)m->images_max));
    api_json_set(o, "name", json_string(m->name));
    api_json_set(o, "title", api_json_text(m->title));
    api_json_set(o, "summary", api_json_text(m->summary));
    api_json_set(o, "paper", api_json_text(m->paper));
    api_json_set(o, "tag", json_string(what->tag));
    api_json_set(o, "cost", json_string(what->cost == API_QUICK ? "quick" : "slow"));
    api_json_set(o, "needs_classes", json_boolean(m->needs_classes));
    api_json_set(o, "images", images);
    api_json_set(o, "answers", answers);
    api_json_set(o, "parameters", api_schema(m, env->model));
    return o;
}

/* GET /methods */
void api_get_methods(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res)
{
    json_t *doc = json_object(), *list = json_array();
    (void)tail;
    for (size_t i = 0; api_method_at(i); i++)
        json_array_append_new(list, describe(env, api_method_at(i)));
    api_json_set(doc, "methods", list);
    api_answer_json(res, req, doc);
}

/* GET /methods/{name} */
void api_get_method(const struct api_env *env, const struct api_request *req, const char *tail,
                    struct api_response *res)
{
    const struct api_method *what = api_method_find(tail);
    if (what)
        api_answer_json(res, req, describe(env, what));
    else
        api_refuse(res, req, API_PROBLEM_NOT_FOUND, "no method is called '%.40s'", tail);
}
