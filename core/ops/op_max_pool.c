/* MaxPool -- https://onnx.ai/onnx/operators/onnx__MaxPool.html
 *
 *   in   x        [N, C, H, W] or [N, C, W]
 *   out  y        [N, C, oH, oW]
 *        indices  of the maxima in x, flattened; optional
 *
 *   y = the largest value of each window; padding never wins
 *   dx[where y came from] += dy       (the first of equal values)
 *
 * Source: Ranzato, Huang, Boureau & LeCun, "Unsupervised Learning of Invariant Feature
 * Hierarchies", CVPR 2007. An output whose window holds only padding is -infinity and its index 0.
 */
#include "core/kernels/pooling.h"
#include "core/ops/op.h"

#include <limits.h>
#include <string.h>

struct attrs {
    struct luc_window_attrs win;
    int64_t ceil_mode, storage_order;
};

static const struct luc_param attr_table[] = {
    LUC_WINDOW_ROWS(struct luc_window_attrs),
    LUC_INT(struct attrs, ceil_mode, 0, 0, 1, "", "Keep a last window that is not full"),
    LUC_INT(struct attrs, storage_order, 0, 0, 1, "", "Order of indices; only rows first (0)"),
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
    const struct attrs *a = x->attrs;
    const struct luc_shape *in = &x->in[0]->shape;
    struct luc_window win;
    const enum luc_status st = geometry(a, in, &win, err);
    if (st)
        return st;
    if (x->n_out > 1 && a->storage_order != 0)
        return luc_fail_param(err, LUC_UNSUPPORTED, "storage_order",
                              "indices in column order are not supported");
    if (x->n_out > 1 && (double)luc_numel(in) > LUC_EXACT_INT)
        return luc_fail(err, LUC_UNSUPPORTED, "indices of more than 2^24 values");
    x->out[0].shape = luc_window_shape(in, in->dim[1], win.oh, win.ow);
    x->out[0].dtype = x->in[0]->dtype;
    if (x->n_out > 1)
        x->out[1] = (struct luc_info){ .shape = x->out[0].shape, .dtype = LUC_I64 };
    return luc_shape_check(&x->out[0].shape, "output", err);
}

static size_t saved(const struct luc_infer *x)
{
    return luc_numel(&x->out[0].shape) * sizeof(uint32_t);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return 0;
}

struct job {
    const struct luc_op_call *c;
    struct luc_window win;
};

static void y_plane(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const size_t n_x = j->win.h * j->win.w, n_y = j->win.oh * j->win.ow;
    (void)lane;
    luc_pool_max(&j->win, j->c->in[0]->data + i * n_x, j->c->out[0]->data + i * n_y,
                 j->c->saved ? (uint32_t *)j->c->saved + i * n_y : NULL);
}

/* In two steps, since the indices are wanted too; `argmax` is the plane's share of the output,
 * whose floats have the size of indices. */
static void indices_plane(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const size_t n_x = j->win.h * j->win.w, n_y = j->win.oh * j->win.ow;
    float *index = j->c->out[1]->data + i * n_y;
    uint32_t *argmax = (void *)index;
    (void)lane;
    luc_pool_max(&j->win, j->c->in[0]->data + i * n_x, j->c->out[0]->data + i * n_y, argmax);
    if (j->c->saved)
        memcpy((uint32_t *)j->c->saved + i * n_y, argmax, n_y * sizeof(*argmax));
    for (size_t o = 0; o < n_y; o++) {
        uint32_t at;
        memcpy(&at, &index[o], sizeof(at));
        index[o] = at == LUC_NO_ARGMAX ? 0.0f : (float)(i * n_x + at);
    }
}

static struct job job(const struct luc_op_call *c)
{
    struct job j = { .c = c };
    const enum luc_status st = geometry(c->attrs, &c->in[0]->shape, &j.win, NULL);
    (void)st; /* infer() has seen it succeed */
    return j;
}

static void forward(const struct luc_op_call *c)
{
    struct job j = job(c);
    const bool indices = c->n_out > 1 && c->out[1];
    luc_parallel_for(c->threads, luc_dims(&c->in[0]->shape, 0, 2),
                     indices ? indices_plane : y_plane, &j);
}

static void dx_plane(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const size_t n_x = j->win.h * j->win.w, n_y = j->win.oh * j->win.ow;
    const float *dy = j->c->dout[0]->data + i * n_y;
    const uint32_t *argmax = (const uint32_t *)j->c->saved + i * n_y;
    float *dx = j->c->din[0]->data + i * n_x;
    (void)lane;
    if (j->c->din_fresh && j->c->din_fresh[0])
        memset(dx, 0, n_x * sizeof(*dx));
    for (size_t o = 0; o < n_y; o++)
        if (argmax[o] != LUC_NO_ARGMAX)
            dx[argmax[o]] += dy[o];
}

static void backward(const struct luc_op_call *c)
{
    struct job j = job(c);
    if (!c->din[0])
        return;
    if (c->dout[0])
        luc_parallel_for(c->threads, luc_dims(&c->in[0]->shape, 0, 2), dx_plane, &j);
    else if (c->din_fresh && c->din_fresh[0])
        memset(c->din[0]->data, 0, luc_numel(&c->din[0]->shape) * sizeof(float));
}

const struct luc_op luc_op_max_pool = {
    .name = "MaxPool",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .n_out_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .saved = saved,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
