/* Keys in the SQLite store. */
#include "server/store/store_sqlite.h"

enum luc_status srv_sqlite_key_add(struct srv_store *store, const struct srv_key_row *key,
                                   struct luc_error *err)
{
    struct srv_sqlite *s = srv_sqlite_of(store);
    enum luc_status st = srv_sqlite_begin(s, s->hard, err);
    if (st)
        return st;
    st =
        srv_sql(s->hard, err, "INSERT INTO keys (id, name, sha256, created_ms) VALUES (?, ?, ?, ?)",
                "sssi", key->id, key->name, key->sha256, srv_sqlite_now_ms());
    return srv_sqlite_end(s, s->hard, st, err);
}

enum luc_status srv_sqlite_key_revoke(struct srv_store *store, const char *id,
                                      struct luc_error *err)
{
    struct srv_sqlite *s = srv_sqlite_of(store);
    int64_t n = 0;
    enum luc_status st = srv_sqlite_begin(s, s->hard, err);
    if (st)
        return st;
    st = srv_sql_number(s->hard, &n, err,
                        "SELECT count(*) FROM keys WHERE id = ? AND revoked_ms IS NULL", "s", id);
    if (!st && n == 0)
        st = luc_fail(err, LUC_NOT_FOUND, "no key in force has the id '%.40s'", id);
    if (!st)
        st = srv_sql(s->hard, err, "UPDATE keys SET revoked_ms = ? WHERE id = ?", "is",
                     srv_sqlite_now_ms(), id);
    return srv_sqlite_end(s, s->hard, st, err);
}

enum luc_status srv_sqlite_keys(struct srv_store *store,
                                void (*each)(void *ctx, const struct srv_key_row *key), void *ctx,
                                struct luc_error *err)
{
    struct srv_sqlite *s = srv_sqlite_of(store);
    sqlite3_stmt *q = NULL;
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
                 &(struct srv_key_row){ (const char *)sqlite3_column_text(q, 0),
                                        (const char *)sqlite3_column_text(q, 1),
                                        (const char *)sqlite3_column_text(q, 2),
                                        sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4) });
    }
    sqlite3_finalize(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}
