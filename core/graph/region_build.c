#include "core/graph/region_build.h"

#include "core/graph/region_window.h"
#include "core/graph/spatial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST 0.75 /* a window of more than this share of its layer: run the layer whole */

/* ---- small helpers ---- */

static size_t n_grid(const struct luc_region *r, size_t axis)
{
    return axis == 0 ? r->spec.n_ys : r->spec.n_xs;
}

static const struct luc_shape *shape_of(const struct luc_region *r, size_t value)
{
    return &r->infos.info[value].shape;
}

static enum luc_status new_value(struct luc_region *r, size_t *value, struct luc_error *err)
{
    char name[32];
    snprintf(name, sizeof(name), "v%zu", r->n_names++);
    return luc_graph_value(r->graph, name, value, err);
}

static enum luc_status new_axis(struct luc_region *r, size_t which, struct luc_region_axis *a,
                                struct luc_error *err)
{
    a->origin = luc_arena_alloc(r->arena, n_grid(r, which), sizeof(*a->origin));
    return a->origin ? LUC_OK : luc_fail_nomem(err, "regions", n_grid(r, which));
}

/* The longest that a window may be. */
static size_t size_limit(const struct luc_region *r, size_t side)
{
    const double most = r->spec.most_side;
    const size_t limit = most > 0 && most < 1 ? (size_t)ceil(most * (double)side) : side;
    return limit > 0 ? limit : 1;
}

/* Fits every interval [origin, end) into the layer and gives all the same size; where that is more
 * than they may have, the middle of each. */
static void settle(const struct luc_region *r, size_t which, struct luc_region_axis *a,
                   const ptrdiff_t *end)
{
    const ptrdiff_t side = (ptrdiff_t)a->side;
    const size_t limit = size_limit(r, a->side);
    size_t size = 1;
    for (size_t i = 0; i < n_grid(r, which); i++) {
        const ptrdiff_t from = a->origin[i] < 0 ? 0 : a->origin[i];
        const ptrdiff_t to = end[i] > side ? side : end[i];
        if (to > from && (size_t)(to - from) > size)
            size = (size_t)(to - from);
    }
    a->size = size < limit ? size : limit;
    for (size_t i = 0; i < n_grid(r, which); i++) {
        const ptrdiff_t last = side - (ptrdiff_t)a->size;
        const ptrdiff_t to = end[i] > side ? side : end[i];
        ptrdiff_t from = a->origin[i] < 0 ? 0 : a->origin[i];
        if (to - from > (ptrdiff_t)a->size)
            from += (to - from - (ptrdiff_t)a->size) / 2;
        a->origin[i] = from > last ? last : from;
    }
}

static bool same_axes(const struct luc_region *r, const struct luc_region_axis a[2],
                      const struct luc_region_axis b[2])
{
    for (size_t k = 0; k < 2; k++)
        if (a[k].size != b[k].size ||
            memcmp(a[k].origin, b[k].origin, n_grid(r, k) * sizeof(*a[k].origin)) != 0)
            return false;
    return true;
}

static bool is_most(const struct luc_region_axis *y, const struct luc_region_axis *x)
{
    return (double)y->size * (double)x->size > MOST * (double)y->side * (double)x->side;
}

/* ---- building the regional graph ---- */

/* A constant of the original graph, shared; or a clean value that a copied node made. */
static enum luc_status regional(struct luc_region *r, size_t value, size_t *out,
                                struct luc_error *err)
{
    struct luc_region_part *p = &r->parts[value];
    const struct luc_info *info = &r->infos.info[value];
    if (p->value == LUC_NONE) {
        if (!info->known)
            return luc_fail(err, LUC_UNSUPPORTED, "a value that cannot be carried over");
        const struct luc_tensor t = { info->shape, info->dtype, (float *)(uintptr_t)info->known };
        enum luc_status st = new_value(r, &p->value, err);
        if (!st)
            st = luc_graph_set_constant(r->graph, p->value, &t, err);
        if (st)
            return st;
    }
    *out = p->value;
    return LUC_OK;
}

/* The kept activation of a value; its bytes are set once the whole picture's run exists. */
static enum luc_status keep(struct luc_region *r, size_t value, size_t *out, struct luc_error *err)
{
    struct luc_region_part *p = &r->parts[value];
    if (p->kept == LUC_NONE) {
        const enum luc_status st = new_value(r, &p->kept, err);
        if (st)
            return st;
        r->kept[r->n_kept++] = value;
    }
    *out = p->kept;
    return LUC_OK;
}

/* A node that cuts [crop origin, + size) out of a windowed value; none where that is the window
 * itself, as for convolutions of one place, or was cut before. */
static enum luc_status add_crop(struct luc_region *r, size_t value,
                                const struct luc_region_axis crop[2], float fill, size_t *out,
                                struct luc_error *err)
{
    struct luc_region_part *p = &r->parts[value];
    size_t in[2] = { p->value, LUC_NONE };
    void *attrs = NULL;
    if (same_axes(r, crop, p->axis)) {
        *out = p->value;
        return LUC_OK;
    }
    if (p->cut != LUC_NONE && p->cut_fill == fill && same_axes(r, crop, p->cut_axis)) {
        *out = p->cut;
        return LUC_OK;
    }
    enum luc_status st = keep(r, value, &in[1], err);
    if (!st)
        st = new_value(r, out, err);
    if (!st)
        st = luc_graph_add_node(r->graph, &luc_op_region_window, "window", in, 2, out, 1, &attrs,
                                err);
    if (st)
        return st;
    *(struct luc_crop *)attrs = (struct luc_crop){
        .y = { crop[0].origin, p->axis[0].origin, crop[0].size, r->at[0] },
        .x = { crop[1].origin, p->axis[1].origin, crop[1].size, r->at[1] },
        .fill = fill,
    };
    p->cut = *out;
    p->cut_fill = fill;
    p->cut_axis[0] = crop[0], p->cut_axis[1] = crop[1];
    return LUC_OK;
}

/* The value whole, for each slot. */
static enum luc_status make_whole(struct luc_region *r, size_t value, struct luc_error *err)
{
    struct luc_region_part *p = &r->parts[value];
    if (p->state != LUC_REGION_WINDOW)
        return LUC_OK;
    struct luc_region_axis all[2] = { { .size = p->axis[0].side }, { .size = p->axis[1].side } };
    enum luc_status st = new_axis(r, 0, &all[0], err); /* origins are zero */
    if (!st)
        st = new_axis(r, 1, &all[1], err);
    size_t out = LUC_NONE;
    if (!st)
        st = add_crop(r, value, all, 0.0f, &out, err);
    if (st)
        return st;
    p->value = out;
    p->state = LUC_REGION_WHOLE;
    return LUC_OK;
}

static enum luc_status copy_node(struct luc_region *r, const struct luc_node *node,
                                 const size_t *in, void **attrs, struct luc_error *err)
{
    size_t out[LUC_OP_MAX_OUT];
    void *copy = NULL;
    enum luc_status st = LUC_OK;
    for (size_t k = 0; !st && k < node->n_out; k++) {
        out[k] = LUC_NONE;
        if (node->out[k] == LUC_NONE)
            continue;
        st = new_value(r, &out[k], err);
        r->parts[node->out[k]].value = out[k];
    }
    if (!st)
        st = luc_graph_add_node(r->graph, node->op, node->name, in, node->n_in, out, node->n_out,
                                &copy, err);
    if (st)
        return st;
    memcpy(copy, node->attrs, node->op->attrs_size);
    struct luc_node *made = &r->graph->nodes[r->graph->n_nodes - 1];
    luc_node_follow(made, r->spec.graph, node); /* the weights are the same */
    if (attrs)
        *attrs = copy;
    return LUC_OK;
}

static enum luc_status regional_inputs(struct luc_region *r, const struct luc_node *node,
                                       size_t **in, struct luc_error *err)
{
    *in = luc_arena_alloc(r->arena, node->n_in, sizeof(**in));
    enum luc_status st = *in ? LUC_OK : luc_fail_nomem(err, "regions", node->n_in);
    for (size_t k = 0; !st && k < node->n_in; k++) {
        (*in)[k] = LUC_NONE;
        if (node->in[k] != LUC_NONE)
            st = regional(r, node->in[k], &(*in)[k], err);
    }
    return st;
}

/* Windowed inputs are made whole first; outputs are whole, or clean when every input is. */
static enum luc_status add_whole(struct luc_region *r, const struct luc_node *node, bool clean,
                                 struct luc_error *err)
{
    size_t *in = NULL;
    enum luc_status st = LUC_OK;
    for (size_t k = 0; !st && k < node->n_in; k++)
        if (node->in[k] != LUC_NONE)
            st = make_whole(r, node->in[k], err);
    if (!st)
        st = regional_inputs(r, node, &in, err);
    if (!st)
        st = copy_node(r, node, in, NULL, err);
    for (size_t k = 0; !st && k < node->n_out; k++)
        if (node->out[k] != LUC_NONE)
            r->parts[node->out[k]].state = clean ? LUC_REGION_CLEAN : LUC_REGION_WHOLE;
    return st;
}

/* ---- convolution and pooling: the window grows ---- */

struct slide {
    size_t stride, extent, pad, side; /* side: of the output */
};

/* Which outputs the input's window reaches, and what they look at. */
static enum luc_status slide_axis(struct luc_region *r, size_t which,
                                  const struct luc_region_axis *in, struct slide s,
                                  struct luc_region_axis *out, struct luc_region_axis *crop,
                                  struct luc_error *err)
{
    const size_t n = n_grid(r, which);
    const ptrdiff_t stride = (ptrdiff_t)s.stride, extent = (ptrdiff_t)s.extent,
                    pad = (ptrdiff_t)s.pad;
    ptrdiff_t *end = luc_arena_alloc(r->arena, n, sizeof(*end));
    enum luc_status st = end ? new_axis(r, which, out, err) : luc_fail_nomem(err, "regions", n);
    if (!st)
        st = new_axis(r, which, crop, err);
    if (st)
        return st;
    out->side = s.side;
    for (size_t i = 0; i < n; i++) {
        const ptrdiff_t first = in->origin[i] + pad - extent + 1;
        const ptrdiff_t last = in->origin[i] + (ptrdiff_t)in->size - 1 + pad;
        out->origin[i] = first <= 0 ? 0 : (first + stride - 1) / stride;
        end[i] = last / stride + 1;
    }
    settle(r, which, out, end);
    crop->size = (out->size - 1) * s.stride + s.extent;
    for (size_t i = 0; i < n; i++)
        crop->origin[i] = out->origin[i] * stride - pad;
    return LUC_OK;
}

static enum luc_status add_sliding(struct luc_region *r, const struct luc_node *node,
                                   struct luc_error *err)
{
    struct luc_window w;
    struct luc_region_part *in = &r->parts[node->in[0]], *out = &r->parts[node->out[0]];
    struct luc_region_axis crop[2];
    enum luc_status st = luc_node_window(&r->infos, node, &w, err);
    if (!st)
        st = slide_axis(r, 0, &in->axis[0],
                        (struct slide){ w.sh, luc_extent(w.kh, w.dh), w.pt, w.oh }, &out->axis[0],
                        &crop[0], err);
    if (!st)
        st = slide_axis(r, 1, &in->axis[1],
                        (struct slide){ w.sw, luc_extent(w.kw, w.dw), w.pl, w.ow }, &out->axis[1],
                        &crop[1], err);
    if (st)
        return st;
    if (is_most(&out->axis[0], &out->axis[1]))
        return add_whole(r, node, false, err);

    size_t *inputs = NULL;
    void *attrs = NULL;
    const float fill = strcmp(node->op->name, "MaxPool") == 0 ? -HUGE_VALF : 0.0f;
    st = regional_inputs(r, node, &inputs, err);
    if (!st)
        st = add_crop(r, node->in[0], crop, fill, &inputs[0], err);
    if (!st)
        st = copy_node(r, node, inputs, &attrs, err);
    out->state = LUC_REGION_WINDOW;
    return st ? st : luc_unpad(node, attrs, err);
}

/* ---- operators that work place by place: the window stays ---- */

/* Concat along channels only; clean operands must be the same at every place. */
static bool fits_windows(const struct luc_region *r, const struct luc_node *node)
{
    const struct luc_shape *y = shape_of(r, node->out[0]);
    const bool normalises = strcmp(node->op->name, "BatchNormalization") == 0;
    const bool joins = strcmp(node->op->name, "Concat") == 0;
    if (y->rank != 4)
        return false;
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == LUC_NONE)
            continue;
        const struct luc_region_part *p = &r->parts[node->in[k]];
        const struct luc_shape *s = shape_of(r, node->in[k]);
        const size_t n = s->rank;
        const bool flat = n < 1 || (s->dim[n - 1] == 1 && (n < 2 || s->dim[n - 2] == 1));
        if (p->state == LUC_REGION_WHOLE ||
            (p->state == LUC_REGION_CLEAN && (joins || (!flat && !normalises))))
            return false;
        if (p->state == LUC_REGION_WINDOW &&
            (s->rank != 4 || s->dim[2] != y->dim[2] || s->dim[3] != y->dim[3]))
            return false;
    }
    return !joins || shape_of(r, node->in[0])->dim[1] != y->dim[1] || node->n_in == 1;
}

/* The smallest window that covers all windowed inputs. */
static enum luc_status union_axis(struct luc_region *r, const struct luc_node *node, size_t which,
                                  struct luc_region_axis *out, struct luc_error *err)
{
    const size_t n = n_grid(r, which);
    ptrdiff_t *end = luc_arena_alloc(r->arena, n, sizeof(*end));
    const enum luc_status st =
        end ? new_axis(r, which, out, err) : luc_fail_nomem(err, "regions", n);
    if (st)
        return st;
    bool first = true;
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == LUC_NONE || r->parts[node->in[k]].state != LUC_REGION_WINDOW)
            continue;
        const struct luc_region_axis *a = &r->parts[node->in[k]].axis[which];
        out->side = a->side;
        for (size_t i = 0; i < n; i++) {
            const ptrdiff_t to = a->origin[i] + (ptrdiff_t)a->size;
            out->origin[i] = first || a->origin[i] < out->origin[i] ? a->origin[i] : out->origin[i];
            end[i] = first || to > end[i] ? to : end[i];
        }
        first = false;
    }
    settle(r, which, out, end);
    return LUC_OK;
}

static enum luc_status add_pointwise(struct luc_region *r, const struct luc_node *node,
                                     struct luc_error *err)
{
    struct luc_region_part *out = &r->parts[node->out[0]];
    size_t *in = NULL;
    enum luc_status st = union_axis(r, node, 0, &out->axis[0], err);
    if (!st)
        st = union_axis(r, node, 1, &out->axis[1], err);
    if (st)
        return st;
    if (is_most(&out->axis[0], &out->axis[1]))
        return add_whole(r, node, false, err);
    st = regional_inputs(r, node, &in, err);
    for (size_t k = 0; !st && k < node->n_in; k++)
        if (node->in[k] != LUC_NONE && r->parts[node->in[k]].state == LUC_REGION_WINDOW &&
            !same_axes(r, r->parts[node->in[k]].axis, out->axis))
            st = add_crop(r, node->in[k], out->axis, 0.0f, &in[k], err);
    if (!st)
        st = copy_node(r, node, in, NULL, err);
    out->state = LUC_REGION_WINDOW;
    return st;
}

/* ---- padding: the same window, counted from another corner ---- */

static bool pads_with_constant(const struct luc_region *r, const struct luc_node *node)
{
    const struct luc_shape *x = shape_of(r, node->in[0]), *y = shape_of(r, node->out[0]);
    return luc_node_is(node, "Pad") && luc_node_chose(node, "mode", "constant") && x->rank == 4 &&
           y->rank == 4 && x->dim[0] == y->dim[0] && x->dim[1] == y->dim[1];
}

static enum luc_status add_pad(struct luc_region *r, const struct luc_node *node,
                               const ptrdiff_t before[2], struct luc_error *err)
{
    const struct luc_region_part *in = &r->parts[node->in[0]];
    struct luc_region_part *out = &r->parts[node->out[0]];
    for (size_t k = 0; k < 2; k++) {
        out->axis[k] = in->axis[k];
        out->axis[k].side = shape_of(r, node->out[0])->dim[2 + k];
        const enum luc_status st = new_axis(r, k, &out->axis[k], err);
        if (st)
            return st;
        for (size_t i = 0; i < n_grid(r, k); i++)
            out->axis[k].origin[i] = in->axis[k].origin[i] + before[k];
    }
    out->state = LUC_REGION_WINDOW;
    out->value = in->value;
    return LUC_OK;
}

/* ---- all nodes ---- */

static enum luc_status add_node(struct luc_region *r, const struct luc_node *node,
                                struct luc_error *err)
{
    bool windowed = false, clean = true;
    ptrdiff_t before[2];
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == LUC_NONE)
            continue;
        windowed = windowed || r->parts[node->in[k]].state == LUC_REGION_WINDOW;
        clean = clean && r->parts[node->in[k]].state == LUC_REGION_CLEAN;
    }
    if (node->op->flags & LUC_OP_SHAPE_ONLY)
        return luc_fail(err, LUC_UNSUPPORTED, "a network that asks for its own shapes");
    if (windowed && r->parts[node->in[0]].state == LUC_REGION_WINDOW) {
        if (luc_slides(node))
            return add_sliding(r, node, err);
        if (pads_with_constant(r, node) && luc_node_pads(&r->infos, node, before))
            return add_pad(r, node, before, err);
    }
    if (windowed && luc_is_pointwise(node) && fits_windows(r, node))
        return add_pointwise(r, node, err);
    return add_whole(r, node, clean, err);
}

/* Which nodes the wanted values need. */
static void mark_needed(const struct luc_region *r, bool *value_needed, bool *node_needed)
{
    const struct luc_graph *g = r->spec.graph;
    for (size_t i = 0; i < r->spec.n_values; i++)
        value_needed[r->spec.values[i]] = true;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const struct luc_node *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_out; k++)
            node_needed[i] =
                node_needed[i] || (node->out[k] != LUC_NONE && value_needed[node->out[k]]);
        for (size_t k = 0; node_needed[i] && k < node->n_in; k++)
            if (node->in[k] != LUC_NONE)
                value_needed[node->in[k]] = true;
    }
}

static enum luc_status add_input(struct luc_region *r, struct luc_error *err)
{
    const struct luc_region_spec *s = &r->spec;
    struct luc_region_part *p = &r->parts[s->graph->inputs[0]];
    const size_t *grid[2] = { s->ys, s->xs }, patch[2] = { s->patch_h, s->patch_w };
    const struct luc_shape *x = &s->input->shape;
    const struct luc_shape shape = luc_shape4(s->batch, x->dim[1], s->patch_h, s->patch_w);
    enum luc_status st = new_value(r, &p->value, err);
    if (!st)
        st = luc_graph_add_input(r->graph, p->value, &shape, err);
    for (size_t k = 0; !st && k < 2; k++) {
        st = new_axis(r, k, &p->axis[k], err);
        p->axis[k].size = patch[k];
        p->axis[k].side = x->dim[2 + k];
        for (size_t i = 0; !st && i < n_grid(r, k); i++)
            p->axis[k].origin[i] = (ptrdiff_t)grid[k][i];
    }
    p->state = LUC_REGION_WINDOW;
    return st;
}

enum luc_status luc_region_build(struct luc_region *r, struct luc_error *err)
{
    const struct luc_graph *g = r->spec.graph;
    bool *values = luc_arena_alloc(r->arena, g->n_values, sizeof(*values));
    bool *nodes = luc_arena_alloc(r->arena, g->n_nodes, sizeof(*nodes));
    if (!values || !nodes)
        return luc_fail_nomem(err, "regions", g->n_values);
    mark_needed(r, values, nodes);
    r->graph->opset = g->opset;
    enum luc_status st = add_input(r, err);
    for (size_t i = 0; !st && i < g->n_nodes; i++) {
        if (!nodes[i])
            continue;
        st = luc_infer_node(&r->infos, &g->nodes[i], err);
        if (!st && r->infos.info[g->nodes[i].out[0]].known)
            continue; /* regional() shares what is known */
        if (!st)
            st = add_node(r, &g->nodes[i], err);
    }
    for (size_t i = 0; !st && i < r->spec.n_values; i++)
        st = make_whole(r, r->spec.values[i], err);
    return st;
}
