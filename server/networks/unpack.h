/* unpack.h -- chosen files out of a package (a gzipped tar). */
#ifndef SERVER_NETWORKS_UNPACK_H
#define SERVER_NETWORKS_UNPACK_H

#include "config/catalog.h"

/* Writes each files[i].member as dir/files[i].local, on disk when this returns. Nothing else is
 * written: names in the package are compared, never used as paths. LUC_FORMAT: damaged, a member is
 * missing, there twice, not a plain file, or all of it larger than `limit` bytes. LUC_IO. */
LUC_MUST_USE enum luc_status srv_unpack(const char *archive, const struct cfg_file *files,
                                        size_t n_files, const char *dir, size_t limit,
                                        struct luc_error *err);

#endif
