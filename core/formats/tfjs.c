#include "core/formats/tfjs_parts.h"

#include <string.h>

const char *luc_tfjs_text(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : otherwise;
}

double luc_tfjs_number(const json_t *object, const char *key, double otherwise)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : otherwise;
}

bool luc_tfjs_flag(const json_t *object, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static enum luc_status read_model(const struct luc_tfjs_source *source, const json_t *root,
                                  struct luc_graph *g, struct luc_error *err)
{
    const json_t *topology = json_object_get(root, "modelTopology");
    if (!json_is_object(topology))
        return luc_fail(err, LUC_FORMAT,
                        "not a TensorFlow.js network: the JSON has no modelTopology");
    struct tfjs_build b = { .g = g };
    g->opset = 13;
    enum luc_status st = luc_tfjs_weights_read(source, json_object_get(root, "weightsManifest"),
                                               luc_arena_limit(g->arena), &b.weights, err);
    if (!st)
        st = json_is_array(json_object_get(topology, "node"))
                 ? luc_tfjs_read_graph(&b, root, topology, err)
                 : luc_tfjs_read_layers(&b, topology, err);
    luc_tfjs_weights_done(&b.weights);
    return st;
}

enum luc_status luc_tfjs_read_from(const struct luc_tfjs_source *source, const char *file,
                                   struct luc_graph *g, struct luc_error *err)
{
    struct luc_file f = { 0 };
    enum luc_status st = source->open(source->ctx, file, LUC_TFJS_JSON_MAX, &f, err);
    if (st)
        return st;
    json_error_t why;
    json_t *root = json_loadb(f.bytes ? (const char *)f.bytes : "", f.size, 0, &why);
    source->close(source->ctx, &f);
    if (!root)
        return luc_fail(err, LUC_FORMAT, "%.80s, line %d: %.100s", file, why.line, why.text);
    st = read_model(source, root, g, err);
    json_decref(root);
    return st;
}

static enum luc_status open_below(void *ctx, const char *name, size_t limit, struct luc_file *f,
                                  struct luc_error *err)
{
    char path[4096];
    const enum luc_status st = luc_path_join(ctx, name, path, sizeof(path), err);
    return st ? st : luc_file_map(path, limit, f, err);
}

static void close_file(void *ctx, struct luc_file *f)
{
    (void)ctx;
    luc_file_unmap(f);
}

enum luc_status luc_tfjs_read(const char *dir, const char *file, struct luc_graph *g,
                              struct luc_error *err)
{
    char base[4096];
    const size_t n = strlen(dir);
    if (n >= sizeof(base))
        return luc_fail(err, LUC_TOO_LARGE, "the directory's path is too long");
    memcpy(base, dir, n + 1);
    const struct luc_tfjs_source source = { base, open_below, close_file };
    return luc_tfjs_read_from(&source, file, g, err);
}
