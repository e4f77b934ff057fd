#include "api/pages.h"
#include "api/params.h"

#include <stdio.h>
#include <string.h>

#define PROBLEM_TYPE "application/problem+json"

static json_t *reference(const char *kind, const char *name)
{
    char path[128];
    json_t *o = json_object();
    snprintf(path, sizeof(path), "#/components/%s/%s", kind, name);
    api_json_set(o, "$ref", json_string(path));
    return o;
}

static json_t *content(const char *type, json_t *schema)
{
    json_t *o = json_object(), *media = json_object();
    api_json_set(media, "schema", schema);
    api_json_set(o, type, media);
    return o;
}

static json_t *binary(void)
{
    json_t *o = json_object();
    api_json_set(o, "type", json_string("string"));
    api_json_set(o, "format", json_string("binary"));
    return o;
}

static json_t *object_schema(void)
{
    json_t *o = json_object();
    api_json_set(o, "type", json_string("object"));
    return o;
}

static json_t *response(const char *text, json_t *body)
{
    json_t *o = json_object();
    api_json_set(o, "description", json_string(text));
    if (body)
        api_json_set(o, "content", body);
    return o;
}

static void add_problem(json_t *responses, unsigned http)
{
    char code[8];
    snprintf(code, sizeof(code), "%u", http);
    api_json_set(responses, code, reference("responses", code));
}

static json_t *picture_headers(const struct luc_method *m)
{
    static const char *const rows[][2] = {
        { "Lucida-Model", "Network that answered" },
        { "Lucida-Class", "Class that was explained" },
        { "Lucida-Probability", "Its probability" },
        { "Lucida-Manifest", "SHA-256 of what the result follows from" },
        { "Lucida-Seed", "Where the random numbers started" },
    };
    const size_t n = sizeof(rows) / sizeof(rows[0]) - (m->groups & LUC_GROUP_SEED ? 0 : 1);
    json_t *all = json_object();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object(), *text = json_object();
        api_json_set(text, "type", json_string("string"));
        api_json_set(o, "description", json_string(rows[i][1]));
        api_json_set(o, "schema", text);
        api_json_set(all, rows[i][0], o);
    }
    return all;
}

static json_t *method_responses(const struct luc_method *m)
{
    static const unsigned problems[] = { 400, 401, 406, 411, 413, 415, 422, 429, 500, 503 };
    json_t *all = json_object(), *body = json_object();
    struct api_offers offers;
    api_offers(m, &offers);
    for (size_t i = 0; i < offers.n; i++) {
        json_t *media = json_object();
        api_json_set(media, "schema",
                     offers.format[i] == API_FORMAT_JSON ? reference("schemas", "Result")
                                                         : binary());
        api_json_set(body, offers.type[i], media);
    }
    json_t *ok = response("The result, as Accept or `format` asked", body);
    api_json_set(ok, "headers", picture_headers(m));
    api_json_set(all, "200", ok);
    if (m->groups & LUC_GROUP_COLLECTION)
        api_json_set(all, "202",
                     response("The job, for a collection; its path is in Location",
                              content("application/json", object_schema())));
    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
        add_problem(all, problems[i]);
    return all;
}

/* The parameters of a method as the fields of a form, with its picture. */
static json_t *form_schema(const struct luc_method *m, const char *model)
{
    json_t *schema = api_schema(m, model);
    if (m->images_max > 0) {
        json_t *image = json_object(), *required = json_array();
        if (m->images_max > 1) {
            api_json_set(image, "type", json_string("array"));
            api_json_set(image, "items", binary());
            api_json_set(image, "minItems", json_integer((json_int_t)m->images_min));
            api_json_set(image, "maxItems", json_integer((json_int_t)m->images_max));
        } else {
            json_decref(image);
            image = binary();
        }
        api_json_set(image, "description", json_string("JPEG, PNG, WebP, GIF, HEIC or AVIF"));
        api_json_set(json_object_get(schema, "properties"), "image", image);
        json_array_append_new(required, json_string("image"));
        if (m->images_min > 0 && !(m->groups & LUC_GROUP_COLLECTION))
            api_json_set(schema, "required", required);
        else
            json_decref(required);
    }
    return schema;
}

/* The same parameters in the query, for a picture sent as the body. */
static json_t *query_parameters(const struct luc_method *m, const char *model)
{
    json_t *list = json_array(), *schema = api_schema(m, model), *value;
    const char *key;
    json_object_foreach(json_object_get(schema, "properties"), key, value)
    {
        json_t *o = json_object();
        api_json_set(o, "name", json_string(key));
        api_json_set(o, "in", json_string("query"));
        api_json_set(o, "schema", json_incref(value));
        json_array_append_new(list, o);
    }
    json_decref(schema);
    return list;
}

static json_t *post_operation(const struct api_method *what, const char *model)
{
    static const char *const raw[] = { "image/jpeg", "image/png", "image/webp" };
    const struct luc_method *m = what->method;
    json_t *o = json_object(), *tags = json_array(), *body = json_object();
    json_t *media = content("multipart/form-data", form_schema(m, model));
    for (size_t i = 0; m->images_max == 1 && i < sizeof(raw) / sizeof(raw[0]); i++) {
        json_t *one = json_object();
        api_json_set(one, "schema", binary());
        api_json_set(media, raw[i], one);
    }
    json_array_append_new(tags, json_string(what->tag));
    api_json_set(body, "required", json_boolean(m->images_min > 0));
    api_json_set(body, "content", media);
    api_json_set(o, "operationId", json_string(m->name));
    api_json_set(o, "summary", api_json_text(m->title));
    api_json_set(o, "description", api_json_text(m->summary));
    api_json_set(o, "tags", tags);
    api_json_set(o, "parameters", query_parameters(m, model));
    api_json_set(o, "requestBody", body);
    api_json_set(o, "responses", method_responses(m));
    return o;
}

static void add_path_parameter(json_t *list, const char *name)
{
    if (name)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in",
                                              "path", "required", 1, "schema", "type", "string"));
}

/* What every operation of a route has: summary, tag, the path's parameters, its responses. */
static json_t *operation(const struct api_route *r, const char *summary, json_t *responses)
{
    json_t *o = json_object(), *list = json_array();
    api_json_set(o, "summary", json_string(summary));
    api_json_set(o, "tags", json_pack("[s]", "about"));
    add_path_parameter(list, r->name);
    add_path_parameter(list, r->last);
    if (r->name) {
        api_json_set(o, "parameters", list);
        add_problem(responses, 404);
    } else {
        json_decref(list);
    }
    if (strcmp(r->before, "/readyz") == 0 || r->where == API_WORKER)
        add_problem(responses, 503);
    api_json_set(o, "responses", responses);
    return o;
}

static json_t *get_operation(const struct api_route *r)
{
    json_t *all = json_object();
    api_json_set(all, "200", response(r->summary, content(r->type, object_schema())));
    return operation(r, r->summary, all);
}

static json_t *delete_operation(const struct api_route *r)
{
    json_t *all = json_object();
    if (r->del == api_delete_job) {
        api_json_set(all, "200", response("The job", content(r->type, object_schema())));
        add_problem(all, 409);
    } else {
        api_json_set(all, "204", response("It is gone", NULL));
    }
    return operation(r, "Removes it", all);
}

static json_t *name_schema(void)
{
    return json_pack("{s:s, s:[s], s:{s:{s:s, s:i}}}", "type", "object", "required", "name",
                     "properties", "name", "type", "string", "maxLength", API_NAME_MAX - 1);
}

static json_t *pictures_schema(void)
{
    return json_pack("{s:s, s:s, s:[s], s:{s:{s:s, s:o, s:i, s:i}, s:{s:s, s:{s:s, s:i}}}}", "type",
                     "object", "description",
                     "Parts are read in their order: a `label` is that of every `image` after it, "
                     "until the next `label`; an empty one ends it.",
                     "required", "image", "properties", "image", "type", "array", "items", binary(),
                     "minItems", 1, "maxItems", API_PARTS_MAX, "label", "type", "array", "items",
                     "type", "string", "maxLength", API_NAME_MAX - 1);
}

static json_t *route_post_operation(const struct api_route *r)
{
    static const unsigned problems[] = { 400, 409, 411, 413, 415, 503 };
    const bool makes = r->post == api_post_collections;
    json_t *all = json_object(), *body = json_object();
    json_t *media = content("multipart/form-data", makes ? name_schema() : pictures_schema());
    if (makes) {
        json_t *json = content("application/json", name_schema());
        json_object_update(media, json);
        json_decref(json);
    }
    api_json_set(all, "201",
                 response(makes ? "The collection, its path in Location"
                                : "How many were added or known, and the collection",
                          content("application/json", object_schema())));
    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
        add_problem(all, problems[i]);
    api_json_set(body, "required", json_true());
    api_json_set(body, "content", media);
    json_t *o =
        operation(r, makes ? "Makes a collection" : "Adds pictures, all of them or none", all);
    api_json_set(o, "requestBody", body);
    return o;
}

static json_t *paths(const struct api_env *env)
{
    json_t *all = json_object();
    char path[128];
    for (size_t i = 0; api_method_at(i); i++) {
        json_t *item = json_object();
        api_json_set(item, "post", post_operation(api_method_at(i), env->model));
        snprintf(path, sizeof(path), "/%s", api_method_at(i)->method->name);
        api_json_set(all, path, item);
    }
    const struct api_route *r;
    for (size_t i = 0; (r = api_route_at(i)); i++) {
        if (!r->summary)
            continue;
        json_t *item = json_object();
        api_json_set(item, "get", get_operation(r));
        if (r->del)
            api_json_set(item, "delete", delete_operation(r));
        if (r->post)
            api_json_set(item, "post", route_post_operation(r));
        if (r->last)
            snprintf(path, sizeof(path), "%s{%s}%s{%s}", r->before, r->name, r->after, r->last);
        else if (r->after)
            snprintf(path, sizeof(path), "%s{%s}%s", r->before, r->name, r->after);
        else
            snprintf(path, sizeof(path), "%s", r->before);
        api_json_set(all, path, item);
    }
    return all;
}

/* One shared response per status; its text lists the problem types that have that status. */
static json_t *problem_responses(void)
{
    json_t *all = json_object();
    for (unsigned http = 400; http < 600; http++) {
        struct luc_str text = { 0 };
        for (size_t i = 0; i < API_PROBLEM_COUNT; i++) {
            const struct api_problem_info *p = api_problem_info((enum api_problem)i);
            if (p->http == http)
                luc_str_printf(&text, "%s`/problems/%s`: %s. %s", text.len ? "\n\n" : "", p->slug,
                               p->title, p->doc);
        }
        if (text.len) {
            char code[8];
            snprintf(code, sizeof(code), "%u", http);
            api_json_set(
                all, code,
                response(text.data, content(PROBLEM_TYPE, reference("schemas", "Problem"))));
        }
        luc_str_done(&text);
    }
    return all;
}

static json_t *problem_schema(void)
{
    return json_pack("{s:s, s:[s,s,s], s:{s:{s:s,s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
                     "s:{s:s, s:{s:s, s:{s:{s:s}, s:{s:s}}}}}}",
                     "type", "object", "required", "type", "title", "status", "properties", "type",
                     "type", "string", "format", "uri-reference", "title", "type", "string",
                     "status", "type", "integer", "detail", "type", "string", "request", "type",
                     "string", "errors", "type", "array", "items", "type", "object", "properties",
                     "parameter", "type", "string", "message", "type", "string");
}

static json_t *result_schema(void)
{
    return json_pack("{s:s, s:s, s:[s,s,s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
                     "s:{s:s, s:s}, s:{s:s}}}",
                     "type", "object", "description",
                     "`result` holds what the method found by key: numbers, texts, tables as "
                     "arrays of objects, and maps and pictures as objects with `kind`, `width`, "
                     "`height` and, with embed=true, `data`, the PNG as a data: URI.",
                     "required", "method", "model", "images", "parameters", "result", "manifest",
                     "properties", "method", "type", "string", "model", "type", "object", "images",
                     "type", "array", "parameters", "type", "object", "result", "type", "object",
                     "description", "By key; see the method", "manifest", "type", "string");
}

static json_t *tags(void)
{
    json_t *list = json_array();
    json_array_append_new(list, json_pack("{s:s}", "name", "about"));
    for (size_t i = 0; api_method_at(i); i++) {
        bool known = false;
        for (size_t k = 0; k < i; k++)
            known = known || strcmp(api_method_at(k)->tag, api_method_at(i)->tag) == 0;
        if (!known)
            json_array_append_new(list, json_pack("{s:s}", "name", api_method_at(i)->tag));
    }
    return list;
}

void api_openapi(const struct api_env *env, struct luc_str *out)
{
    json_t *doc = json_object(), *components = json_object(), *schemas = json_object();
    api_json_set(schemas, "Problem", problem_schema());
    api_json_set(schemas, "Result", result_schema());
    api_json_set(components, "schemas", schemas);
    api_json_set(components, "responses", problem_responses());
    api_json_set(components, "securitySchemes",
                 json_pack("{s:{s:s,s:s,s:s}}", "key", "type", "http", "scheme", "bearer",
                           "description", "Needed once the server has keys."));
    api_json_set(doc, "security", json_pack("[{s:[]},{}]", "key")); /* or none, without keys */
    api_json_set(doc, "openapi", json_string("3.1.0"));
    api_json_set(doc, "info",
                 json_pack("{s:s,s:s,s:s}", "title", "lucida", "version", env->version,
                           "description",
                           "What a convolutional network sees: every method is one POST."));
    api_json_set(doc, "tags", tags());
    api_json_set(doc, "paths", paths(env));
    api_json_set(doc, "components", components);
    api_json_print(doc, false, out);
    json_decref(doc);
}

/* GET /openapi.json */
void api_get_openapi(const struct api_env *env, const struct api_request *req, const char *tail,
                     struct api_response *res)
{
    (void)tail;
    api_openapi(env, &res->body);
    luc_str_puts(&res->body, "\n");
    res->status = 200;
    res->type = "application/json";
    if (res->body.failed)
        api_refuse(res, req, API_PROBLEM_INTERNAL, "out of memory while writing JSON");
}
