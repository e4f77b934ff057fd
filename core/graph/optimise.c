#include "core/graph/optimise.h"

#include "core/graph/infer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- taking nodes out ---- */

/* Removes the nodes marked dead; producers are renumbered. */
static void remove_nodes(struct luc_graph *g, const bool *dead)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (dead[i])
            continue;
        g->nodes[kept] = g->nodes[i];
        for (size_t k = 0; k < g->nodes[kept].n_out; k++)
            if (g->nodes[kept].out[k] != LUC_NONE)
                g->values[g->nodes[kept].out[k]].producer = kept;
        kept++;
    }
    g->n_nodes = kept;
}

static size_t count_readers(const struct luc_graph *g, size_t value)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        for (size_t k = 0; k < g->nodes[i].n_in; k++)
            n += g->nodes[i].in[k] == value;
    for (size_t i = 0; i < g->n_outputs; i++)
        n += g->outputs[i] == value;
    return n;
}

/* ---- constant folding ---- */

static bool all_constant(const struct luc_graph *g, const struct luc_node *node)
{
    for (size_t k = 0; k < node->n_in; k++)
        if (node->in[k] != LUC_NONE && !g->values[node->in[k]].constant.data)
            return false;
    return true;
}

static void make_constant(struct luc_graph *g, const struct luc_infos *infos,
                          const struct luc_node *node)
{
    for (size_t k = 0; k < node->n_out; k++) {
        if (node->out[k] == LUC_NONE)
            continue;
        const struct luc_info *info = &infos->info[node->out[k]];
        struct luc_value *v = &g->values[node->out[k]];
        v->producer = LUC_NONE;
        v->constant =
            (struct luc_tensor){ info->shape, info->dtype, (float *)(uintptr_t)info->known };
    }
}

static enum luc_status fold_constants(struct luc_graph *g, bool *dead, struct luc_error *err)
{
    struct luc_infos infos;
    enum luc_status st = luc_infos_init(&infos, g, NULL, g->arena, err);
    infos.known_max = SIZE_MAX;
    for (size_t i = 0; !st && i < g->n_nodes; i++) {
        const struct luc_node *node = &g->nodes[i];
        if (!all_constant(g, node))
            continue;
        st = luc_infer_node(&infos, node, err);
        if (!st)
            make_constant(g, &infos, node);
        dead[i] = !st;
    }
    return st;
}

/* ---- batch normalisation into the convolution before it ---- */

/* y = scale[c] * x + shift[c], as some node after a convolution computes it. */
struct affine {
    float *scale, *shift;
    size_t channels;
};

static const float *constant_of(const struct luc_graph *g, size_t value, size_t n)
{
    const struct luc_tensor *t = value == LUC_NONE ? NULL : &g->values[value].constant;
    return t && t->data && luc_numel(&t->shape) == n ? t->data : NULL;
}

static double epsilon_of(const struct luc_node *node)
{
    const struct luc_param *row = luc_param_find(node->op->attrs, "epsilon");
    double epsilon = 0;
    memcpy(&epsilon, (const char *)node->attrs + row->offset, sizeof(epsilon));
    return epsilon;
}

static bool read_batch_norm(const struct luc_graph *g, const struct luc_node *node,
                            struct affine *a)
{
    const float *p[4] = { NULL };
    for (size_t k = 0; k < 4; k++)
        if (!(p[k] = constant_of(g, node->in[k + 1], a->channels)))
            return false;
    const double epsilon = epsilon_of(node);
    for (size_t c = 0; c < a->channels; c++) {
        const double s = (double)p[0][c] / sqrt((double)p[3][c] + epsilon);
        a->scale[c] = (float)s;
        a->shift[c] = (float)((double)p[1][c] - s * (double)p[2][c]);
    }
    return true;
}

/* A constant that broadcasts over [N, C, H, W] along C alone: [C, 1, 1], [1, C, 1, 1], or one
 * number. NULL when it does not. */
static const float *per_channel(const struct luc_graph *g, size_t value, size_t channels,
                                size_t *stride)
{
    const struct luc_tensor *t = &g->values[value].constant;
    const size_t n = t->data ? luc_numel(&t->shape) : 0;
    *stride = n == 1 ? 0 : 1;
    if (n == 1 && t->shape.rank <= 4)
        return t->data;
    const size_t r = t->shape.rank;
    const bool along_c = n == channels && (r == 3 || r == 4) && t->shape.dim[r - 3] == channels;
    return along_c ? t->data : NULL;
}

static bool read_mul_add(const struct luc_graph *g, const struct luc_node *node, size_t conv_out,
                         bool is_mul, struct affine *a)
{
    size_t stride = 0;
    const size_t other = node->in[0] == conv_out ? node->in[1] : node->in[0];
    const float *p = other == conv_out ? NULL : per_channel(g, other, a->channels, &stride);
    for (size_t c = 0; p && c < a->channels; c++) {
        a->scale[c] = is_mul ? p[c * stride] : 1.0f;
        a->shift[c] = is_mul ? 0.0f : p[c * stride];
    }
    return p != NULL;
}

static bool read_affine(const struct luc_graph *g, const struct luc_node *node, size_t conv_out,
                        struct affine *a)
{
    if (strcmp(node->op->name, "BatchNormalization") == 0)
        return node->in[0] == conv_out && node->n_out == 1 && read_batch_norm(g, node, a);
    if (strcmp(node->op->name, "Mul") == 0)
        return read_mul_add(g, node, conv_out, true, a);
    if (strcmp(node->op->name, "Add") == 0)
        return read_mul_add(g, node, conv_out, false, a);
    return false;
}

/* A constant that only this node reads, so that it may be changed: the same value, or a copy. */
static enum luc_status own_constant(struct luc_graph *g, struct luc_node *node, size_t k,
                                    struct luc_error *err)
{
    const size_t value = node->in[k];
    if (count_readers(g, value) == 1)
        return LUC_OK;
    const struct luc_tensor from = g->values[value].constant;
    const size_t n = luc_numel(&from.shape);
    char name[LUC_ERROR_TEXT];
    snprintf(name, sizeof(name), "%.200s/own%zu", g->values[node->out[0]].name, k);
    struct luc_tensor copy = from;
    copy.data = luc_arena_raw(g->arena, n, sizeof(float));
    if (!copy.data)
        return luc_fail_nomem(err, "weights", n * sizeof(float));
    memcpy(copy.data, from.data, n * sizeof(float));
    enum luc_status st = luc_graph_value(g, name, &node->in[k], err);
    return st ? st : luc_graph_set_constant(g, node->in[k], &copy, err);
}

/* Gives a convolution without a bias one of zeros. */
static enum luc_status own_bias(struct luc_graph *g, struct luc_node *conv, size_t channels,
                                struct luc_error *err)
{
    if (conv->n_in == 3 && conv->in[2] != LUC_NONE)
        return own_constant(g, conv, 2, err);
    char name[LUC_ERROR_TEXT];
    snprintf(name, sizeof(name), "%.200s/bias", g->values[conv->out[0]].name);
    struct luc_tensor zeros = { .shape = { 1, { channels } } };
    zeros.data = luc_arena_alloc(g->arena, channels, sizeof(float));
    size_t *in = luc_arena_alloc(g->arena, 3, sizeof(*in));
    if (!zeros.data || !in)
        return luc_fail_nomem(err, "bias", channels * sizeof(float));
    in[0] = conv->in[0];
    in[1] = conv->in[1];
    enum luc_status st = luc_graph_value(g, name, &in[2], err);
    if (!st)
        st = luc_graph_set_constant(g, in[2], &zeros, err);
    if (!st) {
        conv->in = in;
        conv->n_in = 3;
    }
    return st;
}

static enum luc_status apply_affine(struct luc_graph *g, struct luc_node *conv,
                                    const struct affine *a, struct luc_error *err)
{
    enum luc_status st = own_constant(g, conv, 1, err);
    if (!st)
        st = own_bias(g, conv, a->channels, err);
    if (st)
        return st;
    const struct luc_tensor *w = &g->values[conv->in[1]].constant;
    float *bias = g->values[conv->in[2]].constant.data;
    const size_t per = luc_numel(&w->shape) / a->channels;
    for (size_t c = 0; c < a->channels; c++) {
        for (size_t i = 0; i < per; i++)
            w->data[c * per + i] *= a->scale[c];
        bias[c] = bias[c] * a->scale[c] + a->shift[c];
    }
    return LUC_OK;
}

static bool is_foldable_conv(const struct luc_graph *g, const struct luc_node *node)
{
    if (strcmp(node->op->name, "Conv") != 0)
        return false;
    const struct luc_tensor *w = &g->values[node->in[1]].constant;
    const size_t bias = node->n_in == 3 ? node->in[2] : LUC_NONE;
    return w->data && w->shape.rank >= 1 && luc_numel(&w->shape) > 0 &&
           (bias == LUC_NONE || constant_of(g, bias, w->shape.dim[0]));
}

/* The conv whose output only `node` reads, or NULL. */
static struct luc_node *conv_before(struct luc_graph *g, const struct luc_node *node)
{
    for (size_t k = 0; k < node->n_in && k < 2; k++) {
        const size_t v = node->in[k];
        if (v == LUC_NONE || g->values[v].producer == LUC_NONE)
            continue;
        struct luc_node *conv = &g->nodes[g->values[v].producer];
        if (is_foldable_conv(g, conv) && count_readers(g, v) == 1)
            return conv;
    }
    return NULL;
}

static enum luc_status fold_one(struct luc_graph *g, size_t i, bool *dead, struct luc_error *err)
{
    const struct luc_node *node = &g->nodes[i];
    struct luc_node *conv = conv_before(g, node);
    if (!conv)
        return LUC_OK;
    struct affine a = { .channels = g->values[conv->in[1]].constant.shape.dim[0] };
    a.scale = luc_arena_alloc(g->arena, 2 * a.channels, sizeof(float));
    if (!a.scale)
        return luc_fail_nomem(err, "weights", 2 * a.channels * sizeof(float));
    a.shift = a.scale + a.channels;
    if (!read_affine(g, node, conv->out[0], &a))
        return LUC_OK;

    const enum luc_status st = apply_affine(g, conv, &a, err);
    if (st)
        return st;
    g->values[conv->out[0]].producer = LUC_NONE;
    conv->out[0] = node->out[0];
    g->values[node->out[0]].producer = (size_t)(conv - g->nodes);
    dead[i] = true;
    return LUC_OK;
}

static enum luc_status fold_batch_norm(struct luc_graph *g, bool *dead, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < g->n_nodes; i++)
        st = fold_one(g, i, dead, err);
    return st;
}

/* ---- packing ---- */

typedef enum luc_status prepare_fn(const struct luc_op_call *c, struct luc_arena *arena,
                                   const void **packed, struct luc_error *err);

static enum luc_status prepare_node(struct luc_graph *g, const struct luc_node *node,
                                    prepare_fn *prepare, const struct luc_threads *threads,
                                    const void **packed, struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(g->arena);
    struct luc_tensor *t = luc_arena_alloc(g->arena, node->n_in, sizeof(*t));
    const struct luc_tensor **in = luc_arena_alloc(g->arena, node->n_in, sizeof(*in));
    if (!t || !in)
        return luc_fail_nomem(err, "weights", node->n_in * sizeof(*t));
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == LUC_NONE)
            continue;
        t[k] = g->values[node->in[k]].constant;
        in[k] = &t[k];
    }
    const struct luc_op_call call = { .attrs = node->attrs,
                                      .opset = g->opset,
                                      .n_in = node->n_in,
                                      .n_out = node->n_out,
                                      .in = in,
                                      .threads = threads };
    const enum luc_status st = prepare(&call, g->arena, packed, err);
    if (!st && !*packed)
        luc_arena_release(g->arena, mark);
    return st;
}

static bool packs_late(const struct luc_node *node)
{
    return (node->op->flags & LUC_OP_PACKS_LATE) != 0;
}

/* Those that do not pack late: at load. */
static enum luc_status prepare_nodes(struct luc_graph *g, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    for (size_t i = 0; !st && i < g->n_nodes; i++) {
        struct luc_node *node = &g->nodes[i];
        if (node->op->prepare && !node->prepared && !packs_late(node))
            st = prepare_node(g, node, node->op->prepare, NULL, &node->prepared, err);
    }
    return st;
}

/* Under the lock. What does not fit into memory stays as it is. */
static void pack_node(struct luc_graph *g, struct luc_node *node, unsigned wants,
                      const struct luc_threads *threads)
{
    const unsigned left = wants & ~node->tried;
    enum luc_status st = LUC_OK;
    if ((left & LUC_PACKS_PACKED) && node->op->pack)
        st = prepare_node(g, node, node->op->pack, threads, &node->packed, NULL);
    if ((left & LUC_PACKS_PREPARED) && node->op->prepare && packs_late(node))
        st = prepare_node(g, node, node->op->prepare, threads, &node->prepared, NULL);
    (void)st;
    node->tried |= wants;
}

struct luc_packed luc_graph_take(struct luc_graph *g, struct luc_node *node, unsigned wants,
                                 const struct luc_threads *threads)
{
    if (node->origin)
        g = node->owner, node = node->origin;
    luc_lock_take(g->lock);
    pack_node(g, node, wants, threads);
    const struct luc_packed packed = {
        .prepared = (wants & LUC_PACKS_PREPARED) || !packs_late(node) ? node->prepared : NULL,
        .packed = wants & LUC_PACKS_PACKED ? node->packed : NULL,
    };
    luc_lock_drop(g->lock);
    return packed;
}

void luc_graph_pack(struct luc_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct luc_packed packed = luc_graph_take(g, &g->nodes[i], LUC_PACKS_ALL, NULL);
        if (g->nodes[i].origin)
            g->nodes[i].prepared = packed.prepared, g->nodes[i].packed = packed.packed;
    }
}

size_t luc_graph_bytes(const struct luc_graph *g)
{
    luc_lock_take(g->lock);
    const size_t bytes = luc_arena_used(g->arena);
    luc_lock_drop(g->lock);
    return bytes;
}

static enum luc_status run_pass(struct luc_graph *g,
                                enum luc_status (*pass)(struct luc_graph *, bool *,
                                                        struct luc_error *),
                                struct luc_error *err)
{
    bool *dead = luc_arena_alloc(g->arena, g->n_nodes, sizeof(*dead));
    if (!dead)
        return luc_fail_nomem(err, "graph", g->n_nodes);
    const enum luc_status st = pass(g, dead, err);
    remove_nodes(g, dead);
    return st;
}

enum luc_status luc_graph_optimise(struct luc_graph *g, unsigned passes, struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    if (passes & LUC_FOLD_CONSTANTS)
        st = run_pass(g, fold_constants, err);
    if (!st && (passes & LUC_FOLD_BATCH_NORM))
        st = run_pass(g, fold_batch_norm, err);
    if (!st && (passes & LUC_PREPARE))
        st = prepare_nodes(g, err);
    return st;
}
