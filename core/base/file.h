/* file.h -- whole files, read-only, under a size limit; and paths that come from files.
 *
 * Only regular files are read. A mapped file must not be shortened while it is mapped: whoever
 * replaces one writes a new file and renames it into place.
 */
#ifndef LUC_BASE_FILE_H
#define LUC_BASE_FILE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct luc_file {
    const unsigned char *bytes; /* NULL when empty */
    size_t size;
};

/* Maps `path`. LUC_NOT_FOUND, LUC_IO, LUC_TOO_LARGE (over `limit` bytes); the message names the
 * file. */
LUC_MUST_USE enum luc_status luc_file_map(const char *path, size_t limit, struct luc_file *f,
                                          struct luc_error *err);
void luc_file_unmap(struct luc_file *f); /* fine on a zeroed one */

/* Reads `path` into memory that the caller frees; a NUL follows the last byte. *size may be NULL.
 * Fails as luc_file_map(), and with LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_file_read(const char *path, size_t limit, char **bytes,
                                           size_t *size, struct luc_error *err);

/* Whether `name`, found in a file, stays below the directory it is relative to: not empty, not
 * absolute, no component that is empty, "." or "..", no backslash, no control character. */
bool luc_path_is_below(const char *name);

/* "dir/name" into out[size]. LUC_FORMAT when name does not pass luc_path_is_below(), LUC_TOO_LARGE
 * when the result does not fit. */
LUC_MUST_USE enum luc_status luc_path_join(const char *dir, const char *name, char *out,
                                           size_t size, struct luc_error *err);

#endif
