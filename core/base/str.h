/* str.h -- a growable string on the heap. Appending never fails half-way: after the first failed
 * allocation the string stays as it was and `failed` is set, to be checked once at the end. */
#ifndef LUC_BASE_STR_H
#define LUC_BASE_STR_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct luc_str {
    char *data; /* NUL-terminated once anything was appended, else NULL */
    size_t len, cap;
    bool failed;
};

void luc_str_done(struct luc_str *s); /* frees; s is empty again */
void luc_str_put(struct luc_str *s, const void *bytes, size_t n);
void luc_str_puts(struct luc_str *s, const char *text);
void luc_str_printf(struct luc_str *s, const char *fmt, ...) LUC_PRINTF(2, 3);

#endif
