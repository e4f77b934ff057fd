#include "config/catalog.h"

#include "core/base/embed.h"
#include "core/base/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CATALOG_MAX ((size_t)4 << 20)
#define HASH_CHARS  "0123456789abcdef"

extern const struct luc_embedded cfg_catalog_file[];

struct reader {
    struct luc_arena *arena;
    const char *entry; /* the one being read, for messages */
    struct luc_error *err;
};

static enum luc_status bad(const struct reader *r, const char *what)
{
    return luc_fail(r->err, LUC_FORMAT, "catalog of networks, '%.64s': %s", r->entry, what);
}

static enum luc_status nomem(const struct reader *r)
{
    return luc_fail_nomem(r->err, "the catalog of networks", luc_arena_limit(r->arena));
}

static enum luc_status text(const struct reader *r, json_t *object, const char *key,
                            const char **out)
{
    const char *t = json_string_value(json_object_get(object, key));
    char message[80];
    snprintf(message, sizeof message, "\"%.20s\" must be a text", key);
    if (!t || !*t)
        return bad(r, message);
    *out = luc_arena_strdup(r->arena, t);
    return *out ? LUC_OK : nomem(r);
}

bool cfg_model_name(const char *name)
{
    size_t n = strlen(name);
    return n >= 1 && n <= 64 && name[0] != '.' && name[0] != '-' &&
           n == strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
}

static bool is_local(const char *name)
{
    return name && luc_path_is_below(name) && !strchr(name, '/') && name[0] != '.';
}

static enum luc_status package_files(const struct reader *r, json_t *paths, struct cfg_source *s)
{
    size_t n = json_object_size(paths);
    struct cfg_file *files = luc_arena_alloc(r->arena, n, sizeof *files);
    const char *member;
    json_t *local;
    if (!n)
        return bad(r, "\"paths\" must say which files of the package are wanted");
    if (!files)
        return nomem(r);
    json_object_foreach(paths, member, local)
    {
        if (!is_local(json_string_value(local)))
            return bad(r, "a file in \"paths\" needs a plain name to be kept under");
        struct cfg_file *f = &files[s->n_files++];
        f->member = luc_arena_strdup(r->arena, member);
        f->local = luc_arena_strdup(r->arena, json_string_value(local));
        if (!f->member || !f->local)
            return nomem(r);
    }
    s->files = files;
    return LUC_OK;
}

static enum luc_status single_file(const struct reader *r, json_t *json, struct cfg_source *s)
{
    struct cfg_file *file = luc_arena_alloc(r->arena, 1, sizeof *file);
    if (!file)
        return nomem(r);
    enum luc_status st = text(r, json, "path", &file->local);
    if (!st && !is_local(file->local))
        return bad(r, "\"path\" must be a plain file name");
    s->files = file;
    s->n_files = 1;
    return st;
}

/* "name@version", the name with an optional scope, and nothing that could leave the registry's URL. */
static bool is_package(const char *npm)
{
    const char *at = strrchr(npm, '@');
    return at && at != npm && at[1] && !strstr(npm, "..") &&
           strspn(npm, "abcdefghijklmnopqrstuvwxyz0123456789._-@/+") == strlen(npm);
}

static enum luc_status parse_source(const struct reader *r, json_t *json, struct cfg_source *s)
{
    json_t *bytes = json_object_get(json, "bytes");
    s->sha512 = json_object_get(json, "sha512") != NULL;
    enum luc_status st = text(r, json, s->sha512 ? "sha512" : "sha256", &s->hash);
    if (st)
        return st;
    if (strlen(s->hash) != (s->sha512 ? 128 : 64) || strspn(s->hash, HASH_CHARS) != strlen(s->hash))
        return bad(r, "\"sha256\" or \"sha512\" must be lower-case hexadecimal of full length");
    if (!json_is_integer(bytes) || json_integer_value(bytes) < 1 ||
        json_integer_value(bytes) > (json_int_t)1 << 40)
        return bad(r, "\"bytes\" must be the size of the download");
    s->bytes = (size_t)json_integer_value(bytes);
    if (!json_object_get(json, "npm")) {
        st = text(r, json, "url", &s->url);
        return st ? st : single_file(r, json, s);
    }
    st = text(r, json, "npm", &s->npm);
    if (!st && !is_package(s->npm))
        return bad(r, "\"npm\" must be NAME@VERSION");
    return st ? st : package_files(r, json_object_get(json, "paths"), s);
}

static enum luc_status parse_sources(const struct reader *r, json_t *list, struct cfg_entry *e)
{
    size_t n = json_array_size(list);
    struct cfg_source *sources = luc_arena_alloc(r->arena, n, sizeof *sources);
    if (!n)
        return bad(r, "\"sources\" must be a list of downloads");
    if (!sources)
        return nomem(r);
    for (size_t i = 0; i < n; i++) {
        enum luc_status st = parse_source(r, json_array_get(list, i), &sources[i]);
        if (st)
            return st;
        e->bytes += sources[i].bytes;
    }
    e->sources = sources;
    e->n_sources = n;
    return LUC_OK;
}

static bool in_list(json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *t = json_string_value(json_array_get(list, i));
        if (t && !strcmp(t, name))
            return true;
    }
    return false;
}

static enum luc_status parse_entry(struct reader *r, json_t *json, json_t *defaults,
                                   struct cfg_entry *e)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    r->entry = name ? name : "an entry without a name";
    if (!name || !cfg_model_name(name))
        return bad(r, "\"name\" must be letters, digits, '_', '-' and '.'");
    enum luc_status s = text(r, json, "name", &e->name);
    if (!s)
        s = text(r, json, "title", &e->title);
    if (!s)
        s = text(r, json, "task", &e->task);
    if (!s)
        s = text(r, json, "licence", &e->licence);
    if (!s)
        s = parse_sources(r, json_object_get(json, "sources"), e);
    if (s)
        return s;
    e->by_default = in_list(defaults, name);
    char *dump = json_dumps(json, JSON_INDENT(2));
    e->json = dump ? luc_arena_strdup(r->arena, dump) : NULL;
    free(dump);
    return e->json ? LUC_OK : nomem(r);
}

static enum luc_status parse_models(struct reader *r, json_t *json, struct cfg_catalog *catalog)
{
    json_t *models = json_object_get(json, "models");
    size_t n = json_array_size(models);
    struct cfg_entry *entries = luc_arena_alloc(r->arena, n, sizeof *entries);
    if (!json_is_array(models))
        return bad(r, "\"models\" must be a list");
    if (!entries)
        return nomem(r);
    for (size_t i = 0; i < n; i++) {
        enum luc_status s = parse_entry(r, json_array_get(models, i),
                                        json_object_get(json, "default"), &entries[i]);
        if (s)
            return s;
    }
    *catalog = (struct cfg_catalog){ entries, n };
    return LUC_OK;
}

enum luc_status cfg_catalog_parse(const char *json, struct luc_arena *arena,
                                  struct cfg_catalog *catalog, struct luc_error *err)
{
    json_error_t where;
    struct reader r = { arena, "the whole", err };
    json_t *v = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!v)
        return luc_fail(err, LUC_FORMAT, "catalog of networks, line %d: %.150s", where.line,
                        where.text);
    enum luc_status s = parse_models(&r, v, catalog);
    json_decref(v);
    return s;
}

enum luc_status cfg_catalog_load(const char *path, struct luc_arena *arena,
                                 struct cfg_catalog *catalog, struct luc_error *err)
{
    if (!*path)
        return cfg_catalog_parse((const char *)cfg_catalog_file[0].data, arena, catalog, err);
    char *json;
    enum luc_status s = luc_file_read(path, CATALOG_MAX, &json, NULL, err);
    if (s)
        return s;
    s = cfg_catalog_parse(json, arena, catalog, err);
    free(json);
    return s;
}

const struct cfg_entry *cfg_catalog_find(const struct cfg_catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->n; i++)
        if (!strcmp(catalog->entries[i].name, name))
            return &catalog->entries[i];
    return NULL;
}
