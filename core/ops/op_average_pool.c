/* AveragePool -- https://onnx.ai/onnx/operators/onnx__AveragePool.html
 *
 *   in   x  [N, C, H, W] or [N, C, W]
 *   out  y  [N, C, oH, oW]
 *
 *   y = the mean of each window; padding counts as zeros when count_include_pad, else not at all
 *   dx += dy / count at every tap of the window
 *
 * Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998
 * (subsampling). What ceil_mode adds beyond the padding never counts.
 */
#include "core/kernels/pooling.h"
#include "core/ops/op.h"

#include <limits.h>
#include <string.h>

struct attrs {
    struct luc_window_attrs win;
    int64_t ceil_mode, count_include_pad;
};

static const struct luc_param attr_table[] = {
    LUC_WINDOW_ROWS(struct luc_window_attrs),
    LUC_INT(struct attrs, ceil_mode, 0, 0, 1, "", "Keep a last window that is not full"),
    LUC_INT(struct attrs, count_include_pad, 0, 0, 1, "", "Count padding as zeros in the mean"),
    LUC_PARAM_END,
};

_Static_assert(offsetof(struct attrs, win) == 0, "LUC_WINDOW_ROWS wants it first");

static enum luc_status geometry(const struct attrs *a, const struct luc_shape *x,
                                struct luc_window *win, struct luc_error *err)
{
    const enum luc_status st = luc_window_resolve(&a->win, x, NULL, a->ceil_mode, win, err);
    if (!st && win->h > INT_MAX / win->w)
        return luc_fail(err, LUC_TOO_LARGE, "more than 2^31 pixels");
    return st;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape;
    struct luc_window win;
    const enum luc_status st = geometry(x->attrs, in, &win, err);
    if (st)
        return st;
    x->out[0].shape = luc_window_shape(in, in->dim[1], win.oh, win.ow);
    return luc_shape_check(&x->out[0].shape, "output", err);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return 0;
}

struct job {
    const struct luc_op_call *c;
    struct luc_window win;
    bool count_pad;
};

static struct job job(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    struct job j = { .c = c, .count_pad = a->count_include_pad };
    const enum luc_status st = geometry(a, &c->in[0]->shape, &j.win, NULL);
    (void)st; /* infer() has seen it succeed */
    return j;
}

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    (void)lane;
    luc_pool_mean(&j->win, j->c->in[0]->data + i * j->win.h * j->win.w, j->count_pad,
                  j->c->out[0]->data + i * j->win.oh * j->win.ow);
}

static void forward(const struct luc_op_call *c)
{
    struct job j = job(c);
    luc_parallel_for(c->threads, luc_dims(&c->in[0]->shape, 0, 2), y_plane, &j);
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const size_t n_x = j->win.h * j->win.w;
    float *dx = j->c->din[0]->data + i * n_x;
    (void)lane;
    if (j->c->din_fresh && j->c->din_fresh[0])
        memset(dx, 0, n_x * sizeof(*dx));
    luc_pool_mean_dx(&j->win, j->c->dout[0]->data + i * j->win.oh * j->win.ow, j->count_pad, dx);
}

static void backward(const struct luc_op_call *c)
{
    struct job j = job(c);
    if (c->din[0])
        luc_parallel_for(c->threads, luc_dims(&c->in[0]->shape, 0, 2), dx_plane, &j);
}

const struct luc_op luc_op_average_pool = {
    .name = "AveragePool",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
