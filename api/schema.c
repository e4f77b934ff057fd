#include "api/pages.h"

#include <math.h>
#include <string.h>

static void set_bounds(json_t *o, const struct luc_param *p)
{
    if (isfinite(p->min))
        api_json_set(o, "minimum", api_json_number(p->min));
    if (isfinite(p->max))
        api_json_set(o, "maximum", api_json_number(p->max));
    api_json_set(o, "default", api_json_number(p->def));
}

static json_t *names(const char *const *list)
{
    json_t *a = json_array();
    for (size_t i = 0; list && list[i]; i++)
        json_array_append_new(a, json_string(list[i]));
    return a;
}

/* Lists travel as text, comma-separated: a form has one field for each parameter. */
static void set_text(json_t *o, const struct luc_param *p)
{
    api_json_set(o, "type", json_string("string"));
    api_json_set(o, "maxLength", json_integer(LUC_TEXT_MAX - 1));
    api_json_set(o, "default", api_json_text(p->def_text ? p->def_text : ""));
    if (p->choices)
        api_json_set(o, "examples", names(p->choices));
    if (p->type == LUC_PARAM_INTS || p->type == LUC_PARAM_REALS)
        api_json_set(o, "pattern", json_string("^$|^[^,]+(,[^,]+)*$"));
}

/* `own`: what is special about the method, not what methods have in common. */
static json_t *property(const struct luc_param *p, bool own)
{
    json_t *o = json_object();
    api_json_set(o, "description", api_json_text(p->doc));
    switch (p->type) {
    case LUC_PARAM_INT:
        api_json_set(o, "type", json_string("integer"));
        set_bounds(o, p);
        break;
    case LUC_PARAM_REAL:
        api_json_set(o, "type", json_string("number"));
        set_bounds(o, p);
        break;
    case LUC_PARAM_BOOL:
        api_json_set(o, "type", json_string("boolean"));
        api_json_set(o, "default", json_boolean(p->def != 0));
        break;
    case LUC_PARAM_CHOICE:
        api_json_set(o, "type", json_string("string"));
        api_json_set(o, "enum", names(p->choices));
        api_json_set(o, "default", json_string(p->choices[(size_t)p->def]));
        break;
    case LUC_PARAM_TEXT:
    case LUC_PARAM_INTS:
    case LUC_PARAM_REALS: set_text(o, p); break;
    }
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
