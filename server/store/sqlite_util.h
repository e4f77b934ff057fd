/* sqlite_util.h -- SQL statements with their values in one call, and SQLite's errors as ours.
 *
 * `types` has one letter for each value: s text (NULL: null), i int64_t, d double (not finite: null),
 * b bytes (a pointer and a size_t).
 */
#ifndef SERVER_STORE_SQLITE_UTIL_H
#define SERVER_STORE_SQLITE_UTIL_H

#include "core/base/status.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens or makes a file in WAL mode, with foreign keys and a patient wait for other writers. */
LUC_MUST_USE enum luc_status srv_sql_open(const char *path, const char *pragma, sqlite3 **db,
                                          struct luc_error *err);

/* Runs to its end. */
enum luc_status srv_sql(sqlite3 *db, struct luc_error *err, const char *sql, const char *types,
                        ...);
/* Several statements without values. */
enum luc_status srv_sql_script(sqlite3 *db, const char *sql, struct luc_error *err);
/* A statement to be stepped; *q is to be finalized whatever is returned. */
enum luc_status srv_sql_ask(sqlite3 *db, sqlite3_stmt **q, struct luc_error *err, const char *sql,
                            const char *types, ...);
enum luc_status srv_sql_next(sqlite3_stmt *q, bool *row, struct luc_error *err);
/* The first column of the first row; *value stays when there is none. */
enum luc_status srv_sql_number(sqlite3 *db, int64_t *value, struct luc_error *err, const char *sql,
                               const char *types, ...);

/* A text column, cut to fit; "" for null. */
void srv_sql_text(sqlite3_stmt *q, int column, char *out, size_t size);
/* On the heap; NULL for null, or out of memory. */
char *srv_sql_copy(sqlite3_stmt *q, int column);

#endif
