/* collections.h -- pictures that are kept under a name, for methods that look at many: what the API
 * shows of them, and what it asks of whoever keeps them (server/jobs/collections.c, or a test's fake).
 */
#ifndef API_COLLECTION_H
#define API_COLLECTION_H

#include "api/job.h"

struct api_collection {
    char id[API_ID_MAX], name[API_NAME_MAX];
    size_t n_images, bytes; /* bytes: of its pictures' files */
    int64_t created_ms;
    int64_t cursor; /* where a list goes on after this one */
};

/* A picture that is to be added: checked, and borrowed. */
struct api_new_picture {
    struct api_ref ref;
    const void *bytes;
    const char *type; /* media type */
};

/* A picture of a collection. */
struct api_kept_picture {
    struct api_ref ref;
    const char *type;
    int64_t cursor;
};

/* Every function may be called from any thread. All fail with LUC_IO and LUC_NOMEM, those that name
 * a collection with LUC_NOT_FOUND where the owner has none of that id. */
struct api_collections {
    void *ctx;
    /* LUC_INVALID: there are as many as this server keeps. */
    enum luc_status (*create)(void *ctx, const char *owner, const char *name, char id[API_ID_MAX],
                              struct luc_error *err);
    enum luc_status (*get)(void *ctx, const char *owner, const char *id, struct api_collection *row,
                           struct luc_error *err);
    /* Newest first, those after `cursor` (0: from the newest). */
    enum luc_status (*list)(void *ctx, const char *owner, int64_t cursor, size_t limit,
                            void (*each)(void *to, const struct api_collection *row), void *to,
                            struct luc_error *err);
    /* All of them or none; *n_added: those that were not in it. One that was takes a new label where
     * one is given. LUC_TOO_LARGE: more pictures or bytes than a collection may have. */
    enum luc_status (*add)(void *ctx, const char *owner, const char *id,
                           const struct api_new_picture *pictures, size_t n, size_t *n_added,
                           struct luc_error *err);
    /* In the order they came, those after `cursor`; each() has them for the time of the call. */
    enum luc_status (*pictures)(void *ctx, const char *owner, const char *id, int64_t cursor,
                                size_t limit,
                                void (*each)(void *to, const struct api_kept_picture *picture),
                                void *to, struct luc_error *err);
    /* Its labels and how many pictures have each, the most frequent first. */
    enum luc_status (*labels)(void *ctx, const char *owner, const char *id, size_t limit,
                              void (*each)(void *to, const char *label, size_t n), void *to,
                              struct luc_error *err);
    /* One picture's file, bytes on the heap; also LUC_NOT_FOUND when it is not in the collection. */
    enum luc_status (*file)(void *ctx, const char *owner, const char *id, const char *sha256,
                            char **bytes, size_t *size, struct luc_error *err);
    /* One picture, or with NULL the collection. What nobody needs any more goes with it. */
    enum luc_status (*remove)(void *ctx, const char *owner, const char *id, const char *sha256,
                              struct luc_error *err);
};

/* Refers `job` to every picture of the collection as it is now. Failures blame the parameter
 * `collection`. */
LUC_MUST_USE enum luc_status api_job_add_collection(struct api_job *job, const struct api_env *env,
                                                    const char *owner, const char *id,
                                                    struct luc_error *err);

#endif
