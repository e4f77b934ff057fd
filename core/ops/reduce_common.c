#include "core/ops/reduce_common.h"

const struct luc_param luc_reduce_attrs[] = {
    LUC_INTS(struct luc_reduce_attrs, axes, "", -8, 7, "", "Axes to fold; none: all"),
    LUC_BOOL(struct luc_reduce_attrs, keepdims, 1, "Folded axes stay, of size 1"),
    LUC_BOOL(struct luc_reduce_attrs, noop_with_empty_axes, 0, "Without axes nothing is folded"),
    LUC_PARAM_END,
};

/* Which axes are folded. */
static enum luc_status mark_axes(const struct luc_reduce_attrs *a, const struct luc_ints *axes,
                                 size_t rank, bool reduced[LUC_MAX_RANK], struct luc_error *err)
{
    const enum luc_status st = luc_infer_axes(axes, rank, reduced, err);
    for (size_t d = 0; !st && axes->n == 0 && d < rank; d++)
        reduced[d] = !a->noop_with_empty_axes;
    return st;
}

enum luc_status luc_infer_reduce(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_reduce_attrs *a = x->attrs;
    struct luc_ints axes = a->axes;
    bool reduced[LUC_MAX_RANK];
    enum luc_status st = luc_infer_same(x, err);
    if (!st && luc_infer_has(x, 1))
        st = luc_infer_ints(x, 1, "axes", &axes, err);
    if (!st)
        st = mark_axes(a, &axes, x->in[0]->shape.rank, reduced, err);
    if (st)
        return st;

    const struct luc_shape *in = &x->in[0]->shape;
    struct luc_shape out = { 0 };
    for (size_t d = 0; d < in->rank; d++)
        if (!reduced[d] || a->keepdims)
            out.dim[out.rank++] = reduced[d] ? 1 : in->dim[d];
    x->out[0].shape = out;
    return LUC_OK;
}

enum luc_status luc_infer_reduce_some(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_reduce(x, err);
    if (!st && luc_numel(&x->in[0]->shape) == 0 && luc_numel(&x->out[0].shape) > 0)
        return luc_fail(err, LUC_SHAPE, "its input is empty");
    return st;
}

size_t luc_scratch_reduce(const struct luc_infer *x, bool backward, size_t lanes)
{
    (void)lanes;
    return backward ? luc_numel(&x->out[0].shape) * sizeof(float) : 0;
}

uint32_t luc_reads_reduce_linear(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}

static struct luc_reduce make(const struct luc_op_call *c, const struct luc_reduction *kind)
{
    const struct luc_reduce_attrs *a = c->attrs;
    const struct luc_ints axes = luc_call_has(c, 1) ? luc_call_ints(c, 1) : a->axes;
    bool reduced[LUC_MAX_RANK] = { false };
    const enum luc_status st = mark_axes(a, &axes, c->in[0]->shape.rank, reduced, NULL);
    (void)st; /* infer() had no complaints */
    return luc_reduce_of(kind, &c->in[0]->shape, reduced);
}

void luc_call_reduce(const struct luc_op_call *c, const struct luc_reduction *kind)
{
    const struct luc_reduce r = make(c, kind);
    luc_reduce_forward(&r, c->threads, c->in[0]->data, c->out[0]->data);
}

void luc_call_reduce_backward(const struct luc_op_call *c, const struct luc_reduction *kind)
{
    if (!c->din[0])
        return;
    const struct luc_reduce r = make(c, kind);
    const struct luc_reduce_backward b = { .x = c->in[0]->data,
                                           .y = c->out[0]->data,
                                           .dy = c->dout[0]->data,
                                           .dx = c->din[0]->data,
                                           .ties = c->scratch,
                                           .fresh = luc_call_fresh(c, 0) };
    luc_reduce_backward(&r, c->threads, &b);
}
