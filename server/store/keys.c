#define _GNU_SOURCE /* getrandom */
#include "server/store/keys.h"

#include "core/base/hash.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define PREFIX     "lucida_"
#define ID_BYTES   6
#define SECRET     24
#define OWNERS_MAX 4096 /* buckets; more keys share the last one's */

struct key {
    char id[SRV_KEY_ID];
    unsigned char digest[32];
    bool revoked;
};

struct bucket {
    char owner[API_OWNER_MAX];
    double left, filled_s; /* requests that may be made at once, and when that was so */
};

struct srv_keys {
    struct srv_store *store;
    double per_minute;
    pthread_mutex_t lock;
    struct key *key;
    size_t n;
    struct bucket *bucket;
    size_t n_buckets, cap_buckets;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum luc_status srv_keys_create(struct srv_store *store, size_t per_minute, struct srv_keys **keys,
                                struct luc_error *err)
{
    struct srv_keys *k = calloc(1, sizeof(*k));
    if (!k)
        return luc_fail_nomem(err, "the keys", sizeof(*k));
    k->store = store;
    k->per_minute = (double)per_minute;
    pthread_mutex_init(&k->lock, NULL);
    const enum luc_status st = srv_keys_refresh(k, err);
    if (st)
        srv_keys_destroy(k);
    else
        *keys = k;
    return st;
}

struct srv_keys *srv_keys_destroy(struct srv_keys *k)
{
    if (k) {
        pthread_mutex_destroy(&k->lock);
        free(k->key);
        free(k->bucket);
        free(k);
    }
    return NULL;
}

struct reading {
    struct key *key;
    size_t n, cap;
    bool failed;
};

static void add_key(void *ctx, const struct srv_key_row *row)
{
    struct reading *r = ctx;
    if (r->n == r->cap) {
        const size_t cap = r->cap ? 2 * r->cap : 8;
        struct key *grown = realloc(r->key, cap * sizeof(*grown));
        if (!grown) {
            r->failed = true;
            return;
        }
        r->key = grown;
        r->cap = cap;
    }
    struct key one = { .revoked = row->revoked_ms != 0 };
    snprintf(one.id, sizeof(one.id), "%s", row->id);
    if (!luc_hex_decode(row->sha256, one.digest, sizeof(one.digest)))
        one.revoked = true; /* no key has such a hash */
    r->key[r->n++] = one;
}

enum luc_status srv_keys_refresh(struct srv_keys *k, struct luc_error *err)
{
    struct reading r = { 0 };
    enum luc_status st = srv_store_keys(k->store, add_key, &r, err);
    if (!st && r.failed)
        st = luc_fail_nomem(err, "the keys", r.n * sizeof(*r.key));
    if (st) {
        free(r.key);
        return st;
    }
    pthread_mutex_lock(&k->lock);
    struct key *old = k->key;
    k->key = r.key;
    k->n = r.n;
    pthread_mutex_unlock(&k->lock);
    free(old);
    return LUC_OK;
}

bool srv_keys_needed(struct srv_keys *k)
{
    pthread_mutex_lock(&k->lock);
    const bool any = k->n > 0;
    pthread_mutex_unlock(&k->lock);
    return any;
}

static bool digest_of(const char *text, unsigned char digest[32])
{
    unsigned char all[LUC_HASH_MAX];
    struct luc_hash h = { 0 };
    size_t size = 0;
    if (luc_hash_init(&h, LUC_SHA256, NULL))
        return false;
    luc_hash_update(&h, text, strlen(text));
    if (luc_hash_finish(&h, all, &size, NULL) || size != 32)
        return false;
    memcpy(digest, all, 32);
    return true;
}

/* In a time that does not depend on where they differ. */
static bool same(const unsigned char a[32], const unsigned char b[32])
{
    unsigned char differs = 0;
    for (size_t i = 0; i < 32; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

/* The key that a header names, or NULL. All keys are compared, whichever it is. */
static const struct key *find(const struct srv_keys *k, const char *authorization)
{
    unsigned char digest[32];
    const struct key *found = NULL;
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *text = authorization + 7 + strspn(authorization + 7, " ");
    if (strlen(text) >= SRV_KEY_TEXT || !digest_of(text, digest))
        return NULL;
    for (size_t i = 0; i < k->n; i++)
        if (same(digest, k->key[i].digest) && !k->key[i].revoked)
            found = &k->key[i];
    return found;
}

static struct bucket *bucket_of(struct srv_keys *k, const char *owner, double now)
{
    for (size_t i = 0; i < k->n_buckets; i++)
        if (strcmp(k->bucket[i].owner, owner) == 0)
            return &k->bucket[i];
    if (k->n_buckets == OWNERS_MAX)
        return &k->bucket[OWNERS_MAX - 1];
    if (k->n_buckets == k->cap_buckets) {
        const size_t cap = k->cap_buckets ? 2 * k->cap_buckets : 8;
        struct bucket *grown = realloc(k->bucket, cap * sizeof(*grown));
        if (!grown)
            return NULL;
        k->bucket = grown;
        k->cap_buckets = cap;
    }
    struct bucket *b = &k->bucket[k->n_buckets++];
    *b = (struct bucket){ .left = k->per_minute, .filled_s = now };
    snprintf(b->owner, sizeof(b->owner), "%s", owner);
    return b;
}

/* Takes one request out of the owner's bucket; else the whole seconds until it holds one. */
static unsigned take_one(struct srv_keys *k, const char *owner)
{
    const double now = now_s(), per_s = k->per_minute / 60;
    struct bucket *b = k->per_minute > 0 ? bucket_of(k, owner, now) : NULL;
    if (!b)
        return 0;
    b->left = fmin(k->per_minute, b->left + (now - b->filled_s) * per_s);
    b->filled_s = now;
    if (b->left < 1)
        return (unsigned)fmax(1, ceil((1 - b->left) / per_s));
    b->left -= 1;
    return 0;
}

bool srv_keys_admit(struct srv_keys *k, const char *authorization, char owner[API_OWNER_MAX],
                    unsigned *retry_s)
{
    pthread_mutex_lock(&k->lock);
    const struct key *key = k->n ? find(k, authorization) : NULL;
    const bool good = k->n == 0 || key;
    snprintf(owner, API_OWNER_MAX, "%s", key ? key->id : "");
    *retry_s = good ? take_one(k, owner) : 0;
    pthread_mutex_unlock(&k->lock);
    return good;
}

enum luc_status srv_key_make(char text[SRV_KEY_TEXT], char id[SRV_KEY_ID],
                             char sha256[SRV_KEY_SHA256], struct luc_error *err)
{
    unsigned char bytes[ID_BYTES + SECRET], digest[32];
    char secret[2 * SECRET + 1];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return luc_fail(err, LUC_INTERNAL, "no random numbers for a key");
    luc_hex_encode(bytes, ID_BYTES, id);
    luc_hex_encode(bytes + ID_BYTES, SECRET, secret);
    snprintf(text, SRV_KEY_TEXT, PREFIX "%s_%s", id, secret);
    if (!digest_of(text, digest))
        return luc_fail(err, LUC_INTERNAL, "the key cannot be hashed");
    luc_hex_encode(digest, sizeof(digest), sha256);
    return LUC_OK;
}
