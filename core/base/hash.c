#include "core/base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

enum luc_status luc_hash_init(struct luc_hash *h, enum luc_hash_kind kind, struct luc_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return luc_fail(err, LUC_NOMEM, "hash: out of memory");
    const int ok = EVP_DigestInit_ex(ctx, kind == LUC_SHA512 ? EVP_sha512() : EVP_sha256(), NULL);
    *h = (struct luc_hash){ .ctx = ctx, .failed = ok != 1 };
    return LUC_OK;
}

void luc_hash_update(struct luc_hash *h, const void *bytes, size_t n)
{
    assert(h->ctx);
    if (n > 0 && EVP_DigestUpdate(h->ctx, bytes, n) != 1)
        h->failed = true;
}

enum luc_status luc_hash_finish(struct luc_hash *h, unsigned char digest[LUC_HASH_MAX],
                                size_t *size, struct luc_error *err)
{
    assert(h->ctx);
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    const bool failed = EVP_DigestFinal_ex(h->ctx, out, &n) != 1 || h->failed || n > LUC_HASH_MAX;
    luc_hash_done(h);
    if (failed)
        return luc_fail(err, LUC_INTERNAL, "hash: the crypto library failed");
    memcpy(digest, out, n);
    *size = n;
    return LUC_OK;
}

enum luc_status luc_hash_finish_hex(struct luc_hash *h, char text[LUC_HASH_HEX_MAX],
                                    struct luc_error *err)
{
    unsigned char digest[LUC_HASH_MAX];
    size_t n = 0;
    const enum luc_status st = luc_hash_finish(h, digest, &n, err);
    if (!st)
        luc_hex_encode(digest, n, text);
    return st;
}

void luc_hash_done(struct luc_hash *h)
{
    EVP_MD_CTX_free(h->ctx);
    *h = (struct luc_hash){ 0 };
}

void luc_hex_encode(const void *bytes, size_t n, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[b[i] >> 4];
        text[2 * i + 1] = digits[b[i] & 15];
    }
    text[2 * n] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool luc_hex_decode(const char *text, void *bytes, size_t n)
{
    if (strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++)
        if (digit_value(text[i]) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)bytes)[i] =
            (unsigned char)(digit_value(text[2 * i]) * 16 + digit_value(text[2 * i + 1]));
    return true;
}
