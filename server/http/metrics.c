#include "server/http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define METHODS_MAX 64
#define N_BOUNDS    12
#define N_CLASSES   6 /* of statuses: 1xx .. 5xx */

static const double bounds[N_BOUNDS] = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30
};

struct series {
    atomic_ulong by_status[N_CLASSES];
    atomic_ulong bucket[N_BOUNDS + 1]; /* not cumulative; the last is beyond all bounds */
    atomic_ulong microseconds, bytes;
};

struct srv_metrics {
    struct series of[METHODS_MAX + 1]; /* by place in the table of methods; the last is "other" */
};

struct srv_metrics *srv_metrics_create(void)
{
    return calloc(1, sizeof(struct srv_metrics));
}

struct srv_metrics *srv_metrics_destroy(struct srv_metrics *m)
{
    free(m);
    return NULL;
}

static size_t place_of(const char *path)
{
    const struct api_method *row;
    for (size_t i = 0; i < METHODS_MAX && (row = api_method_at(i)); i++)
        if (path[0] == '/' && strcmp(path + 1, row->method->name) == 0)
            return i;
    return METHODS_MAX;
}

static const char *name_of(size_t place)
{
    if (place == METHODS_MAX)
        return "other";
    const struct api_method *row = api_method_at(place);
    return row ? row->method->name : NULL;
}

void srv_metrics_request(struct srv_metrics *m, const char *path, unsigned status, double seconds,
                         size_t bytes)
{
    struct series *s = &m->of[place_of(path)];
    size_t i = 0;
    while (i < N_BOUNDS && seconds > bounds[i])
        i++;
    atomic_fetch_add(&s->bucket[i], 1);
    atomic_fetch_add(&s->by_status[status / 100 < N_CLASSES ? status / 100 : 0], 1);
    atomic_fetch_add(&s->microseconds, (unsigned long)(1e6 * seconds));
    atomic_fetch_add(&s->bytes, bytes);
}

void srv_metric_head(struct luc_str *out, const char *name, const char *type, const char *help)
{
    luc_str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void srv_metric(struct luc_str *out, const char *name, const char *type, const char *help,
                double value)
{
    srv_metric_head(out, name, type, help);
    luc_str_printf(out, "%s %.15g\n", name, value);
}

static void print_requests(const struct srv_metrics *m, struct luc_str *out)
{
    const char *name;
    srv_metric_head(out, "lucida_requests_total", "counter", "Answered requests.");
    for (size_t i = 0; i <= METHODS_MAX; i++)
        for (size_t c = 0; c < N_CLASSES && (name = name_of(i)); c++) {
            const unsigned long n = atomic_load(&m->of[i].by_status[c]);
            if (n)
                luc_str_printf(out, "lucida_requests_total{method=\"%s\",status=\"%zuxx\"} %lu\n",
                               name, c, n);
        }
    srv_metric_head(out, "lucida_response_bytes_total", "counter", "Bytes of answers.");
    for (size_t i = 0; i <= METHODS_MAX; i++)
        if ((name = name_of(i)))
            luc_str_printf(out, "lucida_response_bytes_total{method=\"%s\"} %lu\n", name,
                           atomic_load(&m->of[i].bytes));
}

static void print_histogram(const struct series *s, const char *name, struct luc_str *out)
{
    unsigned long n = 0;
    for (size_t b = 0; b <= N_BOUNDS; b++) {
        n += atomic_load(&s->bucket[b]);
        if (b < N_BOUNDS)
            luc_str_printf(out, "lucida_request_seconds_bucket{method=\"%s\",le=\"%.15g\"} %lu\n",
                           name, bounds[b], n);
        else
            luc_str_printf(out, "lucida_request_seconds_bucket{method=\"%s\",le=\"+Inf\"} %lu\n",
                           name, n);
    }
    luc_str_printf(out,
                   "lucida_request_seconds_sum{method=\"%s\"} %.6f\n"
                   "lucida_request_seconds_count{method=\"%s\"} %lu\n",
                   name, 1e-6 * (double)atomic_load(&s->microseconds), name, n);
}

void srv_metrics_print(const struct srv_metrics *m, struct luc_str *out)
{
    const char *name;
    print_requests(m, out);
    srv_metric_head(out, "lucida_request_seconds", "histogram",
                    "Time from a request's head to the end of its answer.");
    for (size_t i = 0; i <= METHODS_MAX; i++)
        if ((name = name_of(i)))
            print_histogram(&m->of[i], name, out);
}
