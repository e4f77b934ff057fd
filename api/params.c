#include "api/params.h"
#include "api/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = { "auto", "png", "jpeg", "json", "npy", NULL };

/* clang-format off */
static const struct luc_param seed_rows[] = {
    LUC_INT(struct api_seed, seed, 0, 0, 9007199254740991, "",
            "Where the random numbers start: the same seed gives the same bits."),
    LUC_PARAM_END,
};

static const struct luc_param pool_rows[] = {
    LUC_TEXT(struct api_pool, collection, "",
             "Look at the pictures of this collection, by its id in /collections, in place of `image`."),
    LUC_PARAM_END,
};

static const struct luc_param answer_rows[] = {
    LUC_CHOICE(struct api_answer, format, 0, 5, format_names,
               "What to answer with; auto: what the Accept header asks for."),
    LUC_INT(struct api_answer, quality, 90, 1, 100, "", "Quality of a JPEG answer."),
    LUC_BOOL(struct api_answer, embed, 0, "Put the pictures into a JSON answer, as data: URIs."),
    LUC_PARAM_END,
};
/* clang-format on */

/* One of the tables that together are a method's parameters, and where its struct lies. */
struct section {
    const struct luc_param *rows;
    size_t offset;
};

static bool section_at(const struct luc_method *m, size_t i, struct section *s)
{
    const struct {
        bool used;
        struct section section;
    } all[] = {
        { m->params != NULL, { m->params, SIZE_MAX } },
        { m->groups & LUC_GROUP_INPUT, { luc_input_rows, offsetof(struct api_params, input) } },
        { m->groups & LUC_GROUP_VIEW, { luc_view_rows, offsetof(struct api_params, view) } },
        { m->groups & LUC_GROUP_SEED, { seed_rows, offsetof(struct api_params, seed) } },
        { m->groups & LUC_GROUP_COLLECTION, { pool_rows, offsetof(struct api_params, pool) } },
        { true, { answer_rows, offsetof(struct api_params, answer) } },
    };
    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
        if (all[k].used && i-- == 0)
            return *s = all[k].section, true;
    return false;
}

const struct luc_param *api_method_table(const struct luc_method *m, size_t i)
{
    struct section s;
    return section_at(m, i, &s) ? s.rows : NULL;
}

static void *section_data(const struct api_params *p, const struct section *s)
{
    return s->offset == SIZE_MAX ? p->own : (char *)(uintptr_t)p + s->offset;
}

enum luc_status api_params_init(struct api_params *p, const struct luc_method *m,
                                struct luc_error *err)
{
    struct section s;
    void *own = calloc(1, m->params_size ? m->params_size : 1);
    if (!own)
        return luc_fail_nomem(err, "parameters", m->params_size);
    *p = (struct api_params){ .method = m, .own = own };
    for (size_t i = 0; section_at(m, i, &s); i++)
        luc_params_default(s.rows, section_data(p, &s));
    return LUC_OK;
}

void api_params_done(struct api_params *p)
{
    free(p->own);
    *p = (struct api_params){ 0 };
}

static enum luc_status unknown(const struct luc_method *m, const char *key, struct luc_error *err)
{
    char known[LUC_ERROR_TEXT - 80] = "";
    size_t used = 0;
    const struct luc_param *rows;
    for (size_t i = 0; (rows = api_method_table(m, i)); i++)
        for (const struct luc_param *row = rows; row->key; row++) {
            const size_t n = strlen(row->key);
            if (used + n + 3 > sizeof(known))
                continue;
            used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
                                     row->key);
        }
    return luc_fail_param(err, LUC_INVALID, key, "unknown parameter '%.30s'; %s takes %s", key,
                          m->name, known);
}

enum luc_status api_params_set(struct api_params *p, const char *key, const char *text,
                               struct luc_error *err)
{
    struct section s;
    for (size_t i = 0; section_at(p->method, i, &s); i++)
        if (luc_param_find(s.rows, key))
            return luc_param_set(s.rows, key, text, section_data(p, &s), err);
    return unknown(p->method, key, err);
}

json_t *api_param_json(const struct luc_param *row, const char *text)
{
    const struct luc_param_kind *k = luc_param_kind(row);
    if (k->json == LUC_JSON_BOOLEAN)
        return json_boolean(strcmp(text, "true") == 0);
    if (k->json == LUC_JSON_STRING || (k->automatic && strcmp(text, "auto") == 0))
        return api_json_text(text); /* lists too: as they are written in a request */
    return k->json == LUC_JSON_INTEGER ? json_integer(strtoll(text, NULL, 10))
                                       : api_json_number(strtod(text, NULL));
}

static json_t *value_json(const struct luc_param *row, const void *data)
{
    struct luc_str text = { 0 };
    luc_param_print(row, data, &text);
    json_t *made = text.failed ? NULL : api_param_json(row, text.data ? text.data : "");
    luc_str_done(&text);
    return made;
}

json_t *api_params_json(const struct api_params *p)
{
    json_t *all = json_object();
    struct section s;
    for (size_t i = 0; section_at(p->method, i, &s); i++)
        for (const struct luc_param *row = s.rows; row->key && s.rows != answer_rows; row++)
            api_json_set(all, row->key, value_json(row, section_data(p, &s)));
    return all;
}

void api_offers(const struct luc_method *m, struct api_offers *offers)
{
    const bool draws = (m->groups & LUC_GROUP_VIEW) != 0;
    const struct {
        const char *type;
        enum api_format format;
        bool possible;
    } all[] = {
        { "image/png", API_FORMAT_PNG, draws || m->makes_picture },
        { "image/jpeg", API_FORMAT_JPEG, draws || m->makes_picture },
        { "application/json", API_FORMAT_JSON, true },
        { "application/x-npy", API_FORMAT_NPY, draws },
    };
    *offers = (struct api_offers){ 0 };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].possible)
            continue;
        offers->type[offers->n] = all[i].type;
        offers->format[offers->n++] = all[i].format;
    }
}
