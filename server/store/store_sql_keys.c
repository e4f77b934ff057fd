/* Keys in SQL. */
#include "server/store/store_sql.h"

enum luc_status srv_store_key_add(struct srv_store *store, const struct srv_key_row *key,
                                  struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st =
        srv_sql(s->hard, err, "INSERT INTO keys (id, name, sha256, created_ms) VALUES (?, ?, ?, ?)",
                "sssi", key->id, key->name, key->sha256, s->hard->driver->now_ms());
    return srv_store_end(s, s->hard, st, err);
}

enum luc_status srv_store_key_revoke(struct srv_store *store, const char *id, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t n = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = srv_sql_number(s->hard, &n, err,
                        "SELECT count(*) FROM keys WHERE id = ? AND revoked_ms IS NULL", "s", id);
    if (!st && n == 0)
        st = luc_fail(err, LUC_NOT_FOUND, "no key in force has the id '%.40s'", id);
    if (!st)
        st = srv_sql(s->hard, err, "UPDATE keys SET revoked_ms = ? WHERE id = ?", "is",
                     s->hard->driver->now_ms(), id);
    return srv_store_end(s, s->hard, st, err);
}

enum luc_status srv_store_keys(struct srv_store *store,
                               void (*each)(void *ctx, const struct srv_key_row *key), void *ctx,
                               struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err,
                                     "SELECT id, name, sha256, created_ms, revoked_ms FROM keys"
                                     " ORDER BY created_ms, id",
                                     "");
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(ctx,
                 &(struct srv_key_row){ srv_sql_peek(q, 0), srv_sql_peek(q, 1), srv_sql_peek(q, 2),
                                        srv_sql_int(q, 3), srv_sql_int(q, 4) });
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}
