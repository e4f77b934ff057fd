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
        const struct luc_reals starts = numbers(t, 1, "starts"), axes = numbers(t, 3, "axes");
        const struct luc_reals steps = numbers(t, 4, "steps");
        for (size_t i = 0; i < starts.n; i++) {
            const double named = axes.n ? axes.v[i] : (double)i;
            const size_t d = (size_t)(named < 0 ? named + 4 : named);
            const double start = starts.v[i] < 0 ? starts.v[i] + (double)x->dim[d] : starts.v[i];
            if (steps.n && steps.v[i] < 1)
                return not_known(node, err);
            if (d < 2)
                continue;
            t->first[d - 2] = (ptrdiff_t)fmin(fmax(start, 0), (double)x->dim[d]);
            t->step[d - 2] = steps.n ? (ptrdiff_t)steps.v[i] : 1;
        }
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

struct slide {
    ptrdiff_t stride, extent, pad;
};

static struct slide slide_of(const struct luc_tile_node *t, size_t axis)
{
    const struct luc_window *w = &t->win;
    if (axis == 0)
        return (struct slide){ (ptrdiff_t)w->sh, (ptrdiff_t)luc_extent(w->kh, w->dh),
                               (ptrdiff_t)w->pt };
    return (struct slide){ (ptrdiff_t)w->sw, (ptrdiff_t)luc_extent(w->kw, w->dw),
                           (ptrdiff_t)w->pl };
}

/* The inputs whose transposed windows cover all of [from, to), reaching past the layer if need be. */
static struct luc_span transposed(struct slide s, struct luc_span out)
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

/* May reach past the layer. */
static struct luc_span need_axis(const struct luc_tile_node *t, size_t k, size_t axis,
                                 struct luc_span out)
{
    const struct slide s = slide_of(t, axis);
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
        struct luc_span s = need_axis(t, k, axis, out->axis[axis]);
        s.from = s.from < 0 ? 0 : s.from >= side ? side - 1 : s.from;
        s.to = s.to > side ? side : s.to <= s.from ? s.from + 1 : s.to;
        in.axis[axis] = s;
    }
    return in;
}

/* ---- running ---- */

static void *take(struct luc_tile_work *w, size_t bytes)
{
    void *at = w->base ? w->base + w->used : NULL;
    w->used += (bytes + LUC_ALIGN - 1) / LUC_ALIGN * LUC_ALIGN;
    return at;
}

static struct luc_shape part_shape(size_t channels, const struct luc_tile_box *box)
{
    return luc_shape4(1, channels, luc_tile_side(box, 0), luc_tile_side(box, 1));
}

static bool same_box(const struct luc_tile_box *a, const struct luc_tile_box *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* `box` of a part as a tensor of its own; what the part does not have is `fill`. */
static struct luc_tensor fetch(const struct luc_tile_part *part, const struct luc_tile_box *box,
                               float fill, struct luc_tile_work *w)
{
    struct luc_tensor t = { part_shape(part->channels, box), LUC_F32, part->data };
    const struct luc_shape from = part_shape(part->channels, &part->box);
    struct luc_remap m;
    if (same_box(&part->box, box))
        return t;
    t.data = take(w, luc_numel(&t.shape) * sizeof(float));
    ptrdiff_t *tables = take(w, luc_remap_tables(&t.shape) * sizeof(*tables));
    if (!w->base)
        return t;
    luc_remap_init(&m, &from, &t.shape, tables);
    for (size_t d = 0; d < 4; d++)
        for (size_t o = 0; o < t.shape.dim[d]; o++) {
            ptrdiff_t i = (ptrdiff_t)o;
            if (d >= 2)
                i += box->axis[d - 2].from - part->box.axis[d - 2].from;
            m.table[d][o] = i >= 0 && i < (ptrdiff_t)from.dim[d] ? i : -1;
        }
    luc_remap_forward(&m, w->threads, part->data, t.data, fill);
    return t;
}

/* Runs the operator itself: inputs that are parts are cut to `boxes`, the others are the graph's. */
static enum luc_status call_op(struct luc_tile_node *t, const struct luc_tile_part *in,
                               const struct luc_tile_box *first, const struct luc_tile_box *want,
                               float *out, struct luc_tile_work *w, struct luc_error *err)
{
    const struct luc_node *node = t->node;
    for (size_t k = 0; k < node->n_in; k++) {
        t->tensor_at[k] = NULL;
        t->info_at[k] = NULL;
        if (node->in[k] == LUC_NONE)
            continue;
        t->info[k] = t->infos->info[node->in[k]];
        t->tensor[k] = (struct luc_tensor){ t->info[k].shape, t->info[k].dtype,
                                            (float *)(uintptr_t)t->info[k].known };
        if (in[k].channels) {
            const struct luc_tile_box box = first ? *first : luc_tile_need(t, k, want);
            t->tensor[k] = fetch(&in[k], &box, t->fill, w);
            t->info[k] = (struct luc_info){ t->tensor[k].shape, LUC_F32, NULL };
        }
        t->tensor_at[k] = &t->tensor[k];
        t->info_at[k] = &t->info[k];
    }
    struct luc_infer x = { .attrs = t->attrs,
                           .opset = t->infos->graph->opset,
                           .n_in = node->n_in,
                           .in = t->info_at,
                           .n_out = 1,
                           .out = { { .dtype = LUC_F32 } } };
    struct luc_tensor y = { .shape = part_shape(shape_of(t, node->out[0])->dim[1], want),
                            .data = out };
    const enum luc_status st = node->op->infer(&x, err);
    if (st)
        return st;
    if (!luc_shape_equal(&x.out[0].shape, &y.shape))
        return luc_fail(err, LUC_INTERNAL, "%s: a tile has another size than expected",
                        node->op->name);
    const size_t bytes = node->op->scratch ? node->op->scratch(&x, false, w->lanes) : 0;
    void *scratch = bytes ? take(w, bytes) : NULL;
    if (!w->base) {
        w->flops += node->op->flops ? node->op->flops(&x) : 0;
        return LUC_OK;
    }
    struct luc_tensor *outs[LUC_OP_MAX_OUT] = { &y };
    node->op->forward(&(struct luc_op_call){ .attrs = t->attrs,
                                             .opset = x.opset,
                                             .prepared = node->prepared,
                                             .n_in = node->n_in,
                                             .n_out = 1,
                                             .in = t->tensor_at,
                                             .out = outs,
                                             .scratch = scratch,
                                             .threads = w->threads });
    return LUC_OK;
}

static enum luc_status run_window(struct luc_tile_node *t, const struct luc_tile_part *in,
                                  const struct luc_tile_part *out, struct luc_tile_work *w,
                                  struct luc_error *err)
{
    struct luc_tile_box box;
    for (size_t axis = 0; axis < 2; axis++)
        box.axis[axis] = need_axis(t, 0, axis, out->box.axis[axis]);
    return call_op(t, in, &box, &out->box, out->data, w, err);
}

/* All that the inputs reach, then the part of it that is wanted. */
static enum luc_status run_transpose(struct luc_tile_node *t, const struct luc_tile_part *in,
                                     const struct luc_tile_part *out, struct luc_tile_work *w,
                                     struct luc_error *err)
{
    struct luc_tile_part all = *out;
    struct luc_tile_box box;
    for (size_t axis = 0; axis < 2; axis++) {
        const struct slide s = slide_of(t, axis);
        box.axis[axis] = transposed(s, out->box.axis[axis]);
        all.box.axis[axis] =
            (struct luc_span){ box.axis[axis].from * s.stride - s.pad,
                               (box.axis[axis].to - 1) * s.stride + s.extent - s.pad };
    }
    const struct luc_shape shape = part_shape(out->channels, &all.box);
    all.data = take(w, luc_numel(&shape) * sizeof(float));
    const enum luc_status st = call_op(t, in, &box, &all.box, all.data, w, err);
    if (!st && w->base)
        luc_tile_copy(&all, &out->box, out, w->threads);
    return st;
}

static void run_gather(const struct luc_tile_node *t, const struct luc_tile_part *in,
                       const struct luc_tile_part *out, struct luc_tile_work *w)
{
    const struct luc_shape from = part_shape(in->channels, &in->box),
                           to = part_shape(out->channels, &out->box);
    struct luc_remap m;
    ptrdiff_t *tables = take(w, luc_remap_tables(&to) * sizeof(*tables));
    if (!w->base)
        return;
    luc_remap_init(&m, &from, &to, tables);
    for (size_t d = 0; d < 4; d++)
        for (size_t o = 0; o < to.dim[d]; o++) {
            m.table[d][o] = (ptrdiff_t)o;
            if (d < 2)
                continue;
            const ptrdiff_t place = out->box.axis[d - 2].from + (ptrdiff_t)o;
            const ptrdiff_t i = luc_pad_source(t->pad, t->first[d - 2] + place * t->step[d - 2],
                                               (ptrdiff_t)in_side(t, 0, d - 2));
            m.table[d][o] = i < 0 ? -1 : i - in->box.axis[d - 2].from;
        }
    luc_remap_forward(&m, w->threads, in->data, out->data, t->fill);
}

static void run_resize(const struct luc_tile_node *t, const struct luc_tile_part *in,
                       const struct luc_tile_part *out, struct luc_tile_work *w)
{
    struct luc_resample r = t->resample;
    const struct luc_tile_box box = luc_tile_need(t, 0, &out->box);
    const struct luc_tensor x = fetch(in, &box, 0.0f, w);
    r.in = x.shape;
    r.out = part_shape(out->channels, &out->box);
    for (size_t axis = 0; axis < 2; axis++) {
        r.part[2 + axis].in_from = (size_t)box.axis[axis].from;
        r.part[2 + axis].out_from = (size_t)out->box.axis[axis].from;
    }
    void *scratch = take(w, luc_resample_scratch(&r));
    if (w->base)
        luc_resample_forward(&r, w->threads, scratch, x.data, out->data);
}

/* ---- statistics of whole pictures ---- */

struct planes {
    struct luc_tile_node *t;
    const struct luc_tile_part *in, *out;
    const struct luc_tile_box *box;
    const float *scale, *shift;
    double epsilon;
};

/* As op_instance_normalization.c does it, with the whole picture's statistics. */
static void norm_plane(void *ctx, size_t c, size_t lane)
{
    const struct planes *p = ctx;
    const struct luc_tile_stats *s = &p->t->stats[c];
    const size_t h = luc_tile_side(&p->out->box, 0), w = luc_tile_side(&p->out->box, 1);
    const size_t width = luc_tile_side(&p->in->box, 1), height = luc_tile_side(&p->in->box, 0);
    const size_t dy = (size_t)(p->out->box.axis[0].from - p->in->box.axis[0].from);
    const size_t dx = (size_t)(p->out->box.axis[1].from - p->in->box.axis[1].from);
    const float scale = (float)((double)p->scale[c] / sqrt(s->m2 / s->n + p->epsilon));
    const float mean = (float)s->mean, shift = p->shift[c];
    (void)lane;
    for (size_t y = 0; y < h; y++) {
        const float *x = p->in->data + (c * height + dy + y) * width + dx;
        float *to = p->out->data + (c * h + y) * w;
        for (size_t i = 0; i < w; i++)
            to[i] = scale * (x[i] - mean) + shift;
    }
}

static void run_norm(struct luc_tile_node *t, const struct luc_tile_part *in,
                     const struct luc_tile_part *out, const struct luc_threads *threads)
{
    size_t n = 0;
    struct planes p = { .t = t,
                        .in = in,
                        .out = out,
                        .scale = luc_node_known(t->infos, t->node, 1, &n),
                        .shift = luc_node_known(t->infos, t->node, 2, &n),
                        .epsilon = *(const double *)luc_node_attr(t->node, "epsilon") };
    luc_parallel_for(threads, out->channels, norm_plane, &p);
}

/* Two passes over the box, then Chan, Golub & LeVeque's rule for joining statistics. */
static void measure_plane(void *ctx, size_t c, size_t lane)
{
    const struct planes *p = ctx;
    const size_t h = luc_tile_side(p->box, 0), w = luc_tile_side(p->box, 1);
    const size_t width = luc_tile_side(&p->in->box, 1), height = luc_tile_side(&p->in->box, 0);
    const float *x = p->in->data + c * height * width +
                     (size_t)(p->box->axis[0].from - p->in->box.axis[0].from) * width +
                     (size_t)(p->box->axis[1].from - p->in->box.axis[1].from);
    const double n = (double)h * (double)w;
    double sum[4] = { 0 }, square[4] = { 0 };
    (void)lane;
    for (size_t y = 0; y < h; y++)
        for (size_t i = 0; i < w; i++)
            sum[i % 4] += (double)x[y * width + i];
    const double mean = (sum[0] + sum[1] + sum[2] + sum[3]) / n;
    for (size_t y = 0; y < h; y++)
        for (size_t i = 0; i < w; i++) {
            const double d = (double)x[y * width + i] - mean;
            square[i % 4] += d * d;
        }
    struct luc_tile_stats *s = &p->t->stats[c];
    const double all = s->n + n, away = mean - s->mean;
    s->m2 += square[0] + square[1] + square[2] + square[3] + away * away * s->n * n / all;
    s->mean += away * n / all;
    s->n = all;
}

void luc_tile_measure(struct luc_tile_node *t, const struct luc_tile_part *in,
                      const struct luc_tile_box *box, const struct luc_threads *threads)
{
    struct planes p = { .t = t, .in = in, .box = box };
    luc_parallel_for(threads, in->channels, measure_plane, &p);
}

struct copy {
    const struct luc_tile_part *from, *to;
    const struct luc_tile_box *box;
};

static void copy_plane(void *ctx, size_t c, size_t lane)
{
    const struct copy *j = ctx;
    const struct luc_tile_box *a = &j->from->box, *b = &j->to->box;
    const size_t from = luc_tile_side(a, 1), to = luc_tile_side(b, 1);
    (void)lane;
    for (ptrdiff_t y = j->box->axis[0].from; y < j->box->axis[0].to; y++)
        memcpy(j->to->data + (c * luc_tile_side(b, 0) + (size_t)(y - b->axis[0].from)) * to +
                   (j->box->axis[1].from - b->axis[1].from),
               j->from->data + (c * luc_tile_side(a, 0) + (size_t)(y - a->axis[0].from)) * from +
                   (j->box->axis[1].from - a->axis[1].from),
               luc_tile_side(j->box, 1) * sizeof(float));
}

void luc_tile_copy(const struct luc_tile_part *from, const struct luc_tile_box *box,
                   const struct luc_tile_part *to, const struct luc_threads *threads)
{
    struct copy j = { from, to, box };
    luc_parallel_for(threads, from->channels, copy_plane, &j);
}

enum luc_status luc_tile_run(struct luc_tile_node *t, const struct luc_tile_part *in,
                             const struct luc_tile_part *out, struct luc_tile_work *work,
                             struct luc_error *err)
{
    switch (t->kind) {
    case LUC_TILE_WINDOW: return run_window(t, in, out, work, err);
    case LUC_TILE_TRANSPOSE: return run_transpose(t, in, out, work, err);
    case LUC_TILE_RESIZE: run_resize(t, in, out, work); break;
    case LUC_TILE_GATHER: run_gather(t, in, out, work); break;
    case LUC_TILE_POINTWISE: return call_op(t, in, NULL, &out->box, out->data, work, err);
    case LUC_TILE_NORM:
        if (work->base)
            run_norm(t, in, out, work->threads);
        break;
    case LUC_TILE_MEAN:
        for (size_t c = 0; work->base && c < out->channels; c++)
            out->data[c] = (float)t->stats[c].mean;
        break;
    }
    return LUC_OK;
}
