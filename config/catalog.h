/* catalog.h -- the networks that `lucida models pull` can fetch, from models.json inside the program.
 *
 *   { "default": [NAME, ..], "models": [ENTRY, ..] }
 *
 * An entry is a network's description (core/model/model.h); pulled, it becomes MODELS/NAME.json. Its
 * files land in MODELS/NAME/, and "file" and "labels" say so. "sources" tells where they come from:
 *
 *   { "npm": "package@1.2.3", "sha512": HEX, "bytes": N, "paths": { MEMBER: LOCAL NAME, .. } }
 *   { "url": "https://..", "sha256": HEX, "bytes": N, "path": LOCAL NAME }
 */
#ifndef CONFIG_CATALOG_H
#define CONFIG_CATALOG_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>

struct cfg_file {
    const char *member; /* in the package; NULL: the download itself */
    const char *local;  /* one path component */
};

struct cfg_source {
    const char *npm; /* "name@version"; NULL: url */
    const char *url;
    const char *hash; /* lower-case hexadecimal */
    bool sha512;      /* else SHA-256 */
    size_t bytes;
    const struct cfg_file *files;
    size_t n_files;
};

struct cfg_entry {
    const char *name, *title, *task, *licence;
    const char *json; /* the description, as written to disk */
    bool by_default;
    size_t bytes; /* of all downloads */
    const struct cfg_source *sources;
    size_t n_sources;
};

struct cfg_catalog {
    const struct cfg_entry *entries;
    size_t n;
};

/* The catalog in `json`; everything lives in `arena`. LUC_FORMAT names the entry and what is wrong. */
LUC_MUST_USE enum luc_status cfg_catalog_parse(const char *json, struct luc_arena *arena,
                                               struct cfg_catalog *catalog, struct luc_error *err);
/* The one in the file `path`, or the program's own when `path` is "". */
LUC_MUST_USE enum luc_status cfg_catalog_load(const char *path, struct luc_arena *arena,
                                              struct cfg_catalog *catalog, struct luc_error *err);
/* NULL when there is none of that name. */
const struct cfg_entry *cfg_catalog_find(const struct cfg_catalog *catalog, const char *name);

/* Whether `name` can name a network: 1 to 64 of a-z A-Z 0-9 '_' '-' '.', not starting with '.'. */
bool cfg_model_name(const char *name);

#endif
