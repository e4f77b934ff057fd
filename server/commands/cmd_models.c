#define _POSIX_C_SOURCE 200809L
#include "config/catalog.h"
#include "core/model/layers.h"
#include "server/commands/command.h"
#include "server/networks/pull.h"
#include "server/networks/registry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CATALOG_BYTES ((size_t)64 << 20)
#define INSPECT_BYTES ((size_t)1 << 30)

/* What every subcommand works with. */
struct session {
    struct cfg c;
    struct luc_arena *arena;
    struct cfg_catalog catalog;
    bool json;
    int argc; /* names after the subcommand */
    char **argv;
};

static int complain(const struct luc_error *err)
{
    return srv_complain("models", err->text, 1);
}

static int print_json(json_t *v)
{
    int failed = !v || json_dumpf(v, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;
    json_decref(v);
    return failed ? srv_complain("models", "cannot write", 1) : 0;
}

static const char *state_of(const struct srv_model_info *m)
{
    return m->problem ? "damaged" : m->installed ? "pulled" : "not pulled";
}

static void list_row(void *ctx, const struct srv_model_info *m)
{
    (void)ctx;
    char size[32] = "-";
    if (m->bytes)
        snprintf(size, sizeof size, "%.1f MB", (double)m->bytes / 1e6);
    printf("%-20s %-42s %-9s %-11s %9s  %s\n", m->name, m->title, m->task, state_of(m), size,
           m->problem ? m->problem : m->licence);
}

static void list_json(void *ctx, const struct srv_model_info *m)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "name", m->name, "title", m->title,
                            "task", m->task, "licence", m->licence, "state", state_of(m), "bytes",
                            (json_int_t)m->bytes);
    if (row && m->problem)
        json_object_set_new(row, "problem", json_string(m->problem));
    json_array_append_new(ctx, row);
}

static int list(struct session *s)
{
    struct luc_error err = { 0 };
    if (s->argc > 0)
        return srv_complain("models", "list takes no names", 2);
    struct srv_registry *r =
        srv_registry_create(s->c.models, &s->catalog, (size_t)s->c.models_bytes);
    json_t *rows = s->json ? json_array() : NULL;
    enum luc_status st = r ? LUC_OK : luc_fail_nomem(&err, "a list of networks", 4096);
    if (!st && !s->json)
        printf("%-20s %-42s %-9s %-11s %9s  %s\n", "NAME", "TITLE", "TASK", "STATE", "SIZE",
               "LICENCE");
    if (!st)
        st = srv_registry_list(r, s->json ? list_json : list_row, rows, &err);
    srv_registry_destroy(r);
    if (st) {
        json_decref(rows);
        return complain(&err);
    }
    return s->json ? print_json(rows) : 0;
}

/* One line that is written over, four times a second at most; silent without a terminal. */
struct meter {
    const char *models;
    bool terminal, open;
    long long last_ms;
};

static bool show_progress(void *ctx, const char *name, size_t done, size_t bytes)
{
    struct meter *m = ctx;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    long long ms = (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    if (!m->terminal || (ms - m->last_ms < 250 && done < bytes))
        return true;
    m->last_ms = ms;
    m->open = true;
    fprintf(stderr, "\r%-18s %7.1f of %.1f MB", name, (double)done / 1e6, (double)bytes / 1e6);
    fflush(stderr);
    return true;
}

static void show_pulled(void *ctx, const struct cfg_entry *e, bool fresh)
{
    struct meter *m = ctx;
    if (m->open)
        fputc('\n', stderr);
    m->open = false;
    printf("%s: %s\n", e->name, fresh ? "pulled" : "already there");
    if (!fresh && !srv_is_current(m->models, e))
        printf("  its description is not the catalog's: to take that, remove %s/%s.json and pull "
               "again\n",
               m->models, e->name);
    fflush(stdout);
}

/* The networks named, or the default ones; each once. NULL after a message. */
static const struct cfg_entry **chosen(const struct session *s, size_t *n)
{
    const struct cfg_entry **list_ =
        luc_arena_alloc(s->arena, s->catalog.n + (size_t)s->argc, sizeof(const struct cfg_entry *));
    *n = 0;
    for (size_t i = 0; list_ && s->argc == 0 && i < s->catalog.n; i++)
        if (s->catalog.entries[i].by_default)
            list_[(*n)++] = &s->catalog.entries[i];
    for (int i = 0; list_ && i < s->argc; i++) {
        const struct cfg_entry *e = cfg_catalog_find(&s->catalog, s->argv[i]);
        if (e) {
            list_[(*n)++] = e;
            continue;
        }
        fprintf(stderr,
                "lucida models: the catalog has no network '%.64s'; `lucida models list` "
                "shows what it has\n",
                s->argv[i]);
        return NULL;
    }
    return list_;
}

static int pull(struct session *s)
{
    struct luc_error err = { 0 };
    size_t n;
    const struct cfg_entry **entries = chosen(s, &n);
    struct meter m = { .models = s->c.models, .terminal = isatty(STDERR_FILENO) };
    if (!entries)
        return 2;
    struct srv_pull p = { .models = s->c.models,
                          .npm_registry = s->c.npm_registry,
                          .progress = show_progress,
                          .pulled = show_pulled,
                          .ctx = &m };
    enum luc_status st = srv_pull(&p, entries, n, &err);
    if (m.open)
        fputc('\n', stderr);
    return st ? complain(&err) : 0;
}

static const char *print_field(const struct luc_field *f, char *buf, size_t size)
{
    if (!f->known)
        snprintf(buf, size, "-");
    else if (f->whole)
        snprintf(buf, size, "all");
    else if (f->size[0] == f->size[1] && f->stride[0] == f->stride[1])
        snprintf(buf, size, "%g/%g", f->size[0], f->stride[0]);
    else
        snprintf(buf, size, "%gx%g/%gx%g", f->size[0], f->size[1], f->stride[0], f->stride[1]);
    return buf;
}

static void inspect_text(const struct luc_model *m, const struct luc_layers *l)
{
    char shape[LUC_SHAPE_TEXT], field[80];
    printf("%s (%s), %s\n", m->title, m->name, m->licence);
    printf("for a picture of %zux%zu: %zu layers, %.2f M parameters, %.2f GFLOP\n", l->width,
           l->height, l->n, (double)l->n_parameters / 1e6, l->flops / 1e9);
    printf("field: pixels of the picture that one unit sees / step to the next unit\n\n");
    printf("%-14s %-22s %-18s %10s %9s  %s\n", "ALIAS", "OPERATOR", "SHAPE", "PARAMETERS", "FIELD",
           "NAME");
    for (size_t i = 0; i < l->n; i++) {
        const struct luc_layer *row = &l->rows[i];
        printf("%-14s %-22s %-18s %10zu %9s  %s\n", row->alias, row->op,
               luc_shape_print(&row->shape, shape), row->n_parameters,
               print_field(&row->field, field, sizeof field), row->name);
    }
}

static json_t *field_json(const struct luc_field *f)
{
    if (!f->known || f->whole)
        return json_string(f->known ? "all" : "none");
    return json_pack("{s:[f,f], s:[f,f], s:[f,f]}", "size", f->size[0], f->size[1], "stride",
                     f->stride[0], f->stride[1], "start", f->start[0], f->start[1]);
}

static json_t *inspect_json(const struct luc_model *m, const struct luc_layers *l)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < l->n; i++) {
        const struct luc_layer *row = &l->rows[i];
        json_t *shape = json_array();
        for (size_t k = 0; k < row->shape.rank; k++)
            json_array_append_new(shape, json_integer((json_int_t)row->shape.dim[k]));
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "name", row->name,
                                              "alias", row->alias, "operator", row->op, "shape",
                                              shape, "parameters", (json_int_t)row->n_parameters,
                                              "receptive_field", field_json(&row->field)));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:[I,I], s:I, s:f, s:I, s:o}", "name", m->name, "title",
                     m->title, "licence", m->licence, "hash", m->hash, "size",
                     (json_int_t)l->height, (json_int_t)l->width, "parameters",
                     (json_int_t)l->n_parameters, "gflop", l->flops / 1e9, "classes",
                     (json_int_t)m->n_classes, "layers", rows);
}

static int inspect(struct session *s)
{
    struct luc_error err = { 0 };
    const struct luc_model *m;
    struct luc_layers l;
    if (s->argc != 1)
        return srv_complain("models", "inspect takes one name", 2);
    struct srv_registry *r =
        srv_registry_create(s->c.models, &s->catalog, (size_t)s->c.models_bytes);
    struct luc_arena *arena = luc_arena_create(INSPECT_BYTES);
    enum luc_status st = r && arena ? LUC_OK : luc_fail_nomem(&err, "a listing", 4096);
    if (!st)
        st = srv_registry_get(r, s->argv[0], &m, &err);
    int status = 0;
    if (!st) {
        st = luc_model_layers(m, 0, 0, arena, &l, &err);
        if (!st && s->json)
            status = print_json(inspect_json(m, &l));
        else if (!st)
            inspect_text(m, &l);
        srv_registry_put(r, m);
    }
    luc_arena_destroy(arena);
    srv_registry_destroy(r);
    return st ? complain(&err) : status;
}

/* Takes --json out of the arguments. */
static bool take_json(int *argc, char **argv)
{
    bool found = false;
    int n = 0;
    for (int i = 0; i < *argc; i++) {
        if (!strcmp(argv[i], "--json"))
            found = true;
        else
            argv[n++] = argv[i];
    }
    *argc = n;
    return found;
}

int srv_cmd_models(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct session *s);
    } table[] = { { "list", list }, { "pull", pull }, { "inspect", inspect } };
    struct session s = { .arena = luc_arena_create(CATALOG_BYTES) };
    struct luc_error err = { 0 };
    if (srv_wants_help("models", argc, argv))
        return luc_arena_destroy(s.arena), 0;
    int status = srv_settings(&s.c, &argc, argv);
    s.json = take_json(&argc, argv);
    size_t i = 0;
    while (argc > 1 && i < 3 && strcmp(table[i].name, argv[1]))
        i++;
    s.argc = argc - 2;
    s.argv = argv + 2;
    if (!status && (argc < 2 || i == 3))
        status = srv_complain("models", "say list, pull or inspect", 2);
    for (int k = 0; !status && k < s.argc; k++)
        if (s.argv[k][0] == '-')
            status = srv_complain("models", "no such option; `lucida help models` shows them", 2);
    if (!status && !s.arena)
        status = srv_complain("models", "out of memory", 1);
    if (!status && cfg_catalog_load(s.c.catalog, s.arena, &s.catalog, &err))
        status = complain(&err);
    if (!status)
        status = table[i].run(&s);
    luc_arena_destroy(s.arena);
    return status;
}
