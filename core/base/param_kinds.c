#include "core/base/param.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers, and the units that they may be written in ---- */

struct unit {
    const char *name; /* the shorter way of writing it comes first: it is the one that is printed */
    int64_t worth;
};

static const struct unit bytes[] = {
    { "T", 1LL << 40 },   { "G", 1LL << 30 },   { "M", 1LL << 20 },   { "K", 1LL << 10 },
    { "TiB", 1LL << 40 }, { "GiB", 1LL << 30 }, { "MiB", 1LL << 20 }, { "KiB", 1LL << 10 },
    { "B", 1 },           { NULL, 0 },
};

static const struct unit seconds[] = {
    { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 }, { NULL, 0 }
};

static const struct unit *units_of(const struct luc_param *p)
{
    return p->type == LUC_PARAM_BYTES ? bytes : p->type == LUC_PARAM_SECONDS ? seconds : NULL;
}

#define NUMBER_TEXT 32

/* The shortest text that reads back to the same number. */
static const char *number_text(const struct luc_param *p, double v, char text[NUMBER_TEXT])
{
    const char *name = "";
    for (const struct unit *u = units_of(p); u && u->name; u++)
        if (v != 0 && fmod(v, (double)u->worth) == 0) {
            v /= (double)u->worth;
            name = u->name;
            break;
        }
    snprintf(text, NUMBER_TEXT, "%.15g%s", v, name);
    if (strtod(text, NULL) != v)
        snprintf(text, NUMBER_TEXT, "%.17g%s", v, name);
    return text;
}

static const char *unit_of(const struct luc_param *p)
{
    return units_of(p) ? "" : p->unit;
}

static bool is_whole(const struct luc_param *p)
{
    return p->type != LUC_PARAM_REAL && p->type != LUC_PARAM_REALS &&
           p->type != LUC_PARAM_AUTO_REAL;
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
    char text[NUMBER_TEXT], low[NUMBER_TEXT], high[NUMBER_TEXT];
    if (isnan(v) || (is_whole(p) && !exact_int(v)))
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: %.15g is not %s", p->key, v,
                              is_whole(p) ? "a whole number" : "a number");
    if (v < p->min || v > p->max)
        return luc_fail_param(err, LUC_RANGE, p->key, "%s: %s is outside [%s, %s]%s%s", p->key,
                              number_text(p, v, text), number_text(p, p->min, low),
                              number_text(p, p->max, high), *unit_of(p) ? " " : "", unit_of(p));
    return LUC_OK;
}

enum luc_status luc_param_take(const struct luc_param *row, const double *v, size_t n, void *field,
                               struct luc_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const enum luc_status st = check(row, v[i], err);
        if (st)
            return st;
    }
    luc_param_kind(row)->store(row, v, n, field);
    return LUC_OK;
}

void luc_param_bounds(const struct luc_param *row, struct luc_str *out)
{
    char low[NUMBER_TEXT], high[NUMBER_TEXT];
    if (row->type != LUC_PARAM_BOOL && row->type != LUC_PARAM_CHOICE && row->type != LUC_PARAM_TEXT)
        luc_str_printf(out, "%s to %s%s%s", number_text(row, row->min, low),
                       number_text(row, row->max, high), *unit_of(row) ? " " : "", unit_of(row));
}

/* ---- from text ---- */

static enum luc_status set_text(const struct luc_param *p, const char *text, void *field,
                                struct luc_error *err)
{
    const size_t n = strlen(text);
    if (n >= LUC_TEXT_MAX)
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: longer than %d bytes", p->key,
                              LUC_TEXT_MAX - 1);
    memset(field, 0, LUC_TEXT_MAX); /* equal texts are equal bytes */
    memcpy(field, text, n);
    return LUC_OK;
}

static enum luc_status set_choice(const struct luc_param *p, const char *text, void *field,
                                  struct luc_error *err)
{
    char known[LUC_ERROR_TEXT / 2] = "";
    size_t used = 0;
    for (size_t i = 0; p->choices[i]; i++) {
        if (strcmp(p->choices[i], text) == 0)
            return luc_param_take(p, &(double){ (double)i }, 1, field, err);
        const int n =
            snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", p->choices[i]);
        used = n > 0 && used + (size_t)n < sizeof(known) ? used + (size_t)n : sizeof(known) - 1;
    }
    return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not one of %s", p->key, text,
                          known);
}

static enum luc_status set_bool(const struct luc_param *p, const char *text, void *field,
                                struct luc_error *err)
{
    static const char *const words[] = { "false", "true", "0", "1", "no", "yes", "off", "on" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i], text) == 0)
            return luc_param_take(p, &(double){ (double)(i % 2) }, 1, field, err);
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

static enum luc_status set_list(const struct luc_param *p, const char *text, void *field,
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
    return luc_param_take(p, v, n, field, err);
}

static enum luc_status set_number(const struct luc_param *p, const char *text, void *field,
                                  struct luc_error *err)
{
    double v = 0;
    const char *rest = NULL;
    if (!parse_number(text, &v, &rest) || *rest != '\0')
        return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not a number", p->key,
                              text);
    return luc_param_take(p, &v, 1, field, err);
}

/* "32M", "2h", "1024". */
static enum luc_status set_units(const struct luc_param *p, const char *text, void *field,
                                 struct luc_error *err)
{
    double v = 0;
    const char *rest = NULL;
    if (parse_number(text, &v, &rest)) {
        if (!*rest)
            return luc_param_take(p, &v, 1, field, err);
        for (const struct unit *u = units_of(p); u->name; u++)
            if (strcmp(u->name, rest) == 0)
                return luc_param_take(p, &(double){ v * (double)u->worth }, 1, field, err);
    }
    return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not like %s", p->key, text,
                          p->type == LUC_PARAM_BYTES ? "1024, 32M, 1500MiB or 2G"
                                                     : "90, 90s, 15m, 2h or 1d");
}

/* "auto", nothing, or the number that once meant it: requests and jobs of before go on. */
static enum luc_status set_auto(const struct luc_param *p, const char *text, void *field,
                                struct luc_error *err)
{
    double v = 0;
    const char *rest = NULL;
    if (*text && strcmp(text, "auto") != 0) {
        if (!parse_number(text, &v, &rest) || *rest != '\0')
            return luc_fail_param(err, LUC_INVALID, p->key, "%s: '%.40s' is not a number or auto",
                                  p->key, text);
        if (v != p->def)
            return luc_param_take(p, &v, 1, field, err);
    }
    memset(field, 0, luc_param_kind(p)->size);
    return LUC_OK;
}

/* ---- into the field ---- */

static void store_int(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p, (void)n;
    memcpy(field, &(int64_t){ to_int(*v) }, sizeof(int64_t));
}

static void store_real(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p, (void)n;
    memcpy(field, v, sizeof(*v));
}

static void store_ints(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p;
    struct luc_ints list = { .n = n };
    for (size_t i = 0; i < n; i++)
        list.v[i] = to_int(v[i]);
    memcpy(field, &list, sizeof(list));
}

static void store_reals(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p;
    struct luc_reals list = { .n = n };
    for (size_t i = 0; i < n; i++)
        list.v[i] = v[i];
    memcpy(field, &list, sizeof(list));
}

static void store_auto_int(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p, (void)n;
    memcpy(field, &(struct luc_auto_int){ 1, to_int(*v) }, sizeof(struct luc_auto_int));
}

static void store_auto_real(const struct luc_param *p, const double *v, size_t n, void *field)
{
    (void)p, (void)n;
    memcpy(field, &(struct luc_auto_real){ 1, *v }, sizeof(struct luc_auto_real));
}

/* ---- to text ---- */

static void print_int(const struct luc_param *p, const void *field, struct luc_str *out)
{
    (void)p;
    int64_t v;
    memcpy(&v, field, sizeof(v));
    luc_str_printf(out, "%lld", (long long)v);
}

static void print_real(const struct luc_param *p, const void *field, struct luc_str *out)
{
    char text[NUMBER_TEXT];
    double v;
    memcpy(&v, field, sizeof(v));
    luc_str_puts(out, number_text(p, v, text));
}

static void print_bool(const struct luc_param *p, const void *field, struct luc_str *out)
{
    (void)p;
    int64_t v;
    memcpy(&v, field, sizeof(v));
    luc_str_puts(out, v ? "true" : "false");
}

static void print_choice(const struct luc_param *p, const void *field, struct luc_str *out)
{
    int64_t v;
    memcpy(&v, field, sizeof(v));
    luc_str_puts(out, p->choices[v]);
}

static void print_text(const struct luc_param *p, const void *field, struct luc_str *out)
{
    (void)p;
    luc_str_puts(out, field);
}

static void print_ints(const struct luc_param *p, const void *field, struct luc_str *out)
{
    (void)p;
    const struct luc_ints *list = field;
    for (size_t i = 0; i < list->n; i++)
        luc_str_printf(out, "%s%lld", i ? "," : "", (long long)list->v[i]);
}

static void print_reals(const struct luc_param *p, const void *field, struct luc_str *out)
{
    char text[NUMBER_TEXT];
    const struct luc_reals *list = field;
    for (size_t i = 0; i < list->n; i++)
        luc_str_printf(out, "%s%s", i ? "," : "", number_text(p, list->v[i], text));
}

static void print_auto_int(const struct luc_param *p, const void *field, struct luc_str *out)
{
    const struct luc_auto_int *a = field;
    if (a->given)
        print_int(p, &a->v, out);
    else
        luc_str_puts(out, "auto");
}

static void print_auto_real(const struct luc_param *p, const void *field, struct luc_str *out)
{
    const struct luc_auto_real *a = field;
    if (a->given)
        print_real(p, &a->v, out);
    else
        luc_str_puts(out, "auto");
}

static void print_units(const struct luc_param *p, const void *field, struct luc_str *out)
{
    char text[NUMBER_TEXT];
    int64_t v;
    memcpy(&v, field, sizeof(v));
    luc_str_puts(out, number_text(p, (double)v, text));
}

/* ---- what a row may be ---- */

static enum luc_status verify_number(const struct luc_param *p, struct luc_error *err)
{
    return p->min <= p->def && p->def <= p->max
               ? LUC_OK
               : luc_fail(err, LUC_INTERNAL, "%s: default outside bounds", p->key);
}

static enum luc_status verify_choice(const struct luc_param *p, struct luc_error *err)
{
    size_t n = 0;
    while (p->choices && p->choices[n])
        n++;
    return (double)n == p->max + 1
               ? verify_number(p, err)
               : luc_fail(err, LUC_INTERNAL, "%s: wrong number of choices", p->key);
}

static enum luc_status verify_text(const struct luc_param *p, struct luc_error *err)
{
    union {
        char text[LUC_TEXT_MAX];
        struct luc_ints ints;
        struct luc_reals reals;
    } scratch;
    return luc_param_kind(p)->parse(p, p->def_text ? p->def_text : "", &scratch, err);
}

static enum luc_status verify_auto(const struct luc_param *p, struct luc_error *err)
{
    return p->min <= p->max && (p->def < p->min || p->def > p->max)
               ? LUC_OK
               : luc_fail(err, LUC_INTERNAL, "%s: a number within the bounds means auto", p->key);
}

/* clang-format off */
#define LIST "^$|^[^,]+(,[^,]+){0,15}$"
static const struct luc_param_kind kinds[LUC_PARAM_TYPES] = {
    [LUC_PARAM_INT] = { sizeof(int64_t), LUC_JSON_INTEGER, false, 1, 1,
                        set_number, store_int, print_int, verify_number, NULL },
    [LUC_PARAM_REAL] = { sizeof(double), LUC_JSON_NUMBER, false, 1, 1,
                         set_number, store_real, print_real, verify_number, NULL },
    [LUC_PARAM_BOOL] = { sizeof(int64_t), LUC_JSON_BOOLEAN, false, 1, 1,
                         set_bool, store_int, print_bool, verify_number, NULL },
    [LUC_PARAM_CHOICE] = { sizeof(int64_t), LUC_JSON_STRING, false, 0, 0,
                           set_choice, store_int, print_choice, verify_choice, NULL },
    [LUC_PARAM_TEXT] = { LUC_TEXT_MAX, LUC_JSON_STRING, false, 0, 0,
                         set_text, NULL, print_text, verify_text, NULL },
    [LUC_PARAM_INTS] = { sizeof(struct luc_ints), LUC_JSON_STRING, false, 0, LUC_LIST_MAX,
                         set_list, store_ints, print_ints, verify_text, LIST },
    [LUC_PARAM_REALS] = { sizeof(struct luc_reals), LUC_JSON_STRING, false, 0, LUC_LIST_MAX,
                          set_list, store_reals, print_reals, verify_text, LIST },
    [LUC_PARAM_AUTO_INT] = { sizeof(struct luc_auto_int), LUC_JSON_INTEGER, true, 1, 1,
                             set_auto, store_auto_int, print_auto_int, verify_auto, NULL },
    [LUC_PARAM_AUTO_REAL] = { sizeof(struct luc_auto_real), LUC_JSON_NUMBER, true, 1, 1,
                              set_auto, store_auto_real, print_auto_real, verify_auto, NULL },
    [LUC_PARAM_BYTES] = { sizeof(int64_t), LUC_JSON_STRING, false, 1, 1,
                          set_units, store_int, print_units, verify_number,
                          "^[0-9.]+([KMGT](iB)?|B)?$" },
    [LUC_PARAM_SECONDS] = { sizeof(int64_t), LUC_JSON_STRING, false, 1, 1,
                            set_units, store_int, print_units, verify_number, "^[0-9.]+[smhd]?$" },
};
/* clang-format on */

const struct luc_param_kind *luc_param_kind(const struct luc_param *row)
{
    return &kinds[row->type];
}
