/* ConvTranspose -- https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
 *
 *   in   x  [N, C, H, W] or [N, C, W]
 *        w  [C, M / group, kH, kW] or [C, M / group, kW]
 *        b  [M], optional
 *   out  y  [N, M, oH, oW],  oH = sH (H - 1) + output_padding + (kH - 1) dH + 1 - pT - pB
 *
 *   y = the gradient, with respect to its input, of the convolution with w that maps M channels of
 *       oH x oW to C channels of H x W; plus b
 *   dx = that convolution of dy,  dw = its weights' gradient,  db[m] = sum dy
 *
 * Source: Zeiler, Krishnan, Taylor & Fergus, "Deconvolutional Networks", CVPR 2010; Dumoulin &
 * Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
 */
#include "core/kernels/conv.h"
#include "core/ops/op.h"

#include <limits.h>
#include <string.h>

struct attrs {
    struct luc_window_attrs win;
    int64_t group;
    struct luc_ints output_padding, output_shape;
};

static const struct luc_param attr_table[] = {
    LUC_WINDOW_ROWS(struct luc_window_attrs),
    LUC_INT(struct attrs, group, 1, 1, INT_MAX, "", "Groups that channels are split into"),
    LUC_INTS(struct attrs, output_padding, NULL, 0, LUC_WINDOW_MAX, "",
             "Added to one side of the output"),
    LUC_INTS(struct attrs, output_shape, NULL, 1, INT_MAX, "",
             "Spatial size of the output; pads follow from it"),
    LUC_PARAM_END,
};

_Static_assert(offsetof(struct attrs, win) == 0, "LUC_WINDOW_ROWS wants it first");

/* One axis: output size and padding before it. `want` 0: no output_shape. */
static enum luc_status size_axis(enum luc_auto_pad mode, size_t size, size_t extent, size_t stride,
                                 size_t extra, const size_t pads[2], size_t want, size_t *out,
                                 size_t *before, struct luc_error *err)
{
    const size_t full = (size - 1) * stride + extent + extra;
    size_t cut = mode == LUC_PAD_NOTSET ? pads[0] + pads[1] : 0;
    if (want == 0 && (mode == LUC_PAD_SAME_UPPER || mode == LUC_PAD_SAME_LOWER))
        want = size * stride;
    *before = mode == LUC_PAD_NOTSET ? pads[0] : 0;
    if (want) {
        cut = full > want ? full - want : 0;
        *before = mode == LUC_PAD_SAME_UPPER ? cut / 2 : cut - cut / 2;
    }
    if (full <= cut)
        return luc_fail(err, LUC_SHAPE, "padding leaves nothing of an output of %zu", full);
    *out = want ? want : full - cut;
    return LUC_OK;
}

/* The convolution that this is the transpose of. */
static enum luc_status sizes(const struct attrs *a, size_t axes, const struct luc_window *x,
                             struct luc_window *win, struct luc_error *err)
{
    size_t pads[4], extra[4], want[4];
    enum luc_status st;
    if ((st = luc_window_list(&a->win.pads, "pads", axes, 2, 0, pads, err)) != LUC_OK ||
        (st = luc_window_list(&a->output_padding, "output_padding", axes, 1, 0, extra, err)) !=
            LUC_OK ||
        (st = luc_window_list(&a->output_shape, "output_shape", axes, 1, 0, want, err)) != LUC_OK)
        return st;
    const enum luc_auto_pad mode = (enum luc_auto_pad)a->win.auto_pad;
    *win = *x;
    win->oh = x->h, win->ow = x->w;
    st = size_axis(mode, x->h, luc_extent(x->kh, x->dh), x->sh, extra[0],
                   (size_t[]){ pads[0], pads[2] }, want[0], &win->h, &win->pt, err);
    if (st)
        return st;
    return size_axis(mode, x->w, luc_extent(x->kw, x->dw), x->sw, extra[1],
                     (size_t[]){ pads[1], pads[3] }, want[1], &win->w, &win->pl, err);
}

static enum luc_status geometry(const struct luc_infer *x, struct luc_conv *g,
                                struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    const struct luc_shape *in = &x->in[0]->shape, *w = &x->in[1]->shape;
    const size_t group = (size_t)a->group;
    struct luc_window win;

    if (w->rank != in->rank || w->rank < 3)
        return luc_fail(err, w->rank == 5 ? LUC_UNSUPPORTED : LUC_SHAPE,
                        "x has rank %zu, weights rank %zu: want 4 (or 3) for both", in->rank,
                        w->rank);
    const size_t kernel[2] = { w->rank == 4 ? w->dim[2] : 1, w->dim[w->rank - 1] };
    enum luc_status st = luc_window_base(&a->win, in, kernel, &win, err);
    if (st || (st = sizes(a, in->rank - 2, &win, &g->win, err)) != LUC_OK)
        return st;
    if (w->dim[0] != in->dim[1] || in->dim[1] % group != 0 || w->dim[1] == 0 ||
        w->dim[1] > INT_MAX / group)
        return luc_fail(err, LUC_SHAPE,
                        "%zu channels in %zu groups do not fit weights of %zu x %zu channels",
                        in->dim[1], group, w->dim[0], w->dim[1]);
    g->n = in->dim[0], g->c_in = w->dim[1] * group, g->c_out = in->dim[1], g->groups = group;
    return luc_conv_check(g, err);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_conv g;
    enum luc_status st = luc_shape_check(&x->in[1]->shape, "weights", err);
    if (st || (st = geometry(x, &g, err)) != LUC_OK)
        return st;
    if (x->n_in > 2 && x->in[2] && (x->in[2]->shape.rank != 1 || x->in[2]->shape.dim[0] != g.c_in))
        return luc_fail(err, LUC_SHAPE, "the bias must be [%zu]", g.c_in);
    x->out[0].shape = luc_window_shape(&x->in[0]->shape, g.c_in, g.win.h, g.win.w);
    return luc_shape_check(&x->out[0].shape, "output", err);
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    struct luc_conv g;
    (void)backward;
    return geometry(x, &g, NULL) == LUC_OK ? luc_conv_scratch(&g, lanes) : 0;
}

static double flops(const struct luc_infer *x)
{
    struct luc_conv g;
    if (geometry(x, &g, NULL) != LUC_OK)
        return 0;
    const size_t products = g.c_in / g.groups * g.win.kh * g.win.kw; /* per element of the input */
    return 2.0 * (double)luc_numel(&x->in[0]->shape) * (double)products;
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

static void forward(const struct luc_op_call *c)
{
    const struct luc_conv g = describe(c);
    luc_conv_dx(&g, c->in[0]->data, c->in[1]->data, false, c->out[0]->data, c->scratch, c->threads);
    if (c->n_in > 2 && c->in[2])
        luc_channel_add(c->out[0]->data, g.n, g.c_in, g.win.h * g.win.w, c->in[2]->data,
                        c->threads);
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_conv g = describe(c);
    const struct luc_conv_finish fin = { .add = !(c->din_fresh && c->din_fresh[0]) };
    const float *dy = c->dout[0]->data;

    if (c->din[0])
        luc_conv_y(&g, dy, c->in[1]->data, &fin, c->din[0]->data, c->scratch, c->threads);
    for (size_t i = 1; i < c->n_in; i++)
        if (c->din[i] && c->din_fresh && c->din_fresh[i])
            memset(c->din[i]->data, 0, luc_numel(&c->din[i]->shape) * sizeof(float));
    if (c->din[1])
        luc_conv_dw(&g, dy, c->in[0]->data, c->din[1]->data, c->scratch, c->threads);
    if (c->n_in > 2 && c->din[2])
        luc_channel_sums(dy, g.n, g.c_in, g.win.h * g.win.w, c->din[2]->data, c->threads);
}

const struct luc_op luc_op_conv_transpose = {
    .name = "ConvTranspose",
    .since = 1,
    .n_in_min = 2,
    .n_in_max = 3,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .flops = flops,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
