#include "core/graph/tile_node.h"

#include <math.h>
#include <string.h>

/* ---- what a node is ---- */

static const struct luc_shape *shape_of(const struct luc_tile_node *t, size_t value)
{
    return &t->infos->info[value].shape;
}

static size_t in_side(const struct luc_tile_node *t, size_t k, size_t axis)
{
    const struct luc_shape *s = shape_of(t, t->node->in[k]);
    return s->rank == 4 ? s->dim[2 + axis] : 1;
}

static enum luc_status not_known(const struct luc_node *node, struct luc_error *err)
{
    return luc_fail(err, LUC_UNSUPPORTED, "%s%s%s cannot be computed in tiles", node->op->name,
                    node->name[0] ? " " : "", node->name);
}

/* A whole list attribute or input; n 0: not given. */
static struct luc_reals numbers(const struct luc_tile_node *t, size_t input, const char *key)
{
    struct luc_reals list = { 0 };
    size_t n = 0;
    const float *known = luc_node_known(t->infos, t->node, input, &n);
    const struct luc_param *row = luc_param_find(t->node->op->attrs, key);
    const void *attr = luc_node_attr(t->node, key);
    if (known && n <= LUC_LIST_MAX)
        for (list.n = 0; list.n < n; list.n++)
            list.v[list.n] = (double)known[list.n];
    else if (row && row->type == LUC_PARAM_REALS)
        list = *(const struct luc_reals *)attr;
    else if (row && row->type == LUC_PARAM_INTS)
        for (list.n = 0; list.n < ((const struct luc_ints *)attr)->n; list.n++)
            list.v[list.n] = (double)((const struct luc_ints *)attr)->v[list.n];
    return list;
}

static enum luc_status init_transpose(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_shape *x = shape_of(t, t->node->in[0]), *w = shape_of(t, t->node->in[1]);
    const struct luc_ints *asked = luc_node_attr(t->node, "output_shape");
    size_t pads[4];
    if (x->rank != 4 || w->rank != 4 || asked->n ||
        !luc_node_chose(t->node, "auto_pad", luc_auto_pad_names[LUC_PAD_NOTSET]))
        return not_known(t->node, err);
    const struct luc_window_attrs *a = t->node->attrs; /* begins with the shared ones */
    enum luc_status st = luc_window_base(a, x, w->dim + 2, &t->win, err);
    if (!st)
        st = luc_window_list(&a->pads, "pads", 2, 2, 0, pads, err);
    if (st)
        return st;
    t->win.pt = pads[0];
    t->win.pl = pads[1];
    st = luc_unpad(t->node, t->attrs, err);
    return st ? st
              : luc_param_set_numbers(t->node->op->attrs, "output_padding", NULL, 0, t->attrs, err);
}

static enum luc_status init_resize(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_node *node = t->node;
    const struct luc_shape *x = shape_of(t, node->in[0]), *y = shape_of(t, node->out[0]);
    const bool up = luc_node_is(node, "Upsample");
    const bool early = up || t->infos->graph->opset < 11;
    const struct luc_ints *axes = luc_node_attr(node, "axes");
    const struct luc_reals scales = numbers(t, early ? 1 : 2, "scales");
    const struct luc_reals sizes = early ? (struct luc_reals){ 0 } : numbers(t, 3, "sizes");
    if (x->rank != 4 || x->dim[1] != y->dim[1] || (axes && axes->n) ||
        (scales.n != 4 && sizes.n != 4))
        return not_known(node, err);
    struct luc_resample *r = &t->resample;
    memcpy(&t->first[0], luc_node_attr(node, "mode"), sizeof(int64_t));
    r->mode = (enum luc_resample_mode)t->first[0];
    r->coord = LUC_ASYMMETRIC;
    r->round = LUC_FLOOR;
    if (!early) {
        r->coord = (enum luc_resample_coord) *
                   (const int64_t *)luc_node_attr(node, "coordinate_transformation_mode");
        r->round = (enum luc_resample_round) * (const int64_t *)luc_node_attr(node, "nearest_mode");
    }
    if (!up) {
        r->cubic_a = *(const double *)luc_node_attr(node, "cubic_coeff_a");
        r->exclude_outside = *(const int64_t *)luc_node_attr(node, "exclude_outside") != 0;
    }
    for (size_t d = 0; d < 4; d++) {
        r->scale[d] = sizes.n == 4 ? (double)y->dim[d] / (double)x->dim[d] : scales.v[d];
        r->part[d] = (struct luc_resample_part){ 0, 0, x->dim[d], y->dim[d] };
    }
    return LUC_OK;
}

static enum luc_status init_slice(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_shape *x = shape_of(t, t->node->in[0]);
    const struct luc_reals starts = numbers(t, 1, "starts"), axes = numbers(t, 3, "axes");
    const struct luc_reals steps = numbers(t, 4, "steps");
    for (size_t i = 0; i < starts.n; i++) {
        const double named = axes.n ? axes.v[i] : (double)i;
        const size_t d = (size_t)(named < 0 ? named + 4 : named);
        const double start = starts.v[i] < 0 ? starts.v[i] + (double)x->dim[d] : starts.v[i];
        if (steps.n && steps.v[i] < 1)
            return not_known(t->node, err);
        if (d < 2)
            continue;
        t->first[d - 2] = (ptrdiff_t)fmin(fmax(start, 0), (double)x->dim[d]);
        t->step[d - 2] = steps.n ? (ptrdiff_t)steps.v[i] : 1;
    }
    return LUC_OK;
}

static enum luc_status init_gather(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_node *node = t->node;
    const struct luc_shape *x = shape_of(t, node->in[0]), *y = shape_of(t, node->out[0]);
    size_t n = 0;
    if (x->rank != 4 || y->rank != 4 || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1])
        return not_known(node, err);
    t->step[0] = t->step[1] = 1;
    if (luc_node_is(node, "Pad")) {
        const float *value = luc_node_known(t->infos, node, 2, &n);
        const double *attr = luc_node_attr(node, "value");
        if (!luc_node_pads(t->infos, node, t->first))
            return not_known(node, err);
        t->first[0] = -t->first[0];
        t->first[1] = -t->first[1];
        t->pad = (enum luc_pad_mode) * (const int64_t *)luc_node_attr(node, "mode");
        t->fill = value ? value[0] : (float)*attr;
    } else if (luc_node_is(node, "Slice")) {
        return init_slice(t, err);
    } else if (!luc_shape_equal(x, y)) {
        return not_known(node, err);
    }
    return LUC_OK;
}

/* All channels at every place; constants must be the same at every place. */
static enum luc_status init_pointwise(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_node *node = t->node;
    const struct luc_shape *y = shape_of(t, node->out[0]);
    const bool joins = luc_node_is(node, "Concat");
    if (y->rank != 4 || y->dim[0] != 1)
        return not_known(node, err);
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == LUC_NONE)
            continue;
        const struct luc_info *in = &t->infos->info[node->in[k]];
        const size_t n = in->shape.rank;
        const bool flat =
            n < 1 || (in->shape.dim[n - 1] == 1 && (n < 2 || in->shape.dim[n - 2] == 1));
        if (in->known ? !flat && !luc_node_is(node, "BatchNormalization")
                      : n != 4 || (joins && (in->shape.dim[2] != y->dim[2] ||
                                             in->shape.dim[3] != y->dim[3])))
            return not_known(node, err);
    }
    if (joins && luc_node_known(t->infos, node, 0, &(size_t){ 0 }))
        return not_known(node, err);
    return LUC_OK;
}

static bool means_places(const struct luc_tile_node *t)
{
    const struct luc_shape *x = shape_of(t, t->node->in[0]), *y = shape_of(t, t->node->out[0]);
    return (luc_node_is(t->node, "GlobalAveragePool") || luc_node_is(t->node, "ReduceMean")) &&
           x->rank == 4 && y->rank == 4 && x->dim[1] == y->dim[1] && y->dim[2] == 1 &&
           y->dim[3] == 1;
}

static enum luc_status classify(struct luc_tile_node *t, struct luc_error *err)
{
    const struct luc_node *node = t->node;
    size_t n = 0;
    if (luc_slides(node)) {
        t->kind = LUC_TILE_WINDOW;
        t->fill = luc_node_is(node, "MaxPool") ? -HUGE_VALF : 0.0f;
        const enum luc_status st = luc_node_window(t->infos, node, &t->win, err);
        return st ? st : luc_unpad(node, t->attrs, err);
    }
    if (luc_node_is(node, "ConvTranspose")) {
        t->kind = LUC_TILE_TRANSPOSE;
        return init_transpose(t, err);
    }
    if (luc_node_is(node, "Resize") || luc_node_is(node, "Upsample")) {
        t->kind = LUC_TILE_RESIZE;
        return init_resize(t, err);
    }
    if (luc_node_is(node, "Pad") || luc_node_is(node, "Slice") || luc_node_is(node, "Reshape")) {
        t->kind = LUC_TILE_GATHER;
        return init_gather(t, err);
    }
    if (luc_node_is(node, "InstanceNormalization") && shape_of(t, node->in[0])->rank == 4 &&
        luc_node_known(t->infos, node, 1, &n) && luc_node_known(t->infos, node, 2, &n)) {
        t->kind = LUC_TILE_NORM;
        return LUC_OK;
    }
    if (means_places(t)) {
        t->kind = LUC_TILE_MEAN;
        return LUC_OK;
    }
    t->kind = LUC_TILE_POINTWISE;
    return luc_is_pointwise(node) ? init_pointwise(t, err) : not_known(node, err);
}

enum luc_status luc_tile_node_init(struct luc_tile_node *t, const struct luc_infos *infos,
                                   const struct luc_node *node, struct luc_arena *arena,
                                   struct luc_error *err)
{
    const size_t n = node->n_in, attrs = node->op->attrs_size;
    *t = (struct luc_tile_node){ .node = node, .infos = infos };
    t->tensor = luc_arena_alloc(arena, n, sizeof(*t->tensor));
    t->info = luc_arena_alloc(arena, n, sizeof(*t->info));
    t->tensor_at = luc_arena_alloc(arena, n, sizeof(struct luc_tensor *));
    t->info_at = luc_arena_alloc(arena, n, sizeof(struct luc_info *));
    t->attrs = luc_arena_alloc(arena, attrs, 1);
    if (!t->tensor || !t->info || !t->tensor_at || !t->info_at || !t->attrs)
        return luc_fail_nomem(err, "tiles", n * sizeof(*t->tensor) + attrs);
    if (attrs)
        memcpy(t->attrs, node->attrs, attrs);
    const enum luc_status st = classify(t, err);
    if (st || (t->kind != LUC_TILE_NORM && t->kind != LUC_TILE_MEAN))
        return st;
    const size_t channels = shape_of(t, node->in[0])->dim[1];
    t->stats = luc_arena_alloc(arena, channels, sizeof(*t->stats));
    return t->stats ? LUC_OK : luc_fail_nomem(err, "tiles", channels * sizeof(*t->stats));
}

/* ---- which part of the input ---- */

static ptrdiff_t floor_div(ptrdiff_t a, ptrdiff_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

struct luc_tile_slide luc_tile_slide(const struct luc_tile_node *t, size_t axis)
{
    const struct luc_window *w = &t->win;
    if (axis == 0)
        return (struct luc_tile_slide){ (ptrdiff_t)w->sh, (ptrdiff_t)luc_extent(w->kh, w->dh),
                                        (ptrdiff_t)w->pt };
    return (struct luc_tile_slide){ (ptrdiff_t)w->sw, (ptrdiff_t)luc_extent(w->kw, w->dw),
                                    (ptrdiff_t)w->pl };
}

/* The inputs whose transposed windows cover all of [from, to), reaching past the layer if need be. */
static struct luc_span transposed(struct luc_tile_slide s, struct luc_span out)
{
    struct luc_span in = { floor_div(out.from + s.pad - (s.extent - 1), s.stride),
                           floor_div(out.to - 1 + s.pad, s.stride) + 1 };
    if ((in.to - 1) * s.stride + s.extent - s.pad < out.to)
        in.to++;
    return in;
}

static struct luc_span gathered(const struct luc_tile_node *t, size_t axis, struct luc_span out)
{
    struct luc_span in = { 0, 1 };
    bool any = false;
    for (ptrdiff_t o = out.from; o < out.to; o++) {
        const ptrdiff_t i = luc_pad_source(t->pad, t->first[axis] + o * t->step[axis],
                                           (ptrdiff_t)in_side(t, 0, axis));
        if (i < 0)
            continue;
        in.from = !any || i < in.from ? i : in.from;
        in.to = !any || i + 1 > in.to ? i + 1 : in.to;
        any = true;
    }
    return in;
}

static struct luc_span resized(const struct luc_tile_node *t, size_t axis, struct luc_span out)
{
    size_t from = 0, to = 0, last_from, last_to;
    if (t->resample.scale[2 + axis] == 1.0)
        return out;
    luc_resample_reach(&t->resample, 2 + axis, (size_t)out.from, &from, &to);
    luc_resample_reach(&t->resample, 2 + axis, (size_t)(out.to - 1), &last_from, &last_to);
    return (struct luc_span){ (ptrdiff_t)from, (ptrdiff_t)last_to };
}

struct luc_span luc_tile_reach(const struct luc_tile_node *t, size_t k, size_t axis,
                               struct luc_span out)
{
    const struct luc_tile_slide s = luc_tile_slide(t, axis);
    switch (t->kind) {
    case LUC_TILE_WINDOW:
        return (struct luc_span){ out.from * s.stride - s.pad,
                                  (out.to - 1) * s.stride - s.pad + s.extent };
    case LUC_TILE_TRANSPOSE: return transposed(s, out);
    case LUC_TILE_RESIZE: return resized(t, axis, out);
    case LUC_TILE_GATHER: return gathered(t, axis, out);
    case LUC_TILE_POINTWISE:
    case LUC_TILE_NORM:
    case LUC_TILE_MEAN: break;
    }
    return in_side(t, k, axis) == 1 ? (struct luc_span){ 0, 1 } : out;
}

struct luc_tile_box luc_tile_need(const struct luc_tile_node *t, size_t k,
                                  const struct luc_tile_box *out)
{
    struct luc_tile_box in;
    for (size_t axis = 0; axis < 2; axis++) {
        const ptrdiff_t side = (ptrdiff_t)in_side(t, k, axis);
        struct luc_span s = luc_tile_reach(t, k, axis, out->axis[axis]);
        s.from = s.from < 0 ? 0 : s.from >= side ? side - 1 : s.from;
        s.to = s.to > side ? side : s.to <= s.from ? s.from + 1 : s.to;
        in.axis[axis] = s;
    }
    return in;
}
