#include "core/base/param.h"

#include <string.h>

const struct luc_param *luc_param_find(const struct luc_param *table, const char *key)
{
    for (const struct luc_param *p = table; p && p->key; p++)
        if (strcmp(p->key, key) == 0)
            return p;
    return NULL;
}

static void *field_of(const struct luc_param *p, void *dst)
{
    return (char *)dst + p->offset;
}

void luc_params_default(const struct luc_param *table, void *dst)
{
    for (const struct luc_param *p = table; p && p->key; p++) {
        const struct luc_param_kind *k = luc_param_kind(p);
        if (k->least == 1 && !k->automatic)
            k->store(p, &p->def, 1, field_of(p, dst));
        else /* luc_params_verify proves it cannot fail */
            (void)!k->parse(p, luc_param_default(p), field_of(p, dst), NULL);
    }
}

const char *luc_param_default(const struct luc_param *row)
{
    return row->type == LUC_PARAM_CHOICE ? row->choices[(size_t)row->def]
           : row->def_text               ? row->def_text
                                         : "";
}

static enum luc_status no_such_key(const char *key, struct luc_error *err)
{
    return luc_fail_param(err, LUC_NOT_FOUND, key, "unknown parameter '%.40s'", key);
}

enum luc_status luc_param_set(const struct luc_param *table, const char *key, const char *text,
                              void *dst, struct luc_error *err)
{
    const struct luc_param *p = luc_param_find(table, key);
    return p ? luc_param_kind(p)->parse(p, text, field_of(p, dst), err) : no_such_key(key, err);
}

enum luc_status luc_param_set_numbers(const struct luc_param *table, const char *key,
                                      const double *values, size_t n, void *dst,
                                      struct luc_error *err)
{
    const struct luc_param *p = luc_param_find(table, key);
    if (!p)
        return no_such_key(key, err);
    const struct luc_param_kind *k = luc_param_kind(p);
    if (k->most == 0)
        return luc_fail_param(err, LUC_INVALID, key, "%s: a number where a name is wanted", key);
    if (n < k->least || n > k->most)
        return luc_fail_param(err, LUC_RANGE, key, "%s: %zu values", key, n);
    return luc_param_take(p, values, n, field_of(p, dst), err);
}

void luc_param_print(const struct luc_param *row, const void *src, struct luc_str *out)
{
    luc_param_kind(row)->print(row, (const char *)src + row->offset, out);
}

void luc_param_print_default(const struct luc_param *row, struct luc_str *out)
{
    union {
        char text[LUC_TEXT_MAX];
        struct luc_ints ints;
        struct luc_reals reals;
    } scratch;
    struct luc_param alone[] = { *row, LUC_PARAM_END };
    alone->offset = 0;
    luc_params_default(alone, &scratch);
    luc_param_print(alone, &scratch, out);
}

void luc_param_help(const struct luc_param *row, struct luc_str *out)
{
    const struct luc_param_kind *k = luc_param_kind(row);
    const bool text = k->json == LUC_JSON_STRING && k->least == 0;
    luc_str_puts(out, "(");
    for (size_t i = 0; row->type == LUC_PARAM_CHOICE && row->choices[i]; i++)
        luc_str_printf(out, "%s%s%s", i ? " | " : "", row->choices[i],
                       i == (size_t)row->def ? " [default]" : "");
    if (row->type != LUC_PARAM_CHOICE) {
        if (!text && row->type != LUC_PARAM_BOOL) {
            luc_param_bounds(row, out);
            luc_str_puts(out, ", ");
        }
        luc_str_puts(out, text ? "default '" : "default ");
        luc_param_print_default(row, out);
        luc_str_puts(out, text ? "'" : "");
    }
    luc_str_puts(out, ")");
}

enum luc_status luc_params_verify(const struct luc_param *table, struct luc_error *err)
{
    for (const struct luc_param *p = table; p && p->key; p++) {
        if (!p->doc || !*p->doc || !p->unit)
            return luc_fail(err, LUC_INTERNAL, "%s: doc or unit missing", p->key);
        if (luc_param_find(table, p->key) != p)
            return luc_fail(err, LUC_INTERNAL, "%s: key used twice", p->key);
        const enum luc_status st = luc_param_kind(p)->verify(p, err);
        if (st)
            return st;
    }
    return LUC_OK;
}
