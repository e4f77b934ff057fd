#include "server/jobs/collections.h"
#include "core/base/hash.h"
#include "server/log.h"

#include <stdlib.h>
#include <sys/random.h>

static enum luc_status create(void *ctx, const char *owner, const char *name, char id[API_ID_MAX],
                              struct luc_error *err)
{
    struct srv_collections *c = ctx;
    unsigned char bytes[12];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return luc_fail(err, LUC_INTERNAL, "no random numbers for a collection's id");
    luc_hex_encode(bytes, sizeof(bytes), id);
    return srv_store_collection_create(c->store, owner, id, name, (size_t)c->cfg->collections, err);
}

static enum luc_status get(void *ctx, const char *owner, const char *id, struct api_collection *row,
                           struct luc_error *err)
{
    struct srv_collections *c = ctx;
    return srv_store_collection_get(c->store, owner, id, row, err);
}

static enum luc_status list(void *ctx, const char *owner, int64_t cursor, size_t limit,
                            void (*each)(void *, const struct api_collection *), void *to,
                            struct luc_error *err)
{
    struct srv_collections *c = ctx;
    return srv_store_collection_list(c->store, owner, cursor, limit, each, to, err);
}

/* The files first, then the rows that name them, in one transaction; what a failure leaves behind
 * are files without a row, which the sweep removes. */
static enum luc_status add(void *ctx, const char *owner, const char *id,
                           const struct api_new_picture *pictures, size_t n, size_t *n_added,
                           struct luc_error *err)
{
    struct srv_collections *c = ctx;
    const struct srv_collection_limits limits = { (size_t)c->cfg->collection_images,
                                                  (size_t)c->cfg->collection_bytes };
    char name[SRV_BLOB_NAME];
    struct api_collection row;
    enum luc_status st = get(c, owner, id, &row, err);
    for (size_t i = 0; i < n && !st; i++)
        st = srv_blobs_put(c->blobs, pictures[i].bytes, pictures[i].ref.size, name, err);
    return st ? st
              : srv_store_collection_add(c->store, owner, id, pictures, n, &limits, n_added, err);
}

static enum luc_status pictures(void *ctx, const char *owner, const char *id, int64_t cursor,
                                size_t limit, void (*each)(void *, const struct api_kept_picture *),
                                void *to, struct luc_error *err)
{
    struct srv_collections *c = ctx;
    return srv_store_collection_pictures(c->store, owner, id, NULL, cursor, limit, each, to, err);
}

static enum luc_status labels(void *ctx, const char *owner, const char *id, size_t limit,
                              void (*each)(void *, const char *, size_t), void *to,
                              struct luc_error *err)
{
    struct srv_collections *c = ctx;
    return srv_store_collection_labels(c->store, owner, id, limit, each, to, err);
}

static void note_that_it_is_there(void *to, const struct api_kept_picture *picture)
{
    (void)picture;
    *(bool *)to = true;
}

static enum luc_status file(void *ctx, const char *owner, const char *id, const char *sha256,
                            char **bytes, size_t *size, struct luc_error *err)
{
    struct srv_collections *c = ctx;
    bool there = false;
    const enum luc_status st = srv_store_collection_pictures(c->store, owner, id, sha256, 0, 1,
                                                             note_that_it_is_there, &there, err);
    if (!st && !there)
        return luc_fail(err, LUC_NOT_FOUND, "the collection has no picture %.70s", sha256);
    return st ? st : srv_blobs_get(c->blobs, sha256, bytes, size, err);
}

static enum luc_status remove_some(void *ctx, const char *owner, const char *id, const char *sha256,
                                   struct luc_error *err)
{
    struct srv_collections *c = ctx;
    return srv_store_collection_remove(c->store, owner, id, sha256, err);
}

void srv_collections_init(struct srv_collections *c, struct srv_store *store,
                          struct srv_blobs *blobs, const struct cfg *cfg)
{
    *c = (struct srv_collections){ .store = store, .blobs = blobs, .cfg = cfg };
    c->api = (struct api_collections){ .ctx = c,
                                       .create = create,
                                       .get = get,
                                       .list = list,
                                       .add = add,
                                       .pictures = pictures,
                                       .labels = labels,
                                       .file = file,
                                       .remove = remove_some };
}

void *srv_collections_recall(struct srv_collections *c, const char *name, const char *sha256,
                             size_t *size)
{
    struct luc_error err = { 0 };
    void *bytes = NULL;
    if (srv_store_recall(c->store, name, sha256, &bytes, size, &err))
        srv_log(SRV_WARN, "cannot look for what is known of a picture: %s", err.text);
    if (bytes)
        atomic_fetch_add(&c->recalled, 1);
    return bytes;
}

void srv_collections_keep(struct srv_collections *c, const char *name, const char *sha256,
                          const void *bytes, size_t size)
{
    struct luc_error err = { 0 };
    if (srv_store_keep(c->store, name, sha256, bytes, size, &err))
        srv_log(SRV_WARN, "cannot keep what was found of a picture: %s", err.text);
    else
        atomic_fetch_add(&c->kept, 1);
}
