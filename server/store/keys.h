/* keys.h -- who may ask, and how much.
 *
 * A key is the text "lucida_ID_SECRET", shown once by `lucida keys add`; the store keeps its id, a
 * name for people, and the SHA-256 of the text. The secret has 192 random bits, so one fast hash is
 * enough: there is nothing to guess that a slow one would protect. Jobs belong to the id.
 *
 * Once a data directory has had a key, every request needs one, also after all were revoked.
 * Without any, everyone is the owner "". Each owner may ask `key_requests` times a minute: a bucket
 * that is full at first and refills evenly. Keys are read again from the store by
 * srv_keys_refresh(), so that what another process adds or revokes holds within a second.
 * Thread-safe.
 */
#ifndef SERVER_STORE_KEYS_H
#define SERVER_STORE_KEYS_H

#include "server/store/store.h"

#define SRV_KEY_ID     13 /* bytes, NUL included */
#define SRV_KEY_TEXT   80 /* bytes of a key, NUL included */
#define SRV_KEY_NAME   64
#define SRV_KEY_SHA256 65

struct srv_keys; /* opaque */

/* `store` is borrowed. `per_minute`: requests of one owner; 0: any number. */
LUC_MUST_USE enum luc_status srv_keys_create(struct srv_store *store, size_t per_minute,
                                             struct srv_keys **keys, struct luc_error *err);
struct srv_keys *srv_keys_destroy(struct srv_keys *keys); /* NULL is fine; returns NULL */

LUC_MUST_USE enum luc_status srv_keys_refresh(struct srv_keys *keys, struct luc_error *err);
/* Whether requests need a key. */
bool srv_keys_needed(struct srv_keys *keys);

/* What the Authorization header of a request (NULL: none) gives it. False: no key, or not one of
 * these. Else `owner`, and in *retry_s 0, or the seconds until the owner may ask again. */
bool srv_keys_admit(struct srv_keys *keys, const char *authorization, char owner[API_OWNER_MAX],
                    unsigned *retry_s);

/* A new key: its text, to be shown once, and what the store keeps. LUC_INTERNAL: no randomness. */
LUC_MUST_USE enum luc_status srv_key_make(char text[SRV_KEY_TEXT], char id[SRV_KEY_ID],
                                          char sha256[SRV_KEY_SHA256], struct luc_error *err);

#endif
