/* hash.h -- SHA-256 and SHA-512 of a stream, and hexadecimal text. */
#ifndef LUC_BASE_HASH_H
#define LUC_BASE_HASH_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define LUC_HASH_MAX     64  /* bytes of the longest digest */
#define LUC_HASH_HEX_MAX 129 /* its hexadecimal text, NUL included */

enum luc_hash_kind { LUC_SHA256, LUC_SHA512 };

/* Zero is a valid, finished hash. A failure inside is kept and reported by luc_hash_finish(). */
struct luc_hash {
    void *ctx;
    bool failed;
};

/* LUC_NOMEM. A hash that was started must be finished or given up. */
LUC_MUST_USE enum luc_status luc_hash_init(struct luc_hash *h, enum luc_hash_kind kind,
                                           struct luc_error *err);
void luc_hash_update(struct luc_hash *h, const void *bytes, size_t n);
/* Writes the digest and its size (32 or 64), and gives up what init took. LUC_INTERNAL when the
 * library failed on the way. */
LUC_MUST_USE enum luc_status luc_hash_finish(struct luc_hash *h, unsigned char digest[LUC_HASH_MAX],
                                             size_t *size, struct luc_error *err);
/* The same as lower-case hexadecimal text. */
LUC_MUST_USE enum luc_status luc_hash_finish_hex(struct luc_hash *h, char text[LUC_HASH_HEX_MAX],
                                                 struct luc_error *err);
/* Gives up a hash without finishing it; fine on a zeroed or finished one. */
void luc_hash_done(struct luc_hash *h);

/* Writes 2 * n lower-case digits and a NUL. */
void luc_hex_encode(const void *bytes, size_t n, char *text);
/* Reads exactly 2 * n digits of either case; false when `text` is anything else. */
bool luc_hex_decode(const char *text, void *bytes, size_t n);

#endif
