/* store_sql.h -- what the files of the store in SQL share; everyone else sees store.h. */
#ifndef SERVER_STORE_STORE_SQL_H
#define SERVER_STORE_STORE_SQL_H

#include "server/store/sql.h"
#include "server/store/store.h"

#include <pthread.h>

/* `hard` writes what must survive a power cut (synchronous=FULL), `soft` what need not, both under
 * one lock; `look` reads under its own, so that reading never waits for the disk. */
struct srv_sql_store {
    struct srv_store base;
    struct srv_sql_db *hard, *soft, *look;
    pthread_mutex_t writing, reading;
};

static inline struct srv_sql_store *srv_sql_store_of(struct srv_store *s)
{
    return (struct srv_sql_store *)s;
}

/* A write as one transaction: begin, the statements, then end, which commits, or undoes all of it
 * when `st` is a failure. */
LUC_MUST_USE enum luc_status srv_store_begin(struct srv_sql_store *s, struct srv_sql_db *db,
                                             struct luc_error *err);
LUC_MUST_USE enum luc_status srv_store_end(struct srv_sql_store *s, struct srv_sql_db *db,
                                           enum luc_status st, struct luc_error *err);

/* Inside a transaction: the end of a job, and the event that tells of a state. */
LUC_MUST_USE enum luc_status srv_store_end_job(struct srv_sql_db *db, int64_t seq,
                                               enum api_state state, const char *error,
                                               double keep_s, struct luc_error *err);
LUC_MUST_USE enum luc_status srv_store_state_event(struct srv_sql_db *db, int64_t seq,
                                                   enum api_state state, int64_t attempt,
                                                   struct luc_error *err);

extern const struct srv_collections_kind srv_sql_collections;

/* Functions of struct srv_store_kind: store_sql_jobs.c and store_sql_claim.c change jobs, */
enum luc_status srv_store_submit(struct srv_store *store, const struct srv_new_job *job,
                                 char id[API_ID_MAX], enum api_submitted *how,
                                 struct luc_error *err);
enum luc_status srv_store_claim(struct srv_store *store, const struct srv_claim_ask *ask,
                                struct srv_claimed *got, struct luc_error *err);
enum luc_status srv_store_beat(struct srv_store *store, const struct srv_claim *c, double lease_s,
                               bool *cancel, struct luc_error *err);
enum luc_status srv_store_report(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_report *r, struct luc_error *err);
enum luc_status srv_store_checkpoint(struct srv_store *store, const struct srv_claim *c,
                                     const char *file, struct luc_error *err);
enum luc_status srv_store_finish(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_outcome *o, struct luc_error *err);
enum luc_status srv_store_release(struct srv_store *store, const struct srv_claim *c,
                                  struct luc_error *err);
enum luc_status srv_store_live(struct srv_store *store, const struct srv_node *node, double lease_s,
                               struct luc_error *err);
enum luc_status srv_store_release_owner(struct srv_store *store, const char *owner, size_t *n,
                                        struct luc_error *err);
enum luc_status srv_store_cancel(struct srv_store *store, const char *id, enum api_state *was,
                                 struct luc_error *err);
/* store_sql_keys.c: */
enum luc_status srv_store_key_add(struct srv_store *store, const struct srv_key_row *key,
                                  struct luc_error *err);
enum luc_status srv_store_key_revoke(struct srv_store *store, const char *id,
                                     struct luc_error *err);
enum luc_status srv_store_keys(struct srv_store *store,
                               void (*each)(void *ctx, const struct srv_key_row *key), void *ctx,
                               struct luc_error *err);
/* store_sql_look.c reads jobs. */
enum luc_status srv_store_owners(struct srv_store *store,
                                 void (*each)(void *ctx, const struct srv_node *node), void *ctx,
                                 struct luc_error *err);
enum luc_status srv_store_get(struct srv_store *store, const char *id, struct api_job_row *row,
                              struct luc_error *err);
enum luc_status srv_store_list(struct srv_store *store, const char *who, enum api_state state,
                               int64_t cursor, size_t limit,
                               void (*each)(void *, const struct api_job_row *), void *to,
                               struct luc_error *err);
enum luc_status srv_store_files(struct srv_store *store, const char *id, const char *role,
                                void (*each)(void *ctx, const struct srv_answer *a), void *ctx,
                                struct luc_error *err);
enum luc_status srv_store_events(struct srv_store *store, const char *id, int64_t after,
                                 void (*each)(void *ctx, const struct srv_event *e), void *ctx,
                                 struct luc_error *err);
enum luc_status srv_store_counts(struct srv_store *store, size_t by_state[API_N_STATES],
                                 struct luc_error *err);

#endif
