/* store_private.h -- what the store's files share, within a transaction; everyone else sees store.h. */
#ifndef SERVER_STORE_STORE_PRIVATE_H
#define SERVER_STORE_STORE_PRIVATE_H

#include "server/store/store.h"

/* The end of a job, and the event that tells of a state. */
LUC_MUST_USE enum luc_status srv_store_end_job(const struct srv_sql *q, int64_t seq,
                                               enum api_state state, const char *error,
                                               double keep_s, struct luc_error *err);
LUC_MUST_USE enum luc_status srv_store_state_event(const struct srv_sql *q, int64_t seq,
                                                   enum api_state state, int64_t attempt,
                                                   struct luc_error *err);

#endif
