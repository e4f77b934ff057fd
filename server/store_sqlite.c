/* The store in one SQLite file. Three connections: `hard` writes what must survive a power cut
 * (synchronous=FULL), `soft` what need not, both under one lock; `look` reads under its own, so that
 * reading never waits for the disk.
 */
#include "server/sqlite_util.h"
#include "server/store.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUED  API_STATE_queued
#define RUNNING API_STATE_running

struct sqlite_store {
    struct srv_store base;
    sqlite3 *hard, *soft, *look;
    pthread_mutex_t writing, reading;
};

/* Each entry brings the schema from version i to i + 1; entries are never changed, only added. */
static const char *const migrations[] = {
    "CREATE TABLE jobs ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, method TEXT NOT NULL,"
    " lane INTEGER NOT NULL, bytes INTEGER NOT NULL, spec TEXT NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),"
    " attempt INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, owner TEXT,"
    " lease_ms INTEGER, cancel INTEGER NOT NULL DEFAULT 0, progress REAL NOT NULL DEFAULT 0,"
    " step INTEGER NOT NULL DEFAULT 0, n_steps INTEGER NOT NULL DEFAULT 0, loss REAL, eta_s REAL,"
    " created_ms INTEGER NOT NULL, started_ms INTEGER, finished_ms INTEGER, expires_ms INTEGER,"
    " expired INTEGER NOT NULL DEFAULT 0, error TEXT, idem_key TEXT UNIQUE, idem_hash TEXT,"
    " last_event INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX jobs_by_state ON jobs (state, seq);"
    "CREATE TABLE files ("
    " job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE, role TEXT NOT NULL,"
    " n INTEGER NOT NULL, type TEXT, headers TEXT, sha256 TEXT NOT NULL,"
    " PRIMARY KEY (job, role, n));"
    "CREATE INDEX files_by_name ON files (sha256);"
    "CREATE TABLE events ("
    " job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE, n INTEGER NOT NULL,"
    " kind TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (job, n)) WITHOUT ROWID;",
};
#define N_MIGRATIONS ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sqlite_store *of(struct srv_store *s)
{
    return (struct sqlite_store *)s;
}

/* A write as one transaction: body(), then commit, or nothing of it. */
static enum luc_status begin(struct sqlite_store *s, sqlite3 *db, struct luc_error *err)
{
    pthread_mutex_lock(&s->writing);
    const enum luc_status st = srv_sql(db, err, "BEGIN IMMEDIATE", "");
    if (st)
        pthread_mutex_unlock(&s->writing);
    return st;
}

static enum luc_status end(struct sqlite_store *s, sqlite3 *db, enum luc_status st,
                           struct luc_error *err)
{
    if (!st)
        st = srv_sql(db, err, "COMMIT", "");
    if (st && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&s->writing);
    return st;
}

static enum luc_status add_event(sqlite3 *db, int64_t seq, const char *kind, const char *data,
                                 struct luc_error *err)
{
    enum luc_status st =
        srv_sql(db, err, "UPDATE jobs SET last_event = last_event + 1 WHERE seq = ?", "i", seq);
    if (!st)
        st = srv_sql(db, err,
                     "INSERT INTO events (job, n, kind, data)"
                     " SELECT seq, last_event, ?2, ?3 FROM jobs WHERE seq = ?1",
                     "iss", seq, kind, data);
    if (!st)
        st = srv_sql(db, err,
                     "DELETE FROM events WHERE job = ?1 AND kind <> 'state' AND"
                     " n <= (SELECT last_event FROM jobs WHERE seq = ?1) - ?2",
                     "ii", seq, (int64_t)SRV_EVENTS_KEPT);
    return st;
}

static enum luc_status add_state_event(sqlite3 *db, int64_t seq, enum api_state state,
                                       int64_t attempt, struct luc_error *err)
{
    char data[96];
    snprintf(data, sizeof(data), "{\"state\":\"%s\",\"attempt\":%lld}", api_state_name(state),
             (long long)attempt);
    return add_event(db, seq, "state", data, err);
}

static enum luc_status lost_claim(const struct srv_claim *c, struct luc_error *err)
{
    return luc_fail(err, LUC_CANCELLED, "attempt %lld of job %s is not the current one any more",
                    (long long)c->attempt, c->id);
}

/* The row that a claim holds, or LUC_CANCELLED. */
static enum luc_status held(sqlite3 *db, const struct srv_claim *c, int64_t *seq, bool *cancel,
                            struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    enum luc_status st = srv_sql_ask(db, &q, err,
                                     "SELECT seq, cancel FROM jobs WHERE id = ? AND attempt = ? AND"
                                     " owner = ? AND state = ?",
                                     "sisi", c->id, c->attempt, c->owner, (int64_t)RUNNING);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row) {
        *seq = sqlite3_column_int64(q, 0);
        *cancel = sqlite3_column_int64(q, 1) != 0;
    }
    sqlite3_finalize(q);
    return st ? st : row ? LUC_OK : lost_claim(c, err);
}

/* ---- submitting --------------------------------------------------------------------------- */

static enum luc_status find_key(sqlite3 *db, const struct srv_new_job *job, char id[API_ID_MAX],
                                enum api_submitted *how, struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    *how = API_SUBMITTED_NEW;
    if (!job->key)
        return LUC_OK;
    enum luc_status st = srv_sql_ask(
        db, &q, err, "SELECT id, idem_hash FROM jobs WHERE idem_key = ?", "s", job->key);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row) {
        srv_sql_text(q, 0, id, API_ID_MAX);
        const char *hash = (const char *)sqlite3_column_text(q, 1);
        *how = hash && job->key_hash && strcmp(hash, job->key_hash) == 0 ? API_SUBMITTED_BEFORE
                                                                         : API_SUBMITTED_OTHER_BODY;
    }
    sqlite3_finalize(q);
    return st;
}

static enum luc_status insert_job(sqlite3 *db, const struct srv_new_job *job, struct luc_error *err)
{
    int64_t queued = 0;
    enum luc_status st = srv_sql_number(
        db, &queued, err, "SELECT count(*) FROM jobs WHERE state = ?", "i", (int64_t)QUEUED);
    if (!st && (uint64_t)queued >= job->max_queued)
        st = luc_fail(err, LUC_BUSY, "the queue is full: %lld jobs wait", (long long)queued);
    if (!st)
        st = srv_sql(db, err,
                     "INSERT INTO jobs (id, method, lane, bytes, spec, created_ms, idem_key,"
                     " idem_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                     "ssiisiss", job->id, job->method, (int64_t)job->lane, (int64_t)job->bytes,
                     job->spec, now_ms(), job->key, job->key_hash);
    const int64_t seq = sqlite3_last_insert_rowid(db);
    for (size_t i = 0; i < job->n_inputs && !st; i++)
        st = srv_sql(db, err, "INSERT INTO files (job, role, n, sha256) VALUES (?, 'input', ?, ?)",
                     "iis", seq, (int64_t)i, job->inputs[i]);
    return st ? st : add_state_event(db, seq, QUEUED, 0, err);
}

static enum luc_status submit(struct srv_store *store, const struct srv_new_job *job,
                              char id[API_ID_MAX], enum api_submitted *how, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    char known[API_ID_MAX] = "";
    enum api_submitted is = API_SUBMITTED_NEW;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = find_key(s->hard, job, known, &is, err);
    if (!st && is == API_SUBMITTED_NEW)
        st = insert_job(s->hard, job, err);
    st = end(s, s->hard, st, err);
    if (!st) {
        snprintf(id, API_ID_MAX, "%s", is == API_SUBMITTED_NEW ? job->id : known);
        *how = is;
    }
    return st;
}

/* ---- running ------------------------------------------------------------------------------ */

static enum luc_status end_job(sqlite3 *db, int64_t seq, enum api_state state, const char *error,
                               double keep_s, struct luc_error *err)
{
    const int64_t now = now_ms();
    int64_t attempt = 0;
    enum luc_status st = srv_sql(
        db, err,
        "UPDATE jobs SET state = ?2, error = ?3, finished_ms = ?4, expires_ms = ?5, owner = NULL,"
        " lease_ms = NULL, eta_s = NULL, progress = CASE WHEN ?2 = 2 THEN 1 ELSE progress END"
        " WHERE seq = ?1",
        "iisii", seq, (int64_t)state, error, now, now + (int64_t)(1e3 * keep_s));
    if (!st)
        st = srv_sql(db, err, "DELETE FROM files WHERE job = ? AND role = 'checkpoint'", "i", seq);
    if (!st)
        st = srv_sql_number(db, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : add_state_event(db, seq, state, attempt, err);
}

/* Jobs whose holder is gone and that nobody should run again. */
static enum luc_status bury(sqlite3 *db, const struct srv_claim_ask *ask, struct luc_error *err)
{
    for (;;) {
        sqlite3_stmt *q = NULL;
        bool row = false, cancelled = false;
        int64_t seq = 0;
        enum luc_status st = srv_sql_ask(
            db, &q, err,
            "SELECT seq, cancel FROM jobs WHERE state IN (0, 1) AND (state = 0 OR lease_ms < ?1)"
            " AND (cancel <> 0 OR lost + (state = 1) > ?2) LIMIT 1",
            "ii", now_ms(), ask->max_lost);
        if (!st)
            st = srv_sql_next(q, &row, err);
        if (!st && row) {
            seq = sqlite3_column_int64(q, 0);
            cancelled = sqlite3_column_int64(q, 1) != 0;
        }
        sqlite3_finalize(q);
        if (st || !row)
            return st;
        st = end_job(db, seq, cancelled ? API_STATE_cancelled : API_STATE_failed,
                     cancelled ? NULL : ask->lost_to, 0, err);
        if (st)
            return st;
    }
}

static enum luc_status take_next(sqlite3 *db, const struct srv_claim_ask *ask,
                                 struct srv_claimed *got, int64_t *seq, struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    const int64_t now = now_ms();
    enum luc_status st = srv_sql_ask(
        db, &q, err,
        "UPDATE jobs SET lost = lost + (state = 1), state = 1, attempt = attempt + 1, owner = ?1,"
        " lease_ms = ?2, started_ms = coalesce(started_ms, ?3) WHERE bytes <= ?5 AND seq ="
        " (SELECT seq FROM jobs WHERE state IN (0, 1) AND (state = 0 OR lease_ms < ?3)"
        "  AND (lane & ?4) <> 0 ORDER BY seq LIMIT 1)"
        " RETURNING seq, id, attempt, spec, bytes",
        "siiii", ask->owner, now + (int64_t)(1e3 * ask->lease_s), now, (int64_t)ask->lanes,
        ask->free_bytes > INT64_MAX ? INT64_MAX : (int64_t)ask->free_bytes);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row) {
        *seq = sqlite3_column_int64(q, 0);
        srv_sql_text(q, 1, got->claim.id, sizeof(got->claim.id));
        got->claim.attempt = sqlite3_column_int64(q, 2);
        got->spec = srv_sql_copy(q, 3);
        got->bytes = (size_t)sqlite3_column_int64(q, 4);
        snprintf(got->claim.owner, sizeof(got->claim.owner), "%s", ask->owner);
        if (!got->spec)
            st = luc_fail_nomem(err, "a job", 0);
    }
    sqlite3_finalize(q);
    return st;
}

static enum luc_status find_checkpoint(sqlite3 *db, int64_t seq, char name[SRV_BLOB_NAME],
                                       struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    enum luc_status st = srv_sql_ask(
        db, &q, err, "SELECT sha256 FROM files WHERE job = ? AND role = 'checkpoint'", "i", seq);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        srv_sql_text(q, 0, name, SRV_BLOB_NAME);
    sqlite3_finalize(q);
    return st;
}

static enum luc_status claim(struct srv_store *store, const struct srv_claim_ask *ask,
                             struct srv_claimed *got, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    struct srv_claimed made = { 0 };
    int64_t seq = 0;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = bury(s->hard, ask, err);
    if (!st)
        st = take_next(s->hard, ask, &made, &seq, err);
    if (!st && made.spec)
        st = find_checkpoint(s->hard, seq, made.checkpoint, err);
    if (!st && made.spec)
        st = add_state_event(s->hard, seq, RUNNING, made.claim.attempt, err);
    st = end(s, s->hard, st, err);
    if (st)
        free(made.spec);
    else
        *got = made;
    return st;
}

static enum luc_status beat(struct srv_store *store, const struct srv_claim *c, double lease_s,
                            bool *cancel, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    bool asked = false;
    enum luc_status st = begin(s, s->soft, err);
    if (st)
        return st;
    st = held(s->soft, c, &seq, &asked, err);
    if (!st)
        st = srv_sql(s->soft, err, "UPDATE jobs SET lease_ms = ? WHERE seq = ?", "ii",
                     now_ms() + (int64_t)(1e3 * lease_s), seq);
    st = end(s, s->soft, st, err);
    if (!st)
        *cancel = asked;
    return st;
}

static enum luc_status keep_file(sqlite3 *db, int64_t seq, const char *role, const char *type,
                                 const char *file, struct luc_error *err)
{
    return srv_sql(db, err,
                   "INSERT OR REPLACE INTO files (job, role, n, type, sha256)"
                   " VALUES (?, ?, 0, ?, ?)",
                   "isss", seq, role, type, file);
}

static enum luc_status write_report(sqlite3 *db, int64_t seq, const char *id,
                                    const struct srv_report *r, struct luc_error *err)
{
    char data[256], eta[40] = "null", loss[40] = "null";
    if (r->eta_s >= 0)
        snprintf(eta, sizeof(eta), "%.1f", r->eta_s);
    if (isfinite(r->loss))
        snprintf(loss, sizeof(loss), "%.9g", r->loss);
    enum luc_status st =
        srv_sql(db, err,
                "UPDATE jobs SET progress = ?2, step = ?3, n_steps = ?4, loss = ?5, eta_s = ?6"
                " WHERE seq = ?1",
                "idiidd", seq, r->progress, r->step, r->n_steps, r->loss,
                r->eta_s >= 0 ? r->eta_s : (double)NAN);
    snprintf(data, sizeof(data),
             "{\"progress\":%.6g,\"step\":%lld,\"n_steps\":%lld,\"eta_s\":%s,\"loss\":%s}",
             r->progress, (long long)r->step, (long long)r->n_steps, eta, loss);
    if (!st)
        st = add_event(db, seq, "progress", data, err);
    if (!st && r->preview) {
        st = keep_file(db, seq, "preview", "image/jpeg", r->preview, err);
        snprintf(data, sizeof(data), "{\"href\":\"/jobs/%s/preview\",\"step\":%lld}", id,
                 (long long)r->step);
        if (!st)
            st = add_event(db, seq, "preview", data, err);
    }
    return st;
}

static enum luc_status report(struct srv_store *store, const struct srv_claim *c,
                              const struct srv_report *r, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = begin(s, s->soft, err);
    if (st)
        return st;
    st = held(s->soft, c, &seq, &cancel, err);
    if (!st)
        st = write_report(s->soft, seq, c->id, r, err);
    return end(s, s->soft, st, err);
}

static enum luc_status checkpoint(struct srv_store *store, const struct srv_claim *c,
                                  const char *file, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = held(s->hard, c, &seq, &cancel, err);
    if (!st)
        st = keep_file(s->hard, seq, "checkpoint", NULL, file, err);
    return end(s, s->hard, st, err);
}

static enum luc_status finish(struct srv_store *store, const struct srv_claim *c,
                              const struct srv_outcome *o, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = held(s->hard, c, &seq, &cancel, err);
    const bool good = o->state == API_STATE_succeeded && !cancel;
    for (size_t i = 0; good && i < o->n_answers && !st; i++)
        st = srv_sql(s->hard, err,
                     "INSERT INTO files (job, role, n, type, headers, sha256)"
                     " VALUES (?, 'result', ?, ?, ?, ?)",
                     "iisss", seq, (int64_t)i, o->answers[i].type, o->answers[i].headers,
                     o->answers[i].file);
    if (!st)
        st = end_job(s->hard, seq, cancel ? API_STATE_cancelled : o->state,
                     cancel ? NULL : o->error, o->keep_s, err);
    return end(s, s->hard, st, err);
}

static enum luc_status back_to_queue(sqlite3 *db, int64_t seq, int64_t lost, struct luc_error *err)
{
    int64_t attempt = 0;
    enum luc_status st = srv_sql(db, err,
                                 "UPDATE jobs SET state = 0, owner = NULL, lease_ms = NULL,"
                                 " eta_s = NULL, lost = lost + ?2 WHERE seq = ?1",
                                 "ii", seq, lost);
    if (!st)
        st = srv_sql_number(db, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : add_state_event(db, seq, QUEUED, attempt, err);
}

static enum luc_status release(struct srv_store *store, const struct srv_claim *c,
                               struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = held(s->hard, c, &seq, &cancel, err);
    if (!st)
        st = cancel ? end_job(s->hard, seq, API_STATE_cancelled, NULL, 0, err)
                    : back_to_queue(s->hard, seq, 0, err);
    return end(s, s->hard, st, err);
}

static enum luc_status release_owner(struct srv_store *store, const char *owner, size_t *n,
                                     struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0;
    size_t done = 0;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    do {
        seq = 0;
        st = srv_sql_number(s->hard, &seq, err,
                            "SELECT coalesce(min(seq), 0) FROM jobs WHERE state = 1 AND owner = ?",
                            "s", owner);
        if (!st && seq) {
            st = back_to_queue(s->hard, seq, 1, err);
            done++;
        }
    } while (!st && seq);
    st = end(s, s->hard, st, err);
    if (!st)
        *n = done;
    return st;
}

static enum luc_status owners(struct srv_store *store, void (*each)(void *ctx, const char *owner),
                              void *ctx, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(
        s->look, &q, err, "SELECT DISTINCT owner FROM jobs WHERE state = 1 AND owner NOT NULL", "");
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx, (const char *)sqlite3_column_text(q, 0));
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status cancel_job(struct srv_store *store, const char *id, enum api_state *was,
                                  struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    int64_t seq = 0, state = -1;
    enum luc_status st = begin(s, s->hard, err);
    if (st)
        return st;
    st = srv_sql_number(s->hard, &seq, err, "SELECT coalesce(min(seq), 0) FROM jobs WHERE id = ?",
                        "s", id);
    if (!st && !seq)
        st = luc_fail(err, LUC_NOT_FOUND, "there is no job %.40s", id);
    if (!st)
        st = srv_sql_number(s->hard, &state, err, "SELECT state FROM jobs WHERE seq = ?", "i", seq);
    if (!st && (state == API_STATE_succeeded || state == API_STATE_failed))
        st = luc_fail(err, LUC_INVALID, "the job has already %s", api_state_name((size_t)state));
    else if (!st && state == QUEUED)
        st = end_job(s->hard, seq, API_STATE_cancelled, NULL, 0, err);
    else if (!st && state == RUNNING)
        st = srv_sql(s->hard, err, "UPDATE jobs SET cancel = 1 WHERE seq = ?", "i", seq);
    st = end(s, s->hard, st, err);
    if (!st)
        *was = (enum api_state)state;
    return st;
}

/* ---- looking ------------------------------------------------------------------------------ */

#define ROW_COLUMNS                                                                                \
    "seq, id, method, state, attempt, step, n_steps, progress, loss, eta_s, created_ms,"           \
    " started_ms, finished_ms, expires_ms, cancel, expired, spec, error,"                          \
    " EXISTS (SELECT 1 FROM files WHERE job = jobs.seq AND role = 'preview'),"                     \
    " CASE WHEN state = 0 THEN (SELECT count(*) FROM jobs AS j WHERE j.state = 0 AND"              \
    "  j.seq <= jobs.seq AND j.lane = jobs.lane) ELSE 0 END"

static double real_or(sqlite3_stmt *q, int column, double other)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? other : sqlite3_column_double(q, column);
}

static enum luc_status read_row(sqlite3_stmt *q, struct api_job_row *row, struct luc_error *err)
{
    *row = (struct api_job_row){ .cursor = sqlite3_column_int64(q, 0),
                                 .state = (enum api_state)sqlite3_column_int(q, 3),
                                 .attempt = sqlite3_column_int64(q, 4),
                                 .step = sqlite3_column_int64(q, 5),
                                 .n_steps = sqlite3_column_int64(q, 6),
                                 .progress = sqlite3_column_double(q, 7),
                                 .loss = real_or(q, 8, NAN),
                                 .eta_s = real_or(q, 9, -1),
                                 .created_ms = sqlite3_column_int64(q, 10),
                                 .started_ms = sqlite3_column_int64(q, 11),
                                 .finished_ms = sqlite3_column_int64(q, 12),
                                 .expires_ms = sqlite3_column_int64(q, 13),
                                 .cancelling = sqlite3_column_int(q, 14) != 0,
                                 .expired = sqlite3_column_int(q, 15) != 0,
                                 .spec = srv_sql_copy(q, 16),
                                 .error = srv_sql_copy(q, 17),
                                 .has_preview = sqlite3_column_int(q, 18) != 0,
                                 .queue_position = sqlite3_column_int64(q, 19) };
    /* Past their time, results are gone whether or not they were cleaned up. */
    if (api_state_is_final(row->state) && row->expires_ms < now_ms())
        row->expired = true;
    srv_sql_text(q, 1, row->id, sizeof(row->id));
    srv_sql_text(q, 2, row->method, sizeof(row->method));
    return row->spec ? LUC_OK : luc_fail_nomem(err, "a job", 0);
}

static enum luc_status get(struct srv_store *store, const char *id, struct api_job_row *row,
                           struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    struct api_job_row made = { 0 };
    sqlite3_stmt *q = NULL;
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
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    if (st)
        api_job_row_done(&made);
    else
        *row = made;
    return st;
}

static enum luc_status list(struct srv_store *store, enum api_state state, int64_t cursor,
                            size_t limit, void (*each)(void *, const struct api_job_row *),
                            void *to, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err,
                    "SELECT " ROW_COLUMNS " FROM jobs WHERE seq < ?1 AND (?2 = 5 OR state = ?2)"
                    " ORDER BY seq DESC LIMIT ?3",
                    "iii", cursor > 0 ? cursor : INT64_MAX, (int64_t)state, (int64_t)limit);
    while (!st && row) {
        struct api_job_row one = { 0 };
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            st = read_row(q, &one, err);
        if (!st && row)
            each(to, &one);
        api_job_row_done(&one);
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status files(struct srv_store *store, const char *id, const char *role,
                             void (*each)(void *ctx, const struct srv_answer *a), void *ctx,
                             struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
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
            each(ctx, &(struct srv_answer){ (const char *)sqlite3_column_text(q, 0),
                                            (const char *)sqlite3_column_text(q, 1),
                                            (const char *)sqlite3_column_text(q, 2) });
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status events(struct srv_store *store, const char *id, int64_t after,
                              void (*each)(void *ctx, const struct srv_event *e), void *ctx,
                              struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err,
                                     "SELECT n, kind, data FROM events WHERE job ="
                                     " (SELECT seq FROM jobs WHERE id = ?) AND n > ? ORDER BY n",
                                     "si", id, after);
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx, &(struct srv_event){ sqlite3_column_int64(q, 0),
                                           (const char *)sqlite3_column_text(q, 1),
                                           (const char *)sqlite3_column_text(q, 2) });
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status counts(struct srv_store *store, size_t by_state[API_N_STATES],
                              struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
    bool row = true;
    size_t n[API_N_STATES] = { 0 };
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err, "SELECT state, count(*) FROM jobs GROUP BY state", "");
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        const int64_t state = !st && row ? sqlite3_column_int64(q, 0) : -1;
        if (state >= 0 && state < API_N_STATES)
            n[state] = (size_t)sqlite3_column_int64(q, 1);
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    if (!st)
        memcpy(by_state, n, sizeof(n));
    return st;
}

/* ---- keeping house ------------------------------------------------------------------------ */

static enum luc_status expire(struct srv_store *store, double forget_s, size_t *n,
                              struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    const int64_t now = now_ms();
    enum luc_status st = begin(s, s->soft, err);
    if (st)
        return st;
    st = srv_sql(s->soft, err,
                 "UPDATE jobs SET expired = 1 WHERE state > 1 AND expired = 0 AND expires_ms < ?",
                 "i", now);
    const int changed = sqlite3_changes(s->soft);
    if (!st && changed)
        st = srv_sql(s->soft, err,
                     "DELETE FROM files WHERE job IN (SELECT seq FROM jobs WHERE expired = 1)", "");
    if (!st)
        st = srv_sql(s->soft, err,
                     "DELETE FROM jobs WHERE state > 1 AND expired = 1 AND expires_ms < ?", "i",
                     now - (int64_t)(1e3 * forget_s));
    st = end(s, s->soft, st, err);
    if (!st)
        *n = (size_t)changed;
    return st;
}

static bool uses(struct srv_store *store, const char *file)
{
    struct sqlite_store *s = of(store);
    int64_t n = 1;
    pthread_mutex_lock(&s->reading);
    const enum luc_status st = srv_sql_number(
        s->look, &n, NULL, "SELECT EXISTS (SELECT 1 FROM files WHERE sha256 = ?)", "s", file);
    pthread_mutex_unlock(&s->reading);
    return st || n != 0;
}

static enum luc_status check(struct srv_store *store, struct luc_error *err)
{
    struct sqlite_store *s = of(store);
    sqlite3_stmt *q = NULL;
    bool row = false;
    char said[128] = "";
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err, "PRAGMA integrity_check", "");
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        srv_sql_text(q, 0, said, sizeof(said));
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    if (!st && strcmp(said, "ok") != 0)
        st = luc_fail(err, LUC_FORMAT, "the job store is damaged: %s", said);
    return st;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum luc_status migrate(sqlite3 *db, const char *path, struct luc_error *err)
{
    int64_t version = 0;
    char pragma[48];
    enum luc_status st = srv_sql(db, err, "BEGIN IMMEDIATE", "");
    if (!st)
        st = srv_sql_number(db, &version, err, "PRAGMA user_version", "");
    if (!st && version > N_MIGRATIONS)
        st =
            luc_fail(err, LUC_UNSUPPORTED,
                     "%.120s has schema %lld, this version of lucida knows %lld: use the newer one",
                     path, (long long)version, (long long)N_MIGRATIONS);
    for (int64_t v = version; v < N_MIGRATIONS && !st; v++)
        st = srv_sql_script(db, migrations[v], err);
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)N_MIGRATIONS);
    if (!st && version < N_MIGRATIONS)
        st = srv_sql(db, err, pragma, "");
    if (!st)
        st = srv_sql(db, err, "COMMIT", "");
    if (st && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static void close_store(struct srv_store *store)
{
    struct sqlite_store *s = of(store);
    sqlite3_close_v2(s->look);
    sqlite3_close_v2(s->soft);
    sqlite3_close_v2(s->hard);
    pthread_mutex_destroy(&s->writing);
    pthread_mutex_destroy(&s->reading);
    free(s);
}

static const struct srv_store_kind kind = { .name = "sqlite",
                                            .close = close_store,
                                            .submit = submit,
                                            .claim = claim,
                                            .beat = beat,
                                            .report = report,
                                            .checkpoint = checkpoint,
                                            .finish = finish,
                                            .release = release,
                                            .release_owner = release_owner,
                                            .owners = owners,
                                            .cancel = cancel_job,
                                            .get = get,
                                            .list = list,
                                            .files = files,
                                            .events = events,
                                            .counts = counts,
                                            .expire = expire,
                                            .uses = uses,
                                            .check = check };

enum luc_status srv_store_sqlite(const char *data, struct srv_store **store, struct luc_error *err)
{
    char path[512];
    struct sqlite_store *s = calloc(1, sizeof(*s));
    if (!s)
        return luc_fail_nomem(err, "the job store", sizeof(*s));
    s->base.kind = &kind;
    pthread_mutex_init(&s->writing, NULL);
    pthread_mutex_init(&s->reading, NULL);
    enum luc_status st = LUC_OK;
    if ((size_t)snprintf(path, sizeof(path), "%s/jobs.sqlite", data) >= sizeof(path))
        st = luc_fail(err, LUC_INVALID, "the data directory's name is too long");
    if (!st)
        st = srv_sql_open(path, "PRAGMA synchronous = FULL", &s->hard, err);
    if (!st)
        st = migrate(s->hard, path, err);
    if (!st)
        st = srv_sql_open(path, "PRAGMA synchronous = NORMAL", &s->soft, err);
    if (!st)
        st = srv_sql_open(path, "PRAGMA query_only = 1", &s->look, err);
    if (st)
        close_store(&s->base);
    else
        *store = &s->base;
    return st;
}

struct srv_store *srv_store_close(struct srv_store *store)
{
    if (store)
        store->kind->close(store);
    return NULL;
}
