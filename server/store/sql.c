#include "server/store/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void srv_table_done(struct srv_table *t)
{
    free(t->cells);
    free(t->bytes);
    *t = (struct srv_table){ 0 };
}

const char *srv_cell_text(const struct srv_table *t, size_t row, size_t column)
{
    const char *text = srv_cell(t, row, column)->text;
    return text ? text : "";
}

void srv_cell_copy(const struct srv_table *t, size_t row, size_t column, char *out, size_t size)
{
    snprintf(out, size, "%s", srv_cell_text(t, row, column));
}

char *srv_cell_dup(const struct srv_table *t, size_t row, size_t column)
{
    const char *text = srv_cell(t, row, column)->text;
    return text ? strdup(text) : NULL;
}

enum luc_status srv_sql_begin(const struct srv_sql *q, bool hard, struct luc_error *err)
{
    return q->driver->begin(q->db, hard, err);
}

enum luc_status srv_sql_end(const struct srv_sql *q, enum luc_status st, struct luc_error *err)
{
    return q->driver->end(q->db, st, err);
}

int64_t srv_sql_now(const struct srv_sql *q)
{
    return q->driver->now_ms(q->db);
}

enum luc_status srv_sql_run(const struct srv_sql *q, struct luc_error *err, const char *sql,
                            const char *types, ...)
{
    struct srv_table t = { 0 };
    va_list values;
    va_start(values, types);
    const enum luc_status st = q->driver->ask(q->db, true, &t, sql, types, values, err);
    va_end(values);
    srv_table_done(&t);
    return st;
}

enum luc_status srv_sql_ask(const struct srv_sql *q, struct srv_table *t, struct luc_error *err,
                            const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    const enum luc_status st = q->driver->ask(q->db, true, t, sql, types, values, err);
    va_end(values);
    return st;
}

enum luc_status srv_sql_number(const struct srv_sql *q, int64_t *value, struct luc_error *err,
                               const char *sql, const char *types, ...)
{
    struct srv_table t = { 0 };
    va_list values;
    va_start(values, types);
    const enum luc_status st = q->driver->ask(q->db, true, &t, sql, types, values, err);
    va_end(values);
    if (!st && t.n_rows > 0)
        *value = srv_cell(&t, 0, 0)->n;
    srv_table_done(&t);
    return st;
}

enum luc_status srv_sql_look(const struct srv_sql *q, struct srv_table *t, struct luc_error *err,
                             const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    const enum luc_status st = q->driver->ask(q->db, false, t, sql, types, values, err);
    va_end(values);
    return st;
}
