/* The store as a whole: opening it, and keeping house. */
#include "server/store/store_private.h"

#include <stdlib.h>

enum luc_status srv_store_open(const struct srv_sql_driver *driver, const char *where,
                               struct srv_store **store, struct luc_error *err)
{
    struct srv_store *s = calloc(1, sizeof(*s));
    if (!s)
        return luc_fail_nomem(err, "the job store", sizeof(*s));
    s->sql.driver = driver;
    const enum luc_status st = driver->open(where, &s->sql.db, err);
    if (st)
        free(s);
    else
        *store = s;
    return st;
}

struct srv_store *srv_store_close(struct srv_store *store)
{
    if (store)
        store->sql.driver->close(store->sql.db);
    free(store);
    return NULL;
}

/* Lists that no job refers to any more. */
static enum luc_status drop_lists(const struct srv_sql *q, struct luc_error *err)
{
    return srv_sql_run(q, err,
                       "DELETE FROM lists WHERE NOT EXISTS"
                       " (SELECT 1 FROM jobs WHERE jobs.list = lists.seq)",
                       "");
}

enum luc_status srv_store_expire(struct srv_store *store, double forget_s, size_t *n,
                                 struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    struct srv_table t = { 0 };
    int64_t n_expired = 0;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    const int64_t now = srv_sql_now(q);
    st = srv_sql_ask(q, &t, err,
                     "UPDATE jobs SET expired = 1, list = NULL WHERE state > 1 AND expired = 0 AND"
                     " expires_ms < ?",
                     "i", now);
    n_expired = t.n_changed;
    srv_table_done(&t);
    if (!st && n_expired)
        st = srv_sql_run(
            q, err, "DELETE FROM files WHERE job IN (SELECT seq FROM jobs WHERE expired = 1)", "");
    if (!st)
        st = srv_sql_run(q, err,
                         "DELETE FROM jobs WHERE state > 1 AND expired = 1 AND expires_ms < ?", "i",
                         now - (int64_t)(1e3 * forget_s));
    if (!st && n_expired)
        st = drop_lists(q, err);
    if (!st) /* of nodes that died without a word */
        st = srv_sql_run(q, err, "DELETE FROM nodes WHERE until_ms < ?", "i",
                         now - (int64_t)(1e3 * forget_s));
    st = srv_sql_end(q, st, err);
    if (!st)
        *n = (size_t)n_expired;
    return st;
}

bool srv_store_uses(struct srv_store *store, const char *file)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, NULL,
                     "SELECT EXISTS (SELECT 1 FROM files WHERE sha256 = ?1)"
                     " OR EXISTS (SELECT 1 FROM listed WHERE sha256 = ?1)"
                     " OR EXISTS (SELECT 1 FROM collection_images WHERE sha256 = ?1)",
                     "s", file);
    const bool used = st || t.n_rows == 0 || srv_cell(&t, 0, 0)->n != 0;
    srv_table_done(&t);
    return used;
}

enum luc_status srv_store_check(struct srv_store *store, struct luc_error *err)
{
    return store->sql.driver->check(store->sql.db, err);
}
