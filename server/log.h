/* log.h -- one JSON object per line on stderr, each written at once. Thread-safe.
 *
 *   {"time":"2026-01-02T03:04:05.678Z","level":"info","message":"..."}
 *   {"time":..,"level":"info","request":"id","method":"POST","path":"/saliency","status":200,
 *    "ms":41.2,"bytes":51234}
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "core/base/status.h"

#include <stddef.h>

enum srv_level { SRV_INFO, SRV_WARN, SRV_ERROR };

void srv_log(enum srv_level level, const char *fmt, ...) LUC_PRINTF(2, 3);

struct srv_request_log {
    const char *id, *method, *path;
    const char *detail; /* what went wrong, or NULL */
    unsigned status;
    double ms;
    size_t bytes;
};
void srv_log_request(const struct srv_request_log *r);

#endif
