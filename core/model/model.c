#include "core/model/model.h"

#include "core/base/embed.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/formats/onnx.h"
#include "core/formats/tfjs.h"
#include "core/graph/optimise.h"
#include "core/graph/plan.h"
#include "core/model/describe.h"
#include "core/model/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096
#define TEXT_LIMIT                                                                                 \
    ((size_t)16 << 20) /* a description, its labels, aliases: far more than any has */
#define LABELS_LIMIT ((size_t)4 << 20)
#define FILE_LIMIT   ((size_t)1 << 36)
#define PROBE_BYTES  ((size_t)256 << 20)

extern const struct luc_embedded luc_label_files[];

struct load {
    const char *dir;
    struct luc_description d;
    struct luc_model *m;
    size_t limit;
};

/* The files of a network, hashed as the reader opens them, so that nothing is read twice. */
struct source {
    char dir[PATH_BYTES]; /* of the network's main file, which may name others beside it */
    const char *file;
    struct luc_hash hash;
};

static enum luc_status open_file(void *ctx, const char *name, size_t limit, struct luc_file *f,
                                 struct luc_error *err)
{
    struct source *s = ctx;
    char path[PATH_BYTES];
    enum luc_status st = luc_path_join(s->dir, name, path, sizeof path, err);
    if (!st)
        st = luc_file_map(path, limit, f, err);
    if (!st)
        luc_hash_update(&s->hash, f->bytes, f->size);
    return st;
}

static void close_file(void *ctx, struct luc_file *f)
{
    (void)ctx;
    luc_file_unmap(f);
}

static enum luc_status find_source(const struct load *l, struct source *s, struct luc_error *err)
{
    enum luc_status st = luc_path_join(l->dir, l->d.file, s->dir, sizeof s->dir, err);
    if (st)
        return st;
    *strrchr(s->dir, '/') = '\0'; /* there is one: the path was joined */
    const char *slash = strrchr(l->d.file, '/');
    s->file = slash ? slash + 1 : l->d.file;
    return luc_hash_init(&s->hash, LUC_SHA256, err);
}

static enum luc_status read_onnx(struct source *s, struct luc_graph *g, struct luc_error *err)
{
    struct luc_file f = { 0 };
    enum luc_status st = open_file(s, s->file, FILE_LIMIT, &f, err);
    if (!st)
        st = luc_onnx_read(f.bytes, f.size, g, err);
    close_file(s, &f);
    return st;
}

static enum luc_status read_files(struct load *l, struct luc_error *err)
{
    struct source s = { 0 };
    const struct luc_tfjs_source tfjs = { &s, open_file, close_file };
    char text[LUC_HASH_HEX_MAX];
    enum luc_status st = find_source(l, &s, err);
    if (st)
        return st;
    st = l->d.format == LUC_FORMAT_TFJS ? luc_tfjs_read_from(&tfjs, s.file, l->m->graph, err)
                                        : read_onnx(&s, l->m->graph, err);
    if (!st)
        st = luc_hash_finish_hex(&s.hash, text, err);
    luc_hash_done(&s.hash);
    if (st)
        return st;
    l->m->hash = luc_arena_strdup(l->m->arena, text);
    return l->m->hash ? LUC_OK : luc_fail_nomem(err, "hash", sizeof text);
}

/* Puts the file's name before the reader's sentence. */
static enum luc_status name_file(const struct load *l, enum luc_status s, struct luc_error *err)
{
    if (!s || !err || strstr(err->text, l->d.file))
        return s;
    struct luc_error inner = *err;
    return luc_fail(err, s, "%.80s: %.170s", l->d.file, inner.text);
}

static enum luc_status read_graph(struct load *l, struct luc_error *err)
{
    l->m->graph = luc_graph_create(l->limit);
    if (!l->m->graph)
        return luc_fail_nomem(err, "the network", sizeof *l->m->graph);
    enum luc_status s = read_files(l, err);
    if (!s)
        s = luc_graph_finish(l->m->graph, err);
    return name_file(l, s, err);
}

/* The list inside the program, when the description names it rather than a file. */
static const struct luc_embedded *embedded_labels(const char *name)
{
    size_t n = strlen(name);
    for (const struct luc_embedded *e = luc_label_files; e->name; e++)
        if (!strncmp(e->name, name, n) && !strcmp(e->name + n, ".txt"))
            return e;
    return NULL;
}

static enum luc_status read_labels(struct load *l, struct luc_error *err)
{
    struct luc_description *d = &l->d;
    if (!d->labels_name)
        return LUC_OK;
    const struct luc_embedded *e = embedded_labels(d->labels_name);
    if (e)
        return luc_labels_parse((const char *)e->data, e->name, l->m->arena, &d->labels,
                                &d->n_labels, err);
    char path[PATH_BYTES], *text = NULL;
    enum luc_status s = luc_path_join(l->dir, d->labels_name, path, sizeof path, err);
    if (!s)
        s = luc_file_read(path, LABELS_LIMIT, &text, NULL, err);
    if (!s)
        s = luc_labels_parse(text, d->labels_name, l->m->arena, &d->labels, &d->n_labels, err);
    free(text);
    return s;
}

/* Labels by class: shifted by "label_offset". */
static enum luc_status place_labels(struct load *l, struct luc_error *err)
{
    struct luc_model *m = l->m;
    size_t n = l->d.n_labels, offset = l->d.label_offset;
    if (!n)
        return LUC_OK;
    if (m->logits == LUC_NONE || offset > m->n_classes || n > m->n_classes - offset)
        return luc_fail(err, LUC_FORMAT,
                        "description of network '%s': %zu labels from class %zu on do not fit its "
                        "%zu classes; correct \"labels\" or \"label_offset\"",
                        m->name, n, offset, m->n_classes);
    const char **list = luc_arena_alloc(m->arena, offset + n, sizeof *list);
    if (!list)
        return luc_fail_nomem(err, "labels", (offset + n) * sizeof *list);
    for (size_t i = 0; i < offset + n; i++)
        list[i] = i < offset ? "" : l->d.labels[i - offset];
    m->labels = list;
    m->n_labels = offset + n;
    return LUC_OK;
}

/* Shapes of an example: counts the classes, finds the last convolution, shows that it all fits. */
static enum luc_status try_example(struct load *l, struct luc_error *err)
{
    struct luc_arena *arena = luc_arena_create(PROBE_BYTES);
    if (!arena)
        return luc_fail_nomem(err, "the shapes of a network", 4096);
    struct luc_model *m = l->m;
    struct luc_infos x;
    enum luc_status s =
        luc_resolve_shapes(m, m->in.height ? m->in.height : LUC_ANY_SIDE,
                           m->in.width ? m->in.width : LUC_ANY_SIDE, arena, &x, err);
    if (!s)
        s = luc_resolve_classes(m, &x, err);
    luc_arena_destroy(arena);
    return name_file(l, s, err);
}

/* Whether every output can be inferred for n pictures of this size, in the same n rows, and a
 * classifier still has its classes: flattening takes any size, but then makes others of them. */
static bool takes(const struct luc_model *m, size_t n, size_t height, size_t width)
{
    const struct luc_graph *g = m->graph;
    struct luc_arena *arena = luc_arena_create(PROBE_BYTES);
    struct luc_shape *shapes = arena ? luc_arena_alloc(arena, g->n_values, sizeof *shapes) : NULL;
    const size_t channels = m->in.channels == LUC_GRAY ? 1 : 3;
    const struct luc_shape x = luc_shape4(n, channels, height, width);
    bool ok = shapes && luc_graph_shapes(g, &x, arena, shapes, NULL) == LUC_OK;
    for (size_t i = 0; ok && i < g->n_outputs; i++) {
        const struct luc_shape *y = &shapes[g->outputs[i]];
        ok = y->rank != LUC_NONE && y->rank > 0 && y->dim[0] == n;
    }
    if (ok && m->logits != LUC_NONE)
        ok =
            shapes[m->logits].rank != LUC_NONE && luc_numel(&shapes[m->logits]) == n * m->n_classes;
    luc_arena_destroy(arena);
    return ok;
}

/* A declared size is often only the one that a network was trained at, and a declared batch of one
 * a habit of exporters. Where every layer takes others too, the declaration is dropped. */
static void free_sizes(struct luc_model *m)
{
    struct luc_shape *decl = &m->graph->values[m->input].decl;
    const struct luc_shape declared = *decl;
    if (m->graph->n_inputs != 1 || decl->rank != 4)
        return;
    const size_t h = m->in.height ? m->in.height : LUC_ANY_SIDE;
    const size_t w = m->in.width ? m->in.width : LUC_ANY_SIDE;
    decl->dim[2] = decl->dim[3] = 0;
    if (!takes(m, decl->dim[0] ? decl->dim[0] : 1, h + h / 2, w + w / 4))
        *decl = declared;
    const size_t batch = decl->dim[0];
    decl->dim[0] = 0;
    if (batch && !takes(m, batch + 1, h, w))
        decl->dim[0] = batch;
}

size_t luc_model_bytes(const struct luc_model *m)
{
    return luc_arena_used(m->arena) + (m->graph ? luc_graph_bytes(m->graph) : 0);
}

static enum luc_status load(struct load *l, const char *json, struct luc_error *err)
{
    struct luc_model *m = l->m;
    enum luc_status s = luc_describe_parse(json, m->arena, &l->d, err);
    if (s)
        return s;
    m->name = l->d.name;
    m->title = l->d.title;
    m->licence = l->d.licence;
    m->task = l->d.task;
    m->in = l->d.in;
    m->out = l->d.out;
    s = read_labels(l, err);
    if (!s)
        s = read_graph(l, err);
    if (!s)
        s = luc_resolve_input(m, &l->d, err);
    if (!s)
        s = luc_resolve_logits(m, err);
    if (!s)
        s = luc_resolve_aliases(m, &l->d, err);
    if (!s)
        s = luc_graph_optimise(m->graph, LUC_OPTIMISE_ALL, err);
    if (!s)
        s = try_example(l, err);
    if (!s)
        s = place_labels(l, err);
    if (!s)
        free_sizes(m);
    if (!l->d.fit_given && m->in.width == 0)
        m->in.fit = LUC_FIT_NATIVE;
    m->bytes = luc_model_bytes(m);
    return s;
}

enum luc_status luc_model_load(const char *dir, const char *json, size_t limit_bytes,
                               struct luc_model **model, struct luc_error *err)
{
    struct luc_arena *arena = luc_arena_create(limit_bytes < TEXT_LIMIT ? limit_bytes : TEXT_LIMIT);
    struct luc_model *m = arena ? luc_arena_alloc(arena, 1, sizeof *m) : NULL;
    if (!m) {
        luc_arena_destroy(arena);
        return luc_fail_nomem(err, "the network", sizeof *m);
    }
    m->arena = arena;
    struct load l = { .dir = dir, .m = m, .limit = limit_bytes };
    struct luc_error why = { 0 };
    enum luc_status s = load(&l, json, &why);
    if (s == LUC_NOT_FOUND) /* a file that the description names; the network itself is there */
        s = LUC_IO;
    if (s)
        luc_fail(err, s, "%s", why.text);
    if (s)
        luc_model_destroy(m);
    else
        *model = m;
    return s;
}

struct luc_model *luc_model_destroy(struct luc_model *m)
{
    if (m) {
        luc_graph_destroy(m->graph);
        luc_arena_destroy(m->arena); /* m itself lives there */
    }
    return NULL;
}
