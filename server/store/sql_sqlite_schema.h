/* sql_sqlite_schema.h -- the store's tables in SQLite's words. */
#ifndef SERVER_STORE_SQL_SQLITE_SCHEMA_H
#define SERVER_STORE_SQL_SQLITE_SCHEMA_H

#define SRV_SQL_SQLITE_VERSION 4

extern const char *const srv_sql_sqlite_schema[SRV_SQL_SQLITE_VERSION];

#endif
