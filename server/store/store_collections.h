/* store_collections.h -- collections, and what was found out about their pictures, as rows of the
 * store (store.h). Files are in blobs.h; the rows name them, and the store's uses() knows them.
 *
 * What a method found out about a picture (core/survey/keep.h) is small and there is much of it, so
 * its bytes are in its row: a file each, with its two syncs, would take longer than the network does
 * on a small picture. It is kept only for pictures that are in some collection, it goes with the
 * last of them, and it may be lost with power.
 */
#ifndef SERVER_STORE_STORE_COLLECTIONS_H
#define SERVER_STORE_STORE_COLLECTIONS_H

#include "api/collection.h"
#include "server/store/store.h"

struct srv_collection_limits {
    size_t images, bytes; /* of one collection */
};

/* LUC_INVALID: there are `max` already. */
enum luc_status srv_store_collection_create(struct srv_store *s, const char *owner, const char *id,
                                            const char *name, size_t max, struct luc_error *err);
/* As in struct api_collections. */
enum luc_status srv_store_collection_get(struct srv_store *s, const char *owner, const char *id,
                                         struct api_collection *row, struct luc_error *err);
enum luc_status srv_store_collection_list(struct srv_store *s, const char *owner, int64_t cursor,
                                          size_t limit,
                                          void (*each)(void *to, const struct api_collection *row),
                                          void *to, struct luc_error *err);
enum luc_status srv_store_collection_add(struct srv_store *s, const char *owner, const char *id,
                                         const struct api_new_picture *given, size_t n,
                                         const struct srv_collection_limits *limits,
                                         size_t *n_added, struct luc_error *err);
/* sha256 NULL: all of them. */
enum luc_status
srv_store_collection_pictures(struct srv_store *s, const char *owner, const char *id,
                              const char *sha256, int64_t cursor, size_t limit,
                              void (*each)(void *to, const struct api_kept_picture *picture),
                              void *to, struct luc_error *err);
enum luc_status srv_store_collection_labels(struct srv_store *s, const char *owner, const char *id,
                                            size_t limit,
                                            void (*each)(void *to, const char *label, size_t n),
                                            void *to, struct luc_error *err);
enum luc_status srv_store_collection_remove(struct srv_store *s, const char *owner, const char *id,
                                            const char *sha256, struct luc_error *err);

/* *bytes (heap) is NULL when nothing is kept under that name for that picture. */
enum luc_status srv_store_recall(struct srv_store *s, const char *name, const char *sha256,
                                 void **bytes, size_t *size, struct luc_error *err);
enum luc_status srv_store_keep(struct srv_store *s, const char *name, const char *sha256,
                               const void *bytes, size_t size, struct luc_error *err);
/* Forgets the oldest until they have no more than `max` bytes. */
enum luc_status srv_store_trim(struct srv_store *s, size_t max, struct luc_error *err);

#endif
