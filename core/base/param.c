#include "core/base/param.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct luc_param *luc_param_find(const struct luc_param *table, const char *key)
{
    for (const struct luc_param *p = table; p && p->key; p++)
        if (strcmp(p->key, key) == 0)
            return p;
    return NULL;
}

static bool is_list(const struct luc_param *p)
{
    return p->type == LUC_PARAM_INTS || p->type == LUC_PARAM_REALS;
}

static bool is_whole(const struct luc_param *p)
{
    return p->type != LUC_PARAM_REAL && p->type != LUC_PARAM_REALS;
}

static bool exact_int(double v)
{
    return v == floor(v) && fabs(v) <= 0x1p63; /* 2^63 itself saturates below */
}

static int64_t to_int(double v)
{
    return v >= 0x1p63 ? INT64_MAX : v <= -0x1p63 ? INT64_MIN : (int64_t)v;
}

static enum luc_status check(const struct luc_param *p, double v, struct luc_error *err)
{
    if (isnan(v) || (is_whole(p) && !exact_int(v)))
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: %.15g is not %s", p->key, v,
                              is_whole(p) ? "a whole number" : "a number");
    if (v < p->min || v > p->max)
        return luc_fail_param(err, LUC_RANGE, p->key, "%s: %.15g is outside [%.15g, %.15g]%s%s",
                              p->key, v, p->min, p->max, *p->unit ? " " : "", p->unit);
    return LUC_OK;
}

static void store(const struct luc_param *p, const double *v, size_t n, void *dst)
{
    void *field = (char *)dst + p->offset;
    if (p->type == LUC_PARAM_REAL) {
        memcpy(field, v, sizeof(*v));
    } else if (p->type == LUC_PARAM_INTS) {
        struct luc_ints list = { .n = n };
        for (size_t i = 0; i < n; i++)
            list.v[i] = to_int(v[i]);
        memcpy(field, &list, sizeof(list));
    } else if (p->type == LUC_PARAM_REALS) {
        struct luc_reals list = { .n = n };
        for (size_t i = 0; i < n; i++)
            list.v[i] = v[i];
        memcpy(field, &list, sizeof(list));
    } else {
        memcpy(field, &(int64_t){ to_int(*v) }, sizeof(int64_t));
    }
}

static enum luc_status set_values(const struct luc_param *p, const double *v, size_t n, void *dst,
                                  struct luc_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const enum luc_status st = check(p, v[i], err);
        if (st)
            return st;
    }
    store(p, v, n, dst);
    return LUC_OK;
}

static enum luc_status set_text(const struct luc_param *p, const char *text, void *dst,
                                struct luc_error *err)
{
    const size_t n = strlen(text);
    if (n >= LUC_TEXT_MAX)
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: longer than %d bytes", p->key,
                              LUC_TEXT_MAX - 1);
    char *field = (char *)dst + p->offset;
    memset(field, 0, LUC_TEXT_MAX); /* equal texts are equal bytes */
    memcpy(field, text, n);
    return LUC_OK;
}

static enum luc_status set_choice(const struct luc_param *p, const char *text, void *dst,
                                  struct luc_error *err)
{
    char known[LUC_ERROR_TEXT / 2] = "";
    size_t used = 0;
    for (size_t i = 0; p->choices[i]; i++) {
        if (strcmp(p->choices[i], text) == 0)
            return set_values(p, &(double){ (double)i }, 1, dst, err);
        const int n =
            snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", p->choices[i]);
        used = n > 0 && used + (size_t)n < sizeof(known) ? used + (size_t)n : sizeof(known) - 1;
    }
    return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not one of %s", p->key, text,
                          known);
}

static enum luc_status set_bool(const struct luc_param *p, const char *text, void *dst,
                                struct luc_error *err)
{
    static const char *const words[] = { "false", "true", "0", "1", "no", "yes", "off", "on" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], text) == 0)
            return set_values(p, &(double){ (double)(i % 2) }, 1, dst, err);
    return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not true or false", p->key,
                          text);
}

/* One number that ends at `stop` (',' or NUL). */
static bool parse_number(const char *text, double *v, const char **rest)
{
    char *end = NULL;
    if (*text == ' ' || *text == '\t')
        return false;
    *v = strtod(text, &end); /* needs the "C" locale */
    *rest = end;
    return end != text && !isnan(*v) && !isinf(*v) && strpbrk(text, "xX") == NULL;
}

static enum luc_status set_list(const struct luc_param *p, const char *text, void *dst,
                                struct luc_error *err)
{
    double v[LUC_LIST_MAX];
    size_t n = 0;
    for (const char *at = text; *at;) {
        const char *rest = NULL;
        if (n == LUC_LIST_MAX)
            return luc_fail_param(err, LUC_RANGE, p->key, "%s: more than %d values", p->key,
                                  LUC_LIST_MAX);
        if (!parse_number(at, &v[n], &rest) || (*rest != ',' && *rest != '\0') ||
            (*rest == ',' && rest[1] == '\0'))
            return luc_fail_param(err, LUC_INVALID, p->key,
                                  "%s: '%.40s' is not a list of numbers like 1,2,3", p->key, text);
        n++;
        at = *rest ? rest + 1 : rest;
    }
    return set_values(p, v, n, dst, err);
}

static enum luc_status set_number(const struct luc_param *p, const char *text, void *dst,
                                  struct luc_error *err)
{
    double v = 0;
    const char *rest = NULL;
    if (!parse_number(text, &v, &rest) || *rest != '\0')
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not a number", p->key,
                              text);
    return set_values(p, &v, 1, dst, err);
}

static enum luc_status set_row(const struct luc_param *p, const char *text, void *dst,
                               struct luc_error *err)
{
    switch (p->type) {
    case LUC_PARAM_TEXT: return set_text(p, text, dst, err);
    case LUC_PARAM_CHOICE: return set_choice(p, text, dst, err);
    case LUC_PARAM_BOOL: return set_bool(p, text, dst, err);
    case LUC_PARAM_INTS:
    case LUC_PARAM_REALS: return set_list(p, text, dst, err);
    case LUC_PARAM_INT:
    case LUC_PARAM_REAL: return set_number(p, text, dst, err);
    }
    return luc_fail(err, LUC_INTERNAL, "%s: unknown type", p->key);
}

void luc_params_default(const struct luc_param *table, void *dst)
{
    for (const struct luc_param *p = table; p && p->key; p++) {
        if (p->type == LUC_PARAM_TEXT || is_list(p)) {
            const enum luc_status st = set_row(p, p->def_text ? p->def_text : "", dst, NULL);
            (void)st; /* luc_params_verify proves it cannot fail */
        } else {
            store(p, &p->def, 1, dst);
        }
    }
}

static enum luc_status no_such_key(const char *key, struct luc_error *err)
{
    return luc_fail_param(err, LUC_NOT_FOUND, key, "unknown parameter '%.40s'", key);
}

enum luc_status luc_param_set(const struct luc_param *table, const char *key, const char *text,
                              void *dst, struct luc_error *err)
{
    const struct luc_param *p = luc_param_find(table, key);
    return p ? set_row(p, text, dst, err) : no_such_key(key, err);
}

enum luc_status luc_param_set_numbers(const struct luc_param *table, const char *key,
                                      const double *values, size_t n, void *dst,
                                      struct luc_error *err)
{
    const struct luc_param *p = luc_param_find(table, key);
    if (!p)
        return no_such_key(key, err);
    if (p->type == LUC_PARAM_TEXT || p->type == LUC_PARAM_CHOICE)
        return luc_fail_param(err, LUC_INVALID, key, "%s: a number where a name is wanted", key);
    if (is_list(p) ? n > LUC_LIST_MAX : n != 1)
        return luc_fail_param(err, LUC_RANGE, key, "%s: %zu values", key, n);
    return set_values(p, values, n, dst, err);
}

void luc_param_print(const struct luc_param *row, const void *src, struct luc_str *out)
{
    const void *field = (const char *)src + row->offset;
    if (row->type == LUC_PARAM_TEXT) {
        luc_str_puts(out, field);
    } else if (row->type == LUC_PARAM_REAL) {
        double v;
        memcpy(&v, field, sizeof(v));
        luc_str_printf(out, "%.15g", v);
    } else if (row->type == LUC_PARAM_INTS) {
        const struct luc_ints *list = field;
        for (size_t i = 0; i < list->n; i++)
            luc_str_printf(out, "%s%lld", i ? "," : "", (long long)list->v[i]);
    } else if (row->type == LUC_PARAM_REALS) {
        const struct luc_reals *list = field;
        for (size_t i = 0; i < list->n; i++)
            luc_str_printf(out, "%s%.15g", i ? "," : "", list->v[i]);
    } else {
        int64_t v;
        memcpy(&v, field, sizeof(v));
        if (row->type == LUC_PARAM_CHOICE)
            luc_str_puts(out, row->choices[v]);
        else if (row->type == LUC_PARAM_BOOL)
            luc_str_puts(out, v ? "true" : "false");
        else
            luc_str_printf(out, "%lld", (long long)v);
    }
}

static size_t count_choices(const struct luc_param *p)
{
    size_t n = 0;
    while (p->choices && p->choices[n])
        n++;
    return n;
}

/* A default given as text must be readable: tried on a scratch field of the largest type. */
static enum luc_status verify_default(const struct luc_param *p, struct luc_error *err)
{
    union {
        char text[LUC_TEXT_MAX];
        struct luc_ints ints;
        struct luc_reals reals;
    } scratch;
    struct luc_param row = *p;
    row.offset = 0;
    return set_row(&row, p->def_text ? p->def_text : "", &scratch, err);
}

enum luc_status luc_params_verify(const struct luc_param *table, struct luc_error *err)
{
    for (const struct luc_param *p = table; p && p->key; p++) {
        if (!p->doc || !*p->doc || !p->unit)
            return luc_fail(err, LUC_INTERNAL, "%s: doc or unit missing", p->key);
        if (luc_param_find(table, p->key) != p)
            return luc_fail(err, LUC_INTERNAL, "%s: key used twice", p->key);
        if (p->type == LUC_PARAM_CHOICE && (double)count_choices(p) != p->max + 1)
            return luc_fail(err, LUC_INTERNAL, "%s: wrong number of choices", p->key);
        if (p->type == LUC_PARAM_TEXT || is_list(p)) {
            const enum luc_status st = verify_default(p, err);
            if (st)
                return st;
        } else if (!(p->min <= p->def && p->def <= p->max)) {
            return luc_fail(err, LUC_INTERNAL, "%s: default outside bounds", p->key);
        }
    }
    return LUC_OK;
}
