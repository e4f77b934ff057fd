#include "server/networks/registry.h"

#include "core/base/file.h"
#include "core/model/suggest.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES        4096
#define DESCRIPTION_LIMIT ((size_t)1 << 20)

struct slot {
    struct luc_model *model;
    char *name;              /* of the file, without ".json" */
    size_t users, bytes;     /* bytes: as counted in the registry's */
    unsigned long long used; /* when last asked for or given back, by the registry's count */
    struct slot *next;
};

struct srv_registry {
    char *models;
    const struct cfg_catalog *catalog;
    size_t limit;
    enum luc_precision precision;
    pthread_mutex_t lock;
    pthread_cond_t loaded; /* a load has ended, well or not */
    bool loading;
    struct slot *slots;
    size_t bytes, n_loads;
    unsigned long long clock;
    char failed[LUC_TEXT_MAX]; /* the network whose latest load failed last; "": none */
    struct luc_error why;
};

struct srv_registry *srv_registry_create(const char *models, const struct cfg_catalog *catalog,
                                         size_t limit_bytes)
{
    struct srv_registry *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->models = strdup(models);
    r->catalog = catalog;
    r->limit = limit_bytes;
    if (!r->models || pthread_mutex_init(&r->lock, NULL) != 0) {
        free(r->models);
        free(r);
        return NULL;
    }
    pthread_cond_init(&r->loaded, NULL); /* cannot fail without attributes on Linux */
    return r;
}

void srv_registry_set_precision(struct srv_registry *r, enum luc_precision precision)
{
    pthread_mutex_lock(&r->lock);
    r->precision = precision;
    pthread_mutex_unlock(&r->lock);
}

static void drop(struct srv_registry *r, struct slot **at)
{
    struct slot *s = *at;
    *at = s->next;
    r->bytes -= s->bytes;
    luc_model_destroy(s->model);
    free(s->name);
    free(s);
}

struct srv_registry *srv_registry_destroy(struct srv_registry *r)
{
    if (!r)
        return NULL;
    while (r->slots) {
        assert(r->slots->users == 0);
        drop(r, &r->slots);
    }
    pthread_cond_destroy(&r->loaded);
    pthread_mutex_destroy(&r->lock);
    free(r->models);
    free(r);
    return NULL;
}

static struct slot *find(const struct srv_registry *r, const char *name)
{
    struct slot *s = r->slots;
    while (s && strcmp(s->name, name))
        s = s->next;
    return s;
}

static size_t bytes_in_use(const struct srv_registry *r)
{
    size_t n = 0;
    for (const struct slot *s = r->slots; s; s = s->next)
        n += s->users ? s->bytes : 0;
    return n;
}

/* Lets go of what nobody uses, the longest unused first, until `bytes` more fit. */
static void evict(struct srv_registry *r, size_t bytes)
{
    while (r->bytes > 0 && (bytes > r->limit || r->bytes > r->limit - bytes)) {
        struct slot **oldest = NULL;
        for (struct slot **at = &r->slots; *at; at = &(*at)->next)
            if (!(*at)->users && (!oldest || (*at)->used < (*oldest)->used))
                oldest = at;
        if (!oldest)
            return;
        drop(r, oldest);
    }
}

static enum luc_status not_found(const struct srv_registry *r, const char *name,
                                 struct luc_error *err)
{
    if (r->catalog && cfg_catalog_find(r->catalog, name))
        return luc_fail(err, LUC_NOT_FOUND,
                        "network '%s' is not there yet: `lucida models pull %s` fetches it", name,
                        name);
    struct luc_suggest s;
    char buf[120];
    luc_suggest_init(&s, name);
    for (size_t i = 0; r->catalog && i < r->catalog->n; i++)
        luc_suggest_offer(&s, r->catalog->entries[i].name, strlen(r->catalog->entries[i].name));
    return luc_fail(err, LUC_NOT_FOUND, "no network '%.64s'%s", name,
                    luc_suggest_print(&s, buf, sizeof buf));
}

static enum luc_status load(const struct srv_registry *r, const char *name, size_t limit,
                            struct luc_model **model, struct luc_error *err)
{
    char path[PATH_BYTES], *json;
    if (!cfg_model_name(name))
        return luc_fail(err, LUC_NOT_FOUND,
                        "a network's name has letters, digits, '_', '-' and '.' only");
    if (snprintf(path, sizeof path, "%s/%s.json", r->models, name) >= (int)sizeof path)
        return luc_fail(err, LUC_IO, "the models directory's path is too long");
    enum luc_status s = luc_file_read(path, DESCRIPTION_LIMIT, &json, NULL, err);
    if (s == LUC_NOT_FOUND)
        return not_found(r, name, err);
    if (s)
        return s;
    s = luc_model_load(r->models, json, limit, model, err);
    free(json);
    if (!s && strcmp((*model)->name, name)) {
        s = luc_fail(err, LUC_FORMAT, "%.100s says \"name\": \"%.64s\"; it must be the file's name",
                     path, (*model)->name);
        luc_model_destroy(*model);
    }
    if (!s)
        (*model)->graph->precision = r->precision;
    return s;
}

static enum luc_status keep(struct srv_registry *r, const char *name, struct luc_model *m,
                            struct luc_error *err)
{
    assert(m);
    evict(r, m->bytes);
    struct slot *s = calloc(1, sizeof *s);
    char *copy = strdup(name);
    enum luc_status st = LUC_OK;
    if (m->bytes > r->limit || r->bytes > r->limit - m->bytes)
        st = luc_fail(err, LUC_BUSY,
                      "no memory for network '%s' while others are in use (models_bytes = %zu): "
                      "try again later",
                      name, r->limit);
    else if (!s || !copy)
        st = luc_fail_nomem(err, "a network", sizeof *s);
    if (st) {
        free(s);
        free(copy);
        luc_model_destroy(m);
        return st;
    }
    *s = (struct slot){ .model = m, .name = copy, .bytes = m->bytes, .next = r->slots };
    r->slots = s;
    r->bytes += m->bytes;
    return LUC_OK;
}

static void note_load(struct srv_registry *r, const char *name, enum luc_status s,
                      const struct luc_error *err)
{
    if (!s && strcmp(r->failed, name) == 0)
        r->failed[0] = '\0';
    if (!s || s == LUC_NOMEM || s == LUC_NOT_FOUND)
        return;
    snprintf(r->failed, sizeof r->failed, "%s", name);
    if (err)
        r->why = *err;
}

/* With the lock held on entry and exit, but not while loading. */
static enum luc_status load_into(struct srv_registry *r, const char *name, struct luc_error *err)
{
    size_t used = bytes_in_use(r), left = used < r->limit ? r->limit - used : 0;
    struct luc_model *m = NULL;
    r->loading = true;
    r->n_loads++;
    pthread_mutex_unlock(&r->lock);
    enum luc_status s = load(r, name, left, &m, err);
    pthread_mutex_lock(&r->lock);
    r->loading = false;
    note_load(r, name, s, err);
    if (!s)
        s = keep(r, name, m, err);
    else if (s == LUC_NOMEM && used > 0)
        s = luc_fail(err, LUC_BUSY,
                     "no memory for network '%s' while others are in use (models_bytes = %zu): try "
                     "again later",
                     name, r->limit);
    pthread_cond_broadcast(&r->loaded);
    return s;
}

enum luc_status srv_registry_get(struct srv_registry *r, const char *name,
                                 const struct luc_model **model, struct luc_error *err)
{
    enum luc_status s = LUC_OK;
    pthread_mutex_lock(&r->lock);
    while (r->loading && !find(r, name))
        pthread_cond_wait(&r->loaded, &r->lock);
    if (!find(r, name))
        s = load_into(r, name, err);
    struct slot *slot = s ? NULL : find(r, name);
    if (slot) {
        slot->users++;
        slot->used = ++r->clock;
        *model = slot->model;
    }
    pthread_mutex_unlock(&r->lock);
    return s;
}

void srv_registry_put(struct srv_registry *r, const struct luc_model *model)
{
    const size_t bytes = luc_model_bytes(model); /* before the lock: it may wait for a packing */
    pthread_mutex_lock(&r->lock);
    for (struct slot *s = r->slots; s; s = s->next) {
        if (s->model != model)
            continue;
        assert(s->users > 0);
        s->users--;
        s->used = ++r->clock;
        if (bytes > s->bytes) {
            r->bytes += bytes - s->bytes;
            s->bytes = bytes;
        }
    }
    evict(r, 0);
    pthread_mutex_unlock(&r->lock);
}

/* Whether the file that a description names is there. */
static enum luc_status check_file(const struct srv_registry *r, const char *name, const char *json,
                                  struct luc_error *err)
{
    char path[PATH_BYTES];
    json_error_t where;
    json_t *v = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    const char *file = json_string_value(json_object_get(v, "file"));
    enum luc_status s = LUC_OK;
    if (!file)
        s = luc_fail(err, LUC_FORMAT, "%.64s.json is not a network's description: %.100s", name,
                     v ? "it names no file" : where.text);
    else if (!luc_path_is_below(file) ||
             snprintf(path, sizeof path, "%s/%s", r->models, file) >= (int)sizeof path)
        s = luc_fail(err, LUC_FORMAT, "%.64s.json names a file that is none: '%.100s'", name, file);
    else if (access(path, R_OK) != 0)
        s = luc_fail(err, LUC_IO,
                     "network '%.64s': %.150s: %s; `lucida models pull %.64s` fetches it again",
                     name, path, strerror(errno), name);
    json_decref(v);
    return s;
}

enum luc_status srv_registry_check(struct srv_registry *r, const char *name, struct luc_error *err)
{
    char path[PATH_BYTES], *json = NULL;
    pthread_mutex_lock(&r->lock);
    const bool loaded = find(r, name) != NULL, failed = strcmp(r->failed, name) == 0;
    const struct luc_error why = r->why;
    pthread_mutex_unlock(&r->lock);
    if (loaded)
        return LUC_OK;
    if (failed)
        return luc_fail(err, why.code, "%s", why.text);
    if (!cfg_model_name(name) ||
        snprintf(path, sizeof path, "%s/%s.json", r->models, name) >= (int)sizeof path)
        return not_found(r, name, err);
    enum luc_status s = luc_file_read(path, DESCRIPTION_LIMIT, &json, NULL, err);
    if (!s)
        s = check_file(r, name, json, err);
    free(json);
    return s == LUC_NOT_FOUND ? not_found(r, name, err) : s;
}

size_t srv_registry_bytes(struct srv_registry *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->bytes;
    pthread_mutex_unlock(&r->lock);
    return n;
}

size_t srv_registry_loads(struct srv_registry *r)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->n_loads;
    pthread_mutex_unlock(&r->lock);
    return n;
}

/* Names of the directory's descriptions and of the catalog, sorted, each once. */
struct names {
    char **list;
    size_t n, cap;
};

static bool add_name(struct names *l, const char *name, size_t len)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        char **list = realloc(l->list, cap * sizeof *list);
        if (!list)
            return false;
        l->list = list;
        l->cap = cap;
    }
    l->list[l->n] = strndup(name, len);
    return l->list[l->n] && ++l->n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool gather(const struct srv_registry *r, struct names *l)
{
    DIR *dir = opendir(r->models);
    bool ok = true;
    for (struct dirent *d; dir && ok && (d = readdir(dir));) {
        size_t n = strlen(d->d_name);
        if (n > 5 && !strcmp(d->d_name + n - 5, ".json"))
            ok = add_name(l, d->d_name, n - 5) &&
                 (cfg_model_name(l->list[l->n - 1]) || (free(l->list[--l->n]), true));
    }
    if (dir)
        closedir(dir);
    for (size_t i = 0; ok && r->catalog && i < r->catalog->n; i++)
        ok = add_name(l, r->catalog->entries[i].name, strlen(r->catalog->entries[i].name));
    if (l->n)
        qsort(l->list, l->n, sizeof *l->list, by_name);
    return ok;
}

static const char *member(json_t *v, const char *key, const char *otherwise)
{
    const char *t = json_string_value(json_object_get(v, key));
    return t ? t : otherwise;
}

/* Reads what is there of a description; a damaged one is listed too. */
static void tell_file(struct srv_registry *r, struct srv_model_info *info,
                      void (*each)(void *, const struct srv_model_info *), void *ctx)
{
    char path[PATH_BYTES], *text = NULL;
    struct luc_error err = { 0 };
    json_error_t where;
    json_t *v = NULL;
    snprintf(path, sizeof path, "%s/%s.json", r->models, info->name);
    if (luc_file_read(path, DESCRIPTION_LIMIT, &text, NULL, &err) == LUC_OK) {
        v = json_loads(text, JSON_REJECT_DUPLICATES, &where);
        if (!json_is_object(v))
            luc_fail(&err, LUC_FORMAT, "%.100s.json is not a network's description: %.100s",
                     info->name, v ? "no object" : where.text);
    }
    info->title = member(v, "title", info->name);
    info->task = member(v, "task", "classify");
    info->licence = member(v, "licence", "");
    info->problem = err.code ? err.text : NULL;
    each(ctx, info);
    json_decref(v);
    free(text);
}

static void tell(struct srv_registry *r, const char *name,
                 void (*each)(void *, const struct srv_model_info *), void *ctx)
{
    const struct cfg_entry *e = r->catalog ? cfg_catalog_find(r->catalog, name) : NULL;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s.json", r->models, name);
    FILE *f = fopen(path, "re");
    struct srv_model_info info = { .name = name, .installed = f != NULL };
    if (f)
        fclose(f);
    pthread_mutex_lock(&r->lock);
    const struct slot *s = find(r, name);
    info.loaded = s != NULL;
    info.bytes = s ? s->bytes : e ? e->bytes : 0;
    pthread_mutex_unlock(&r->lock);
    if (info.installed) {
        tell_file(r, &info, each, ctx);
    } else if (e) {
        info.title = e->title;
        info.task = e->task;
        info.licence = e->licence;
        each(ctx, &info);
    }
}

enum luc_status srv_registry_list(struct srv_registry *r,
                                  void (*each)(void *ctx, const struct srv_model_info *info),
                                  void *ctx, struct luc_error *err)
{
    struct names l = { 0 };
    bool ok = gather(r, &l);
    for (size_t i = 0; ok && i < l.n; i++)
        if (i == 0 || strcmp(l.list[i], l.list[i - 1]))
            tell(r, l.list[i], each, ctx);
    for (size_t i = 0; i < l.n; i++)
        free(l.list[i]);
    free(l.list);
    return ok ? LUC_OK : luc_fail_nomem(err, "a list of networks", 4096);
}
