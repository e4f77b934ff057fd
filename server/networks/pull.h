/* pull.h -- networks of the catalog, from their sources into the models directory.
 *
 * Downloads and unpacked files grow in MODELS/.partial/; verified and on disk, they are renamed to
 * MODELS/NAME/, and MODELS/NAME.json, written last, makes the network exist. Killed at any point,
 * the next pull goes on. A package that serves several networks of one call is fetched once.
 */
#ifndef SERVER_NETWORKS_PULL_H
#define SERVER_NETWORKS_PULL_H

#include "config/catalog.h"

struct srv_pull {
    const char *models;       /* directory; made when missing */
    const char *npm_registry; /* base URL; "": npm is asked, once one is needed */
    /* Progress of a download; may be NULL. False gives up. */
    bool (*progress)(void *ctx, const char *name, size_t done, size_t bytes);
    /* A network is there; `fresh` false: it was before. May be NULL. */
    void (*pulled)(void *ctx, const struct cfg_entry *e, bool fresh);
    void *ctx;
};

/* Pulls each of entries[0..n); stops at the first failure. LUC_FORMAT: size, hash or contents are
 * not as the catalog says. LUC_IO. LUC_BUSY: another pull is at work in this directory. */
LUC_MUST_USE enum luc_status srv_pull(const struct srv_pull *p,
                                      const struct cfg_entry *const *entries, size_t n,
                                      struct luc_error *err);

/* Whether MODELS/NAME.json is there. */
bool srv_is_pulled(const char *models, const char *name);
/* Whether it is there and says what the catalog says. It does not after it was edited, or when the
 * catalog was mended since. */
bool srv_is_current(const char *models, const struct cfg_entry *e);

/* The base URL that the npm client is configured with. LUC_NOT_FOUND when there is no npm. */
LUC_MUST_USE enum luc_status srv_npm_registry(char *url, size_t size, struct luc_error *err);
/* REGISTRY/NAME/-/BASENAME-VERSION.tgz for "NAME@VERSION". */
LUC_MUST_USE enum luc_status srv_npm_url(const char *registry, const char *package, char *url,
                                         size_t size, struct luc_error *err);

#endif
