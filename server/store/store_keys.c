/* Keys. */
#include "server/store/store_private.h"

enum luc_status srv_store_key_add(struct srv_store *store, const struct srv_key_row *key,
                                  struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = srv_sql_run(q, err, "INSERT INTO keys (id, name, sha256, created_ms) VALUES (?, ?, ?, ?)",
                     "sssi", key->id, key->name, key->sha256, srv_sql_now(q));
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_key_revoke(struct srv_store *store, const char *id, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t n = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = srv_sql_number(q, &n, err, "SELECT count(*) FROM keys WHERE id = ? AND revoked_ms IS NULL",
                        "s", id);
    if (!st && n == 0)
        st = luc_fail(err, LUC_NOT_FOUND, "no key in force has the id '%.40s'", id);
    if (!st)
        st = srv_sql_run(q, err, "UPDATE keys SET revoked_ms = ? WHERE id = ?", "is",
                         srv_sql_now(q), id);
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_keys(struct srv_store *store,
                               void (*each)(void *ctx, const struct srv_key_row *key), void *ctx,
                               struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT id, name, sha256, created_ms, revoked_ms FROM keys"
                     " ORDER BY created_ms, id",
                     "");
    for (size_t i = 0; i < t.n_rows; i++)
        each(ctx, &(struct srv_key_row){ srv_cell_text(&t, i, 0), srv_cell_text(&t, i, 1),
                                         srv_cell_text(&t, i, 2), srv_cell(&t, i, 3)->n,
                                         srv_cell(&t, i, 4)->n });
    srv_table_done(&t);
    return st;
}
