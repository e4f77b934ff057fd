#include "core/graph/tiles.h"

#include "core/graph/memory.h"
#include "core/graph/optimise.h"
#include "core/graph/tile_node.h"

#include <string.h>

/* A value that depends on the picture. */
struct value {
    bool live;   /* needed for the output, and not known beforehand */
    bool keeps;  /* kept for the whole picture between passes */
    bool cut;    /* something in a later pass reads it: keeping it helps */
    bool small;  /* a mean: always there once its pass is over */
    size_t pass; /* the first pass that can compute it */
    size_t last; /* the last pass that reads it where it is kept */
    size_t side[2], channels;
    float *whole;           /* of the input, the output and what is kept */
    struct luc_buffer home; /* of what is kept; times are passes */
    size_t maker;           /* index of the node */
    /* in the present tile */
    bool wanted;
    struct luc_tile_part part;
};

struct luc_tiles {
    struct luc_tiles_spec spec;
    struct luc_infos infos;
    struct value *values;        /* [graph->n_values] */
    struct luc_tile_node *nodes; /* [n_nodes], those that are needed, in order */
    size_t n_nodes, n_passes, grid[2];
    size_t kept_bytes, work_bytes;
    double flops, *node_work; /* [n_nodes] */
    struct luc_arena *arena;
    char *kept, *work;
    struct luc_tile_part *in;   /* one node's inputs */
    struct luc_buffer *buffers; /* [2 * n_nodes], see place_parts() */
};

static struct luc_tile_box whole_of(const struct value *v)
{
    return (struct luc_tile_box){ { { 0, (ptrdiff_t)v->side[0] }, { 0, (ptrdiff_t)v->side[1] } } };
}

static size_t bytes_of(const struct value *v)
{
    return v->channels * v->side[0] * v->side[1] * sizeof(float);
}

static struct value *in_value(struct luc_tiles *t, const struct luc_tile_node *n, size_t k)
{
    const size_t v = n->node->in[k];
    return v != LUC_NONE && t->values[v].live ? &t->values[v] : NULL;
}

static struct value *out_value(struct luc_tiles *t, const struct luc_tile_node *n)
{
    return &t->values[n->node->out[0]];
}

static bool is_global(const struct luc_tile_node *n)
{
    return n->kind == LUC_TILE_NORM || n->kind == LUC_TILE_MEAN;
}

/* ---- the network: what is needed, and in which pass it can be computed ---- */

static enum luc_status infer_all(struct luc_tiles *t, struct luc_error *err)
{
    const struct luc_graph *g = t->spec.graph;
    enum luc_status st = luc_infos_init(&t->infos, g, &t->spec.input, t->arena, err);
    for (size_t i = 0; !st && i < g->n_nodes; i++)
        st = luc_infer_node(&t->infos, &g->nodes[i], err);
    return st;
}

/* Which nodes the output needs; the known ones are left out. */
static void mark_live(struct luc_tiles *t, bool *needed)
{
    const struct luc_graph *g = t->spec.graph;
    t->values[t->spec.output].live = true;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const struct luc_node *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_out; k++)
            needed[i] = needed[i] || (node->out[k] != LUC_NONE && t->values[node->out[k]].live);
        for (size_t k = 0; needed[i] && k < node->n_in; k++)
            if (node->in[k] != LUC_NONE && !t->infos.info[node->in[k]].known)
                t->values[node->in[k]].live = true;
    }
}

static enum luc_status add_nodes(struct luc_tiles *t, const bool *needed, struct luc_error *err)
{
    const struct luc_graph *g = t->spec.graph;
    for (size_t i = 0; i < g->n_nodes; i++) {
        struct luc_tile_node *n = &t->nodes[t->n_nodes];
        if (!needed[i])
            continue;
        if (g->nodes[i].n_out != 1)
            return luc_fail(err, LUC_UNSUPPORTED,
                            "%s with several outputs cannot be computed in "
                            "tiles",
                            g->nodes[i].op->name);
        const enum luc_status st = luc_tile_node_init(n, &t->infos, &g->nodes[i], t->arena, err);
        if (st)
            return st;
        struct value *out = out_value(t, n);
        out->maker = t->n_nodes++;
        for (size_t k = 0; k < n->node->n_in; k++) {
            const struct value *in = in_value(t, n, k);
            if (in && in->pass > out->pass)
                out->pass = in->pass;
        }
        out->pass += is_global(n);
        out->small = n->kind == LUC_TILE_MEAN;
    }
    t->n_passes = t->values[t->spec.output].pass + 1;
    return LUC_OK;
}

static enum luc_status set_shapes(struct luc_tiles *t, struct luc_error *err)
{
    for (size_t i = 0; i < t->spec.graph->n_values; i++) {
        struct value *v = &t->values[i];
        const struct luc_shape *s = &t->infos.info[i].shape;
        if (!v->live)
            continue;
        if (s->rank != 4 || s->dim[0] != 1 || luc_numel(s) == 0)
            return luc_fail(err, LUC_UNSUPPORTED, "'%.80s' is not a picture",
                            t->spec.graph->values[i].name);
        v->channels = s->dim[1];
        v->side[0] = s->dim[2];
        v->side[1] = s->dim[3];
    }
    return LUC_OK;
}

/* What may be kept: read in a later pass than it is computed in. */
static void mark_cuts(struct luc_tiles *t)
{
    for (size_t i = 0; i < t->n_nodes; i++)
        for (size_t k = 0; k < t->nodes[i].node->n_in; k++) {
            struct value *in = in_value(t, &t->nodes[i], k);
            if (in && !in->small && in != &t->values[t->spec.graph->inputs[0]] &&
                out_value(t, &t->nodes[i])->pass > in->pass)
                in->cut = in->keeps = true;
        }
}

/* ---- one tile of one pass ---- */

/* Read from a whole picture in this pass, not computed. */
static bool is_source(const struct luc_tiles *t, const struct value *v, size_t pass)
{
    return v == &t->values[t->spec.graph->inputs[0]] || (v->keeps && v->pass < pass);
}

/* To be computed everywhere in this pass: to be kept, or to be answered. */
static bool is_goal(const struct luc_tiles *t, const struct value *v, size_t pass)
{
    return (v->keeps || v == &t->values[t->spec.output]) && v->pass == pass;
}

/* To be measured everywhere in this pass: the node's input, or NULL. */
static struct value *measured(struct luc_tiles *t, const struct luc_tile_node *n, size_t pass)
{
    return is_global(n) && out_value(t, n)->pass == pass + 1 ? in_value(t, n, 0) : NULL;
}

static struct luc_tile_box tile_box(const struct luc_tiles *t, const struct value *v,
                                    const size_t at[2])
{
    struct luc_tile_box b;
    for (size_t k = 0; k < 2; k++)
        b.axis[k] = (struct luc_span){ (ptrdiff_t)(v->side[k] * at[k] / t->grid[k]),
                                       (ptrdiff_t)(v->side[k] * (at[k] + 1) / t->grid[k]) };
    return b;
}

static bool is_empty(const struct luc_tile_box *b)
{
    return luc_tile_side(b, 0) == 0 || luc_tile_side(b, 1) == 0;
}

static void want(struct value *v, const struct luc_tile_box *box)
{
    if (is_empty(box))
        return;
    for (size_t k = 0; k < 2; k++) {
        struct luc_span *s = &v->part.box.axis[k];
        if (!v->wanted || box->axis[k].from < s->from)
            s->from = box->axis[k].from;
        if (!v->wanted || box->axis[k].to > s->to)
            s->to = box->axis[k].to;
    }
    v->wanted = true;
}

/* Which part of each value the tile takes, from the goals back to the sources. */
static void find_parts(struct luc_tiles *t, size_t pass, const size_t at[2])
{
    for (size_t i = 0; i < t->spec.graph->n_values; i++) {
        struct value *v = &t->values[i];
        v->wanted = false;
        v->part = (struct luc_tile_part){ .channels = v->channels };
        const struct luc_tile_box box = tile_box(t, v, at);
        if (v->live && is_goal(t, v, pass))
            want(v, &box);
    }
    for (size_t i = t->n_nodes; i-- > 0;) {
        struct luc_tile_node *n = &t->nodes[i];
        struct value *m = measured(t, n, pass), *out = out_value(t, n);
        if (m) {
            const struct luc_tile_box box = tile_box(t, m, at);
            want(m, &box);
        }
        if (!out->wanted || is_source(t, out, pass))
            continue;
        for (size_t k = 0; n->kind != LUC_TILE_MEAN && k < n->node->n_in; k++) {
            struct value *in = in_value(t, n, k);
            if (!in)
                continue;
            const struct luc_tile_box box = luc_tile_need(n, k, &out->part.box);
            want(in, &box);
        }
    }
    for (size_t i = 0; i < t->spec.graph->n_values; i++) {
        struct value *v = &t->values[i];
        if (v->live && v->wanted && is_source(t, v, pass)) {
            v->part.box = whole_of(v);
            v->part.data = v->whole;
            v->last = pass;
        }
    }
}

static void gather_inputs(struct luc_tiles *t, const struct luc_tile_node *n)
{
    for (size_t k = 0; k < n->node->n_in; k++) {
        const struct value *in = in_value(t, n, k);
        t->in[k] = in ? in->part : (struct luc_tile_part){ 0 };
    }
}

static bool runs_here(const struct luc_tiles *t, const struct value *out, size_t pass)
{
    return out->wanted && !is_source(t, out, pass);
}

/* The tile's buffers: [2i] what node i makes, until the last node that reads it; [2i + 1] node i's
 * scratch. *bytes: all together, placed so that what is not needed at once shares memory. */
static enum luc_status place_parts(struct luc_tiles *t, size_t pass, size_t *bytes,
                                   struct luc_error *err)
{
    struct luc_tile_work work = { .lanes = t->spec.lanes };
    for (size_t i = 0; i < t->n_nodes; i++) {
        struct luc_tile_node *n = &t->nodes[i];
        const struct value *out = out_value(t, n);
        t->buffers[2 * i] = t->buffers[2 * i + 1] = (struct luc_buffer){ .first = i, .last = i };
        if (!runs_here(t, out, pass))
            continue;
        work.used = 0;
        gather_inputs(t, n);
        const enum luc_status st = luc_tile_run(n, t->in, &out->part, &work, err);
        if (st)
            return st;
        t->buffers[2 * i].bytes = out->channels * luc_tile_side(&out->part.box, 0) *
                                  luc_tile_side(&out->part.box, 1) * sizeof(float);
        t->buffers[2 * i + 1].bytes = work.used;
        for (size_t k = 0; n->kind != LUC_TILE_MEAN && k < n->node->n_in; k++) {
            const struct value *in = in_value(t, n, k);
            if (in && runs_here(t, in, pass))
                t->buffers[2 * in->maker].last = i;
        }
    }
    t->flops += work.flops;
    return luc_place_buffers(t->buffers, 2 * t->n_nodes, t->arena, bytes, err);
}

/* ---- all passes, counted ---- */

static enum luc_status count_passes(struct luc_tiles *t, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    t->work_bytes = 0;
    t->flops = 0;
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        t->values[i].last = t->values[i].pass;
    for (size_t pass = 0; !st && pass < t->n_passes; pass++)
        for (size_t i = 0; !st && i < t->grid[0] * t->grid[1]; i++) {
            const struct luc_arena_mark mark = luc_arena_mark(t->arena);
            size_t bytes = 0;
            find_parts(t, pass, (size_t[]){ i / t->grid[1], i % t->grid[1] });
            st = place_parts(t, pass, &bytes, err);
            t->work_bytes = bytes > t->work_bytes ? bytes : t->work_bytes;
            luc_arena_release(t->arena, mark);
        }
    return st;
}

/* Where what is kept lies, from the pass that computes it to the last that reads it. */
static enum luc_status place_kept(struct luc_tiles *t, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(t->arena);
    struct luc_buffer *homes = luc_arena_alloc(t->arena, t->spec.graph->n_values, sizeof(*homes));
    size_t n = 0;
    if (!homes)
        return luc_fail_nomem(err, "tiles", t->spec.graph->n_values * sizeof(*homes));
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        if (t->values[i].keeps)
            homes[n++] = (struct luc_buffer){ .bytes = bytes_of(&t->values[i]),
                                              .first = t->values[i].pass,
                                              .last = t->values[i].last };
    const enum luc_status st = luc_place_buffers(homes, n, t->arena, &t->kept_bytes, err);
    for (size_t i = t->spec.graph->n_values; i-- > 0;)
        if (t->values[i].keeps)
            t->values[i].home = homes[--n];
    luc_arena_release(t->arena, mark);
    return st;
}

/* Most that is kept in any pass, bytes. */
static size_t most_kept(const struct luc_tiles *t)
{
    size_t most = 0;
    for (size_t pass = 0; pass < t->n_passes; pass++) {
        size_t sum = 0;
        for (size_t i = 0; i < t->spec.graph->n_values; i++)
            if (t->values[i].keeps && t->values[i].pass <= pass && pass <= t->values[i].last)
                sum += bytes_of(&t->values[i]);
        most = sum > most ? sum : most;
    }
    return most;
}

/* The work of one pass, tiles' margins left out; lifetimes grow to what it reads. */
static double work_of_pass(struct luc_tiles *t, size_t pass)
{
    double sum = 0;
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        t->values[i].wanted = t->values[i].live && is_goal(t, &t->values[i], pass);
    for (size_t i = t->n_nodes; i-- > 0;) {
        const struct luc_tile_node *n = &t->nodes[i];
        struct value *m = measured(t, n, pass);
        if (m)
            m->wanted = true;
        if (!runs_here(t, out_value(t, n), pass))
            continue;
        sum += t->node_work[i];
        for (size_t k = 0; n->kind != LUC_TILE_MEAN && k < n->node->n_in; k++) {
            struct value *in = in_value(t, n, k);
            if (in)
                in->wanted = true;
        }
    }
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        if (t->values[i].wanted && is_source(t, &t->values[i], pass))
            t->values[i].last = pass;
    return sum;
}

static double work_of_all(struct luc_tiles *t)
{
    double sum = 0;
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        t->values[i].last = t->values[i].pass;
    for (size_t pass = 0; pass < t->n_passes; pass++)
        sum += work_of_pass(t, pass);
    return sum;
}

/* Each node on the whole picture: its operations, and one for each element it writes. */
static enum luc_status measure_nodes(struct luc_tiles *t, struct luc_error *err)
{
    t->node_work = luc_arena_alloc(t->arena, t->n_nodes, sizeof(*t->node_work));
    if (!t->node_work)
        return luc_fail_nomem(err, "tiles", t->n_nodes * sizeof(*t->node_work));
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        t->values[i].part =
            (struct luc_tile_part){ NULL, t->values[i].channels, whole_of(&t->values[i]) };
    for (size_t i = 0; i < t->n_nodes; i++) {
        struct luc_tile_work work = { .lanes = t->spec.lanes };
        const struct value *out = out_value(t, &t->nodes[i]);
        gather_inputs(t, &t->nodes[i]);
        const enum luc_status st = luc_tile_run(&t->nodes[i], t->in, &out->part, &work, err);
        if (st)
            return st;
        t->node_work[i] = work.flops + (double)bytes_of(out);
    }
    return LUC_OK;
}

/* Keeps, one after the other, what saves most work, while it is at most `limit` bytes at once. */
static void keep_within(struct luc_tiles *t, size_t limit)
{
    const size_t n = t->spec.graph->n_values;
    for (size_t i = 0; i < n; i++)
        t->values[i].keeps = false;
    double least = work_of_all(t);
    for (struct value *best = t->values; best;) {
        best = NULL;
        for (size_t i = 0; i < n; i++) {
            struct value *v = &t->values[i];
            if (!v->cut || v->keeps || bytes_of(v) > limit)
                continue;
            v->keeps = true;
            const double work = work_of_all(t);
            if (work < least && most_kept(t) <= limit) {
                least = work;
                best = v;
            }
            v->keeps = false;
        }
        if (best)
            best->keeps = true;
    }
}

static bool fits(const struct luc_tiles *t)
{
    return t->kept_bytes <= t->spec.keep_bytes &&
           t->kept_bytes + t->work_bytes <= t->spec.limit_bytes;
}

static enum luc_status count_all(struct luc_tiles *t, struct luc_error *err)
{
    const enum luc_status st = count_passes(t, err);
    return st ? st : place_kept(t, err);
}

/* Everything at the cuts where that fits, else what is worth most: first in the room that a tile
 * leaves, then in less, as tiles need more where less is kept. */
static enum luc_status choose_kept(struct luc_tiles *t, struct luc_error *err)
{
    const size_t limit = t->spec.limit_bytes;
    enum luc_status st = count_all(t, err);
    if (st || fits(t))
        return st;
    size_t room = limit > t->work_bytes ? limit - t->work_bytes : 0;
    room = room < t->spec.keep_bytes ? room : t->spec.keep_bytes;
    for (;;) {
        keep_within(t, room);
        st = count_all(t, err);
        if (st || fits(t))
            return st;
        if (room == 0)
            return luc_fail(
                err, LUC_NOMEM,
                "tiles of %zu pixels need %zu bytes, %zu are left: use smaller tiles or "
                "raise the job memory limit",
                t->spec.tile, t->kept_bytes + t->work_bytes, limit);
        room = room > limit / 64 ? room - room / 4 : 0;
    }
}

/* ---- */

static enum luc_status allocate(struct luc_tiles *t, bool **needed, struct luc_error *err)
{
    const struct luc_graph *g = t->spec.graph;
    size_t inputs = 1;
    for (size_t i = 0; i < g->n_nodes; i++)
        inputs = g->nodes[i].n_in > inputs ? g->nodes[i].n_in : inputs;
    t->values = luc_arena_alloc(t->arena, g->n_values, sizeof(*t->values));
    t->nodes = luc_arena_alloc(t->arena, g->n_nodes, sizeof(*t->nodes));
    t->in = luc_arena_alloc(t->arena, inputs, sizeof(*t->in));
    t->buffers = luc_arena_alloc(t->arena, 2 * g->n_nodes, sizeof(*t->buffers));
    *needed = luc_arena_alloc(t->arena, g->n_nodes, sizeof(**needed));
    if (!t->values || !t->nodes || !t->in || !t->buffers || !*needed)
        return luc_fail_nomem(err, "tiles", g->n_values * sizeof(*t->values));
    for (size_t k = 0; k < 2; k++)
        t->grid[k] = (t->spec.input.dim[2 + k] + t->spec.tile - 1) / t->spec.tile;
    return LUC_OK;
}

enum luc_status luc_tiles_create(const struct luc_tiles_spec *spec, struct luc_arena *arena,
                                 struct luc_tiles **tiles, struct luc_tiles_info *info,
                                 struct luc_error *err)
{
    struct luc_tiles *t = luc_arena_alloc(arena, 1, sizeof(*t));
    bool *needed = NULL;
    if (!t)
        return luc_fail_nomem(err, "tiles", sizeof(*t));
    t->spec = *spec;
    t->spec.lanes = spec->lanes ? spec->lanes : 1;
    t->arena = arena;
    if (spec->graph->n_inputs != 1 || spec->input.rank != 4 || spec->input.dim[0] != 1)
        return luc_fail(err, LUC_UNSUPPORTED, "not a network of one picture");
    luc_graph_pack((struct luc_graph *)(uintptr_t)spec->graph); /* behind the const: under a lock */
    enum luc_status st = allocate(t, &needed, err);
    if (!st)
        st = infer_all(t, err);
    if (st)
        return st;
    mark_live(t, needed);
    st = add_nodes(t, needed, err);
    if (!st)
        st = set_shapes(t, err);
    if (st)
        return st;
    mark_cuts(t);
    st = measure_nodes(t, err);
    if (!st)
        st = choose_kept(t, err);
    if (st)
        return st;
    *info = (struct luc_tiles_info){ .n_tiles = t->grid[0] * t->grid[1],
                                     .n_passes = t->n_passes,
                                     .kept_bytes = t->kept_bytes,
                                     .work_bytes = t->work_bytes,
                                     .flops = t->flops,
                                     .output = t->infos.info[spec->output].shape };
    *tiles = t;
    return LUC_OK;
}

/* ---- running ---- */

/* Takes what this pass wants of a value that this tile has. */
static void collect(struct luc_tiles *t, struct value *v, size_t pass, const size_t at[2],
                    const struct luc_threads *threads)
{
    const struct luc_tile_box box = tile_box(t, v, at);
    if (is_empty(&box))
        return;
    for (size_t i = 0; i < t->n_nodes; i++)
        if (measured(t, &t->nodes[i], pass) == v)
            luc_tile_measure(&t->nodes[i], &v->part, &box, threads);
    if (is_goal(t, v, pass))
        luc_tile_copy(&v->part, &box, &(struct luc_tile_part){ v->whole, v->channels, whole_of(v) },
                      threads);
}

static enum luc_status run_tile(struct luc_tiles *t, size_t pass, const size_t at[2],
                                const struct luc_threads *threads, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(t->arena);
    struct value *input = &t->values[t->spec.graph->inputs[0]];
    size_t bytes = 0;
    find_parts(t, pass, at);
    enum luc_status st = place_parts(t, pass, &bytes, err);
    luc_arena_release(t->arena, mark);
    if (input->wanted)
        collect(t, input, pass, at, threads);
    for (size_t i = 0; !st && i < t->n_nodes; i++) {
        struct luc_tile_node *n = &t->nodes[i];
        struct value *out = out_value(t, n);
        if (!runs_here(t, out, pass))
            continue;
        struct luc_tile_work work = { .base = t->work + t->buffers[2 * i + 1].offset,
                                      .lanes = t->spec.lanes,
                                      .threads = threads };
        out->part.data = (float *)(void *)(t->work + t->buffers[2 * i].offset);
        gather_inputs(t, n);
        st = luc_tile_run(n, t->in, &out->part, &work, err);
        collect(t, out, pass, at, threads);
    }
    return st;
}

enum luc_status luc_tiles_run(struct luc_tiles *t, const float *input, float *out,
                              const struct luc_threads *threads, luc_tiles_tick *tick, void *ctx,
                              struct luc_error *err)
{
    const size_t n_tiles = t->grid[0] * t->grid[1];
    enum luc_status st = LUC_OK;
    t->kept = luc_arena_raw(t->arena, t->kept_bytes, 1);
    t->work = luc_arena_raw(t->arena, t->work_bytes, 1);
    if (!t->kept || !t->work)
        return luc_fail_nomem(err, "tiles", t->kept_bytes + t->work_bytes);
    if (luc_arena_is_dry(t->arena))
        return LUC_OK;
    for (size_t i = 0; i < t->spec.graph->n_values; i++)
        if (t->values[i].keeps)
            t->values[i].whole = (float *)(void *)(t->kept + t->values[i].home.offset);
    t->values[t->spec.graph->inputs[0]].whole = (float *)(uintptr_t)input; /* only read */
    t->values[t->spec.output].whole = out;
    for (size_t i = 0; i < t->n_nodes; i++)
        if (t->nodes[i].stats)
            memset(t->nodes[i].stats, 0,
                   t->infos.info[t->nodes[i].node->in[0]].shape.dim[1] *
                       sizeof(*t->nodes[i].stats));
    for (size_t pass = 0; !st && pass < t->n_passes; pass++)
        for (size_t i = 0; !st && i < n_tiles; i++) {
            st = run_tile(t, pass, (size_t[]){ i / t->grid[1], i % t->grid[1] }, threads, err);
            const double done = (double)(pass * n_tiles + i + 1) / (double)(t->n_passes * n_tiles);
            if (!st && tick)
                st = tick(ctx, done, err);
        }
    return st;
}
