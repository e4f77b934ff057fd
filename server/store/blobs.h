/* blobs.h -- files that are named by the SHA-256 of their bytes: uploads, results, checkpoints.
 *
 * A file appears whole or not at all, and stays when the machine fails after blobs_put() returned:
 * written under a temporary name, fsync, rename, fsync of the directory. Equal bytes are kept once.
 * Any number of threads and processes may use one directory; whoever refers to a file must do so
 * within SRV_BLOB_GRACE_S of putting it, since srv_blobs_sweep() removes what nobody refers to.
 */
#ifndef SERVER_STORE_BLOBS_H
#define SERVER_STORE_BLOBS_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define SRV_BLOB_NAME    65   /* hexadecimal SHA-256, NUL included */
#define SRV_BLOB_GRACE_S 3600 /* age before an unreferenced file may be swept */

/* Makes a data directory with those above it, for its owner only. False: errno says why. */
bool srv_data_make(const char *path);

struct srv_blobs; /* opaque */

/* Makes DATA/files where it is missing, and checks that it can be written. LUC_IO, LUC_NOMEM. */
LUC_MUST_USE enum luc_status srv_blobs_open(const char *data, struct srv_blobs **blobs,
                                            struct luc_error *err);
struct srv_blobs *srv_blobs_close(struct srv_blobs *blobs); /* NULL is fine; returns NULL */

/* LUC_IO: the disk is full or cannot be written; the sentence says which. Nothing is left then. */
LUC_MUST_USE enum luc_status srv_blobs_put(struct srv_blobs *blobs, const void *bytes, size_t size,
                                           char name[SRV_BLOB_NAME], struct luc_error *err);
/* The bytes, to be freed; a NUL follows them. LUC_NOT_FOUND, LUC_IO, LUC_NOMEM; LUC_FORMAT: the
 * file is not what its name says. */
LUC_MUST_USE enum luc_status srv_blobs_get(struct srv_blobs *blobs, const char *name, char **bytes,
                                           size_t *size, struct luc_error *err);
/* Makes a file young again, so that a sweep leaves it alone while whoever asked comes to refer to
 * it. LUC_NOT_FOUND: it is not there; LUC_IO. */
LUC_MUST_USE enum luc_status srv_blobs_touch(struct srv_blobs *blobs, const char *name,
                                             struct luc_error *err);
/* Removes temporary files and files older than `grace_s` for which used() is false, and says how
 * many; used() is true when in doubt. */
size_t srv_blobs_sweep(struct srv_blobs *blobs, double grace_s,
                       bool (*used)(void *ctx, const char *name), void *ctx);

#endif
