/* The store's statements in one SQLite file, DATA/jobs.sqlite. */
#include "core/base/str.h"
#include "server/store/sql.h"

#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 10000 /* for another process that writes */

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
    /* A row of jobs is small: the job itself lies in specs, and its pictures in a list that jobs
     * over the same pictures share. nodes: processes, the largest job each can run, and when it was
     * last heard of. */
    "CREATE TABLE specs ("
    " job INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE, spec TEXT NOT NULL);"
    "INSERT INTO specs (job, spec) SELECT seq, spec FROM jobs;"
    "ALTER TABLE jobs ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';"
    "ALTER TABLE jobs ADD COLUMN format TEXT NOT NULL DEFAULT '';"
    "UPDATE jobs SET parameters = coalesce(json_extract(spec, '$.parameters'), '{}'),"
    " format = coalesce(json_extract(spec, '$.format'), '') WHERE json_valid(spec);"
    "ALTER TABLE jobs DROP COLUMN spec;"
    "CREATE TABLE lists (seq INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL UNIQUE);"
    "CREATE TABLE listed ("
    " list INTEGER NOT NULL REFERENCES lists (seq) ON DELETE CASCADE, n INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL, about TEXT NOT NULL, PRIMARY KEY (list, n)) WITHOUT ROWID;"
    "CREATE INDEX listed_by_name ON listed (sha256);"
    "ALTER TABLE jobs ADD COLUMN list INTEGER REFERENCES lists (seq);"
    "CREATE INDEX jobs_by_list ON jobs (list);"
    "CREATE TABLE nodes ("
    " name TEXT PRIMARY KEY, host TEXT NOT NULL, most_bytes INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL) WITHOUT ROWID;",
};
#define N_MIGRATIONS ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

/* `hard` writes what must survive a power cut (synchronous=FULL), `soft` what need not, both under
 * one lock; `look` reads under its own, so that reading never waits for the disk. */
struct srv_db {
    sqlite3 *hard, *soft, *look;
    sqlite3 *open; /* hard or soft, while a transaction is open */
    pthread_mutex_t writing, reading;
};

static enum luc_status fail(sqlite3 *db, struct luc_error *err)
{
    const int code = sqlite3_errcode(db) & 0xff;
    const char *text = sqlite3_errmsg(db);
    switch (code) {
    case SQLITE_NOMEM: return luc_fail_nomem(err, "the job store", 0);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return luc_fail(err, LUC_BUSY, "the job store is busy");
    case SQLITE_FULL: return luc_fail(err, LUC_IO, "cannot write the job store: the disk is full");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return luc_fail(err, LUC_IO,
                        "cannot write the job store: %.80s; the data directory must be writable",
                        text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return luc_fail(err, LUC_FORMAT, "the job store is damaged: %.80s", text);
    default: return luc_fail(err, LUC_IO, "the job store failed: %.120s", text);
    }
}

static enum luc_status script(sqlite3 *db, const char *sql, struct luc_error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? LUC_OK : fail(db, err);
}

/* WAL mode, foreign keys and a patient wait for other writers. */
static enum luc_status connect(const char *path, const char *pragma, sqlite3 **db,
                               struct luc_error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3 *made = NULL;
    enum luc_status st = LUC_OK;
    if (sqlite3_open_v2(path, &made, flags, NULL) != SQLITE_OK)
        st = made ? fail(made, err) : luc_fail_nomem(err, "the job store", 0);
    if (!st)
        sqlite3_busy_timeout(made, WAIT_MS);
    if (!st)
        st = script(made, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON", err);
    if (!st)
        st = script(made, pragma, err);
    if (st)
        sqlite3_close_v2(made);
    else
        *db = made;
    return st;
}

/* ---- statements --------------------------------------------------------------------------- */

/* False: out of memory. */
static bool bind(sqlite3_stmt *q, const char *types, va_list values)
{
    int code = SQLITE_OK;
    for (int i = 1; *types && code == SQLITE_OK; i++, types++) {
        if (*types == 's') {
            code = sqlite3_bind_text(q, i, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
        } else if (*types == 'i') {
            code = sqlite3_bind_int64(q, i, va_arg(values, int64_t));
        } else if (*types == 'b') {
            const void *bytes = va_arg(values, const void *);
            code = sqlite3_bind_blob64(q, i, bytes, va_arg(values, size_t), SQLITE_TRANSIENT);
        } else {
            const double v = va_arg(values, double);
            code = isfinite(v) ? sqlite3_bind_double(q, i, v) : sqlite3_bind_null(q, i);
        }
    }
    return code == SQLITE_OK;
}

/* Appends the row that q stands on; texts are offsets into `bytes` until all are there. */
static bool add_row(sqlite3_stmt *q, struct srv_table *t, size_t *room, struct luc_str *bytes)
{
    if (t->n_rows == *room) {
        const size_t more = *room ? 2 * *room : 8;
        struct srv_cell *cells = realloc(t->cells, more * t->n_columns * sizeof(*cells));
        if (!cells)
            return false;
        t->cells = cells;
        *room = more;
    }
    struct srv_cell *row = &t->cells[t->n_rows++ * t->n_columns];
    for (size_t i = 0; i < t->n_columns; i++) {
        const int c = (int)i;
        const bool null = sqlite3_column_type(q, c) == SQLITE_NULL;
        const void *text = null ? NULL : sqlite3_column_blob(q, c);
        const size_t size = null ? 0 : (size_t)sqlite3_column_bytes(q, c);
        if (!null && !text && size > 0)
            return false;
        row[i] = (struct srv_cell){ .size = size,
                                    .n = sqlite3_column_int64(q, c),
                                    .d = sqlite3_column_double(q, c),
                                    .text = null ? NULL : "" };
        if (null)
            continue;
        luc_str_put(bytes, text, size);
        luc_str_put(bytes, "", 1);
    }
    return !bytes->failed;
}

static void point_texts(struct srv_table *t, struct luc_str *bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
        if (t->cells[i].text) {
            t->cells[i].text = bytes->data + at;
            at += t->cells[i].size + 1;
        }
    t->bytes = bytes->data;
}

static enum luc_status read_rows(sqlite3 *db, sqlite3_stmt *q, struct srv_table *t,
                                 struct luc_error *err)
{
    struct luc_str bytes = { 0 };
    size_t room = 0;
    int code;
    t->n_columns = (size_t)sqlite3_column_count(q);
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        if (!add_row(q, t, &room, &bytes)) {
            luc_str_done(&bytes);
            return luc_fail_nomem(err, "rows of the job store", room);
        }
    if (code != SQLITE_DONE) {
        luc_str_done(&bytes);
        return fail(db, err);
    }
    t->n_changed = sqlite3_changes(db);
    point_texts(t, &bytes);
    return LUC_OK;
}

static enum luc_status run(sqlite3 *db, struct srv_table *t, const char *sql, const char *types,
                           va_list values, struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        return fail(db, err);
    enum luc_status st = bind(q, types, values) ? read_rows(db, q, t, err) : fail(db, err);
    sqlite3_finalize(q);
    if (st)
        srv_table_done(t);
    return st;
}

static enum luc_status ask(struct srv_db *db, bool inside, struct srv_table *t, const char *sql,
                           const char *types, va_list values, struct luc_error *err)
{
    *t = (struct srv_table){ 0 };
    if (inside)
        return run(db->open, t, sql, types, values, err);
    pthread_mutex_lock(&db->reading);
    const enum luc_status st = run(db->look, t, sql, types, values, err);
    pthread_mutex_unlock(&db->reading);
    return st;
}

/* ---- transactions ------------------------------------------------------------------------- */

/* What failed to be undone (rolling back needs memory, too) is undone before anything new begins. */
static enum luc_status undo(sqlite3 *db, struct luc_error *err)
{
    return sqlite3_get_autocommit(db) ? LUC_OK : script(db, "ROLLBACK", err);
}

static enum luc_status begin(struct srv_db *db, bool hard, struct luc_error *err)
{
    pthread_mutex_lock(&db->writing);
    sqlite3 *c = hard ? db->hard : db->soft;
    enum luc_status st = undo(db->hard, err);
    if (!st)
        st = undo(db->soft, err);
    if (!st)
        st = script(c, "BEGIN IMMEDIATE", err);
    if (st)
        pthread_mutex_unlock(&db->writing);
    else
        db->open = c;
    return st;
}

static enum luc_status end(struct srv_db *db, enum luc_status st, struct luc_error *err)
{
    if (!st)
        st = script(db->open, "COMMIT", err);
    if (st)
        (void)undo(db->open, NULL);
    db->open = NULL;
    pthread_mutex_unlock(&db->writing);
    return st;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum luc_status number(sqlite3 *db, const char *sql, int64_t *value, struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        *value = sqlite3_column_int64(q, 0);
    const enum luc_status st = code == SQLITE_ROW ? LUC_OK : fail(db, err);
    sqlite3_finalize(q);
    return st;
}

static enum luc_status migrate(sqlite3 *db, const char *path, struct luc_error *err)
{
    int64_t version = 0;
    char pragma[48];
    enum luc_status st = script(db, "BEGIN IMMEDIATE", err);
    if (!st)
        st = number(db, "PRAGMA user_version", &version, err);
    if (!st && version > N_MIGRATIONS)
        st =
            luc_fail(err, LUC_UNSUPPORTED,
                     "%.120s has schema %lld, this version of lucida knows %lld: use the newer one",
                     path, (long long)version, (long long)N_MIGRATIONS);
    for (int64_t v = version; v < N_MIGRATIONS && !st; v++)
        st = script(db, migrations[v], err);
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)N_MIGRATIONS);
    if (!st && version < N_MIGRATIONS)
        st = script(db, pragma, err);
    if (!st)
        st = script(db, "COMMIT", err);
    if (st)
        (void)undo(db, NULL);
    return st;
}

static void close_db(struct srv_db *db)
{
    sqlite3_close_v2(db->look);
    sqlite3_close_v2(db->soft);
    sqlite3_close_v2(db->hard);
    pthread_mutex_destroy(&db->writing);
    pthread_mutex_destroy(&db->reading);
    free(db);
}

static enum luc_status open_db(const char *where, struct srv_db **db, struct luc_error *err)
{
    char path[512];
    struct srv_db *made = calloc(1, sizeof(*made));
    if (!made)
        return luc_fail_nomem(err, "the job store", sizeof(*made));
    pthread_mutex_init(&made->writing, NULL);
    pthread_mutex_init(&made->reading, NULL);
    enum luc_status st = LUC_OK;
    if ((size_t)snprintf(path, sizeof(path), "%s/jobs.sqlite", where) >= sizeof(path))
        st = luc_fail(err, LUC_INVALID, "the data directory's name is too long");
    if (!st)
        st = connect(path, "PRAGMA synchronous = FULL", &made->hard, err);
    if (!st)
        st = migrate(made->hard, path, err);
    if (!st)
        st = connect(path, "PRAGMA synchronous = NORMAL", &made->soft, err);
    if (!st)
        st = connect(path, "PRAGMA query_only = 1", &made->look, err);
    if (st)
        close_db(made);
    else
        *db = made;
    return st;
}

static enum luc_status check(struct srv_db *db, struct luc_error *err)
{
    sqlite3_stmt *q = NULL;
    char said[128] = "";
    pthread_mutex_lock(&db->reading);
    int code = sqlite3_prepare_v2(db->look, "PRAGMA integrity_check", -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        snprintf(said, sizeof(said), "%s", (const char *)sqlite3_column_text(q, 0));
    enum luc_status st = code == SQLITE_ROW ? LUC_OK : fail(db->look, err);
    sqlite3_finalize(q);
    pthread_mutex_unlock(&db->reading);
    if (!st && strcmp(said, "ok") != 0)
        st = luc_fail(err, LUC_FORMAT, "the job store is damaged: %s", said);
    return st;
}

static int64_t now_ms(struct srv_db *db)
{
    struct timespec t;
    (void)db;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct srv_sql_driver srv_sql_sqlite = { .name = "sqlite",
                                               .open = open_db,
                                               .close = close_db,
                                               .begin = begin,
                                               .end = end,
                                               .ask = ask,
                                               .check = check,
                                               .now_ms = now_ms };
