/* services.h -- what api/ asks of a process, out of the settings: networks and limits. */
#ifndef SERVER_SERVICES_H
#define SERVER_SERVICES_H

#include "api/api.h"
#include "config/config.h"
#include "server/networks/registry.h"

struct srv_services {
    struct luc_arena *arena;
    struct cfg_catalog catalog;
    struct srv_registry *registry;
    struct api_env env; /* submit is left NULL */
};

/* `c` is borrowed. LUC_NOMEM, or what is wrong with the catalog. */
LUC_MUST_USE enum luc_status srv_services_init(struct srv_services *s, const struct cfg *c,
                                               struct luc_error *err);
void srv_services_done(struct srv_services *s);

/* Cores that this process may use, at least 1. */
size_t srv_cores(void);

/* Sets OPENBLAS_CORETYPE and starts this program again when the processor is newer than OpenBLAS
 * and nobody has chosen; returns otherwise. Then luc_blas_init(). */
void srv_blas_start(char **argv);

#endif
