#include "core/base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

void luc_str_done(struct luc_str *s)
{
    free(s->data);
    *s = (struct luc_str){ 0 };
}

static bool reserve(struct luc_str *s, size_t more)
{
    if (s->failed || more > SIZE_MAX / 4 - s->len)
        return s->failed = true, false;
    if (s->len + more + 1 <= s->cap)
        return true;
    size_t cap = s->cap ? s->cap : FIRST_CAP;
    while (cap < s->len + more + 1)
        cap *= 2;
    char *grown = realloc(s->data, cap);
    if (!grown)
        return s->failed = true, false;
    s->data = grown;
    s->cap = cap;
    return true;
}

void luc_str_put(struct luc_str *s, const void *bytes, size_t n)
{
    if (!reserve(s, n))
        return;
    if (n)
        memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = '\0';
}

void luc_str_puts(struct luc_str *s, const char *text)
{
    luc_str_put(s, text, strlen(text));
}

void luc_str_printf(struct luc_str *s, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && reserve(s, (size_t)n)) {
        vsnprintf(s->data + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
}
