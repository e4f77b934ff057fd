/* The store in one SQLite file: opening, the schema, and keeping house. */
#include "server/store/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    /* who: the key that a job was sent with; passed: younger jobs that went first because they
     * needed less memory; spent_ms: run time of all attempts. */
    "ALTER TABLE jobs ADD COLUMN who TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE jobs ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE jobs ADD COLUMN spent_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX jobs_by_who ON jobs (who, state);"
    "CREATE TABLE keys ("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER) WITHOUT ROWID;",
    /* features: what methods found out about pictures, by the name that core/survey/keep.h makes. */
    "CREATE TABLE collections ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, who TEXT NOT NULL,"
    " name TEXT NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE INDEX collections_by_who ON collections (who, seq);"
    "CREATE TABLE collection_images ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " collection INTEGER NOT NULL REFERENCES collections (seq) ON DELETE CASCADE,"
    " sha256 TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, type TEXT NOT NULL,"
    " bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
    " added_ms INTEGER NOT NULL, UNIQUE (collection, sha256));"
    "CREATE INDEX collection_images_by_name ON collection_images (sha256);"
    "CREATE INDEX collection_images_in_order ON collection_images (collection, seq);"
    "CREATE TABLE features ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " size INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (name, sha256));"
    "CREATE INDEX features_by_picture ON features (sha256);"
    "CREATE INDEX features_by_age ON features (seq, size);",
    /* Processes that run jobs; bytes: the largest job that each takes. */
    "CREATE TABLE nodes ("
    " name TEXT PRIMARY KEY, host TEXT NOT NULL, bytes INTEGER NOT NULL, lease_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;",
};
#define N_MIGRATIONS ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

#define NODE_KEPT_S 86400.0 /* a silent node: its jobs were long taken over */

int64_t srv_sqlite_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum luc_status srv_sqlite_begin(struct srv_sqlite *s, sqlite3 *db, struct luc_error *err)
{
    pthread_mutex_lock(&s->writing);
    const enum luc_status st = srv_sql(db, err, "BEGIN IMMEDIATE", "");
    if (st)
        pthread_mutex_unlock(&s->writing);
    return st;
}

enum luc_status srv_sqlite_end(struct srv_sqlite *s, sqlite3 *db, enum luc_status st,
                               struct luc_error *err)
{
    if (!st)
        st = srv_sql(db, err, "COMMIT", "");
    if (st && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&s->writing);
    return st;
}

static enum luc_status expire(struct srv_store *store, double forget_s, size_t *n,
                              struct luc_error *err)
{
    struct srv_sqlite *s = srv_sqlite_of(store);
    const int64_t now = srv_sqlite_now_ms();
    enum luc_status st = srv_sqlite_begin(s, s->soft, err);
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
    if (!st)
        st = srv_sql(s->soft, err, "DELETE FROM nodes WHERE lease_ms < ?", "i",
                     now - (int64_t)(1e3 * NODE_KEPT_S));
    st = srv_sqlite_end(s, s->soft, st, err);
    if (!st)
        *n = (size_t)changed;
    return st;
}

static bool uses(struct srv_store *store, const char *file)
{
    struct srv_sqlite *s = srv_sqlite_of(store);
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
    struct srv_sqlite *s = srv_sqlite_of(store);
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
    struct srv_sqlite *s = srv_sqlite_of(store);
    sqlite3_close_v2(s->look);
    sqlite3_close_v2(s->soft);
    sqlite3_close_v2(s->hard);
    pthread_mutex_destroy(&s->writing);
    pthread_mutex_destroy(&s->reading);
    free(s);
}

static const struct srv_store_kind kind = { .name = "sqlite",
                                            .close = close_store,
                                            .submit = srv_sqlite_submit,
                                            .claim = srv_sqlite_claim,
                                            .beat = srv_sqlite_beat,
                                            .report = srv_sqlite_report,
                                            .checkpoint = srv_sqlite_checkpoint,
                                            .finish = srv_sqlite_finish,
                                            .release = srv_sqlite_release,
                                            .live = srv_sqlite_live,
                                            .release_owner = srv_sqlite_release_owner,
                                            .owners = srv_sqlite_owners,
                                            .cancel = srv_sqlite_cancel,
                                            .get = srv_sqlite_get,
                                            .list = srv_sqlite_list,
                                            .files = srv_sqlite_files,
                                            .events = srv_sqlite_events,
                                            .counts = srv_sqlite_counts,
                                            .key_add = srv_sqlite_key_add,
                                            .key_revoke = srv_sqlite_key_revoke,
                                            .keys = srv_sqlite_keys,
                                            .expire = expire,
                                            .uses = uses,
                                            .check = check };

enum luc_status srv_store_sqlite(const char *data, struct srv_store **store, struct luc_error *err)
{
    char path[512];
    struct srv_sqlite *s = calloc(1, sizeof(*s));
    if (!s)
        return luc_fail_nomem(err, "the job store", sizeof(*s));
    s->base.kind = &kind;
    s->base.collections = &srv_sqlite_collections;
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
