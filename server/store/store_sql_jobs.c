/* Jobs in SQL: submitted, reported on, ended; and the nodes that run them. */
#include "server/store/event_text.h"
#include "server/store/store_sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum luc_status add_event(struct srv_sql_db *db, int64_t seq, const char *kind,
                                 const char *data, struct luc_error *err)
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

enum luc_status srv_store_state_event(struct srv_sql_db *db, int64_t seq, enum api_state state,
                                      int64_t attempt, struct luc_error *err)
{
    char data[SRV_EVENT_TEXT];
    srv_event_state(data, state, attempt);
    return add_event(db, seq, "state", data, err);
}

static enum luc_status lost_claim(const struct srv_claim *c, struct luc_error *err)
{
    return luc_fail(err, LUC_CANCELLED, "attempt %lld of job %s is not the current one any more",
                    (long long)c->attempt, c->id);
}

/* The row that a claim holds, or LUC_CANCELLED. */
static enum luc_status held(struct srv_sql_db *db, const struct srv_claim *c, int64_t *seq,
                            bool *cancel, struct luc_error *err)
{
    struct srv_sql_rows *q = NULL;
    bool row = false;
    enum luc_status st =
        srv_sql_ask(db, &q, err,
                    "SELECT seq, cancel FROM jobs WHERE id = ? AND attempt = ? AND"
                    " owner = ? AND state = ?",
                    "sisi", c->id, c->attempt, c->owner, (int64_t)API_STATE_running);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row) {
        *seq = srv_sql_int(q, 0);
        *cancel = srv_sql_int(q, 1) != 0;
    }
    srv_sql_done(q);
    return st ? st : row ? LUC_OK : lost_claim(c, err);
}

/* ---- submitting --------------------------------------------------------------------------- */

static enum luc_status find_key(struct srv_sql_db *db, const struct srv_new_job *job,
                                char id[API_ID_MAX], enum api_submitted *how, struct luc_error *err)
{
    struct srv_sql_rows *q = NULL;
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
        const char *hash = srv_sql_peek(q, 1);
        *how = hash && job->key_hash && strcmp(hash, job->key_hash) == 0 ? API_SUBMITTED_BEFORE
                                                                         : API_SUBMITTED_OTHER_BODY;
    }
    srv_sql_done(q);
    return st;
}

/* Whether the owner may have another one in the queue. */
static enum luc_status count_owners(struct srv_sql_db *db, const struct srv_new_job *job,
                                    enum api_submitted *how, struct luc_error *err)
{
    int64_t queued = 0;
    if (!job->max_of_who)
        return LUC_OK;
    const enum luc_status st =
        srv_sql_number(db, &queued, err, "SELECT count(*) FROM jobs WHERE who = ? AND state = ?",
                       "si", job->who ? job->who : "", (int64_t)API_STATE_queued);
    if (!st && (uint64_t)queued >= job->max_of_who)
        *how = API_SUBMITTED_TOO_MANY;
    return st;
}

static enum luc_status insert_job(struct srv_sql_db *db, const struct srv_new_job *job,
                                  struct luc_error *err)
{
    int64_t queued = 0, seq = 0;
    enum luc_status st =
        srv_sql_number(db, &queued, err, "SELECT count(*) FROM jobs WHERE state = ?", "i",
                       (int64_t)API_STATE_queued);
    if (!st && (uint64_t)queued >= job->max_queued)
        st = luc_fail(err, LUC_BUSY, "the queue is full: %lld jobs wait", (long long)queued);
    if (!st)
        st = srv_sql_number(db, &seq, err,
                            "INSERT INTO jobs (id, method, lane, bytes, spec, created_ms, idem_key,"
                            " idem_hash, who) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
                            "ssiisisss", job->id, job->method, (int64_t)job->lane,
                            (int64_t)job->bytes, job->spec, db->driver->now_ms(), job->key,
                            job->key_hash, job->who ? job->who : "");
    for (size_t i = 0; i < job->n_inputs && !st; i++)
        st = srv_sql(db, err, "INSERT INTO files (job, role, n, sha256) VALUES (?, 'input', ?, ?)",
                     "iis", seq, (int64_t)i, job->inputs[i]);
    return st ? st : srv_store_state_event(db, seq, API_STATE_queued, 0, err);
}

enum luc_status srv_store_submit(struct srv_store *store, const struct srv_new_job *job,
                                 char id[API_ID_MAX], enum api_submitted *how,
                                 struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    char known[API_ID_MAX] = "";
    enum api_submitted is = API_SUBMITTED_NEW;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = find_key(s->hard, job, known, &is, err);
    if (!st && is == API_SUBMITTED_NEW)
        st = count_owners(s->hard, job, &is, err);
    if (!st && is == API_SUBMITTED_NEW)
        st = insert_job(s->hard, job, err);
    st = srv_store_end(s, s->hard, st, err);
    if (!st) {
        snprintf(id, API_ID_MAX, "%s", is == API_SUBMITTED_NEW ? job->id : known);
        *how = is;
    }
    return st;
}

/* ---- running ------------------------------------------------------------------------------ */

enum luc_status srv_store_end_job(struct srv_sql_db *db, int64_t seq, enum api_state state,
                                  const char *error, double keep_s, struct luc_error *err)
{
    const int64_t now = db->driver->now_ms();
    int64_t attempt = 0;
    enum luc_status st = srv_sql(
        db, err,
        "UPDATE jobs SET state = ?2, error = ?3, finished_ms = ?4, expires_ms = ?5, owner = NULL,"
        " lease_ms = NULL, eta_s = NULL, progress = CASE WHEN ?2 = 2 THEN 1 ELSE progress END"
        " WHERE seq = ?1",
        "iisii", seq, (int64_t)state, error, now, now + (int64_t)(1e3 * keep_s));
    if (!st && state != API_STATE_failed) /* how far a failed one came stays until it expires */
        st = srv_sql(db, err, "DELETE FROM files WHERE job = ? AND role = 'checkpoint'", "i", seq);
    if (!st)
        st = srv_sql_number(db, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : srv_store_state_event(db, seq, state, attempt, err);
}

enum luc_status srv_store_beat(struct srv_store *store, const struct srv_claim *c, double lease_s,
                               bool *cancel, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    bool asked = false;
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = held(s->soft, c, &seq, &asked, err);
    if (!st)
        st = srv_sql(s->soft, err, "UPDATE jobs SET lease_ms = ? WHERE seq = ?", "ii",
                     s->soft->driver->now_ms() + (int64_t)(1e3 * lease_s), seq);
    st = srv_store_end(s, s->soft, st, err);
    if (!st)
        *cancel = asked;
    return st;
}

static enum luc_status keep_file(struct srv_sql_db *db, int64_t seq, const char *role,
                                 const char *type, const char *file, struct luc_error *err)
{
    return srv_sql(db, err,
                   "INSERT INTO files (job, role, n, type, sha256) VALUES (?, ?, 0, ?, ?)"
                   " ON CONFLICT (job, role, n) DO UPDATE SET type = excluded.type,"
                   " sha256 = excluded.sha256",
                   "isss", seq, role, type, file);
}

static enum luc_status write_report(struct srv_sql_db *db, int64_t seq, const char *id,
                                    const struct srv_report *r, struct luc_error *err)
{
    char data[SRV_EVENT_TEXT];
    enum luc_status st =
        srv_sql(db, err,
                "UPDATE jobs SET progress = ?2, step = ?3, n_steps = ?4, loss = ?5, eta_s = ?6,"
                " spent_ms = ?7 WHERE seq = ?1",
                "idiiddi", seq, r->progress, r->step, r->n_steps, r->loss,
                r->eta_s >= 0 ? r->eta_s : (double)NAN, (int64_t)(1e3 * r->spent_s));
    srv_event_progress(data, r);
    if (!st)
        st = add_event(db, seq, "progress", data, err);
    if (!st && r->preview) {
        st = keep_file(db, seq, "preview", "image/jpeg", r->preview, err);
        srv_event_preview(data, id, r);
        if (!st)
            st = add_event(db, seq, "preview", data, err);
    }
    return st;
}

enum luc_status srv_store_report(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_report *r, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = held(s->soft, c, &seq, &cancel, err);
    if (!st)
        st = write_report(s->soft, seq, c->id, r, err);
    return srv_store_end(s, s->soft, st, err);
}

enum luc_status srv_store_checkpoint(struct srv_store *store, const struct srv_claim *c,
                                     const char *file, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = held(s->hard, c, &seq, &cancel, err);
    if (!st)
        st = keep_file(s->hard, seq, "checkpoint", NULL, file, err);
    return srv_store_end(s, s->hard, st, err);
}

enum luc_status srv_store_finish(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_outcome *o, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = srv_store_begin(s, s->hard, err);
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
        st = srv_store_end_job(s->hard, seq, cancel ? API_STATE_cancelled : o->state,
                               cancel ? NULL : o->error, o->keep_s, err);
    return srv_store_end(s, s->hard, st, err);
}

static enum luc_status back_to_queue(struct srv_sql_db *db, int64_t seq, int64_t lost,
                                     struct luc_error *err)
{
    int64_t attempt = 0;
    enum luc_status st = srv_sql(db, err,
                                 "UPDATE jobs SET state = 0, owner = NULL, lease_ms = NULL,"
                                 " eta_s = NULL, lost = lost + ?2 WHERE seq = ?1",
                                 "ii", seq, lost);
    if (!st)
        st = srv_sql_number(db, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : srv_store_state_event(db, seq, API_STATE_queued, attempt, err);
}

enum luc_status srv_store_release(struct srv_store *store, const struct srv_claim *c,
                                  struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = held(s->hard, c, &seq, &cancel, err);
    if (!st)
        st = cancel ? srv_store_end_job(s->hard, seq, API_STATE_cancelled, NULL, 0, err)
                    : back_to_queue(s->hard, seq, 0, err);
    return srv_store_end(s, s->hard, st, err);
}

enum luc_status srv_store_live(struct srv_store *store, const struct srv_node *node, double lease_s,
                               struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = srv_sql(s->soft, err,
                 "INSERT INTO nodes (name, host, bytes, lease_ms) VALUES (?, ?, ?, ?)"
                 " ON CONFLICT (name) DO UPDATE SET host = excluded.host, bytes = excluded.bytes,"
                 " lease_ms = excluded.lease_ms",
                 "ssii", node->name, node->host,
                 node->most_bytes > INT64_MAX ? INT64_MAX : (int64_t)node->most_bytes,
                 s->soft->driver->now_ms() + (int64_t)(1e3 * lease_s));
    return srv_store_end(s, s->soft, st, err);
}

enum luc_status srv_store_release_owner(struct srv_store *store, const char *owner, size_t *n,
                                        struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    size_t done = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
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
    if (!st)
        st = srv_sql(s->hard, err, "DELETE FROM nodes WHERE name = ?", "s", owner);
    st = srv_store_end(s, s->hard, st, err);
    if (!st)
        *n = done;
    return st;
}

enum luc_status srv_store_cancel(struct srv_store *store, const char *id, enum api_state *was,
                                 struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0, state = -1;
    enum luc_status st = srv_store_begin(s, s->hard, err);
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
    else if (!st && state == API_STATE_queued)
        st = srv_store_end_job(s->hard, seq, API_STATE_cancelled, NULL, 0, err);
    else if (!st && state == API_STATE_running)
        st = srv_sql(s->hard, err, "UPDATE jobs SET cancel = 1 WHERE seq = ?", "i", seq);
    st = srv_store_end(s, s->hard, st, err);
    if (!st)
        *was = (enum api_state)state;
    return st;
}
