/* CumSum -- https://onnx.ai/onnx/operators/onnx__CumSum.html
 *
 *   in   x     any shape
 *   in   axis  one number; must be known before the run
 *   out  y     shape of x
 *   attr exclusive  1: an element is not in its own sum
 *   attr reverse    1: from the end
 *
 *   y[i] = sum of x[0..i],  dx[i] += sum of dy[i..n)
 */
#include "core/ops/common.h"

struct attrs {
    int64_t exclusive, reverse;
};

static const struct luc_param attr_table[] = {
    LUC_BOOL(struct attrs, exclusive, 0, "An element is not in its own sum"),
    LUC_BOOL(struct attrs, reverse, 0, "Sums run from the end"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints axis = { 0 };
    size_t at = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_ints(x, 1, "axis", &axis, err);
    if (!st && axis.n != 1)
        st = luc_fail(err, LUC_SHAPE, "axis must be one number");
    return st ? st : luc_infer_axis(axis.v[0], x->in[0]->shape.rank, &at, err);
}

struct job {
    struct luc_along along;
    bool exclusive, reverse, add;
    const float *from;
    float *to;
};

/* One line along the axis. */
static void line(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const size_t n = j->along.n, step = j->along.inner;
    const size_t first = i / step * n * step + i % step;
    double sum = 0;
    (void)lane;
    for (size_t k = 0; k < n; k++) {
        const size_t at = first + (j->reverse ? n - 1 - k : k) * step;
        const double v = (double)j->from[at];
        const float y = (float)(j->exclusive ? sum : sum + v);
        sum += v;
        j->to[at] = (j->add ? j->to[at] : 0.0f) + y;
    }
}

static void run(const struct luc_op_call *c, bool reverse, const float *from, float *to, bool add)
{
    const struct attrs *a = c->attrs;
    struct job j = { .along = luc_along(&c->in[0]->shape, luc_call_ints(c, 1).v[0]),
                     .exclusive = a->exclusive != 0,
                     .reverse = reverse,
                     .add = add,
                     .from = from,
                     .to = to };
    luc_parallel_for(c->threads, j.along.outer * j.along.inner, line, &j);
}

static void forward(const struct luc_op_call *c)
{
    const bool reverse = ((const struct attrs *)c->attrs)->reverse != 0;
    run(c, reverse, c->in[0]->data, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    const bool reverse = ((const struct attrs *)c->attrs)->reverse != 0;
    if (c->din[0])
        run(c, !reverse, c->dout[0]->data, c->din[0]->data, !luc_call_fresh(c, 0));
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}

const struct luc_op luc_op_cum_sum = {
    .name = "CumSum",
    .since = 11,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
