/* param.h -- typed, bounded, self-describing parameters.
 *
 * A params struct plus one table of rows is all the rest of the program needs to know about a
 * method's, an operator's or the server's settings: defaults, bounds, units and help come from the
 * same row, so the JSON schema, the command line, the multipart parser, the config file and the
 * browser form can never disagree.
 *
 * A params struct is plain data of fixed size: it can be copied, compared and stored.
 */
#ifndef LUC_BASE_PARAM_H
#define LUC_BASE_PARAM_H

#include "core/base/status.h"
#include "core/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUC_TEXT_MAX 256 /* bytes of a TEXT field, NUL included */
#define LUC_LIST_MAX 16

struct luc_ints {
    size_t n;
    int64_t v[LUC_LIST_MAX];
};

struct luc_reals {
    size_t n;
    double v[LUC_LIST_MAX];
};

/* A number, or none: "auto". */
struct luc_auto_int {
    int64_t given, v; /* v is 0 where none is given */
};

struct luc_auto_real {
    int64_t given;
    double v;
};

enum luc_param_type {
    LUC_PARAM_INT,       /* field is int64_t */
    LUC_PARAM_REAL,      /* field is double */
    LUC_PARAM_BOOL,      /* field is int64_t, 0 or 1; text: true false 1 0 yes no on off */
    LUC_PARAM_CHOICE,    /* field is int64_t, an index into choices[] */
    LUC_PARAM_TEXT,      /* field is char[LUC_TEXT_MAX] */
    LUC_PARAM_INTS,      /* field is struct luc_ints; text: comma-separated */
    LUC_PARAM_REALS,     /* field is struct luc_reals */
    LUC_PARAM_AUTO_INT,  /* field is struct luc_auto_int; text: a number, auto or nothing */
    LUC_PARAM_AUTO_REAL, /* field is struct luc_auto_real */
    LUC_PARAM_BYTES,     /* field is int64_t; text: 1024, 32M, 1500MiB */
    LUC_PARAM_SECONDS,   /* field is int64_t; text: 90, 90s, 15m, 2h, 1d */
    LUC_PARAM_TYPES
};

struct luc_param {
    const char *key;  /* JSON member, form field and --flag; NULL ends a table */
    const char *doc;  /* one sentence */
    const char *unit; /* "px", "s", ...; "" for a pure number */
    enum luc_param_type type;
    size_t offset;              /* of the field in the params struct */
    double def, min, max;       /* of numbers; min and max also bound list members; inclusive.
                                   AUTO: the default is auto, and `def` a number outside the bounds
                                   that is read as auto too, as it once was written */
    const char *const *choices; /* CHOICE: NULL-terminated. TEXT: suggestions, or NULL */
    const char *def_text;       /* TEXT, INTS, REALS: the default, as text; NULL is "" */
};

/* How a value travels in JSON. */
enum luc_param_json { LUC_JSON_INTEGER, LUC_JSON_NUMBER, LUC_JSON_BOOLEAN, LUC_JSON_STRING };

/* All that the program knows of a type of parameters: one row in param_kinds.c. `field` lies at the
 * row's offset. */
struct luc_param_kind {
    size_t size;              /* of the field */
    enum luc_param_json json; /* AUTO: of a number that is given */
    bool automatic;           /* "auto" is a value, and the default */
    size_t least, most;       /* how many numbers store() takes; most 0: it wants a name */
    enum luc_status (*parse)(const struct luc_param *row, const char *text, void *field,
                             struct luc_error *err);
    void (*store)(const struct luc_param *row, const double *v, size_t n, void *field);
    void (*print)(const struct luc_param *row, const void *field, struct luc_str *out);
    enum luc_status (*verify)(const struct luc_param *row, struct luc_error *err);
    const char *pattern; /* of the text, for JSON schemas; NULL: any, or it is no text */
};

const struct luc_param_kind *luc_param_kind(const struct luc_param *row);

/* clang-format off */
/* Fails to compile when field `f` of `T` does not have type `ctype`. */
#define LUC_FIELD(T, f, ctype) _Generic(&((T *)0)->f, __typeof__(ctype) *: offsetof(T, f))
#define LUC_ROW(T, f, kind, ctype, d, lo, hi, u, text)                                             \
    { .key = #f, .doc = (text), .unit = (u), .type = LUC_PARAM_##kind,                             \
      .offset = LUC_FIELD(T, f, ctype), .def = (d), .min = (lo), .max = (hi) }
#define LUC_INT(T, f, d, lo, hi, u, text)  LUC_ROW(T, f, INT, int64_t, d, lo, hi, u, text)
#define LUC_REAL(T, f, d, lo, hi, u, text) LUC_ROW(T, f, REAL, double, d, lo, hi, u, text)
#define LUC_BOOL(T, f, d, text)            LUC_ROW(T, f, BOOL, int64_t, d, 0, 1, "", text)
/* `list` is a NULL-terminated array of names; `d` an index into it, `n` the number of names. */
#define LUC_CHOICE(T, f, d, n, list, text)                                                         \
    { .key = #f, .doc = (text), .unit = "", .type = LUC_PARAM_CHOICE,                              \
      .offset = LUC_FIELD(T, f, int64_t), .def = (d), .min = 0, .max = (n) - 1, .choices = (list) }
#define LUC_TEXT(T, f, d, text)                                                                    \
    { .key = #f, .doc = (text), .unit = "", .type = LUC_PARAM_TEXT,                                \
      .offset = LUC_FIELD(T, f, char[LUC_TEXT_MAX]), .def_text = (d) }
#define LUC_INTS(T, f, d, lo, hi, u, text)                                                         \
    { .key = #f, .doc = (text), .unit = (u), .type = LUC_PARAM_INTS, .min = (lo), .max = (hi),     \
      .offset = LUC_FIELD(T, f, struct luc_ints), .def_text = (d) }
#define LUC_REALS(T, f, d, lo, hi, u, text)                                                        \
    { .key = #f, .doc = (text), .unit = (u), .type = LUC_PARAM_REALS, .min = (lo), .max = (hi),    \
      .offset = LUC_FIELD(T, f, struct luc_reals), .def_text = (d) }
/* `old`: see luc_param.def. */
#define LUC_AUTO_INT(T, f, old, lo, hi, u, text)                                                   \
    LUC_ROW(T, f, AUTO_INT, struct luc_auto_int, old, lo, hi, u, text)
#define LUC_AUTO_REAL(T, f, old, lo, hi, u, text)                                                  \
    LUC_ROW(T, f, AUTO_REAL, struct luc_auto_real, old, lo, hi, u, text)
#define LUC_BYTES(T, f, d, lo, hi, text)   LUC_ROW(T, f, BYTES, int64_t, d, lo, hi, "bytes", text)
#define LUC_SECONDS(T, f, d, lo, hi, text) LUC_ROW(T, f, SECONDS, int64_t, d, lo, hi, "s", text)
#define LUC_PARAM_END { .key = NULL }
/* clang-format on */

/* NULL when the table has no such key. table may be NULL (an empty table). */
const struct luc_param *luc_param_find(const struct luc_param *table, const char *key);

/* Writes every default into `dst`, a struct described by `table`. */
void luc_params_default(const struct luc_param *table, void *dst);

/* Parses `text` into the field named `key`. LUC_NOT_FOUND: no such key. LUC_INVALID: not a number,
 * not a choice, too long. LUC_RANGE: outside [min, max]. On failure *dst is unchanged, the message
 * names what would be right, and err->param is the key. */
LUC_MUST_USE enum luc_status luc_param_set(const struct luc_param *table, const char *key,
                                           const char *text, void *dst, struct luc_error *err);

/* The same from numbers (ONNX attributes). An INT, BOOL or REAL row takes exactly one value, a list
 * row up to LUC_LIST_MAX; an INT row refuses fractions. */
LUC_MUST_USE enum luc_status luc_param_set_numbers(const struct luc_param *table, const char *key,
                                                   const double *values, size_t n, void *dst,
                                                   struct luc_error *err);

/* The field as text that luc_param_set reads back to the same value. */
void luc_param_print(const struct luc_param *row, const void *src, struct luc_str *out);

/* The default, as luc_param_print would print it. */
void luc_param_print_default(const struct luc_param *row, struct luc_str *out);

/* The default of a CHOICE or of what is given as text; "" of any other. */
const char *luc_param_default(const struct luc_param *row);

/* Checks numbers against the row's bounds, then stores them: for kinds and their users. */
LUC_MUST_USE enum luc_status luc_param_take(const struct luc_param *row, const double *v, size_t n,
                                            void *field, struct luc_error *err);

/* What may be given, and what is taken when nothing is: "(0 to 9 px, default 3)". */
void luc_param_help(const struct luc_param *row, struct luc_str *out);

/* Its bounds, in its own way of writing numbers: "0 to 9 px". Nothing where it has none. */
void luc_param_bounds(const struct luc_param *row, struct luc_str *out);

static inline int64_t luc_int_or(struct luc_auto_int a, int64_t usual)
{
    return a.given ? a.v : usual;
}

static inline double luc_real_or(struct luc_auto_real a, double usual)
{
    return a.given ? a.v : usual;
}

/* Checks the table itself: bounds in order, default inside, doc present, keys unique. Called for
 * every registered table by a test. */
LUC_MUST_USE enum luc_status luc_params_verify(const struct luc_param *table,
                                               struct luc_error *err);

#endif
