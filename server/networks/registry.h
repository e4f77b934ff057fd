/* registry.h -- the networks of a models directory, loaded when first asked for and then shared.
 *
 * A network is MODELS/NAME.json with what it names. Any number of threads may ask for one at the
 * same time; it is loaded once. Loads happen one after the other. What nobody uses any more stays
 * loaded until the memory bound asks for it; then the one used longest ago goes first. A network grows
 * when it is first asked for something fast (its 3x3 weights are packed once more, about fourfold);
 * that is counted when it is given back.
 */
#ifndef SERVER_NETWORKS_REGISTRY_H
#define SERVER_NETWORKS_REGISTRY_H

#include "config/catalog.h"
#include "core/model/model.h"

struct srv_registry; /* opaque */

struct srv_model_info {
    const char *name, *title, *task, *licence; /* "" where the description does not say */
    bool installed, loaded;
    size_t bytes;        /* loaded: memory; else of the downloads when the catalog knows, or 0 */
    const char *problem; /* NULL; or why the description cannot be read */
};

/* `models` is copied, `catalog` (may be NULL) borrowed. NULL when out of memory. */
struct srv_registry *srv_registry_create(const char *models, const struct cfg_catalog *catalog,
                                         size_t limit_bytes);
/* How networks loaded from now on compute; AUTO until then. */
void srv_registry_set_precision(struct srv_registry *r, enum luc_precision precision);
/* No network may be in use. NULL is fine; returns NULL. */
struct srv_registry *srv_registry_destroy(struct srv_registry *r);

/* The network stays until srv_registry_put(). LUC_NOT_FOUND: how to get it, or what there is.
 * LUC_BUSY: no memory while others are in use. Else as luc_model_load(). */
LUC_MUST_USE enum luc_status srv_registry_get(struct srv_registry *r, const char *name,
                                              const struct luc_model **model,
                                              struct luc_error *err);
void srv_registry_put(struct srv_registry *r, const struct luc_model *model);

/* Whether a network could be loaded, without loading it: it is, or its description and the file that
 * this names are there and its latest load did not fail. Fails as srv_registry_get() would. */
LUC_MUST_USE enum luc_status srv_registry_check(struct srv_registry *r, const char *name,
                                                struct luc_error *err);

/* Calls each() for what is in the directory and what the catalog could fetch, sorted by name. The
 * info is each()'s for the time of the call. */
LUC_MUST_USE enum luc_status srv_registry_list(struct srv_registry *r,
                                               void (*each)(void *ctx,
                                                            const struct srv_model_info *info),
                                               void *ctx, struct luc_error *err);

/* Bytes of all loaded networks. */
size_t srv_registry_bytes(struct srv_registry *r);
/* Loads since creation, for metrics and tests. */
size_t srv_registry_loads(struct srv_registry *r);

#endif
