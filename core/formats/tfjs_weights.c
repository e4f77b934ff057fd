#include "core/formats/tfjs_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum luc_status fail_weight(const char *name, const char *why, struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT, "weight '%.80s': %s", name ? name : "", why);
}

static enum luc_status read_shape(const json_t *dims, const char *name, struct luc_shape *shape,
                                  struct luc_error *err)
{
    struct luc_shape s = { .rank = json_array_size(dims) };
    if (!json_is_array(dims) || s.rank > LUC_MAX_RANK)
        return fail_weight(name, "it has no shape, or one of too many dimensions", err);
    for (size_t i = 0; i < s.rank; i++) {
        const json_t *d = json_array_get(dims, i);
        if (!json_is_integer(d) || json_integer_value(d) < 0)
            return fail_weight(name, "a dimension is not a whole number", err);
        s.dim[i] = (size_t)json_integer_value(d);
    }
    *shape = s;
    return luc_shape_check(shape, name, err);
}

static bool find_raw(const char *dtype, enum luc_raw_type *raw)
{
    static const struct {
        const char *name;
        enum luc_raw_type raw;
    } rows[] = {
        { "float32", LUC_RAW_F32 }, { "float16", LUC_RAW_F16 }, { "int32", LUC_RAW_I32 },
        { "uint8", LUC_RAW_U8 },    { "uint16", LUC_RAW_U16 },  { "bool", LUC_RAW_BOOL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, dtype) == 0) {
            *raw = rows[i].raw;
            return true;
        }
    }
    return false;
}

static enum luc_status read_entry(const json_t *e, struct tfjs_weight *w, struct luc_error *err)
{
    const json_t *q = json_object_get(e, "quantization");
    const char *name = luc_tfjs_text(e, "name", NULL), *dtype = luc_tfjs_text(e, "dtype", "");
    enum luc_raw_type logical = LUC_RAW_F32;
    if (!name || !*name)
        return fail_weight(name, "it has no name", err);
    if (!find_raw(dtype, &logical))
        return luc_fail(err, LUC_UNSUPPORTED,
                        "weight '%.80s': elements of type '%.40s' are not "
                        "supported",
                        name, dtype);
    *w = (struct tfjs_weight){ .name = name, .raw = logical, .dtype = luc_raw_dtype(logical) };
    if (q) {
        const char *stored = luc_tfjs_text(q, "original_dtype", NULL)
                                 ? luc_tfjs_text(q, "dtype", dtype)
                                 : luc_tfjs_text(q, "dtype", "");
        if (!find_raw(stored, &w->raw) ||
            (w->raw != LUC_RAW_U8 && w->raw != LUC_RAW_U16 && w->raw != LUC_RAW_F16))
            return luc_fail(err, LUC_UNSUPPORTED,
                            "weight '%.80s': quantisation to '%.40s' is not supported", name,
                            stored);
        w->affine = w->raw != LUC_RAW_F16;
        w->scale = luc_tfjs_number(q, "scale", 1);
        w->min = luc_tfjs_number(q, "min", 0);
        if (!isfinite(w->scale) || !isfinite(w->min))
            return fail_weight(name, "scale and min must be numbers", err);
    }
    return read_shape(json_object_get(e, "shape"), name, &w->shape, err);
}

/* Where the next tensor of a group starts. */
struct cursor {
    const struct luc_file *files;
    size_t n_files, file, at;
};

static enum luc_status take_bytes(struct tfjs_weights *w, struct cursor *c, size_t n,
                                  const char *name, const unsigned char **bytes,
                                  struct luc_error *err)
{
    while (c->file < c->n_files && c->at == c->files[c->file].size)
        c->file++, c->at = 0;
    size_t left = 0;
    for (size_t i = c->file; i < c->n_files; i++)
        left += c->files[i].size;
    left -= c->at;
    if (n > left)
        return luc_fail(err, LUC_FORMAT, "weight '%.80s': wants %zu bytes, its files have %zu left",
                        name, n, left);
    if (n <= (c->file < c->n_files ? c->files[c->file].size : 0) - c->at) {
        *bytes = n > 0 ? c->files[c->file].bytes + c->at : NULL;
        c->at += n;
        return LUC_OK;
    }
    unsigned char *copy = luc_arena_raw(w->copies, n, 1);
    if (!copy)
        return luc_fail_nomem(err, name, n);
    for (size_t done = 0; done < n;) {
        const struct luc_file *f = &c->files[c->file];
        const size_t part = f->size - c->at < n - done ? f->size - c->at : n - done;
        if (part > 0)
            memcpy(copy + done, f->bytes + c->at, part);
        done += part;
        c->at += part;
        if (c->at == f->size)
            c->file++, c->at = 0;
    }
    *bytes = copy;
    return LUC_OK;
}

static enum luc_status check_integers(const struct tfjs_weight *w, struct luc_error *err)
{
    int32_t v;
    if (w->raw != LUC_RAW_I32)
        return LUC_OK;
    for (size_t i = 0; i < luc_numel(&w->shape); i++) {
        assert(w->bytes);
        memcpy(&v, w->bytes + 4 * i, sizeof(v));
        if (!luc_int_survives(v))
            return luc_fail(err, LUC_UNSUPPORTED, "weight '%.80s': the integer %d is beyond 2^24",
                            w->name, (int)v);
    }
    return LUC_OK;
}

static enum luc_status read_group(struct tfjs_weights *w, const json_t *group, size_t first_file,
                                  struct luc_error *err)
{
    struct cursor c = { w->files + first_file, w->n_files - first_file, 0, 0 };
    const json_t *entries = json_object_get(group, "weights");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        struct tfjs_weight *e = &w->list[w->n];
        enum luc_status st = read_entry(json_array_get(entries, i), e, err);
        if (!st)
            st = take_bytes(w, &c, luc_numel(&e->shape) * luc_raw_size(e->raw), e->name, &e->bytes,
                            err);
        if (!st)
            st = check_integers(e, err);
        if (st)
            return st;
        if (json_object_get(w->index, e->name))
            return fail_weight(e->name, "it is there twice", err);
        if (json_object_set_new(w->index, e->name, json_integer((json_int_t)w->n)) != 0)
            return luc_fail_nomem(err, "weights", 1);
        w->n++;
    }
    return LUC_OK;
}

static enum luc_status open_shards(struct tfjs_weights *w, const json_t *paths, size_t limit,
                                   struct luc_error *err)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        if (!path || !luc_path_is_below(path))
            return luc_fail(err, LUC_FORMAT,
                            "the weights manifest names '%.80s', which is not a file below the "
                            "network's directory",
                            path ? path : "");
        const enum luc_status st =
            w->source->open(w->source->ctx, path, limit, &w->files[w->n_files], err);
        if (st)
            return st;
        w->n_files++;
    }
    return LUC_OK;
}

static void count(const json_t *manifest, size_t *n_weights, size_t *n_files)
{
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        const json_t *group = json_array_get(manifest, i);
        *n_weights += json_array_size(json_object_get(group, "weights"));
        *n_files += json_array_size(json_object_get(group, "paths"));
    }
}

enum luc_status luc_tfjs_weights_read(const struct luc_tfjs_source *source, const json_t *manifest,
                                      size_t limit, struct tfjs_weights *w, struct luc_error *err)
{
    size_t n_weights = 0, n_files = 0;
    if (!json_is_array(manifest))
        return luc_fail(err, LUC_FORMAT, "the JSON has no weightsManifest");
    count(manifest, &n_weights, &n_files);
    *w = (struct tfjs_weights){
        .list = calloc(n_weights + 1, sizeof(*w->list)),
        .files = calloc(n_files + 1, sizeof(*w->files)),
        .index = json_object(),
        .copies = luc_arena_create(limit),
        .source = source,
    };
    if (!w->list || !w->files || !w->index || !w->copies)
        return luc_fail_nomem(err, "weights", n_weights * sizeof(*w->list));
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        const json_t *group = json_array_get(manifest, i);
        const size_t first = w->n_files;
        enum luc_status st = open_shards(w, json_object_get(group, "paths"), limit, err);
        if (!st)
            st = read_group(w, group, first, err);
        if (st)
            return st;
    }
    return LUC_OK;
}

void luc_tfjs_weights_done(struct tfjs_weights *w)
{
    for (size_t i = 0; i < w->n_files; i++)
        w->source->close(w->source->ctx, &w->files[i]);
    free(w->list);
    free(w->files);
    json_decref(w->index);
    luc_arena_destroy(w->copies);
    *w = (struct tfjs_weights){ 0 };
}

const struct tfjs_weight *luc_tfjs_weight_find(const struct tfjs_weights *w, const char *name)
{
    const json_t *at = json_object_get(w->index, name);
    return at ? &w->list[json_integer_value(at)] : NULL;
}

double luc_tfjs_weight_at(const struct tfjs_weight *w, size_t i)
{
    const unsigned char *at = w->bytes + i * luc_raw_size(w->raw);
    float f = 0;
    int32_t whole = 0;
    if (w->raw == LUC_RAW_I32) {
        memcpy(&whole, at, sizeof(whole));
        return whole;
    }
    if (luc_raw_read(w->raw, at, 1, &f, "", NULL) != LUC_OK)
        return 0;
    if (!w->affine)
        return (double)f;
    const double v = (double)f * w->scale + w->min;
    return luc_dtype_is_int(w->dtype) ? round(v) : v;
}
