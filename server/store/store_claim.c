/* Which job is claimed next. */
#include "server/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>

/* Jobs that someone could claim: never begun, or given up by who began them. ?1 is now. */
#define WAITS "state IN (0, 1) AND (state = 0 OR lease_ms < ?1)"
/* Those whose owner may have one more running. ?2 is the most. */
#define MAY_RUN                                                                                    \
    WAITS " AND (SELECT count(*) FROM jobs AS r WHERE r.who = jobs.who AND r.state = 1 AND"        \
          " r.seq <> jobs.seq) < ?2"

static int64_t number(size_t n)
{
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* The most that any node gives a job; this one at least. */
static enum luc_status most_anywhere(const struct srv_sql *q, const struct srv_claim_ask *ask,
                                     int64_t *most, struct luc_error *err)
{
    *most = 0;
    const enum luc_status st = srv_sql_number(
        q, most, err, "SELECT coalesce(max(most_bytes), 0) FROM nodes WHERE until_ms >= ?", "i",
        srv_sql_now(q));
    if (*most < number(ask->most_bytes))
        *most = number(ask->most_bytes);
    return st;
}

/* Ends jobs that nobody should run: cancelled ones whose holder is gone, those that were lost too
 * often, and those that are too large for every node. */
static enum luc_status bury(const struct srv_sql *q, const struct srv_claim_ask *ask,
                            struct luc_error *err)
{
    int64_t most = 0;
    enum luc_status st = most_anywhere(q, ask, &most, err);
    while (!st) {
        struct srv_table t = { 0 };
        st = srv_sql_ask(q, &t, err,
                         "SELECT seq, cancel, bytes FROM jobs WHERE " WAITS
                         " AND (cancel <> 0 OR bytes > ?3"
                         "  OR CASE WHEN state = 1 THEN lost + 1 ELSE lost END > ?2) LIMIT 1",
                         "iii", srv_sql_now(q), ask->max_lost, most);
        if (st || t.n_rows == 0)
            return st;
        const int64_t seq = srv_cell(&t, 0, 0)->n;
        const bool cancelled = srv_cell(&t, 0, 1)->n != 0, large = srv_cell(&t, 0, 2)->n > most;
        srv_table_done(&t);
        st = srv_store_end_job(q, seq, cancelled ? API_STATE_cancelled : API_STATE_failed,
                               cancelled ? NULL
                               : large   ? ask->large_to
                                         : ask->lost_to,
                               ask->keep_s, err);
    }
    return st;
}

/* A job that is too large for this node is another's: it waits, and nothing waits for it here. */
static enum luc_status take_next(const struct srv_sql *q, const struct srv_claim_ask *ask,
                                 int64_t now, struct srv_claimed *got, int64_t *seq,
                                 struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st = srv_sql_ask(
        q, &t, err,
        "UPDATE jobs SET lost = CASE WHEN state = 1 THEN lost + 1 ELSE lost END, state = 1,"
        " attempt = attempt + 1, owner = ?5, lease_ms = ?6,"
        " started_ms = coalesce(started_ms, ?1) WHERE seq ="
        " (SELECT seq FROM jobs WHERE " MAY_RUN " AND (lane & ?4) <> 0 AND bytes <= ?3"
        "  AND seq < coalesce((SELECT min(seq) FROM jobs WHERE " MAY_RUN
        "   AND bytes > ?3 AND bytes <= ?8 AND passed >= ?7), seq + 1) ORDER BY seq LIMIT 1)"
        " RETURNING seq, id, attempt, bytes, spent_ms",
        "iiiisiii", now, number(ask->most_running), number(ask->free_bytes), (int64_t)ask->lanes,
        ask->owner, now + (int64_t)(1e3 * ask->lease_s), (int64_t)SRV_PASSES_MAX,
        number(ask->most_bytes));
    if (!st && t.n_rows > 0) {
        *seq = srv_cell(&t, 0, 0)->n;
        srv_cell_copy(&t, 0, 1, got->claim.id, sizeof(got->claim.id));
        got->claim.attempt = srv_cell(&t, 0, 2)->n;
        got->bytes = (size_t)srv_cell(&t, 0, 3)->n;
        got->spent_s = 1e-3 * (double)srv_cell(&t, 0, 4)->n;
        snprintf(got->claim.owner, sizeof(got->claim.owner), "%s", ask->owner);
    }
    srv_table_done(&t);
    return st;
}

static enum luc_status read_spec(const struct srv_sql *q, int64_t seq, struct srv_claimed *got,
                                 struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st = srv_sql_ask(q, &t, err, "SELECT spec FROM specs WHERE job = ?", "i", seq);
    if (!st && t.n_rows > 0)
        got->spec = srv_cell_dup(&t, 0, 0);
    srv_table_done(&t);
    return st || got->spec ? st : luc_fail_nomem(err, "a job", 0);
}

/* Older jobs that did not fit were passed by `seq`; and what the oldest needs of those that do not
 * fit now. */
static enum luc_status note_passed(const struct srv_sql *q, const struct srv_claim_ask *ask,
                                   int64_t now, int64_t seq, struct srv_claimed *got,
                                   struct luc_error *err)
{
    int64_t next = 0;
    enum luc_status st = LUC_OK;
    if (seq)
        st = srv_sql_run(q, err,
                         "UPDATE jobs SET passed = passed + 1 WHERE " MAY_RUN
                         " AND seq < ?4 AND bytes > ?3 AND bytes <= ?5",
                         "iiiii", now, number(ask->most_running), number(ask->free_bytes), seq,
                         number(ask->most_bytes));
    if (!st)
        st =
            srv_sql_number(q, &next, err,
                           "SELECT bytes FROM jobs WHERE " MAY_RUN " AND bytes > ?3 AND bytes <= ?4"
                           " ORDER BY seq LIMIT 1",
                           "iiii", now, number(ask->most_running),
                           number(ask->free_bytes - got->bytes), number(ask->most_bytes));
    got->next_bytes = (size_t)next;
    return st;
}

static enum luc_status find_checkpoint(const struct srv_sql *q, int64_t seq,
                                       char name[SRV_BLOB_NAME], struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st = srv_sql_ask(
        q, &t, err, "SELECT sha256 FROM files WHERE job = ? AND role = 'checkpoint'", "i", seq);
    if (t.n_rows > 0)
        srv_cell_copy(&t, 0, 0, name, SRV_BLOB_NAME);
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_claim(struct srv_store *store, const struct srv_claim_ask *ask,
                                struct srv_claimed *got, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    struct srv_claimed made = { 0 };
    int64_t seq = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    const int64_t now = srv_sql_now(q);
    st = bury(q, ask, err);
    if (!st)
        st = take_next(q, ask, now, &made, &seq, err);
    if (!st)
        st = note_passed(q, ask, now, seq, &made, err);
    if (!st && seq)
        st = read_spec(q, seq, &made, err);
    if (!st && made.spec)
        st = find_checkpoint(q, seq, made.checkpoint, err);
    if (!st && made.spec)
        st = srv_store_state_event(q, seq, API_STATE_running, made.claim.attempt, err);
    st = srv_sql_end(q, st, err);
    if (st)
        free(made.spec);
    else
        *got = made;
    return st;
}
