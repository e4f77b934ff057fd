/* Collections, and what was found out about their pictures. */
#include "server/store/store_collections.h"
#include "server/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum luc_status find(const struct srv_sql *q, const char *owner, const char *id,
                            int64_t *seq, struct luc_error *err)
{
    *seq = 0;
    const enum luc_status st = srv_sql_number(
        q, seq, err, "SELECT seq FROM collections WHERE id = ? AND who = ?", "ss", id, owner);
    if (!st && !*seq)
        return luc_fail(err, LUC_NOT_FOUND, "there is no collection %.40s", id);
    return st;
}

enum luc_status srv_store_collection_create(struct srv_store *store, const char *owner,
                                            const char *id, const char *name, size_t max,
                                            struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t n = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = srv_sql_number(q, &n, err, "SELECT count(*) FROM collections", "");
    if (!st && (uint64_t)n >= max)
        st = luc_fail(err, LUC_INVALID,
                      "there are %zu collections, the most this server keeps: delete one", max);
    if (!st)
        st = srv_sql_run(q, err,
                         "INSERT INTO collections (id, who, name, created_ms) VALUES (?, ?, ?, ?)",
                         "sssi", id, owner, name, srv_sql_now(q));
    return srv_sql_end(q, st, err);
}

/* ---- looking -------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "seq, id, name, created_ms, (SELECT count(*) FROM collection_images WHERE collection = "       \
    "collections.seq),"                                                                            \
    " (SELECT coalesce(sum(bytes), 0) FROM collection_images WHERE collection = collections.seq)"

/* Of a row of COLUMNS. */
static struct api_collection read_collection(const struct srv_table *t, size_t i)
{
    struct api_collection row = { .cursor = srv_cell(t, i, 0)->n,
                                  .created_ms = srv_cell(t, i, 3)->n,
                                  .n_images = (size_t)srv_cell(t, i, 4)->n,
                                  .bytes = (size_t)srv_cell(t, i, 5)->n };
    srv_cell_copy(t, i, 1, row.id, sizeof(row.id));
    srv_cell_copy(t, i, 2, row.name, sizeof(row.name));
    return row;
}

enum luc_status srv_store_collection_list(struct srv_store *store, const char *owner,
                                          int64_t cursor, size_t limit,
                                          void (*each)(void *, const struct api_collection *),
                                          void *to, struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT " COLUMNS " FROM collections WHERE who = ? AND seq < ?"
                     " ORDER BY seq DESC LIMIT ?",
                     "sii", owner, cursor > 0 ? cursor : INT64_MAX, (int64_t)limit);
    for (size_t i = 0; i < t.n_rows; i++) {
        const struct api_collection one = read_collection(&t, i);
        each(to, &one);
    }
    srv_table_done(&t);
    return st;
}

static enum luc_status no_collection(const char *id, struct luc_error *err)
{
    return luc_fail(err, LUC_NOT_FOUND, "there is no collection %.40s", id);
}

enum luc_status srv_store_collection_get(struct srv_store *store, const char *owner, const char *id,
                                         struct api_collection *row, struct luc_error *err)
{
    struct srv_table t = { 0 };
    enum luc_status st = srv_sql_look(
        &store->sql, &t, err, "SELECT " COLUMNS " FROM collections WHERE id = ? AND who = ?", "ss",
        id, owner);
    if (!st && t.n_rows == 0)
        st = no_collection(id, err);
    if (!st)
        *row = read_collection(&t, 0);
    srv_table_done(&t);
    return st;
}

/* The number of a collection, asked beside any transaction. */
static enum luc_status look_for(struct srv_store *store, const char *owner, const char *id,
                                int64_t *seq, struct luc_error *err)
{
    struct srv_table t = { 0 };
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err, "SELECT seq FROM collections WHERE id = ? AND who = ?",
                     "ss", id, owner);
    const bool found = t.n_rows > 0;
    if (found)
        *seq = srv_cell(&t, 0, 0)->n;
    srv_table_done(&t);
    return st ? st : found ? LUC_OK : no_collection(id, err);
}

enum luc_status srv_store_collection_pictures(struct srv_store *store, const char *owner,
                                              const char *id, const char *sha256, int64_t cursor,
                                              size_t limit,
                                              void (*each)(void *, const struct api_kept_picture *),
                                              void *to, struct luc_error *err)
{
    struct srv_table t = { 0 };
    int64_t seq = 0;
    enum luc_status st = look_for(store, owner, id, &seq, err);
    if (!st)
        st = srv_sql_look(&store->sql, &t, err,
                          "SELECT seq, sha256, name, label, type, bytes, width, height"
                          " FROM collection_images WHERE collection = ?1 AND seq > ?2 AND"
                          " (?3 IS NULL OR sha256 = ?3) ORDER BY seq LIMIT ?4",
                          "iisi", seq, cursor, sha256,
                          limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    for (size_t i = 0; i < t.n_rows; i++)
        each(to, &(struct api_kept_picture){
                     .ref = { srv_cell_text(&t, i, 1), srv_cell_text(&t, i, 2),
                              srv_cell_text(&t, i, 3), (size_t)srv_cell(&t, i, 5)->n,
                              (size_t)srv_cell(&t, i, 6)->n, (size_t)srv_cell(&t, i, 7)->n },
                     .type = srv_cell_text(&t, i, 4),
                     .cursor = srv_cell(&t, i, 0)->n });
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_collection_labels(struct srv_store *store, const char *owner,
                                            const char *id, size_t limit,
                                            void (*each)(void *, const char *, size_t), void *to,
                                            struct luc_error *err)
{
    struct srv_table t = { 0 };
    int64_t seq = 0;
    enum luc_status st = look_for(store, owner, id, &seq, err);
    if (!st)
        st = srv_sql_look(&store->sql, &t, err,
                          "SELECT label, count(*) FROM collection_images WHERE collection = ? AND"
                          " label <> '' GROUP BY label ORDER BY count(*) DESC, label LIMIT ?",
                          "ii", seq, (int64_t)limit);
    for (size_t i = 0; i < t.n_rows; i++)
        each(to, srv_cell_text(&t, i, 0), (size_t)srv_cell(&t, i, 1)->n);
    srv_table_done(&t);
    return st;
}

/* ---- changing ------------------------------------------------------------------------------- */

static enum luc_status add_one(const struct srv_sql *q, int64_t seq,
                               const struct api_new_picture *p, size_t *n_added,
                               struct luc_error *err)
{
    int64_t there = 0;
    enum luc_status st = srv_sql_number(
        q, &there, err,
        "SELECT EXISTS (SELECT 1 FROM collection_images WHERE collection = ? AND sha256 = ?)", "is",
        seq, p->ref.sha256);
    if (st || (there && !*p->ref.label))
        return st;
    if (there)
        return srv_sql_run(
            q, err, "UPDATE collection_images SET label = ? WHERE collection = ? AND sha256 = ?",
            "sis", p->ref.label, seq, p->ref.sha256);
    *n_added += 1;
    return srv_sql_run(
        q, err,
        "INSERT INTO collection_images (collection, sha256, name, label, type, bytes,"
        " width, height, added_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "issssiiii", seq, p->ref.sha256, p->ref.name, p->ref.label, p->type, (int64_t)p->ref.size,
        (int64_t)p->ref.width, (int64_t)p->ref.height, srv_sql_now(q));
}

static enum luc_status check_limits(const struct srv_sql *q, int64_t seq,
                                    const struct srv_collection_limits *limits,
                                    struct luc_error *err)
{
    int64_t n = 0, bytes = 0;
    enum luc_status st = srv_sql_number(
        q, &n, err, "SELECT count(*) FROM collection_images WHERE collection = ?", "i", seq);
    if (!st)
        st = srv_sql_number(q, &bytes, err,
                            "SELECT sum(bytes) FROM collection_images WHERE collection = ?", "i",
                            seq);
    if (!st && (uint64_t)n > limits->images)
        st = luc_fail(err, LUC_TOO_LARGE,
                      "the collection would have %lld pictures, this server keeps %zu of one",
                      (long long)n, limits->images);
    if (!st && (uint64_t)bytes > limits->bytes)
        st = luc_fail(err, LUC_TOO_LARGE,
                      "the collection would have %lld bytes, this server keeps %zu of one",
                      (long long)bytes, limits->bytes);
    return st;
}

enum luc_status srv_store_collection_add(struct srv_store *store, const char *owner, const char *id,
                                         const struct api_new_picture *given, size_t n,
                                         const struct srv_collection_limits *limits,
                                         size_t *n_added, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    size_t added = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = find(q, owner, id, &seq, err);
    for (size_t i = 0; i < n && !st; i++)
        st = add_one(q, seq, &given[i], &added, err);
    if (!st)
        st = check_limits(q, seq, limits, err);
    st = srv_sql_end(q, st, err);
    if (!st)
        *n_added = added;
    return st;
}

enum luc_status srv_store_collection_remove(struct srv_store *store, const char *owner,
                                            const char *id, const char *sha256,
                                            struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    int64_t seq = 0;
    enum luc_status st = srv_sql_begin(q, true, err);
    if (st)
        return st;
    st = find(q, owner, id, &seq, err);
    if (!st && sha256) {
        struct srv_table gone = { 0 };
        st = srv_sql_ask(q, &gone, err,
                         "DELETE FROM collection_images WHERE collection = ? AND sha256 = ?", "is",
                         seq, sha256);
        if (!st && gone.n_changed == 0)
            st = luc_fail(err, LUC_NOT_FOUND, "the collection has no picture %.70s", sha256);
        srv_table_done(&gone);
    } else if (!st) {
        st = srv_sql_run(q, err, "DELETE FROM collections WHERE seq = ?", "i", seq);
    }
    if (!st)
        st = srv_sql_run(q, err,
                         "DELETE FROM features WHERE NOT EXISTS"
                         " (SELECT 1 FROM collection_images AS i WHERE i.sha256 = features.sha256)",
                         "");
    return srv_sql_end(q, st, err);
}

/* ---- what was found out ---------------------------------------------------------------------- */

enum luc_status srv_store_recall(struct srv_store *store, const char *name, const char *sha256,
                                 void **bytes, size_t *size, struct luc_error *err)
{
    struct srv_table t = { 0 };
    *bytes = NULL;
    *size = 0;
    const enum luc_status st =
        srv_sql_look(&store->sql, &t, err,
                     "SELECT data FROM features WHERE name = ? AND sha256 = ?", "ss", name, sha256);
    if (t.n_rows > 0 && srv_cell(&t, 0, 0)->size > 0) {
        *bytes = malloc(srv_cell(&t, 0, 0)->size);
        *size = *bytes ? srv_cell(&t, 0, 0)->size : 0;
        if (*bytes)
            memcpy(*bytes, srv_cell(&t, 0, 0)->text, *size);
    }
    srv_table_done(&t);
    return st;
}

enum luc_status srv_store_keep(struct srv_store *store, const char *name, const char *sha256,
                               const void *bytes, size_t size, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    st = srv_sql_run(q, err, "DELETE FROM features WHERE name = ? AND sha256 = ?", "ss", name,
                     sha256);
    if (!st)
        st = srv_sql_run(q, err,
                         "INSERT INTO features (name, sha256, size, data) SELECT ?1, ?2, ?3, ?4"
                         " WHERE EXISTS (SELECT 1 FROM collection_images WHERE sha256 = ?2)",
                         "ssib", name, sha256, (int64_t)size, bytes, size);
    return srv_sql_end(q, st, err);
}

enum luc_status srv_store_trim(struct srv_store *store, size_t max, struct luc_error *err)
{
    const struct srv_sql *q = &store->sql;
    enum luc_status st = srv_sql_begin(q, false, err);
    if (st)
        return st;
    st = srv_sql_run(q, err,
                     "DELETE FROM features WHERE seq IN (SELECT seq FROM (SELECT seq, sum(size)"
                     " OVER (ORDER BY seq DESC) AS total FROM features) AS t WHERE total > ?)",
                     "i", max > INT64_MAX ? INT64_MAX : (int64_t)max);
    return srv_sql_end(q, st, err);
}
