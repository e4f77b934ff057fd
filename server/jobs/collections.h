/* collections.h -- what the API asks about collections, out of the store, the files and the limits;
 * and what methods kept of their pictures. */
#ifndef SERVER_JOBS_COLLECTIONS_H
#define SERVER_JOBS_COLLECTIONS_H

#include "config/config.h"
#include "server/store/store_collections.h"

#include <stdatomic.h>

struct srv_collections {
    struct api_collections api; /* ctx is this struct */
    struct srv_store *store;
    struct srv_blobs *blobs;
    const struct cfg *cfg;
    atomic_ulong recalled, kept; /* pictures whose features were there; were computed and kept */
};

/* Everything is borrowed. */
void srv_collections_init(struct srv_collections *c, struct srv_store *store,
                          struct srv_blobs *blobs, const struct cfg *cfg);

/* As in struct luc_run_hooks, for a picture by its hash; a failure is logged and finds nothing. */
void *srv_collections_recall(struct srv_collections *c, const char *name, const char *sha256,
                             size_t *size);
void srv_collections_keep(struct srv_collections *c, const char *name, const char *sha256,
                          const void *bytes, size_t size);

#endif
