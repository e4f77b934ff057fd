/* SQLite behind sql.h: one file in WAL mode. */
#include "server/store/sql.h"
#include "server/store/sql_sqlite_schema.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 10000 /* for another process that writes */

struct conn {
    struct srv_sql_db base;
    sqlite3 *db;
};

struct rows {
    struct srv_sql_rows base;
    sqlite3_stmt *q;
};

static sqlite3 *db_of(struct srv_sql_db *db)
{
    return ((struct conn *)db)->db;
}

static sqlite3_stmt *stmt_of(struct srv_sql_rows *rows)
{
    return ((struct rows *)rows)->q;
}

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

static enum luc_status run(struct srv_sql_db *db, const char *script, struct luc_error *err)
{
    return sqlite3_exec(db_of(db), script, NULL, NULL, NULL) == SQLITE_OK ? LUC_OK
                                                                          : fail(db_of(db), err);
}

static void close_db(struct srv_sql_db *db)
{
    sqlite3_close_v2(db_of(db));
    free(db);
}

static enum luc_status open_db(const char *where, enum srv_sql_use use, struct srv_sql_db **db,
                               struct luc_error *err)
{
    static const char *const pragma[] = { [SRV_SQL_HARD] = "PRAGMA synchronous = FULL",
                                          [SRV_SQL_SOFT] = "PRAGMA synchronous = NORMAL",
                                          [SRV_SQL_LOOK] = "PRAGMA query_only = 1" };
    struct conn *c = calloc(1, sizeof(*c));
    if (!c)
        return luc_fail_nomem(err, "the job store", sizeof(*c));
    c->base.driver = &srv_sql_sqlite;
    enum luc_status st = LUC_OK;
    if (sqlite3_open_v2(where, &c->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        st = c->db ? fail(c->db, err) : luc_fail_nomem(err, "the job store", 0);
    if (!st)
        sqlite3_busy_timeout(c->db, WAIT_MS);
    if (!st)
        st = run(&c->base, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON", err);
    if (!st)
        st = run(&c->base, pragma[use], err);
    if (st)
        close_db(&c->base);
    else
        *db = &c->base;
    return st;
}

static enum luc_status begin(struct srv_sql_db *db, struct luc_error *err)
{
    return run(db, "BEGIN IMMEDIATE", err);
}

static enum luc_status commit(struct srv_sql_db *db, struct luc_error *err)
{
    return run(db, "COMMIT", err);
}

static void rollback(struct srv_sql_db *db)
{
    if (!sqlite3_get_autocommit(db_of(db)))
        sqlite3_exec(db_of(db), "ROLLBACK", NULL, NULL, NULL);
}

static void bind(sqlite3_stmt *q, const char *types, va_list values)
{
    for (int i = 1; *types; i++, types++) {
        if (*types == 's') {
            sqlite3_bind_text(q, i, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
        } else if (*types == 'i') {
            sqlite3_bind_int64(q, i, va_arg(values, int64_t));
        } else if (*types == 'b') {
            const void *bytes = va_arg(values, const void *);
            sqlite3_bind_blob64(q, i, bytes, va_arg(values, size_t), SQLITE_TRANSIENT);
        } else {
            const double v = va_arg(values, double);
            if (isfinite(v))
                sqlite3_bind_double(q, i, v);
            else
                sqlite3_bind_null(q, i);
        }
    }
}

static enum luc_status ask(struct srv_sql_db *db, struct srv_sql_rows **rows, struct luc_error *err,
                           const char *sql, const char *types, va_list values)
{
    struct rows *r = calloc(1, sizeof(*r));
    if (!r)
        return luc_fail_nomem(err, "the job store", sizeof(*r));
    r->base.driver = &srv_sql_sqlite;
    *rows = &r->base;
    if (sqlite3_prepare_v2(db_of(db), sql, -1, &r->q, NULL) != SQLITE_OK)
        return fail(db_of(db), err);
    bind(r->q, types, values);
    return LUC_OK;
}

static enum luc_status next(struct srv_sql_rows *rows, bool *row, struct luc_error *err)
{
    const int code = sqlite3_step(stmt_of(rows));
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(sqlite3_db_handle(stmt_of(rows)), err);
    *row = code == SQLITE_ROW;
    return LUC_OK;
}

static void done(struct srv_sql_rows *rows)
{
    sqlite3_finalize(stmt_of(rows));
    free(rows);
}

static int64_t integer(struct srv_sql_rows *rows, int column)
{
    return sqlite3_column_int64(stmt_of(rows), column);
}

static double real(struct srv_sql_rows *rows, int column)
{
    return sqlite3_column_double(stmt_of(rows), column);
}

static bool is_null(struct srv_sql_rows *rows, int column)
{
    return sqlite3_column_type(stmt_of(rows), column) == SQLITE_NULL;
}

static const char *text(struct srv_sql_rows *rows, int column)
{
    return (const char *)sqlite3_column_text(stmt_of(rows), column);
}

static const void *bytes(struct srv_sql_rows *rows, int column, size_t *size)
{
    const void *data = sqlite3_column_blob(stmt_of(rows), column);
    *size = (size_t)sqlite3_column_bytes(stmt_of(rows), column);
    return data;
}

static enum luc_status version(struct srv_sql_db *db, int64_t *value, struct luc_error *err)
{
    return srv_sql_number(db, value, err, "PRAGMA user_version", "");
}

static enum luc_status set_version(struct srv_sql_db *db, int64_t value, struct luc_error *err)
{
    char pragma[48];
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)value);
    return run(db, pragma, err);
}

static enum luc_status check(struct srv_sql_db *db, struct luc_error *err)
{
    struct srv_sql_rows *q = NULL;
    bool row = false;
    char said[128] = "";
    enum luc_status st = srv_sql_ask(db, &q, err, "PRAGMA integrity_check", "");
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        srv_sql_text(q, 0, said, sizeof(said));
    srv_sql_done(q);
    if (!st && strcmp(said, "ok") != 0)
        st = luc_fail(err, LUC_FORMAT, "the job store is damaged: %s", said);
    return st;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct srv_sql_driver srv_sql_sqlite = { .name = "sqlite",
                                               .schema = srv_sql_sqlite_schema,
                                               .n_schema = SRV_SQL_SQLITE_VERSION,
                                               .open = open_db,
                                               .close = close_db,
                                               .begin = begin,
                                               .commit = commit,
                                               .rollback = rollback,
                                               .run = run,
                                               .ask = ask,
                                               .next = next,
                                               .done = done,
                                               .is_null = is_null,
                                               .integer = integer,
                                               .real = real,
                                               .text = text,
                                               .bytes = bytes,
                                               .version = version,
                                               .set_version = set_version,
                                               .check = check,
                                               .now_ms = now_ms };
