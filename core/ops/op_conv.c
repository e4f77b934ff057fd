/* Conv -- https://onnx.ai/onnx/operators/onnx__Conv.html
 *
 *   in   x  [N, C, H, W] or [N, C, W]
 *        w  [M, C / group, kH, kW] or [M, C / group, kW]
 *        b  [M], optional
 *   out  y  [N, M, oH, oW]
 *
 *   y[n,m,oh,ow] = b[m] + sum_{c,i,j} w[m,c,i,j] x[n,c',oh sH - pT + i dH, ow sW - pL + j dW]
 *   dx = the transposed convolution of dy,  dw = x correlated with dy,  db[m] = sum_{n,h,w} dy
 *
 * Source: Fukushima, "Neocognitron", 1980; LeCun et al., "Gradient-Based Learning Applied to
 * Document Recognition", 1998. How it is computed: core/kernels/conv.h.
 */
#include "core/kernels/clones.h"
#include "core/kernels/conv_panel.h"
#include "core/kernels/conv_point.h"
#include "core/kernels/walk.h"
#include "core/kernels/winograd.h"
#include "core/ops/op.h"

#include <limits.h>
#include <string.h>

struct attrs {
    struct luc_window_attrs win;
    int64_t group;
};

static const struct luc_param attr_table[] = {
    LUC_WINDOW_ROWS(struct luc_window_attrs),
    LUC_INT(struct attrs, group, 1, 1, INT_MAX, "", "Groups that channels are split into"),
    LUC_PARAM_END,
};

/* The rows above know the fields of attrs.win by their offset in it. */
_Static_assert(offsetof(struct attrs, win) == 0, "win comes first");

static enum luc_status geometry(const struct luc_infer *x, struct luc_conv *g,
                                struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    const struct luc_shape *in = &x->in[0]->shape, *w = &x->in[1]->shape;
    const size_t group = (size_t)a->group;

    if (w->rank != in->rank || w->rank < 3)
        return luc_fail(err, w->rank == 5 ? LUC_UNSUPPORTED : LUC_SHAPE,
                        "x has rank %zu, weights rank %zu: want 4 (or 3) for both", in->rank,
                        w->rank);
    const size_t kernel[2] = { w->rank == 4 ? w->dim[2] : 1, w->dim[w->rank - 1] };
    const enum luc_status st = luc_window_resolve(&a->win, in, kernel, false, &g->win, err);
    if (st)
        return st;
    if (w->dim[0] == 0 || in->dim[1] % group != 0 || w->dim[0] % group != 0 ||
        w->dim[1] != in->dim[1] / group)
        return luc_fail(err, LUC_SHAPE,
                        "%zu channels in %zu groups do not fit weights of %zu x %zu channels",
                        in->dim[1], group, w->dim[0], w->dim[1]);
    g->n = in->dim[0], g->c_in = in->dim[1], g->c_out = w->dim[0], g->groups = group;
    return luc_conv_check(g, err);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_conv g;
    enum luc_status st = luc_shape_check(&x->in[1]->shape, "weights", err);
    if (st || (st = geometry(x, &g, err)) != LUC_OK)
        return st;
    if (x->n_in > 2 && x->in[2] && (x->in[2]->shape.rank != 1 || x->in[2]->shape.dim[0] != g.c_out))
        return luc_fail(err, LUC_SHAPE, "the bias must be [%zu]", g.c_out);
    x->out[0].shape = luc_window_shape(&x->in[0]->shape, g.c_out, g.win.oh, g.win.ow);
    return luc_shape_check(&x->out[0].shape, "output", err);
}

/* The gradient to the input as a convolution whose weights are packed anew in every run. */
static bool is_mirrored(const struct luc_conv *g, struct luc_conv *mirrored)
{
    return luc_conv_panel_pays(g) && luc_conv_panel_mirror(g, mirrored) &&
           luc_conv_panel_pays(mirrored);
}

static size_t mirrored_floats(const struct luc_conv *mirrored)
{
    return luc_panels_floats(mirrored->c_out, mirrored->c_in * mirrored->win.kh * mirrored->win.kw);
}

/* Sums on packed weights, in strips or in tiles. */
static size_t packed_scratch(const struct luc_conv *g, size_t lanes)
{
    return luc_conv_point_pays(g) ? luc_conv_point_scratch(g, lanes)
                                  : luc_conv_panel_scratch(g, lanes);
}

static void packed_y(const struct luc_conv *g, const float *x, const float *panels,
                     const struct luc_conv_finish *fin, float *y, void *scratch,
                     const struct luc_threads *threads)
{
    (luc_conv_point_pays(g) ? luc_conv_point_y : luc_conv_panel_y)(
        g, x, panels, fin, y, luc_tile_narrow(), scratch, threads);
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    struct luc_conv g, mirrored;
    if (geometry(x, &g, NULL))
        return 0;
    const size_t unrolled = luc_conv_scratch(&g, lanes);
    const size_t winograd =
        luc_winograd_pays(&g, backward) ? luc_winograd_scratch(&g, backward, lanes) : 0;
    size_t packed = 0;
    if (!backward && luc_conv_panel_pays(&g))
        packed = packed_scratch(&g, lanes);
    else if (backward && is_mirrored(&g, &mirrored))
        packed = mirrored_floats(&mirrored) * sizeof(float) + packed_scratch(&mirrored, lanes);
    const size_t most = unrolled > winograd ? unrolled : winograd;
    return most > packed ? most : packed;
}

/* As forward() and backward_x() choose. */
static unsigned wants(const struct luc_infer *x, bool fast, bool backward)
{
    struct luc_conv g;
    if (geometry(x, &g, NULL) != LUC_OK)
        return LUC_PACKS_ALL;
    const bool forward_fast = fast && luc_winograd_pays(&g, false);
    const bool backward_fast = fast && backward && luc_winograd_pays(&g, true);
    return (forward_fast || backward_fast ? LUC_PACKS_PREPARED : 0) |
           (!forward_fast && luc_conv_panel_pays(&g) ? LUC_PACKS_PACKED : 0);
}

static double flops(const struct luc_infer *x)
{
    struct luc_conv g;
    if (geometry(x, &g, NULL) != LUC_OK)
        return 0;
    const size_t products = g.c_in / g.groups * g.win.kh * g.win.kw; /* per element of the output */
    return 2.0 * (double)luc_numel(&x->out[0].shape) * (double)products;
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return (wanted & 1u ? LUC_READS_IN(1) : 0) | (wanted & 2u ? LUC_READS_IN(0) : 0);
}

/* As infer() found it: the shapes agree by now. */
static struct luc_conv describe(const struct luc_op_call *c)
{
    struct luc_conv g = { .n = 0 };
    const struct luc_info in0 = { .shape = c->in[0]->shape }, in1 = { .shape = c->in[1]->shape };
    const struct luc_info *const in[2] = { &in0, &in1 };
    const struct luc_infer x = { .attrs = c->attrs, .opset = c->opset, .n_in = 2, .in = in };
    const enum luc_status st = geometry(&x, &g, NULL);
    (void)st;
    return g;
}

/* Constant 3x3 weights, for where Winograd's way pays off: that depends on the picture's size, so
 * not known here. Without memory for it, weights stay as they are. */
static enum luc_status prepare(const struct luc_op_call *c, struct luc_arena *arena,
                               const void **prepared, struct luc_error *err)
{
    const struct attrs *a = c->attrs;
    const struct luc_tensor *w = c->in[1];
    (void)err;
    if (!w || !w->data || w->shape.rank != 4 || w->dtype != LUC_F32 || w->shape.dim[0] < 16 ||
        w->shape.dim[1] < 16 || w->shape.dim[2] != 3 || w->shape.dim[3] != 3 || a->group != 1)
        return LUC_OK;
    for (size_t i = 0; i < 2; i++)
        if ((a->win.strides.n > i && a->win.strides.v[i] != 1) ||
            (a->win.dilations.n > i && a->win.dilations.v[i] != 1))
            return LUC_OK;
    const size_t floats = luc_winograd_floats(w->shape.dim[0], w->shape.dim[1]);
    const size_t left = luc_arena_limit(arena) - luc_arena_used(arena);
    float *u = floats < left / 2 / sizeof(float) ? luc_arena_raw(arena, floats, sizeof(*u)) : NULL;
    if (u)
        luc_winograd_pack(w->data, w->shape.dim[0], w->shape.dim[1], u, c->threads);
    *prepared = u;
    return LUC_OK;
}

/* Constant weights, for plans of any kind. Small sums and few channels stay as they are: whether
 * packing pays off depends on the picture's size too, which is not known here. */
static enum luc_status pack(const struct luc_op_call *c, struct luc_arena *arena,
                            const void **packed, struct luc_error *err)
{
    const struct attrs *a = c->attrs;
    const struct luc_tensor *w = c->in[1];
    (void)err;
    if (!w || !w->data || w->shape.rank < 3 || w->dtype != LUC_F32 || a->group != 1)
        return LUC_OK;
    const struct luc_conv g = { .c_out = w->shape.dim[0],
                                .c_in = w->shape.dim[1],
                                .win = { .kh = w->shape.rank == 4 ? w->shape.dim[2] : 1,
                                         .kw = w->shape.dim[w->shape.rank - 1] } };
    const struct luc_weights weights = luc_conv_panel_weights(&g, w->data, false);
    const size_t floats = luc_panels_floats(weights.rows, weights.channels * weights.taps);
    const size_t left = luc_arena_limit(arena) - luc_arena_used(arena);
    if (!luc_conv_panel_weights_pay(&g) || floats > left / 2 / sizeof(float))
        return LUC_OK;
    float *panels = luc_arena_raw(arena, floats, sizeof(*panels));
    if (panels)
        luc_panels_pack(&weights, panels, c->threads);
    *packed = panels;
    return LUC_OK;
}

struct join {
    float *y;
    const float *plus;
    bool relu;
};

LUC_CLONES static void join_range(void *ctx, size_t begin, size_t end)
{
    const struct join *j = ctx;
    LUC_IVDEP
    for (size_t i = begin; i < end; i++) {
        const float v = j->y[i] + j->plus[i];
        j->y[i] = j->relu && v < 0.0f ? 0.0f : v;
    }
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_conv g = describe(c);
    struct luc_conv_finish fin = {
        .bias = c->n_in > 2 && c->in[2] ? c->in[2]->data : NULL,
        .relu = c->relu,
        .plus = c->plus,
    };
    const struct luc_winograd w = { .u = c->prepared };
    const float *x = c->in[0]->data;
    struct join join = { c->out[0]->data, c->plus, c->relu };
    const bool fast = c->prepared && luc_winograd_pays(&g, false);
    if (!fast && c->packed && luc_conv_panel_pays(&g)) {
        packed_y(&g, x, c->packed, &fin, join.y, c->scratch, c->threads);
        return;
    }
    fin.plus = NULL; /* these kernels add nothing, so a pass of its own does */
    fin.relu = c->relu && !c->plus;
    if (fast)
        luc_winograd_y(&g, x, &w, &fin, join.y, c->scratch, c->threads);
    else
        luc_conv_y(&g, x, c->in[1]->data, &fin, join.y, c->scratch, c->threads);
    if (c->plus)
        luc_ranges(c->threads, luc_numel(&c->out[0]->shape), LUC_BLOCK, join_range, &join);
}

static void backward_x(const struct luc_op_call *c, const struct luc_conv *g, const float *dy)
{
    const struct luc_conv_finish fin = { .add = !(c->din_fresh && c->din_fresh[0]) };
    const float *w = c->in[1]->data;
    float *dx = c->din[0]->data;
    const struct luc_winograd packed = { .u = c->prepared };
    struct luc_conv mirrored;

    if (c->prepared && luc_winograd_pays(g, true)) {
        luc_winograd_dx(g, dy, c->gate, &packed, fin.add, dx, c->scratch, c->threads);
    } else if (is_mirrored(g, &mirrored)) {
        const struct luc_weights weights = luc_conv_panel_weights(g, w, true);
        float *panels = c->scratch;
        luc_panels_pack(&weights, panels, c->threads);
        packed_y(&mirrored, dy, panels, &fin, dx, panels + mirrored_floats(&mirrored), c->threads);
    } else {
        luc_conv_dx(g, dy, w, fin.add, dx, c->scratch, c->threads);
    }
}

/* Only the gradient to x, and by a kernel that reads dy through a gate. */
static bool gates(const struct luc_op_call *c)
{
    const struct luc_conv g = describe(c);
    for (size_t i = 1; i < c->n_in; i++)
        if (c->din[i])
            return false;
    return c->din[0] && c->prepared && luc_winograd_pays(&g, true);
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_conv g = describe(c);
    const float *dy = c->dout[0]->data;

    if (c->din[0])
        backward_x(c, &g, dy);
    for (size_t i = 1; i < c->n_in; i++)
        if (c->din[i] && c->din_fresh && c->din_fresh[i])
            memset(c->din[i]->data, 0, luc_numel(&c->din[i]->shape) * sizeof(float));
    if (c->din[1])
        luc_conv_dw(&g, c->in[0]->data, dy, c->din[1]->data, c->scratch, c->threads);
    if (c->n_in > 2 && c->din[2])
        luc_channel_sums(dy, g.n, g.c_out, g.win.oh * g.win.ow, c->din[2]->data, c->threads);
}

const struct luc_op luc_op_conv = {
    .name = "Conv",
    .since = 1,
    .n_in_min = 2,
    .n_in_max = 3,
    .flags = LUC_OP_SETS_DIN | LUC_OP_FUSES_RELU | LUC_OP_FUSES_ADD | LUC_OP_PACKS_LATE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .flops = flops,
    .reads = reads,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .wants = wants,
    .gates = gates,
    .backward = backward,
};
