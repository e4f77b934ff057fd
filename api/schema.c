#include "api/pages.h"
#include "api/params.h"

#include <math.h>
#include <string.h>

static json_t *names(const char *const *list)
{
    json_t *a = json_array();
    for (size_t i = 0; list && list[i]; i++)
        json_array_append_new(a, json_string(list[i]));
    return a;
}

/* What a value must be. Lists travel as text, comma-separated: a form has one field for each
 * parameter. */
static void set_value(json_t *o, const struct luc_param *p)
{
    static const char *const types[] = { "integer", "number", "boolean", "string" };
    const struct luc_param_kind *k = luc_param_kind(p);
    api_json_set(o, "type", json_string(types[k->json]));
    if (p->type == LUC_PARAM_CHOICE) {
        api_json_set(o, "enum", names(p->choices));
    } else if (k->json == LUC_JSON_STRING) {
        api_json_set(o, "maxLength", json_integer(LUC_TEXT_MAX - 1));
        if (p->choices)
            api_json_set(o, "examples", names(p->choices));
        if (k->pattern)
            api_json_set(o, "pattern", json_string(k->pattern));
    } else if (k->json != LUC_JSON_BOOLEAN) {
        if (isfinite(p->min))
            api_json_set(o, "minimum", api_json_number(p->min));
        if (isfinite(p->max))
            api_json_set(o, "maximum", api_json_number(p->max));
    }
}

/* A number, or "auto". */
static json_t *either(const struct luc_param *p)
{
    json_t *number = json_object(), *word = json_object(), *both = json_array();
    set_value(number, p);
    api_json_set(word, "const", json_string("auto"));
    json_array_append_new(both, number);
    json_array_append_new(both, word);
    return both;
}

/* `own`: what is special about the method, not what methods have in common. */
static json_t *property(const struct luc_param *p, bool own)
{
    json_t *o = json_object();
    struct luc_str usual = { 0 };
    api_json_set(o, "description", api_json_text(p->doc));
    if (luc_param_kind(p)->automatic)
        api_json_set(o, "oneOf", either(p));
    else
        set_value(o, p);
    luc_param_print_default(p, &usual);
    api_json_set(o, "default", api_param_json(p, usual.data ? usual.data : ""));
    luc_str_done(&usual);
    if (*p->unit)
        api_json_set(o, "x-unit", json_string(p->unit));
    if (own)
        api_json_set(o, "x-own", json_true());
    return o;
}

json_t *api_schema(const struct luc_method *m, const char *model)
{
    json_t *schema = json_object(), *properties = json_object();
    const struct luc_param *rows;
    for (size_t i = 0; (rows = api_method_table(m, i)); i++)
        for (const struct luc_param *p = rows; p->key; p++)
            api_json_set(properties, p->key, property(p, rows == m->params));
    if ((m->groups & LUC_GROUP_INPUT) && model)
        api_json_set(json_object_get(properties, "model"), "default",
                     api_json_text(api_default_model(m, model)));
    api_json_set(schema, "type", json_string("object"));
    api_json_set(schema, "additionalProperties", json_false());
    api_json_set(schema, "properties", properties);
    return schema;
}
