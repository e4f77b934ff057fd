/* The store in SQL: opening, and keeping house. */
#include "server/store/store_sql.h"

#include <stdio.h>
#include <stdlib.h>

#define NODE_KEPT_S 86400.0 /* a silent node: its jobs were long taken over */

enum luc_status srv_store_begin(struct srv_sql_store *s, struct srv_sql_db *db,
                                struct luc_error *err)
{
    pthread_mutex_lock(&s->writing);
    const enum luc_status st = db->driver->begin(db, err);
    if (st)
        pthread_mutex_unlock(&s->writing);
    return st;
}

enum luc_status srv_store_end(struct srv_sql_store *s, struct srv_sql_db *db, enum luc_status st,
                              struct luc_error *err)
{
    if (!st)
        st = db->driver->commit(db, err);
    if (st)
        db->driver->rollback(db);
    pthread_mutex_unlock(&s->writing);
    return st;
}

static enum luc_status expire(struct srv_store *store, double forget_s, size_t *n,
                              struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    const int64_t now = s->soft->driver->now_ms();
    int64_t changed = 0;
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = srv_sql_number(
        s->soft, &changed, err,
        "SELECT count(*) FROM jobs WHERE state > 1 AND expired = 0 AND expires_ms < ?", "i", now);
    if (!st && changed)
        st = srv_sql(
            s->soft, err,
            "UPDATE jobs SET expired = 1 WHERE state > 1 AND expired = 0 AND expires_ms < ?", "i",
            now);
    if (!st && changed)
        st = srv_sql(s->soft, err,
                     "DELETE FROM files WHERE job IN (SELECT seq FROM jobs WHERE expired = 1)", "");
    if (!st)
        st = srv_sql(s->soft, err,
                     "DELETE FROM jobs WHERE state > 1 AND expired = 1 AND expires_ms < ?", "i",
                     now - (int64_t)(1e3 * forget_s));
    if (!st)
        st = srv_sql(s->soft, err, "DELETE FROM nodes WHERE lease_ms < ?", "i",
                     now - (int64_t)(1e3 * NODE_KEPT_S));
    st = srv_store_end(s, s->soft, st, err);
    if (!st)
        *n = (size_t)changed;
    return st;
}

static bool uses(struct srv_store *store, const char *file)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t n = 1;
    pthread_mutex_lock(&s->reading);
    const enum luc_status st =
        srv_sql_number(s->look, &n, NULL,
                       "SELECT EXISTS (SELECT 1 FROM files WHERE sha256 = ?1)"
                       " OR EXISTS (SELECT 1 FROM collection_images WHERE sha256 = ?1)",
                       "s", file);
    pthread_mutex_unlock(&s->reading);
    return st || n != 0;
}

static enum luc_status check(struct srv_store *store, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    pthread_mutex_lock(&s->reading);
    const enum luc_status st = s->look->driver->check(s->look, err);
    pthread_mutex_unlock(&s->reading);
    return st;
}

/* ---- opening ------------------------------------------------------------------------------ */

static void close_store(struct srv_store *store)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    srv_sql_close(s->look);
    srv_sql_close(s->soft);
    srv_sql_close(s->hard);
    pthread_mutex_destroy(&s->writing);
    pthread_mutex_destroy(&s->reading);
    free(s);
}

static const struct srv_store_kind kind = { .name = "sql",
                                            .close = close_store,
                                            .submit = srv_store_submit,
                                            .claim = srv_store_claim,
                                            .beat = srv_store_beat,
                                            .report = srv_store_report,
                                            .checkpoint = srv_store_checkpoint,
                                            .finish = srv_store_finish,
                                            .release = srv_store_release,
                                            .live = srv_store_live,
                                            .release_owner = srv_store_release_owner,
                                            .owners = srv_store_owners,
                                            .cancel = srv_store_cancel,
                                            .get = srv_store_get,
                                            .list = srv_store_list,
                                            .files = srv_store_files,
                                            .events = srv_store_events,
                                            .counts = srv_store_counts,
                                            .key_add = srv_store_key_add,
                                            .key_revoke = srv_store_key_revoke,
                                            .keys = srv_store_keys,
                                            .expire = expire,
                                            .uses = uses,
                                            .check = check };

enum luc_status srv_store_sqlite(const char *data, struct srv_store **store, struct luc_error *err)
{
    char path[512];
    const struct srv_sql_driver *driver = &srv_sql_sqlite;
    struct srv_sql_store *s = calloc(1, sizeof(*s));
    if (!s)
        return luc_fail_nomem(err, "the job store", sizeof(*s));
    s->base.kind = &kind;
    s->base.collections = &srv_sql_collections;
    pthread_mutex_init(&s->writing, NULL);
    pthread_mutex_init(&s->reading, NULL);
    enum luc_status st = LUC_OK;
    if ((size_t)snprintf(path, sizeof(path), "%s/jobs.sqlite", data) >= sizeof(path))
        st = luc_fail(err, LUC_INVALID, "the data directory's name is too long");
    if (!st)
        st = driver->open(path, SRV_SQL_HARD, &s->hard, err);
    if (!st)
        st = srv_sql_migrate(s->hard, path, err);
    if (!st)
        st = driver->open(path, SRV_SQL_SOFT, &s->soft, err);
    if (!st)
        st = driver->open(path, SRV_SQL_LOOK, &s->look, err);
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
