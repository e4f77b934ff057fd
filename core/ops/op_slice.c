/* Slice -- https://onnx.ai/onnx/operators/onnx__Slice.html
 *
 *   in   x             any shape
 *   in   starts, ends  since opset 10: per axis, the first index and one past the last; negative
 *                      from the end, clamped; must be known before the run, like the next two
 *   in   axes          since opset 10, optional: which axes; else the first ones
 *   in   steps         since opset 10, optional: stride, negative goes backwards
 *   out  y             those elements
 *   attr starts, ends, axes  before opset 10, instead of the inputs
 *
 *   y[i] = x[start + i * step],  dx[start + i * step] += dy[i]
 */
#include "core/ops/common.h"

struct attrs {
    struct luc_ints starts, ends, axes;
};

static const struct luc_param attr_table[] = {
    LUC_INTS(struct attrs, starts, "", -0x1p63, 0x1p63, "", "First index of each axis"),
    LUC_INTS(struct attrs, ends, "", -0x1p63, 0x1p63, "", "One past the last index of each axis"),
    LUC_INTS(struct attrs, axes, "", -8, 7, "", "The axes they are about; else the first ones"),
    LUC_PARAM_END,
};

struct lists {
    struct luc_ints starts, ends, axes, steps;
};

struct cut {
    int64_t start, step;
    size_t size;
};

static int64_t clamp(int64_t i, int64_t lo, int64_t hi)
{
    return i < lo ? lo : i > hi ? hi : i;
}

static struct cut cut_axis(size_t size, int64_t start, int64_t end, int64_t step)
{
    const int64_t n = (int64_t)size; /* at most 2^34 */
    start = start < 0 ? (start < -n ? -1 : start + n) : start;
    end = end < 0 ? (end < -n ? -1 : end + n) : end;
    if (step > 0) {
        start = clamp(start, 0, n), end = clamp(end, 0, n);
        const int64_t span = end > start ? end - start : 0;
        return (struct cut){ start, step, (size_t)(span / step + (span % step != 0)) };
    }
    /* Going backwards, the first index lies inside and -1 is the end of everything. A start
     * before the beginning is clamped to the first element. */
    start = clamp(start, 0, n - 1), end = clamp(end, -1, n - 1);
    const int64_t span = start > end ? start - end : 0;
    const int64_t back = step == INT64_MIN ? INT64_MAX : -step;
    return (struct cut){ start, -back, n == 0 ? 0 : (size_t)(span / back + (span % back != 0)) };
}

/* Cuts of every axis of x, from lists that agree in length and name real axes. */
static void cut_all(const struct lists *l, const struct luc_shape *in, struct cut cuts[])
{
    for (size_t d = 0; d < in->rank; d++)
        cuts[d] = (struct cut){ 0, 1, in->dim[d] };
    for (size_t i = 0; i < l->starts.n; i++) {
        const int64_t named = l->axes.n ? l->axes.v[i] : (int64_t)i;
        const size_t d = (size_t)(named < 0 ? named + (int64_t)in->rank : named);
        cuts[d] =
            cut_axis(in->dim[d], l->starts.v[i], l->ends.v[i], l->steps.n ? l->steps.v[i] : 1);
    }
}

static enum luc_status check_lists(const struct lists *l, size_t rank, struct luc_error *err)
{
    const size_t n = l->starts.n;
    bool chosen[LUC_MAX_RANK];
    if (l->ends.n != n || (l->axes.n && l->axes.n != n) || (l->steps.n && l->steps.n != n) ||
        n > rank)
        return luc_fail(err, LUC_SHAPE,
                        "%zu starts, %zu ends, %zu axes and %zu steps for a tensor of rank %zu", n,
                        l->ends.n, l->axes.n, l->steps.n, rank);
    for (size_t i = 0; i < l->steps.n; i++)
        if (l->steps.v[i] == 0)
            return luc_fail(err, LUC_INVALID, "a step of 0");
    return luc_infer_axes(&l->axes, rank, chosen, err);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *a = x->attrs;
    struct lists l = { a->starts, a->ends, a->axes, { 0 } };
    struct luc_ints *const list[] = { &l.starts, &l.ends, &l.axes, &l.steps };
    static const char *const name[] = { "starts", "ends", "axes", "steps" };
    enum luc_status st = luc_infer_same(x, err);
    for (size_t i = 0; !st && i < 4; i++)
        if (luc_infer_has(x, 1 + i))
            st = luc_infer_ints(x, 1 + i, name[i], list[i], err);
    if (!st)
        st = check_lists(&l, x->in[0]->shape.rank, err);
    if (st)
        return st;

    struct cut cuts[LUC_MAX_RANK];
    cut_all(&l, &x->in[0]->shape, cuts);
    for (size_t d = 0; d < x->in[0]->shape.rank; d++)
        x->out[0].shape.dim[d] = cuts[d].size;
    return LUC_OK;
}

/* Offset of the first element taken; operand `big` steps through x, the other through y. */
static ptrdiff_t make_walk(const struct luc_op_call *c, size_t big, struct luc_walk *w)
{
    const struct attrs *a = c->attrs;
    const struct luc_shape *in = &c->in[0]->shape;
    struct lists l = { a->starts, a->ends, a->axes, luc_call_ints(c, 4) };
    struct cut cuts[LUC_MAX_RANK];
    if (luc_call_has(c, 1))
        l.starts = luc_call_ints(c, 1), l.ends = luc_call_ints(c, 2);
    if (luc_call_has(c, 3))
        l.axes = luc_call_ints(c, 3);
    cut_all(&l, in, cuts);

    *w = luc_walk_of(&c->out[0]->shape);
    luc_walk_broadcast(w, 1 - big, &c->out[0]->shape);
    ptrdiff_t stride = 1, at = 0;
    for (size_t d = in->rank; d-- > 0;) {
        /* With one element there is no next one, however far the step would go. */
        w->step[big][d] = cuts[d].size > 1 ? stride * (ptrdiff_t)cuts[d].step : 0;
        at += stride * (ptrdiff_t)cuts[d].start;
        stride *= (ptrdiff_t)in->dim[d];
    }
    return luc_numel(&c->out[0]->shape) ? at : 0;
}

static void forward(const struct luc_op_call *c)
{
    struct luc_walk w;
    const ptrdiff_t at = make_walk(c, 0, &w);
    luc_walk_copy(w, c->threads, c->in[0]->data + at, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    struct luc_walk w;
    if (!c->din[0])
        return;
    const ptrdiff_t at = make_walk(c, 1, &w);
    luc_call_clear(c, 0);
    luc_walk_copy(w, c->threads, c->dout[0]->data, c->din[0]->data + at, true);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1) | LUC_READS_IN(2) | LUC_READS_IN(3) | LUC_READS_IN(4);
}

const struct luc_op luc_op_slice = {
    .name = "Slice",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 5,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
