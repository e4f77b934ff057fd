#include "server/log.h"
#include "core/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "info", "warn", "error" };

static void put_text(struct luc_str *out, const char *text)
{
    luc_str_puts(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            luc_str_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            luc_str_printf(out, "\\u%04x", (unsigned)(unsigned char)*c);
        else
            luc_str_put(out, c, 1);
    }
    luc_str_puts(out, "\"");
}

static void begin(struct luc_str *out, enum srv_level level)
{
    struct timespec now;
    struct tm tm;
    char day[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    luc_str_printf(out, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\"", day, now.tv_nsec / 1000000,
                   names[level]);
}

static void end(struct luc_str *out)
{
    luc_str_puts(out, "}\n");
    if (!out->failed) {
        const ssize_t n = write(STDERR_FILENO, out->data, out->len);
        (void)n; /* nobody to tell */
    }
    luc_str_done(out);
}

void srv_log(enum srv_level level, const char *fmt, ...)
{
    struct luc_str line = { 0 };
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    begin(&line, level);
    luc_str_puts(&line, ",\"message\":");
    put_text(&line, text);
    end(&line);
}

void srv_log_request(const struct srv_request_log *r)
{
    struct luc_str line = { 0 };
    begin(&line, r->status == 500 ? SRV_ERROR : r->status >= 400 ? SRV_WARN : SRV_INFO);
    luc_str_puts(&line, ",\"request\":");
    put_text(&line, r->id);
    luc_str_puts(&line, ",\"method\":");
    put_text(&line, r->method);
    luc_str_puts(&line, ",\"path\":");
    put_text(&line, r->path);
    luc_str_printf(&line, ",\"status\":%u,\"ms\":%.1f,\"bytes\":%zu", r->status, r->ms, r->bytes);
    if (r->detail) {
        luc_str_puts(&line, ",\"detail\":");
        put_text(&line, r->detail);
    }
    end(&line);
}
