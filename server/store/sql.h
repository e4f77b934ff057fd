/* sql.h -- the store's statements, whatever database runs them.
 *
 * A driver is a row: SQLite is one (sql_sqlite.c). `types` has one letter for each value: s text
 * (NULL: null), i int64_t, d double (not finite: null), b bytes (a pointer and a size_t). Values are
 * ? in their order, or ?1 ?2 by number; statements keep to what SQLite and PostgreSQL both have.
 *
 * Rows are copied before they are looked at, so that nothing is locked while somebody is called.
 */
#ifndef SERVER_STORE_SQL_H
#define SERVER_STORE_SQL_H

#include "core/base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv_db; /* the driver's */

/* A value in three readings. */
struct srv_cell {
    const char *text; /* NUL-terminated, `size` bytes without that; NULL: null */
    size_t size;
    int64_t n;
    double d;
};

struct srv_table {
    size_t n_rows, n_columns;
    struct srv_cell *cells; /* [n_rows][n_columns], heap */
    char *bytes;            /* heap: what the cells' texts point to */
    int64_t n_changed;      /* rows that a statement wrote */
};
void srv_table_done(struct srv_table *t); /* fine on a zeroed one */
static inline const struct srv_cell *srv_cell(const struct srv_table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}
/* The text, "" for null. */
const char *srv_cell_text(const struct srv_table *t, size_t row, size_t column);
/* The same cut to fit; the same on the heap, NULL for null or when memory is short. */
void srv_cell_copy(const struct srv_table *t, size_t row, size_t column, char *out, size_t size);
char *srv_cell_dup(const struct srv_table *t, size_t row, size_t column);

struct srv_sql_driver {
    const char *name;
    /* Opens or makes the database at `where` and brings its schema up to date. LUC_IO: it cannot be
     * written; LUC_UNSUPPORTED: a newer version of the program made it. */
    enum luc_status (*open)(const char *where, struct srv_db **db, struct luc_error *err);
    void (*close)(struct srv_db *db);
    /* A transaction, one at a time in this process. `hard`: on the disk when it ends; else it may be
     * lost with power. end() commits, or undoes all when `st` is a failure. */
    enum luc_status (*begin)(struct srv_db *db, bool hard, struct luc_error *err);
    enum luc_status (*end)(struct srv_db *db, enum luc_status st, struct luc_error *err);
    /* One statement, run to its end: within the transaction (`inside`), or beside any. `t` is filled
     * on success and the caller's to end. */
    enum luc_status (*ask)(struct srv_db *db, bool inside, struct srv_table *t, const char *sql,
                           const char *types, va_list values, struct luc_error *err);
    /* LUC_FORMAT: the database is damaged. */
    enum luc_status (*check)(struct srv_db *db, struct luc_error *err);
    int64_t (*now_ms)(struct srv_db *db); /* since 1970: the clock of leases and times */
};

extern const struct srv_sql_driver srv_sql_sqlite;

/* A driver and its database. */
struct srv_sql {
    const struct srv_sql_driver *driver;
    struct srv_db *db;
};

LUC_MUST_USE enum luc_status srv_sql_begin(const struct srv_sql *q, bool hard,
                                           struct luc_error *err);
LUC_MUST_USE enum luc_status srv_sql_end(const struct srv_sql *q, enum luc_status st,
                                         struct luc_error *err);
int64_t srv_sql_now(const struct srv_sql *q);

/* Within a transaction: for what it does, for its rows, for the first cell of the first row (*value
 * stays when there is none). */
LUC_MUST_USE enum luc_status srv_sql_run(const struct srv_sql *q, struct luc_error *err,
                                         const char *sql, const char *types, ...);
LUC_MUST_USE enum luc_status srv_sql_ask(const struct srv_sql *q, struct srv_table *t,
                                         struct luc_error *err, const char *sql, const char *types,
                                         ...);
LUC_MUST_USE enum luc_status srv_sql_number(const struct srv_sql *q, int64_t *value,
                                            struct luc_error *err, const char *sql,
                                            const char *types, ...);
/* Beside any transaction; never waits for a writer. */
LUC_MUST_USE enum luc_status srv_sql_look(const struct srv_sql *q, struct srv_table *t,
                                          struct luc_error *err, const char *sql, const char *types,
                                          ...);

#endif
