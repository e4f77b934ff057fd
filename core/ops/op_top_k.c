/* TopK -- https://onnx.ai/onnx/operators/onnx__TopK.html
 *
 *   in   x  any shape
 *   in   k  one number; must be known before the run
 *   out  values   x's shape with k elements along `axis`: its largest, in order
 *   out  indices  where they were; of equal ones the first comes first
 *   attr axis
 *   attr largest  0: the smallest
 *   attr sorted   of no effect: they always are
 *
 *   dx at the indices += dvalues
 */
#include "core/ops/common.h"

#include <stdlib.h>

struct attrs {
    int64_t axis, largest, sorted;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, -1, -8, 7, "", "Axis looked along"),
    LUC_BOOL(struct attrs, largest, 1, "The largest, not the smallest"),
    LUC_BOOL(struct attrs, sorted, 1, "Of no effect: they are always in order"),
    LUC_PARAM_END,
};

/* `key` grows with what is wanted. */
struct entry {
    float key;
    size_t at;
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints k = { 0 };
    size_t axis = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_ints(x, 1, "k", &k, err);
    if (!st)
        st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, x->in[0]->shape.rank, &axis,
                            err);
    if (!st && (k.n != 1 || k.v[0] < 0 || k.v[0] > (int64_t)x->in[0]->shape.dim[axis]))
        st = luc_fail(err, LUC_RANGE, "k must be one number from 0 to %zu",
                      x->in[0]->shape.dim[axis]);
    if (st)
        return st;
    x->out[0].shape.dim[axis] = (size_t)k.v[0];
    if (x->n_out > 1) {
        x->out[1].shape = x->out[0].shape;
        x->out[1].dtype = LUC_I64;
    }
    return LUC_OK;
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    (void)backward;
    return lanes * luc_along(&x->in[0]->shape, ((const struct attrs *)x->attrs)->axis).n *
           sizeof(struct entry);
}

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

struct job {
    const struct luc_op_call *c;
    struct luc_along in;
    size_t k;
    float sign;
};

static struct job job_of(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    return (struct job){ c, luc_along(&c->in[0]->shape, a->axis),
                         luc_along(&c->out[0]->shape, a->axis).n, a->largest ? 1.0f : -1.0f };
}

/* The line's entries in order; *first: where it begins in x, *to: in the outputs. */
static const struct entry *sort(const struct job *j, size_t i, size_t lane, size_t *first,
                                size_t *to)
{
    struct entry *e = (struct entry *)j->c->scratch + lane * j->in.n;
    const size_t outer = i / j->in.inner, inner = i % j->in.inner;
    *first = outer * j->in.n * j->in.inner + inner;
    *to = outer * j->k * j->in.inner + inner;
    for (size_t k = 0; k < j->in.n; k++)
        e[k] = (struct entry){ j->sign * j->c->in[0]->data[*first + k * j->in.inner], k };
    qsort(e, j->in.n, sizeof(*e), by_key);
    return e;
}

static void forward_line(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    size_t first = 0, to = 0;
    const struct entry *e = sort(j, i, lane, &first, &to);
    const bool tells = j->c->n_out > 1 && j->c->out[1];
    for (size_t k = 0; k < j->k; k++) {
        j->c->out[0]->data[to + k * j->in.inner] = j->sign * e[k].key;
        if (tells)
            j->c->out[1]->data[to + k * j->in.inner] = (float)e[k].at;
    }
}

static void backward_line(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    size_t first = 0, to = 0;
    const struct entry *e = sort(j, i, lane, &first, &to);
    for (size_t k = 0; k < j->k; k++)
        j->c->din[0]->data[first + e[k].at * j->in.inner] +=
            j->c->dout[0]->data[to + k * j->in.inner];
}

static void forward(const struct luc_op_call *c)
{
    struct job j = job_of(c);
    luc_parallel_for(c->threads, j.in.outer * j.in.inner, forward_line, &j);
}

static void backward(const struct luc_op_call *c)
{
    struct job j = job_of(c);
    if (c->din[0] && c->dout[0])
        luc_parallel_for(c->threads, j.in.outer * j.in.inner, backward_line, &j);
}

const struct luc_op luc_op_top_k = {
    .name = "TopK",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 2,
    .n_out_max = 2,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};
