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

enum luc_param_type {
    LUC_PARAM_INT,    /* field is int64_t */
    LUC_PARAM_REAL,   /* field is double */
    LUC_PARAM_BOOL,   /* field is int64_t, 0 or 1; text: true false 1 0 yes no on off */
    LUC_PARAM_CHOICE, /* field is int64_t, an index into choices[] */
    LUC_PARAM_TEXT,   /* field is char[LUC_TEXT_MAX] */
    LUC_PARAM_INTS,   /* field is struct luc_ints; text: comma-separated */
    LUC_PARAM_REALS,  /* field is struct luc_reals */
};

struct luc_param {
    const char *key;  /* JSON member, form field and --flag; NULL ends a table */
    const char *doc;  /* one sentence */
    const char *unit; /* "px", "s", ...; "" for a pure number */
    enum luc_param_type type;
    size_t offset;              /* of the field in the params struct */
    double def, min, max;       /* INT, REAL, BOOL, CHOICE; min and max also bound list members;
                                   inclusive */
    const char *const *choices; /* CHOICE: NULL-terminated. TEXT: suggestions, or NULL */
    const char *def_text;       /* TEXT, INTS, REALS: the default, as text; NULL is "" */
};

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

/* The field as text that luc_param_set reads back to the same value ("%.15g"). */
void luc_param_print(const struct luc_param *row, const void *src, struct luc_str *out);

/* Checks the table itself: bounds in order, default inside, doc present, keys unique. Called for
 * every registered table by a test. */
LUC_MUST_USE enum luc_status luc_params_verify(const struct luc_param *table,
                                               struct luc_error *err);

#endif
