/* What the store in SQL tells about jobs. */
#include "server/store/store_sql.h"

#include <math.h>
#include <string.h>

enum luc_status srv_store_owners(struct srv_store *store,
                                 void (*each)(void *ctx, const struct srv_node *node), void *ctx,
                                 struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err,
                    "SELECT DISTINCT owner, host, coalesce(nodes.bytes, 0), CASE WHEN "
                    "nodes.lease_ms < ? THEN 1 ELSE 0"
                    " END FROM jobs LEFT JOIN nodes ON nodes.name = owner WHERE state = 1 AND"
                    " owner IS NOT NULL",
                    "i", s->look->driver->now_ms());
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx, &(struct srv_node){ .name = srv_sql_peek(q, 0),
                                          .host = srv_sql_peek(q, 1),
                                          .most_bytes = (size_t)srv_sql_int(q, 2),
                                          .silent = srv_sql_int(q, 3) != 0 });
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

#define ROW_COLUMNS                                                                                \
    "seq, id, method, state, attempt, step, n_steps, progress, loss, eta_s, created_ms,"           \
    " started_ms, finished_ms, expires_ms, cancel, expired, spec, error,"                          \
    " EXISTS (SELECT 1 FROM files WHERE job = jobs.seq AND role = 'preview'),"                     \
    " CASE WHEN state = 0 THEN (SELECT count(*) FROM jobs AS j WHERE j.state = 0 AND"              \
    "  j.seq <= jobs.seq AND j.lane = jobs.lane) ELSE 0 END, who"

static enum luc_status read_row(struct srv_sql_rows *q, struct api_job_row *row,
                                struct luc_error *err)
{
    *row = (struct api_job_row){ .cursor = srv_sql_int(q, 0),
                                 .state = (enum api_state)srv_sql_int(q, 3),
                                 .attempt = srv_sql_int(q, 4),
                                 .step = srv_sql_int(q, 5),
                                 .n_steps = srv_sql_int(q, 6),
                                 .progress = srv_sql_real_or(q, 7, 0),
                                 .loss = srv_sql_real_or(q, 8, NAN),
                                 .eta_s = srv_sql_real_or(q, 9, -1),
                                 .created_ms = srv_sql_int(q, 10),
                                 .started_ms = srv_sql_int(q, 11),
                                 .finished_ms = srv_sql_int(q, 12),
                                 .expires_ms = srv_sql_int(q, 13),
                                 .cancelling = srv_sql_int(q, 14) != 0,
                                 .expired = srv_sql_int(q, 15) != 0,
                                 .spec = srv_sql_copy(q, 16),
                                 .error = srv_sql_copy(q, 17),
                                 .has_preview = srv_sql_int(q, 18) != 0,
                                 .queue_position = srv_sql_int(q, 19) };
    /* Past their time, results are gone whether or not they were cleaned up. */
    if (api_state_is_final(row->state) && row->expires_ms < q->driver->now_ms())
        row->expired = true;
    srv_sql_text(q, 1, row->id, sizeof(row->id));
    srv_sql_text(q, 2, row->method, sizeof(row->method));
    srv_sql_text(q, 20, row->owner, sizeof(row->owner));
    return row->spec ? LUC_OK : luc_fail_nomem(err, "a job", 0);
}

enum luc_status srv_store_get(struct srv_store *store, const char *id, struct api_job_row *row,
                              struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct api_job_row made = { 0 };
    struct srv_sql_rows *q = NULL;
    bool found = false;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err, "SELECT " ROW_COLUMNS " FROM jobs WHERE id = ?", "s", id);
    if (!st)
        st = srv_sql_next(q, &found, err);
    if (!st && !found)
        st = luc_fail(err, LUC_NOT_FOUND, "there is no job %.40s", id);
    if (!st)
        st = read_row(q, &made, err);
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    if (st)
        api_job_row_done(&made);
    else
        *row = made;
    return st;
}

enum luc_status srv_store_list(struct srv_store *store, const char *who, enum api_state state,
                               int64_t cursor, size_t limit,
                               void (*each)(void *, const struct api_job_row *), void *to,
                               struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err,
                    "SELECT " ROW_COLUMNS " FROM jobs WHERE seq < ?1 AND (?2 = 5 OR state = ?2)"
                    " AND who = ?4 ORDER BY seq DESC LIMIT ?3",
                    "iiis", cursor > 0 ? cursor : INT64_MAX, (int64_t)state, (int64_t)limit, who);
    while (!st && row) {
        struct api_job_row one = { 0 };
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            st = read_row(q, &one, err);
        if (!st && row)
            each(to, &one);
        api_job_row_done(&one);
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

enum luc_status srv_store_files(struct srv_store *store, const char *id, const char *role,
                                void (*each)(void *ctx, const struct srv_answer *a), void *ctx,
                                struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err,
                    "SELECT type, headers, sha256 FROM files JOIN jobs ON job = seq"
                    " WHERE id = ? AND role = ? ORDER BY n",
                    "ss", id, role);
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx, &(struct srv_answer){ srv_sql_peek(q, 0), srv_sql_peek(q, 1),
                                            srv_sql_peek(q, 2) });
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

enum luc_status srv_store_events(struct srv_store *store, const char *id, int64_t after,
                                 void (*each)(void *ctx, const struct srv_event *e), void *ctx,
                                 struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err,
                                     "SELECT n, kind, data FROM events WHERE job ="
                                     " (SELECT seq FROM jobs WHERE id = ?) AND n > ? ORDER BY n",
                                     "si", id, after);
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx,
                 &(struct srv_event){ srv_sql_int(q, 0), srv_sql_peek(q, 1), srv_sql_peek(q, 2) });
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

enum luc_status srv_store_counts(struct srv_store *store, size_t by_state[API_N_STATES],
                                 struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    size_t n[API_N_STATES] = { 0 };
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err, "SELECT state, count(*) FROM jobs GROUP BY state", "");
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        const int64_t state = !st && row ? srv_sql_int(q, 0) : -1;
        if (state >= 0 && state < API_N_STATES)
            n[state] = (size_t)srv_sql_int(q, 1);
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    if (!st)
        memcpy(by_state, n, sizeof(n));
    return st;
}
