/* fetch.h -- one download into a file: goes on where it stopped, bounded, and verified. */
#ifndef SERVER_NETWORKS_FETCH_H
#define SERVER_NETWORKS_FETCH_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct srv_fetch {
    const char *url;  /* https, http or file */
    const char *path; /* of the file; what it already holds is kept and continued */
    const char *hash; /* expected, lower-case hexadecimal */
    bool sha512;      /* else SHA-256 */
    size_t bytes;     /* expected */
    /* Called now and then with the bytes there are; may be NULL. False gives up. */
    bool (*progress)(void *ctx, size_t done);
    void *progress_ctx;
};

/* On success the file is complete, has the right hash and is on disk. LUC_FORMAT: wrong size or
 * hash, and the file is gone. LUC_IO: not reached, or broken off: what came stays for the next try.
 * LUC_CANCELLED. */
LUC_MUST_USE enum luc_status srv_fetch(const struct srv_fetch *f, struct luc_error *err);

#endif
