/* multipart.h -- multipart/form-data (RFC 7578) as views into the body; nothing is copied.
 *
 * Written here rather than left to the HTTP library: it is then a plain function of bytes, which
 * tests and the fuzzer call without a socket, and a picture is never gathered piece by piece.
 */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include "api/api.h"

struct api_view {
    const char *at; /* not NUL-terminated */
    size_t size;
};

struct api_part {
    struct api_view name, bytes; /* name without quotes, escapes as they came */
    struct api_view file;        /* the client's file name, size 0: none */
};

struct api_form {
    struct api_part part[API_PARTS_MAX];
    size_t n_parts;
};

/* LUC_INVALID: no usable boundary, cut off, a part without a name, too many parts. */
LUC_MUST_USE enum luc_status api_form_parse(const char *content_type, const void *body, size_t size,
                                            struct api_form *form, struct luc_error *err);

/* What a client calls a file, for people to read: without folders and control characters, cut to
 * fit. Never a path. */
void api_file_name(struct api_view file, char name[API_NAME_MAX]);

/* Whether `content_type` is `want` ("image/" matches all of image/...), whatever its parameters. */
bool api_media_is(const char *content_type, const char *want);

#endif
