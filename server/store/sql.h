/* sql.h -- SQL statements with their values in one call, over a driver for each database.
 *
 * A statement marks its values by ? in their order, or by ?1, ?2, ... throughout. `types` has one
 * letter for each value: s text (NULL: null), i int64_t, d double (not finite: null), b bytes (a
 * pointer and a size_t). Statements keep to what SQLite and PostgreSQL both know: truths are no
 * numbers (CASE makes them one), keys of new rows come by RETURNING, ON CONFLICT names its columns.
 *
 * A connection is used by one thread at a time; that is the caller's to see to.
 */
#ifndef SERVER_STORE_SQL_H
#define SERVER_STORE_SQL_H

#include "core/base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum srv_sql_use {
    SRV_SQL_HARD, /* what is committed survives a power cut */
    SRV_SQL_SOFT, /* may be lost with power, and is quicker */
    SRV_SQL_LOOK, /* reads only */
};

/* A connection and an answer; drivers put their own behind these. */
struct srv_sql_db {
    const struct srv_sql_driver *driver;
};
struct srv_sql_rows {
    const struct srv_sql_driver *driver;
};

struct srv_sql_driver {
    const char *name;
    const char *const *schema; /* entry i brings the schema from version i to i + 1 */
    int64_t n_schema;

    enum luc_status (*open)(const char *where, enum srv_sql_use use, struct srv_sql_db **db,
                            struct luc_error *err);
    void (*close)(struct srv_sql_db *db);
    /* A transaction that writes: no other one does until it ended. */
    enum luc_status (*begin)(struct srv_sql_db *db, struct luc_error *err);
    enum luc_status (*commit)(struct srv_sql_db *db, struct luc_error *err);
    void (*rollback)(struct srv_sql_db *db); /* fine when there is none */

    /* Several statements without values. */
    enum luc_status (*run)(struct srv_sql_db *db, const char *script, struct luc_error *err);
    enum luc_status (*ask)(struct srv_sql_db *db, struct srv_sql_rows **rows, struct luc_error *err,
                           const char *sql, const char *types, va_list values);
    enum luc_status (*next)(struct srv_sql_rows *rows, bool *row, struct luc_error *err);
    void (*done)(struct srv_sql_rows *rows);

    /* Of the row that next() came to; what is pointed to lives until the next one. Null is 0 and
     * NULL, a truth is 0 or 1. */
    bool (*is_null)(struct srv_sql_rows *rows, int column);
    int64_t (*integer)(struct srv_sql_rows *rows, int column);
    double (*real)(struct srv_sql_rows *rows, int column);
    const char *(*text)(struct srv_sql_rows *rows, int column);
    const void *(*bytes)(struct srv_sql_rows *rows, int column, size_t *size);

    enum luc_status (*version)(struct srv_sql_db *db, int64_t *version, struct luc_error *err);
    enum luc_status (*set_version)(struct srv_sql_db *db, int64_t version, struct luc_error *err);
    enum luc_status (*check)(struct srv_sql_db *db,
                             struct luc_error *err); /* LUC_FORMAT: damaged */
    int64_t (*now_ms)(void);                         /* since 1970: the clock of leases and times */
};

extern const struct srv_sql_driver srv_sql_sqlite; /* where: a file, made when there is none */

/* NULL is fine. */
void srv_sql_close(struct srv_sql_db *db);
/* Brings the schema up to date. LUC_UNSUPPORTED: a newer version of the program made it. */
LUC_MUST_USE enum luc_status srv_sql_migrate(struct srv_sql_db *db, const char *where,
                                             struct luc_error *err);

/* Runs to its end. */
enum luc_status srv_sql(struct srv_sql_db *db, struct luc_error *err, const char *sql,
                        const char *types, ...);
/* A statement to be stepped; *rows is to be done with whatever is returned. */
enum luc_status srv_sql_ask(struct srv_sql_db *db, struct srv_sql_rows **rows,
                            struct luc_error *err, const char *sql, const char *types, ...);
enum luc_status srv_sql_next(struct srv_sql_rows *rows, bool *row, struct luc_error *err);
void srv_sql_done(struct srv_sql_rows *rows); /* NULL is fine */
/* The first column of the first row; *value stays when there is none. */
enum luc_status srv_sql_number(struct srv_sql_db *db, int64_t *value, struct luc_error *err,
                               const char *sql, const char *types, ...);

int64_t srv_sql_int(struct srv_sql_rows *rows, int column);
double srv_sql_real_or(struct srv_sql_rows *rows, int column, double null);
/* Lives until the next row; NULL for null. */
const char *srv_sql_peek(struct srv_sql_rows *rows, int column);
/* A text column, cut to fit; "" for null. */
void srv_sql_text(struct srv_sql_rows *rows, int column, char *out, size_t size);
/* On the heap; NULL for null, or out of memory. */
char *srv_sql_copy(struct srv_sql_rows *rows, int column);

/* On the heap, *size 0 and NULL for null or no bytes, or out of memory. */
void *srv_sql_copy_bytes(struct srv_sql_rows *rows, int column, size_t *size);

#endif
