/* metrics.h -- what /metrics tells, in Prometheus' text format (0.0.4). Thread-safe, without locks. */
#ifndef SERVER_HTTP_METRICS_H
#define SERVER_HTTP_METRICS_H

#include "api/api.h"

struct srv_metrics; /* opaque */

struct srv_metrics *srv_metrics_create(void);                   /* NULL when out of memory */
struct srv_metrics *srv_metrics_destroy(struct srv_metrics *m); /* returns NULL */

/* One answered request. `path` names the method; whatever is no method counts as "other". */
void srv_metrics_request(struct srv_metrics *m, const char *path, unsigned status, double seconds,
                         size_t bytes);
void srv_metrics_print(const struct srv_metrics *m, struct luc_str *out);

/* "# HELP", "# TYPE" and one value. */
void srv_metric(struct luc_str *out, const char *name, const char *type, const char *help,
                double value);
void srv_metric_head(struct luc_str *out, const char *name, const char *type, const char *help);

#endif
