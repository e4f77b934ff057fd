/* What the store tells about jobs. Rows are copied before each() is called: nothing is locked then. */
#include "server/store/store_private.h"

#include <math.h>
#include <string.h>

enum luc_status srv_store_owners(struct srv_store *store,
                                 void (*each)(void *ctx, const struct srv_owner *owner), void *ctx,
                                 struct luc_error *err)
{
    struct srv_table t = { 0 };
    const int64_t now = srv_sql_now(&store->sql);
    const enum luc_status st = srv_sql_look(
        &store->sql, &t, err,
        "SELECT DISTINCT owner, host, until_ms FROM jobs LEFT JOIN nodes ON name = owner"
        " WHERE state = 1 AND owner IS NOT NULL",
        "");
    for (size_t i = 0; i < t.n_rows; i++)
        each(ctx, &(struct srv_owner){ srv_cell_text(&t, i, 0), srv_cell_text(&t, i, 1),
                                       srv_cell(&t, i, 2)->n < now });
    srv_table_done(&t);
    return st;
}

#define ROW_COLUMNS                                                                                \
    "seq, id, method, state, attempt, step, n_steps, progress, loss, eta_s, created_ms,"           \
    " started_ms, finished_ms, expires_ms, cancel, expired, parameters, error,"                    \
    " EXISTS (SELECT 1 FROM files WHERE job = jobs.seq AND role = 'preview'),"                     \
    " CASE WHEN state = 0 THEN (SELECT count(*) FROM jobs AS j WHERE j.state = 0 AND"              \
    "  j.seq <= jobs.seq AND j.lane = jobs.lane) ELSE 0 END, who, format"

static double real_or(const struct srv_table *t, size_t row, size_t column, double other)
{
    return srv_cell(t, row, column)->text ? srv_cell(t, row, column)->d : other;
}

static enum luc_status read_row(const struct srv_table *t, size_t i, int64_t now,
                                struct api_job_row *row, struct luc_error *err)
{
    *row = (struct api_job_row){ .cursor = srv_cell(t, i, 0)->n,
                                 .state = (enum api_state)srv_cell(t, i, 3)->n,
                                 .attempt = srv_cell(t, i, 4)->n,
                                 .step = srv_cell(t, i, 5)->n,
                                 .n_steps = srv_cell(t, i, 6)->n,
                                 .progress = srv_cell(t, i, 7)->d,
                                 .loss = real_or(t, i, 8, NAN),
                                 .eta_s = real_or(t, i, 9, -1),
                                 .created_ms = srv_cell(t, i, 10)->n,
                                 .started_ms = srv_cell(t, i, 11)->n,
                                 .finished_ms = srv_cell(t, i, 12)->n,
                                 .expires_ms = srv_cell(t, i, 13)->n,
                                 .cancelling = srv_cell(t, i, 14)->n != 0,
                                 .expired = srv_cell(t, i, 15)->n != 0,
                                 .parameters = srv_cell_dup(t, i, 16),
                                 .error = srv_cell_dup(t, i, 17),
                                 .has_preview = srv_cell(t, i, 18)->n != 0,
                                 .queue_position = srv_cell(t, i, 19)->n };
    /* Past their time, results are gone whether or not they were cleaned up. */
    if (api_state_is_final(row->state) && row->expires_ms < now)
        row->expired = true;
    srv_cell_copy(t, i, 1, row->id, sizeof(row->id));
    srv_cell_copy(t, i, 2, row->method, sizeof(row->method));
    srv_cell_copy(t, i, 20, row->owner, sizeof(row->owner));
    srv_cell_copy(t, i, 21, row->format, sizeof(row->format));
    if (row->parameters && (row->error || !srv_cell(t, i, 17)->text))
        return LUC_OK;
    api_job_row_done(row);
    return luc_fail_nomem(err, "a job", 0);
}

static enum luc_status no_job(const char *id, struct luc_error *err)
{
    return luc_fail(err, LUC_NOT_FOUND, "there is no job %.40s", id);
}

enum luc_status srv_store_get(struct srv_store *store, const char *id, struct api_job_row *row,
                              struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st = srv_sql_look(&store->sql, &t, err,
                                      "SELECT " ROW_COLUMNS " FROM jobs WHERE id = ?", "s", id);
    if (!st && t.n_rows == 0)
        st = no_job(id, err);
    if (!st)
        st = read_row(&t, 0, srv_sql_now(&store->sql), row, err);
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_state(struct srv_store *store, const char *id, enum api_state *state,
                                struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st =
        srv_sql_look(&store->sql, &t, err, "SELECT state FROM jobs WHERE id = ?", "s", id);
    if (!st && t.n_rows == 0)
        st = no_job(id, err);
    if (!st)
        *state = (enum api_state)srv_cell(&t, 0, 0)->n;
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_list(struct srv_store *store, const char *who, enum api_state state,
                               int64_t cursor, size_t limit,
                               void (*each)(void *, const struct api_job_row *), void *to,
                               struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT " ROW_COLUMNS " FROM jobs WHERE seq < ?1 AND (?2 = 5 OR state = ?2)"
                     " AND who = ?4 ORDER BY seq DESC LIMIT ?3",
                     "iiis", cursor > 0 ? cursor : INT64_MAX, (int64_t)state, (int64_t)limit, who);
    const int64_t now = srv_sql_now(&store->sql);
    for (size_t i = 0; i < t.n_rows && !st; i++) {
        struct api_job_row one = { 0 };
        st = read_row(&t, i, now, &one, err);
        if (!st)
            each(to, &one);
        api_job_row_done(&one);
    }
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_pictures(struct srv_store *store, const char *id,
                                   enum luc_status (*each)(void *ctx, const struct srv_picture *p,
                                                           struct luc_error *err),
                                   void *ctx, struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st = srv_sql_look(&store->sql, &t, err,
                                      "SELECT l.sha256, l.about FROM listed AS l JOIN jobs ON"
                                      " jobs.list = l.list WHERE jobs.id = ? ORDER BY l.n",
                                      "s", id);
    for (size_t i = 0; i < t.n_rows && !st; i++)
        st = each(ctx, &(struct srv_picture){ srv_cell_text(&t, i, 0), srv_cell_text(&t, i, 1) },
                  err);
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_files(struct srv_store *store, const char *id, const char *role,
                                void (*each)(void *ctx, const struct srv_answer *a), void *ctx,
                                struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT type, headers, sha256 FROM files JOIN jobs ON job = seq"
                     " WHERE id = ? AND role = ? ORDER BY n",
                     "ss", id, role);
    for (size_t i = 0; i < t.n_rows; i++)
        each(ctx, &(struct srv_answer){ srv_cell(&t, i, 0)->text, srv_cell(&t, i, 1)->text,
                                        srv_cell(&t, i, 2)->text });
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_events(struct srv_store *store, const char *id, int64_t after,
                                 void (*each)(void *ctx, const struct srv_event *e), void *ctx,
                                 struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT n, kind, data FROM events WHERE job ="
                     " (SELECT seq FROM jobs WHERE id = ?) AND n > ? ORDER BY n",
                     "si", id, after);
    for (size_t i = 0; i < t.n_rows; i++)
        each(ctx, &(struct srv_event){ srv_cell(&t, i, 0)->n, srv_cell_text(&t, i, 1),
                                       srv_cell_text(&t, i, 2) });
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_counts(struct srv_store *store, size_t by_state[API_N_STATES],
                                 struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err, "SELECT state, count(*) FROM jobs GROUP BY state", "");
    if (!st)
        memset(by_state, 0, API_N_STATES * sizeof(*by_state));
    for (size_t i = 0; i < t.n_rows; i++) {
        const int64_t state = srv_cell(&t, i, 0)->n;
        if (state >= 0 && state < API_N_STATES)
            by_state[state] = (size_t)srv_cell(&t, i, 1)->n;
    }
    srv_table_done(&t);
    return st;
}
