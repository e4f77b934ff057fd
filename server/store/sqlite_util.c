#include "server/store/sqlite_util.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 10000 /* for another process that writes */

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

enum luc_status srv_sql_open(const char *path, const char *pragma, sqlite3 **db,
                             struct luc_error *err)
{
    sqlite3 *made = NULL;
    enum luc_status st = LUC_OK;
    if (sqlite3_open_v2(path, &made,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        st = made ? fail(made, err) : luc_fail_nomem(err, "the job store", 0);
    if (!st)
        sqlite3_busy_timeout(made, WAIT_MS);
    if (!st)
        st = srv_sql_script(made, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON", err);
    if (!st)
        st = srv_sql_script(made, pragma, err);
    if (st)
        sqlite3_close_v2(made);
    else
        *db = made;
    return st;
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

static enum luc_status ask(sqlite3 *db, sqlite3_stmt **q, struct luc_error *err, const char *sql,
                           const char *types, va_list values)
{
    *q = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, q, NULL) != SQLITE_OK)
        return fail(db, err);
    bind(*q, types, values);
    return LUC_OK;
}

enum luc_status srv_sql_ask(sqlite3 *db, sqlite3_stmt **q, struct luc_error *err, const char *sql,
                            const char *types, ...)
{
    va_list values;
    va_start(values, types);
    const enum luc_status st = ask(db, q, err, sql, types, values);
    va_end(values);
    return st;
}

enum luc_status srv_sql_next(sqlite3_stmt *q, bool *row, struct luc_error *err)
{
    const int code = sqlite3_step(q);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(sqlite3_db_handle(q), err);
    *row = code == SQLITE_ROW;
    return LUC_OK;
}

enum luc_status srv_sql(sqlite3 *db, struct luc_error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *q = NULL;
    bool row = true;
    va_list values;
    va_start(values, types);
    enum luc_status st = ask(db, &q, err, sql, types, values);
    va_end(values);
    while (!st && row)
        st = srv_sql_next(q, &row, err);
    sqlite3_finalize(q);
    return st;
}

enum luc_status srv_sql_script(sqlite3 *db, const char *sql, struct luc_error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? LUC_OK : fail(db, err);
}

enum luc_status srv_sql_number(sqlite3 *db, int64_t *value, struct luc_error *err, const char *sql,
                               const char *types, ...)
{
    sqlite3_stmt *q = NULL;
    bool row = false;
    va_list values;
    va_start(values, types);
    enum luc_status st = ask(db, &q, err, sql, types, values);
    va_end(values);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        *value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return st;
}

void srv_sql_text(sqlite3_stmt *q, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    snprintf(out, size, "%s", text ? text : "");
}

char *srv_sql_copy(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    return text ? strdup(text) : NULL;
}
