/* Collections in SQL, and what was found out about their pictures. */
#include "server/store/store_collections.h"
#include "server/store/store_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum luc_status find(struct srv_sql_db *db, const char *owner, const char *id, int64_t *seq,
                            struct luc_error *err)
{
    *seq = 0;
    const enum luc_status st = srv_sql_number(
        db, seq, err, "SELECT seq FROM collections WHERE id = ? AND who = ?", "ss", id, owner);
    if (!st && !*seq)
        return luc_fail(err, LUC_NOT_FOUND, "there is no collection %.40s", id);
    return st;
}

static enum luc_status create(struct srv_store *store, const char *owner, const char *id,
                              const char *name, size_t max, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t n = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = srv_sql_number(s->hard, &n, err, "SELECT count(*) FROM collections", "");
    if (!st && (uint64_t)n >= max)
        st = luc_fail(err, LUC_INVALID,
                      "there are %zu collections, the most this server keeps: delete one", max);
    if (!st)
        st = srv_sql(s->hard, err,
                     "INSERT INTO collections (id, who, name, created_ms) VALUES (?, ?, ?, ?)",
                     "sssi", id, owner, name, s->hard->driver->now_ms());
    return srv_store_end(s, s->hard, st, err);
}

/* ---- looking -------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "seq, id, name, created_ms, (SELECT count(*) FROM collection_images WHERE collection = "       \
    "collections.seq),"                                                                            \
    " (SELECT coalesce(sum(bytes), 0) FROM collection_images WHERE collection = collections.seq)"

/* Of a row of COLUMNS. */
static void read_collection(struct srv_sql_rows *q, struct api_collection *row)
{
    *row = (struct api_collection){ .cursor = srv_sql_int(q, 0),
                                    .created_ms = srv_sql_int(q, 3),
                                    .n_images = (size_t)srv_sql_int(q, 4),
                                    .bytes = (size_t)srv_sql_int(q, 5) };
    srv_sql_text(q, 1, row->id, sizeof(row->id));
    srv_sql_text(q, 2, row->name, sizeof(row->name));
}

static enum luc_status list(struct srv_store *store, const char *owner, int64_t cursor,
                            size_t limit, void (*each)(void *, const struct api_collection *),
                            void *to, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err,
                                     "SELECT " COLUMNS " FROM collections WHERE who = ? AND seq < ?"
                                     " ORDER BY seq DESC LIMIT ?",
                                     "sii", owner, cursor > 0 ? cursor : INT64_MAX, (int64_t)limit);
    while (!st && row) {
        struct api_collection one;
        st = srv_sql_next(q, &row, err);
        if (st || !row)
            break;
        read_collection(q, &one);
        each(to, &one);
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status get(struct srv_store *store, const char *owner, const char *id,
                           struct api_collection *row, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool found = false;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = srv_sql_ask(s->look, &q, err,
                                     "SELECT " COLUMNS " FROM collections WHERE id = ? AND who = ?",
                                     "ss", id, owner);
    if (!st)
        st = srv_sql_next(q, &found, err);
    if (!st && !found)
        st = luc_fail(err, LUC_NOT_FOUND, "there is no collection %.40s", id);
    if (!st)
        read_collection(q, row);
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

/* Valid until the next step. */
static const char *text_at(struct srv_sql_rows *q, int column)
{
    const char *text = srv_sql_peek(q, column);
    return text ? text : "";
}

static enum luc_status pictures(struct srv_store *store, const char *owner, const char *id,
                                const char *sha256, int64_t cursor, size_t limit,
                                void (*each)(void *, const struct api_kept_picture *), void *to,
                                struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    int64_t seq = 0;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = find(s->look, owner, id, &seq, err);
    if (!st)
        st = srv_sql_ask(s->look, &q, err,
                         "SELECT seq, sha256, name, label, type, bytes, width, height"
                         " FROM collection_images WHERE collection = ?1 AND seq > ?2 AND"
                         " (?3 IS NULL OR sha256 = ?3) ORDER BY seq LIMIT ?4",
                         "iisi", seq, cursor, sha256,
                         limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(to, &(struct api_kept_picture){ .ref = { text_at(q, 1), text_at(q, 2),
                                                          text_at(q, 3), (size_t)srv_sql_int(q, 5),
                                                          (size_t)srv_sql_int(q, 6),
                                                          (size_t)srv_sql_int(q, 7) },
                                                 .type = text_at(q, 4),
                                                 .cursor = srv_sql_int(q, 0) });
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status labels(struct srv_store *store, const char *owner, const char *id,
                              size_t limit, void (*each)(void *, const char *, size_t), void *to,
                              struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = true;
    int64_t seq = 0;
    pthread_mutex_lock(&s->reading);
    enum luc_status st = find(s->look, owner, id, &seq, err);
    if (!st)
        st = srv_sql_ask(s->look, &q, err,
                         "SELECT label, count(*) FROM collection_images WHERE collection = ? AND"
                         " label <> '' GROUP BY label ORDER BY count(*) DESC, label LIMIT ?",
                         "ii", seq, (int64_t)limit);
    while (!st && row) {
        st = srv_sql_next(q, &row, err);
        if (!st && row)
            each(to, text_at(q, 0), (size_t)srv_sql_int(q, 1));
    }
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

/* ---- changing ------------------------------------------------------------------------------- */

static enum luc_status add_one(struct srv_sql_db *db, int64_t seq, const struct api_new_picture *p,
                               size_t *n_added, struct luc_error *err)
{
    int64_t there = 0;
    enum luc_status st = srv_sql_number(
        db, &there, err,
        "SELECT EXISTS (SELECT 1 FROM collection_images WHERE collection = ? AND sha256 = ?)", "is",
        seq, p->ref.sha256);
    if (st || (there && !*p->ref.label))
        return st;
    if (there)
        return srv_sql(db, err,
                       "UPDATE collection_images SET label = ? WHERE collection = ? AND sha256 = ?",
                       "sis", p->ref.label, seq, p->ref.sha256);
    *n_added += 1;
    return srv_sql(db, err,
                   "INSERT INTO collection_images (collection, sha256, name, label, type, bytes,"
                   " width, height, added_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "issssiiii", seq, p->ref.sha256, p->ref.name, p->ref.label, p->type,
                   (int64_t)p->ref.size, (int64_t)p->ref.width, (int64_t)p->ref.height,
                   db->driver->now_ms());
}

static enum luc_status check_limits(struct srv_sql_db *db, int64_t seq,
                                    const struct srv_collection_limits *limits,
                                    struct luc_error *err)
{
    int64_t n = 0, bytes = 0;
    enum luc_status st = srv_sql_number(
        db, &n, err, "SELECT count(*) FROM collection_images WHERE collection = ?", "i", seq);
    if (!st)
        st = srv_sql_number(db, &bytes, err,
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

static enum luc_status add(struct srv_store *store, const char *owner, const char *id,
                           const struct api_new_picture *given, size_t n,
                           const struct srv_collection_limits *limits, size_t *n_added,
                           struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0;
    size_t added = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = find(s->hard, owner, id, &seq, err);
    for (size_t i = 0; i < n && !st; i++)
        st = add_one(s->hard, seq, &given[i], &added, err);
    if (!st)
        st = check_limits(s->hard, seq, limits, err);
    st = srv_store_end(s, s->hard, st, err);
    if (!st)
        *n_added = added;
    return st;
}

static enum luc_status remove_some(struct srv_store *store, const char *owner, const char *id,
                                   const char *sha256, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    int64_t seq = 0, n = 0;
    enum luc_status st = srv_store_begin(s, s->hard, err);
    if (st)
        return st;
    st = find(s->hard, owner, id, &seq, err);
    if (!st && sha256) {
        st = srv_sql_number(
            s->hard, &n, err,
            "SELECT count(*) FROM collection_images WHERE collection = ? AND sha256 = ?", "is", seq,
            sha256);
        if (!st && n == 0)
            st = luc_fail(err, LUC_NOT_FOUND, "the collection has no picture %.70s", sha256);
        if (!st)
            st = srv_sql(s->hard, err,
                         "DELETE FROM collection_images WHERE collection = ? AND sha256 = ?", "is",
                         seq, sha256);
    } else if (!st) {
        st = srv_sql(s->hard, err, "DELETE FROM collections WHERE seq = ?", "i", seq);
    }
    if (!st)
        st = srv_sql(s->hard, err,
                     "DELETE FROM features WHERE NOT EXISTS"
                     " (SELECT 1 FROM collection_images AS i WHERE i.sha256 = features.sha256)",
                     "");
    return srv_store_end(s, s->hard, st, err);
}

/* ---- what was found out ---------------------------------------------------------------------- */

static enum luc_status recall(struct srv_store *store, const char *name, const char *sha256,
                              void **bytes, size_t *size, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    struct srv_sql_rows *q = NULL;
    bool row = false;
    *bytes = NULL;
    *size = 0;
    pthread_mutex_lock(&s->reading);
    enum luc_status st =
        srv_sql_ask(s->look, &q, err, "SELECT data FROM features WHERE name = ? AND sha256 = ?",
                    "ss", name, sha256);
    if (!st)
        st = srv_sql_next(q, &row, err);
    if (!st && row)
        *bytes = srv_sql_copy_bytes(q, 0, size);
    srv_sql_done(q);
    pthread_mutex_unlock(&s->reading);
    return st;
}

static enum luc_status keep(struct srv_store *store, const char *name, const char *sha256,
                            const void *bytes, size_t size, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = srv_sql(s->soft, err, "DELETE FROM features WHERE name = ? AND sha256 = ?", "ss", name,
                 sha256);
    if (!st)
        st = srv_sql(s->soft, err,
                     "INSERT INTO features (name, sha256, size, data) SELECT ?1, ?2, ?3, ?4"
                     " WHERE EXISTS (SELECT 1 FROM collection_images WHERE sha256 = ?2)",
                     "ssib", name, sha256, (int64_t)size, bytes, size);
    return srv_store_end(s, s->soft, st, err);
}

static enum luc_status trim(struct srv_store *store, size_t max, struct luc_error *err)
{
    struct srv_sql_store *s = srv_sql_store_of(store);
    enum luc_status st = srv_store_begin(s, s->soft, err);
    if (st)
        return st;
    st = srv_sql(s->soft, err,
                 "DELETE FROM features WHERE seq IN (SELECT seq FROM (SELECT seq, sum(size)"
                 " OVER (ORDER BY seq DESC) AS total FROM features) AS t WHERE total > ?)",
                 "i", max > INT64_MAX ? INT64_MAX : (int64_t)max);
    return srv_store_end(s, s->soft, st, err);
}

const struct srv_collections_kind srv_sql_collections = { .create = create,
                                                          .get = get,
                                                          .list = list,
                                                          .add = add,
                                                          .pictures = pictures,
                                                          .labels = labels,
                                                          .remove = remove_some,
                                                          .recall = recall,
                                                          .keep = keep,
                                                          .trim = trim };
