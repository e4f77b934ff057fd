/* Tile -- https://onnx.ai/onnx/operators/onnx__Tile.html
 *
 *   in   x        any shape
 *   in   repeats  how often along each axis; must be known before the run
 *   out  y        x laid side by side
 *
 *   y[i, j, ...] = x[i % n_0, j % n_1, ...],  dx += dy, summed over the copies
 */
#include "core/ops/common.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints repeats = { 0 };
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_ints(x, 1, "repeats", &repeats, err);
    if (st)
        return st;
    struct luc_shape *out = &x->out[0].shape;
    size_t n_axes = out->rank;
    if (repeats.n != out->rank)
        return luc_fail(err, LUC_SHAPE, "%zu repeats for a tensor of rank %zu", repeats.n,
                        out->rank);
    for (size_t d = 0; d < out->rank; d++) {
        if (repeats.v[d] < 0 || repeats.v[d] > INT32_MAX)
            return luc_fail(err, LUC_RANGE, "%lld repeats", (long long)repeats.v[d]);
        out->dim[d] *= (size_t)repeats.v[d];
        n_axes += repeats.v[d] > 1;
    }
    if (n_axes > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "more than %zu axes of which some are repeated",
                        out->rank);
    return luc_shape_check(out, "tiled tensor", err);
}

/* Over y, each repeated axis seen as two: copies, and places in x. Operand 0: x, 1: y. */
static struct luc_walk walk_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape, *out = &c->out[0]->shape;
    struct luc_walk w = { .rank = 0 };
    ptrdiff_t from = 1, to = 1;
    for (size_t d = in->rank; d-- > 0;) { /* from the innermost; turned round below */
        const size_t n = in->dim[d], copies = n ? out->dim[d] / n : 0;
        w.dim[w.rank] = n, w.step[0][w.rank] = from, w.step[1][w.rank] = to, w.rank++;
        if (copies != 1)
            w.dim[w.rank] = copies, w.step[0][w.rank] = 0, w.step[1][w.rank] = to * (ptrdiff_t)n,
            w.rank++;
        from *= (ptrdiff_t)n, to *= (ptrdiff_t)out->dim[d];
    }
    struct luc_walk turned = { .rank = w.rank };
    for (size_t i = 0; i < w.rank; i++) {
        turned.dim[i] = w.dim[w.rank - 1 - i];
        for (size_t k = 0; k < 2; k++)
            turned.step[k][i] = w.step[k][w.rank - 1 - i];
    }
    return turned;
}

static void forward(const struct luc_op_call *c)
{
    if (luc_numel(&c->out[0]->shape) > 0)
        luc_walk_copy(walk_of(c), c->threads, c->in[0]->data, c->out[0]->data, false);
}

struct job {
    const struct luc_walk *w;
    const float *dy;
    float *dx;
};

static void add_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct job *j = ctx;
    const ptrdiff_t by_x = j->w->step[0][j->w->rank - 1], by_y = j->w->step[1][j->w->rank - 1];
    for (size_t i = 0; i < n; i++)
        j->dx[at[0] + (ptrdiff_t)i * by_x] += j->dy[at[1] + (ptrdiff_t)i * by_y];
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0] || luc_numel(&c->out[0]->shape) == 0)
        return;
    struct luc_walk w = walk_of(c);
    luc_walk_merge(&w);
    struct job j = { &w, c->dout[0]->data, c->din[0]->data };
    luc_walk_reduce(&w, 0, c->threads, add_row, &j);
}

const struct luc_op luc_op_tile = {
    .name = "Tile",
    .since = 6,
    .n_in_min = 2,
    .n_in_max = 2,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
