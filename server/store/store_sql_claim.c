/* Which job is claimed next. */
#include "server/store/store_sql.h"

#include <stdio.h>
#include <stdlib.h>

/* Jobs that someone could claim: never begun, or given up by who began them. ?1 is now. */
#define WAITS "state IN (0, 1) AND (state = 0 OR lease_ms < ?1)"
/* Of those, the ones that are too large for every node that lives; ?3 is what this one takes. */
#define TOO_LARGE                                                                                  \
    "(bytes > ?3 AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.lease_ms >= ?1 AND"               \
    " nodes.bytes >= jobs.bytes))"
/* Those whose owner may have one more running. ?2 is the most. */
#define MAY_RUN                                                                                    \
    WAITS " AND (SELECT count(*) FROM jobs AS r WHERE r.who = jobs.who AND r.state = 1 AND"        \
          " r.seq <> jobs.seq) < ?2"

static int64_t number(size_t n)
{
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* Ends jobs that nobody should run: cancelled ones whose holder is gone, those that were lost too
 * often, and those that are too large for every server. */
static enum luc_status bury(struct srv_sql_db *db, const struct srv_claim_ask *ask,
                            struct luc_error *err)
{
    for (;;) {
        struct srv_sql_rows *q = NULL;
        bool row = false, cancelled = false, large = false;
        int64_t seq = 0;
        enum luc_status st = srv_sql_ask(
            db, &q, err,
            "SELECT seq, cancel, CASE WHEN bytes > ?3 THEN 1 ELSE 0 END FROM jobs WHERE " WAITS
            " AND (cancel <> 0 OR lost + state > ?2 OR " TOO_LARGE ") LIMIT 1",
            "iii", db->driver->now_ms(), ask->max_lost, number(ask->most_bytes));
        if (!st)
            st = srv_sql_next(q, &row, err);
        if (!st && row) {
            seq = srv_sql_int(q, 0);
            cancelled = srv_sql_int(q, 1) != 0;
            large = srv_sql_int(q, 2) != 0;
        }
        srv_sql_done(q);
        if (st || !row)
            return st;
        st = srv_store_end_job(db, seq, cancelled ? API_STATE_cancelled : API_STATE_failed,
                               cancelled ? NULL
                               : large   ? ask->large_to
                                         : ask->lost_to,
                               ask->keep_s, err);
        if (st)
            return st;
    }
}

static enum luc_status take_next(struct srv_sql_db *db, const struct srv_claim_ask *ask,
                                 int64_t now, struct srv_claimed *got, int64_t *seq,
                                 struct luc_error *err)
{
    struct srv_sql_rows *q = NULL;
    bool row = false;
    enum luc_status st = srv_sql_ask(
        db, &q, err,
        "UPDATE jobs SET lost = lost + state, state = 1, attempt = attempt + 1, owner = ?5,"
        " lease_ms = ?6, started_ms = coalesce(started_ms, ?1) WHERE seq ="
        " (SELECT seq FROM jobs WHERE " MAY_RUN " AND (lane & ?4) <> 0 AND bytes <= ?3"
        "  AND seq < coalesce((SELECT min(seq) FROM jobs WHERE " MAY_RUN
        "   AND bytes > ?3 AND bytes <= ?8 AND passed >= ?7), seq + 1) ORDER BY seq LIMIT 1)"
        " RETURNING seq, id, attempt, spec, bytes, spent_ms",
        "iiiisiii", now, number(ask->most_running), number(ask->free_bytes), (int64_t)ask->lanes,
        ask->owner, now + (int64_t)(1e3 * ask->lease_s), (int64_t)SRV_PASSES_MAX,
        number(ask->most_bytes));
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row) {
        *seq = srv_sql_int(q, 0);
        srv_sql_text(q, 1, got->claim.id, sizeof(got->claim.id));
        got->claim.attempt = srv_sql_int(q, 2);
        got->spec = srv_sql_copy(q, 3);
        got->bytes = (size_t)srv_sql_int(q, 4);
        got->spent_s = 1e-3 * (double)srv_sql_int(q, 5);
        snprintf(got->claim.owner, sizeof(got->claim.owner), "%s", ask->owner);
        if (!got->spec)
            st = luc_fail_nomem(err, "a job", 0);
    }
    srv_sql_done(q);
    return st;
}

/* Older jobs that did not fit were passed by `seq`; and what the oldest needs of those that do not
 * fit now. */
static enum luc_status note_passed(struct srv_sql_db *db, const struct srv_claim_ask *ask,
                                   int64_t now, int64_t seq, struct srv_claimed *got,
                                   struct luc_error *err)
{
    int64_t next = 0;
    enum luc_status st = LUC_OK;
    if (got->spec)
        st = srv_sql(db, err,
                     "UPDATE jobs SET passed = passed + 1 WHERE " MAY_RUN
                     " AND seq < ?5 AND bytes > ?3 AND bytes <= ?4",
                     "iiiii", now, number(ask->most_running), number(ask->free_bytes),
                     number(ask->most_bytes), seq);
    if (!st)
        st = srv_sql_number(db, &next, err,
                            "SELECT bytes FROM jobs WHERE " MAY_RUN
                            " AND bytes > ?3 AND bytes <= ?4 ORDER BY seq LIMIT 1",
                            "iiii", now, number(ask->most_running),
                            number(ask->free_bytes - got->bytes), number(ask->most_bytes));
    got->next_bytes = (size_t)next;
    return st;
}

static enum luc_status find_checkpoint(struct srv_sql_db *db, int64_t seq, char name[SRV_BLOB_NAME],
                                       struct luc_error *err)
{
    struct srv_sql_rows *q = NULL;
    bool row = false;
    enum luc_status st = srv_sql_ask(
        db, &q, err, "SELECT sha256 FROM files WHERE job = ? AND role = 'checkpoint'", "i", seq);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        srv_sql_text(q, 0, name, SRV_BLOB_NAME);
    srv_sql_done(q);
    return st;
}

enum luc_status srv_store_claim(struct srv_store *store, const struct srv_claim_ask *ask,
                                struct srv_claimed *got, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_claimed made = { 0 };
    const int64_t now = s->hard->driver->now_ms();
    int64_t seq = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = bury(s->hard, ask, err);
    if (!st)
        st = take_next(s->hard, ask, now, &made, &seq, err);
    if (!st)
        st = note_passed(s->hard, ask, now, seq, &made, err);
    if (!st && made.spec)
        st = find_checkpoint(s->hard, seq, made.checkpoint, err);
    if (!st && made.spec)
        st = srv_store_state_event(s->hard, seq, API_STATE_running, made.claim.attempt, err);
    st = srv_store_end(s, s->hard, st, err);
    if (st)
        free(made.spec);
    else
        *got = made;
    return st;
}
