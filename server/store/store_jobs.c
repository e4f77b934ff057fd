/* Jobs: submitted, reported on, ended. */
#include "server/store/store_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum luc_status add_event(const struct srv_sql *q, int64_t seq, const char *kind,
                                 const char *data, struct luc_error *err)
{
    enum luc_status st =
        srv_sql_run(q, err, "UPDATE jobs SET last_event = last_event + 1 WHERE seq = ?", "i", seq);
    if (!st)
        st = srv_sql_run(q, err,
                         "INSERT INTO events (job, n, kind, data)"
                         " SELECT seq, last_event, ?2, ?3 FROM jobs WHERE seq = ?1",
                         "iss", seq, kind, data);
    if (!st)
        st = srv_sql_run(q, err,
                         "DELETE FROM events WHERE job = ?1 AND kind <> 'state' AND"
                         " n <= (SELECT last_event FROM jobs WHERE seq = ?1) - ?2",
                         "ii", seq, (int64_t)SRV_EVENTS_KEPT);
    return st;
}

enum luc_status srv_store_state_event(const struct srv_sql *q, int64_t seq, enum api_state state,
                                      int64_t attempt, struct luc_error *err)
{
    char data[48];
    snprintf(data, sizeof(data), "%s %lld", api_state_name(state), (long long)attempt);
    return add_event(q, seq, "state", data, err);
}

static enum luc_status lost_claim(const struct srv_claim *c, struct luc_error *err)
{
    return luc_fail(err, LUC_CANCELLED, "attempt %lld of job %s is not the current one any more",
                    (long long)c->attempt, c->id);
}

/* The row that a claim holds, or LUC_CANCELLED. */
static enum luc_status held(const struct srv_sql *q, const struct srv_claim *c, int64_t *seq,
                            bool *cancel, struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_ask(q, &t, err,
                    "SELECT seq, cancel FROM jobs WHERE id = ? AND"
                    " attempt = ? AND owner = ? AND state = ?",
                    "sisi", c->id, c->attempt, c->owner, (int64_t)API_STATE_running);
    const bool found = t.n_rows > 0;
    if (found) {
        *seq = srv_cell(&t, 0, 0)->n;
        *cancel = srv_cell(&t, 0, 1)->n != 0;
    }
    srv_table_done(&t);
    return st ? st : found ? LUC_OK : lost_claim(c, err);
}

/* ---- submitting --------------------------------------------------------------------------- */

static enum luc_status find_key(const struct srv_sql *q, const struct srv_new_job *job,
                                char id[API_ID_MAX], enum api_submitted *how, struct luc_error *err)
{
    struct srv_table t = { 0 };
    *how = API_SUBMITTED_NEW;
    if (!job->key)
        return LUC_OK;
    const enum luc_status st =
        srv_sql_ask(q, &t, err, "SELECT id, idem_hash FROM jobs WHERE idem_key = ?", "s", job->key);
    if (t.n_rows > 0) {
        srv_cell_copy(&t, 0, 0, id, API_ID_MAX);
        *how = job->key_hash && strcmp(srv_cell_text(&t, 0, 1), job->key_hash) == 0
                   ? API_SUBMITTED_BEFORE
                   : API_SUBMITTED_OTHER_BODY;
    }
    srv_table_done(&t);
    return st;
}

/* Whether the owner may have another one in the queue. */
static enum luc_status count_owners(const struct srv_sql *q, const struct srv_new_job *job,
                                    enum api_submitted *how, struct luc_error *err)
{
    int64_t queued = 0;
    if (!job->max_of_who)
        return LUC_OK;
    const enum luc_status st =
        srv_sql_number(q, &queued, err, "SELECT count(*) FROM jobs WHERE who = ? AND state = ?",
                       "si", job->who ? job->who : "", (int64_t)API_STATE_queued);
    if (!st && (uint64_t)queued >= job->max_of_who)
        *how = API_SUBMITTED_TOO_MANY;
    return st;
}

/* The list of these very pictures, made where there is none; *list 0: the job has no pictures. */
static enum luc_status find_list(const struct srv_sql *q, const struct srv_new_job *job,
                                 int64_t *list, struct luc_error *err)
{
    *list = 0;
    if (job->n_pictures == 0)
        return LUC_OK;
    enum luc_status st =
        srv_sql_number(q, list, err, "SELECT seq FROM lists WHERE sha256 = ?", "s", job->list);
    if (st || *list)
        return st;
    st = srv_sql_number(q, list, err, "INSERT INTO lists (sha256) VALUES (?) RETURNING seq", "s",
                        job->list);
    for (size_t i = 0; i < job->n_pictures && !st; i++)
        st =
            srv_sql_run(q, err, "INSERT INTO listed (list, n, sha256, about) VALUES (?, ?, ?, ?)",
                        "iiss", *list, (int64_t)i, job->pictures[i].sha256, job->pictures[i].about);
    return st;
}

static enum luc_status insert_job(const struct srv_sql *q, const struct srv_new_job *job,
                                  struct luc_error *err)
{
    int64_t queued = 0, list = 0, seq = 0;
    enum luc_status st =
        srv_sql_number(q, &queued, err, "SELECT count(*) FROM jobs WHERE state = ?", "i",
                       (int64_t)API_STATE_queued);
    if (!st && (uint64_t)queued >= job->max_queued)
        st = luc_fail(err, LUC_BUSY, "the queue is full: %lld jobs wait", (long long)queued);
    if (!st)
        st = find_list(q, job, &list, err);
    if (!st)
        st = srv_sql_number(q, &seq, err,
                            "INSERT INTO jobs (id, method, lane, bytes, parameters, format,"
                            " created_ms, idem_key, idem_hash, who, list)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0)) RETURNING seq",
                            "ssiississsi", job->id, job->method, (int64_t)job->lane,
                            (int64_t)job->bytes, job->parameters, job->format, srv_sql_now(q),
                            job->key, job->key_hash, job->who ? job->who : "", list);
    if (!st)
        st = srv_sql_run(q, err, "INSERT INTO specs (job, spec) VALUES (?, ?)", "is", seq,
                         job->spec);
    return st ? st : srv_store_state_event(q, seq, API_STATE_queued, 0, err);
}

enum luc_status srv_store_submit(struct srv_store *store, const struct srv_new_job *job,
                                 char id[API_ID_MAX], enum api_submitted *how,
                                 struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    char known[API_ID_MAX] = "";
    enum api_submitted is = API_SUBMITTED_NEW;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = find_key(q, job, known, &is, err);
    if (!st && is == API_SUBMITTED_NEW)
        st = count_owners(q, job, &is, err);
    if (!st && is == API_SUBMITTED_NEW)
        st = insert_job(q, job, err);
    st = srv_sql_end(q, st, err);
    if (!st) {
        snprintf(id, API_ID_MAX, "%s", is == API_SUBMITTED_NEW ? job->id : known);
        *how = is;
    }
    return st;
}

/* ---- running ------------------------------------------------------------------------------ */

enum luc_status srv_store_end_job(const struct srv_sql *q, int64_t seq, enum api_state state,
                                  const char *error, double keep_s, struct luc_error *err)
{
    const int64_t now = srv_sql_now(q);
    int64_t attempt = 0;
    enum luc_status st = srv_sql_run(
        q, err,
        "UPDATE jobs SET state = ?2, error = ?3, finished_ms = ?4, expires_ms = ?5, owner = NULL,"
        " lease_ms = NULL, eta_s = NULL, progress = CASE WHEN ?2 = 2 THEN 1 ELSE progress END"
        " WHERE seq = ?1",
        "iisii", seq, (int64_t)state, error, now, now + (int64_t)(1e3 * keep_s));
    if (!st && state != API_STATE_failed) /* how far a failed one came stays until it expires */
        st = srv_sql_run(q, err, "DELETE FROM files WHERE job = ? AND role = 'checkpoint'", "i",
                         seq);
    if (!st)
        st = srv_sql_number(q, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : srv_store_state_event(q, seq, state, attempt, err);
}

enum luc_status srv_store_beat(struct srv_store *store, const struct srv_claim *c, double lease_s,
                               bool *cancel, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    bool asked = false;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    st = held(q, c, &seq, &asked, err);
    if (!st)
        st = srv_sql_run(q, err, "UPDATE jobs SET lease_ms = ? WHERE seq = ?", "ii",
                         srv_sql_now(q) + (int64_t)(1e3 * lease_s), seq);
    st = srv_sql_end(q, st, err);
    if (!st)
        *cancel = asked;
    return st;
}

static enum luc_status keep_file(const struct srv_sql *q, int64_t seq, const char *role,
                                 const char *type, const char *file, struct luc_error *err)
{
    return srv_sql_run(q, err,
                       "INSERT INTO files (job, role, n, type, sha256) VALUES (?, ?, 0, ?, ?)"
                       " ON CONFLICT (job, role, n) DO UPDATE SET type = excluded.type,"
                       " sha256 = excluded.sha256",
                       "isss", seq, role, type, file);
}

static enum luc_status write_report(const struct srv_sql *q, int64_t seq,
                                    const struct srv_report *r, struct luc_error *err)
{
    enum luc_status st =
        srv_sql_run(q, err,
                    "UPDATE jobs SET progress = ?2, step = ?3, n_steps = ?4, loss = ?5, eta_s = ?6,"
                    " spent_ms = ?7 WHERE seq = ?1",
                    "idiiddi", seq, r->progress, r->step, r->n_steps, r->loss,
                    r->eta_s >= 0 ? r->eta_s : (double)NAN, (int64_t)(1e3 * r->spent_s));
    if (!st)
        st = add_event(q, seq, "progress", r->progress_event, err);
    if (!st && r->preview)
        st = keep_file(q, seq, "preview", "image/jpeg", r->preview, err);
    if (!st && r->preview)
        st = add_event(q, seq, "preview", r->preview_event, err);
    return st;
}

enum luc_status srv_store_report(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_report *r, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    st = held(q, c, &seq, &cancel, err);
    if (!st)
        st = write_report(q, seq, r, err);
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_checkpoint(struct srv_store *store, const struct srv_claim *c,
                                     const char *file, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    bool cancel;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = held(q, c, &seq, &cancel, err);
    if (!st)
        st = keep_file(q, seq, "checkpoint", NULL, file, err);
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_finish(struct srv_store *store, const struct srv_claim *c,
                                 const struct srv_outcome *o, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = held(q, c, &seq, &cancel, err);
    const bool good = o->state == API_STATE_succeeded && !cancel;
    for (size_t i = 0; good && i < o->n_answers && !st; i++)
        st = srv_sql_run(q, err,
                         "INSERT INTO files (job, role, n, type, headers, sha256)"
                         " VALUES (?, 'result', ?, ?, ?, ?)",
                         "iisss", seq, (int64_t)i, o->answers[i].type, o->answers[i].headers,
                         o->answers[i].file);
    if (!st)
        st = srv_store_end_job(q, seq, cancel ? API_STATE_cancelled : o->state,
                               cancel ? NULL : o->error, o->keep_s, err);
    return srv_sql_end(q, st, err);
}

static enum luc_status back_to_queue(const struct srv_sql *q, int64_t seq, int64_t lost,
                                     struct luc_error *err)
{
    int64_t attempt = 0;
    enum luc_status st = srv_sql_run(q, err,
                                     "UPDATE jobs SET state = 0, owner = NULL, lease_ms = NULL,"
                                     " eta_s = NULL, lost = lost + ?2 WHERE seq = ?1",
                                     "ii", seq, lost);
    if (!st)
        st = srv_sql_number(q, &attempt, err, "SELECT attempt FROM jobs WHERE seq = ?", "i", seq);
    return st ? st : srv_store_state_event(q, seq, API_STATE_queued, attempt, err);
}

enum luc_status srv_store_release(struct srv_store *store, const struct srv_claim *c,
                                  struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    bool cancel = false;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = held(q, c, &seq, &cancel, err);
    if (!st)
        st = cancel ? srv_store_end_job(q, seq, API_STATE_cancelled, NULL, 0, err)
                    : back_to_queue(q, seq, 0, err);
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_release_owner(struct srv_store *store, const char *owner, size_t *n,
                                        struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    size_t done = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    do {
        seq = 0;
        st = srv_sql_number(q, &seq, err,
                            "SELECT coalesce(min(seq), 0) FROM jobs WHERE state = 1 AND owner = ?",
                            "s", owner);
        if (!st && seq) {
            st = back_to_queue(q, seq, 1, err);
            done++;
        }
    } while (!st && seq);
    st = srv_sql_end(q, st, err);
    if (!st)
        *n = done;
    return st;
}

enum luc_status srv_store_cancel(struct srv_store *store, const char *id, enum api_state *was,
                                 struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0, state = -1;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = srv_sql_number(q, &seq, err, "SELECT coalesce(min(seq), 0) FROM jobs WHERE id = ?", "s",
                        id);
    if (!st && !seq)
        st = luc_fail(err, LUC_NOT_FOUND, "there is no job %.40s", id);
    if (!st)
        st = srv_sql_number(q, &state, err, "SELECT state FROM jobs WHERE seq = ?", "i", seq);
    if (!st && (state == API_STATE_succeeded || state == API_STATE_failed))
        st = luc_fail(err, LUC_INVALID, "the job has already %s", api_state_name((size_t)state));
    else if (!st && state == API_STATE_queued)
        st = srv_store_end_job(q, seq, API_STATE_cancelled, NULL, 0, err);
    else if (!st && state == API_STATE_running)
        st = srv_sql_run(q, err, "UPDATE jobs SET cancel = 1 WHERE seq = ?", "i", seq);
    st = srv_sql_end(q, st, err);
    if (!st)
        *was = (enum api_state)state;
    return st;
}

/* ---- nodes --------------------------------------------------------------------------------- */

enum luc_status srv_store_node(struct srv_store *store, const struct srv_node *node,
                               struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    const int64_t now = srv_sql_now(q);
    st = srv_sql_run(q, err,
                     "INSERT INTO nodes (name, host, most_bytes, until_ms) VALUES (?, ?, ?, ?)"
                     " ON CONFLICT (name) DO UPDATE SET most_bytes = excluded.most_bytes,"
                     " until_ms = excluded.until_ms",
                     "ssii", node->name, node->host,
                     node->most_bytes > INT64_MAX ? INT64_MAX : (int64_t)node->most_bytes,
                     now + (int64_t)(1e3 * node->lease_s));
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_node_gone(struct srv_store *store, const char *name,
                                    struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    st = srv_sql_run(q, err, "DELETE FROM nodes WHERE name = ?", "s", name);
    return srv_sql_end(q, st, err);
}
