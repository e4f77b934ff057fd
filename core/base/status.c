#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>

static void fill(struct luc_error *err, enum luc_status code, const char *param, const char *fmt,
                 va_list ap)
{
    err->code = code;
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    snprintf(err->param, sizeof(err->param), "%s", param);
}

enum luc_status luc_fail(struct luc_error *err, enum luc_status code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, "", fmt, ap);
        va_end(ap);
    }
    return code;
}

enum luc_status luc_fail_param(struct luc_error *err, enum luc_status code, const char *param,
                               const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, param, fmt, ap);
        va_end(ap);
    }
    return code;
}

enum luc_status luc_fail_nomem(struct luc_error *err, const char *what, unsigned long long bytes)
{
    return luc_fail(err, LUC_NOMEM, "%s: cannot have %llu bytes", what, bytes);
}

const char *luc_status_text(enum luc_status code)
{
    switch (code) {
#define X(name, text)                                                                              \
    case LUC_##name: return text;
        LUC_STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}
