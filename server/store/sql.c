#include "server/store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void srv_sql_close(struct srv_sql_db *db)
{
    if (db)
        db->driver->close(db);
}

enum luc_status srv_sql_migrate(struct srv_sql_db *db, const char *where, struct luc_error *err)
{
    const struct srv_sql_driver *d = db->driver;
    int64_t version = 0;
    enum luc_status st = d->begin(db, err);
    if (!st)
        st = d->version(db, &version, err);
    if (!st && version > d->n_schema)
        st =
            luc_fail(err, LUC_UNSUPPORTED,
                     "%.120s has schema %lld, this version of lucida knows %lld: use the newer one",
                     where, (long long)version, (long long)d->n_schema);
    for (int64_t v = version; v < d->n_schema && !st; v++)
        st = d->run(db, d->schema[v], err);
    if (!st && version < d->n_schema)
        st = d->set_version(db, d->n_schema, err);
    if (!st)
        st = d->commit(db, err);
    if (st)
        d->rollback(db);
    return st;
}

enum luc_status srv_sql_ask(struct srv_sql_db *db, struct srv_sql_rows **rows,
                            struct luc_error *err, const char *sql, const char *types, ...)
{
    va_list values;
    *rows = NULL;
    va_start(values, types);
    const enum luc_status st = db->driver->ask(db, rows, err, sql, types, values);
    va_end(values);
    return st;
}

enum luc_status srv_sql_next(struct srv_sql_rows *rows, bool *row, struct luc_error *err)
{
    return rows->driver->next(rows, row, err);
}

void srv_sql_done(struct srv_sql_rows *rows)
{
    if (rows)
        rows->driver->done(rows);
}

enum luc_status srv_sql(struct srv_sql_db *db, struct luc_error *err, const char *sql,
                        const char *types, ...)
{
    struct srv_sql_rows *q = NULL;
    bool row = true;
    va_list values;
    va_start(values, types);
    enum luc_status st = db->driver->ask(db, &q, err, sql, types, values);
    va_end(values);
    while (!st && row)
        st = srv_sql_next(q, &row, err);
    srv_sql_done(q);
    return st;
}

enum luc_status srv_sql_number(struct srv_sql_db *db, int64_t *value, struct luc_error *err,
                               const char *sql, const char *types, ...)
{
    struct srv_sql_rows *q = NULL;
    bool row = false;
    va_list values;
    va_start(values, types);
    enum luc_status st = db->driver->ask(db, &q, err, sql, types, values);
    va_end(values);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        *value = srv_sql_int(q, 0);
    srv_sql_done(q);
    return st;
}

int64_t srv_sql_int(struct srv_sql_rows *rows, int column)
{
    return rows->driver->integer(rows, column);
}

double srv_sql_real_or(struct srv_sql_rows *rows, int column, double null)
{
    return rows->driver->is_null(rows, column) ? null : rows->driver->real(rows, column);
}

const char *srv_sql_peek(struct srv_sql_rows *rows, int column)
{
    return rows->driver->text(rows, column);
}

void srv_sql_text(struct srv_sql_rows *rows, int column, char *out, size_t size)
{
    const char *text = srv_sql_peek(rows, column);
    snprintf(out, size, "%s", text ? text : "");
}

char *srv_sql_copy(struct srv_sql_rows *rows, int column)
{
    const char *text = srv_sql_peek(rows, column);
    return text ? strdup(text) : NULL;
}

void *srv_sql_copy_bytes(struct srv_sql_rows *rows, int column, size_t *size)
{
    size_t n = 0;
    const void *data = rows->driver->bytes(rows, column, &n);
    void *copy = data && n ? malloc(n) : NULL;
    *size = copy ? n : 0;
    return copy ? memcpy(copy, data, n) : NULL;
}
