#include "core/graph/tile_node.h"

#include <math.h>
#include <string.h>

static const struct luc_shape *shape_of(const struct luc_tile_node *t, size_t value)
{
    return &t->infos->info[value].shape;
}

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
                                             .packed = node->packed,
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
        box.axis[axis] = luc_tile_reach(t, 0, axis, out->box.axis[axis]);
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
        const struct luc_tile_slide s = luc_tile_slide(t, axis);
        box.axis[axis] = luc_tile_reach(t, 0, axis, out->box.axis[axis]);
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
                                               (ptrdiff_t)shape_of(t, t->node->in[0])->dim[d]);
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
    const struct luc_moments *s = &p->t->stats[c];
    const size_t h = luc_tile_side(&p->out->box, 0), w = luc_tile_side(&p->out->box, 1);
    const size_t width = luc_tile_side(&p->in->box, 1), height = luc_tile_side(&p->in->box, 0);
    const size_t dy = (size_t)(p->out->box.axis[0].from - p->in->box.axis[0].from);
    const size_t dx = (size_t)(p->out->box.axis[1].from - p->in->box.axis[1].from);
    const float scale = (float)((double)p->scale[c] / sqrt(s->m2 / s->n + p->epsilon));
    const float mean = (float)s->mean, shift = p->shift[c];
    (void)lane;
    for (size_t y = 0; y < h; y++)
        luc_normalise_row(p->in->data + (c * height + dy + y) * width + dx, w, scale, mean, shift,
                          false, p->out->data + (c * h + y) * w);
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

static void measure_plane(void *ctx, size_t c, size_t lane)
{
    const struct planes *p = ctx;
    const size_t h = luc_tile_side(p->box, 0), w = luc_tile_side(p->box, 1);
    const size_t width = luc_tile_side(&p->in->box, 1), height = luc_tile_side(&p->in->box, 0);
    const float *x = p->in->data + c * height * width +
                     (size_t)(p->box->axis[0].from - p->in->box.axis[0].from) * width +
                     (size_t)(p->box->axis[1].from - p->in->box.axis[1].from);
    (void)lane;
    for (size_t y = 0; y < h; y++)
        luc_moments_add(&p->t->stats[c], x + y * width, w);
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
