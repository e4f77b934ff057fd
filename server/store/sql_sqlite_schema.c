#include "server/store/sql_sqlite_schema.h"

/* Each entry brings the schema from version i to i + 1; entries are never changed, only added. */
const char *const srv_sql_sqlite_schema[SRV_SQL_SQLITE_VERSION] = {
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
    /* features: what methods found out about pictures, by the name core/survey/keep.h makes. */
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
