/* MatMul -- https://onnx.ai/onnx/operators/onnx__MatMul.html
 *
 *   in   a  [..., M, K] or [K]
 *        b  [..., K, N] or [K]
 *   out  y  [..., M, N], without the axis that a vector lacks
 *
 *   y = a b for every matrix of the broadcast leading axes, as numpy.matmul
 *   da += dy b^T,  db += a^T dy, summed over broadcast axes
 */
#include "core/kernels/product.h"
#include "core/ops/op.h"

#include <limits.h>

/* Both operands seen as stacks of matrices. */
struct sizes {
    size_t m, n, k;
    struct luc_shape batch;
    size_t a_step[LUC_MAX_RANK], b_step[LUC_MAX_RANK], y_step[LUC_MAX_RANK];
};

/* A vector is a row on the left, a column on the right. */
static void last_two(const struct luc_shape *s, bool left, size_t *rows, size_t *cols)
{
    const size_t last = s->dim[s->rank - 1];
    *rows = s->rank > 1 ? s->dim[s->rank - 2] : left ? 1 : last;
    *cols = s->rank > 1 || left ? last : 1;
}

static struct luc_shape leading(const struct luc_shape *s)
{
    struct luc_shape r = *s;
    r.rank = s->rank > 2 ? s->rank - 2 : 0;
    return r;
}

/* Steps through a stack `s` of matrices of `size` floats, broadcast to `batch`. */
static void steps(const struct luc_shape *s, size_t size, const struct luc_shape *batch,
                  size_t *step)
{
    for (size_t i = 0; i < batch->rank; i++) {
        const size_t axis = batch->rank - 1 - i;
        const size_t dim = i < s->rank ? s->dim[s->rank - 1 - i] : 1;
        step[axis] = dim > 1 ? size : 0;
        size *= dim;
    }
}

static enum luc_status measure(const struct luc_shape *a, const struct luc_shape *b,
                               struct sizes *s, struct luc_error *err)
{
    struct luc_shape la, lb;
    size_t k_b;
    if (a->rank == 0 || b->rank == 0)
        return luc_fail(err, LUC_SHAPE, "a product with a single number is not a matrix product");
    last_two(a, true, &s->m, &s->k);
    last_two(b, false, &k_b, &s->n);
    if (s->k != k_b)
        return luc_fail(err, LUC_SHAPE, "a has rows of %zu, b columns of %zu", s->k, k_b);
    if (s->m > INT_MAX || s->n > INT_MAX || s->k > INT_MAX)
        return luc_fail(err, LUC_TOO_LARGE, "matrices of %zu x %zu and %zu x %zu", s->m, s->k, s->k,
                        s->n);
    la = leading(a), lb = leading(b);
    if (lb.rank == 0 && la.rank > 0 && luc_numel(&la) <= INT_MAX / (s->m ? s->m : 1))
        s->m *= luc_numel(&la), la.rank = 0; /* one tall matrix */
    const enum luc_status st = luc_shape_broadcast(&la, &lb, &s->batch, err);
    if (st)
        return st;
    steps(&la, s->m * s->k, &s->batch, s->a_step);
    steps(&lb, s->k * s->n, &s->batch, s->b_step);
    steps(&s->batch, s->m * s->n, &s->batch, s->y_step);
    return LUC_OK;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *a = &x->in[0]->shape, *b = &x->in[1]->shape;
    struct luc_shape la, lb, *out = &x->out[0].shape;
    struct sizes s;
    enum luc_status st;
    if ((st = luc_shape_check(a, "a", err)) != LUC_OK ||
        (st = luc_shape_check(b, "b", err)) != LUC_OK || (st = measure(a, b, &s, err)) != LUC_OK)
        return st;
    la = leading(a), lb = leading(b);
    if ((st = luc_shape_broadcast(&la, &lb, out, err)) != LUC_OK)
        return st;
    if (a->rank > 1)
        out->dim[out->rank++] = a->dim[a->rank - 2];
    if (b->rank > 1)
        out->dim[out->rank++] = b->dim[b->rank - 1];
    return luc_shape_check(out, "output", err);
}

static double flops(const struct luc_infer *x)
{
    const struct luc_shape *a = &x->in[0]->shape;
    return 2.0 * (double)luc_numel(&x->out[0].shape) * (double)a->dim[a->rank - 1];
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return (wanted & 1u ? LUC_READS_IN(1) : 0) | (wanted & 2u ? LUC_READS_IN(0) : 0);
}

static struct sizes sizes(const struct luc_op_call *c)
{
    struct sizes s = { .m = 0 };
    const enum luc_status st = measure(&c->in[0]->shape, &c->in[1]->shape, &s, NULL);
    (void)st; /* infer() has seen it succeed */
    return s;
}

static void copy_steps(size_t *to, const size_t *from)
{
    for (size_t i = 0; i < LUC_MAX_RANK; i++)
        to[i] = from[i];
}

static void forward(const struct luc_op_call *c)
{
    const struct sizes s = sizes(c);
    struct luc_product p = { .m = s.m, .n = s.n, .k = s.k, .alpha = 1.0f, .batch = s.batch };
    copy_steps(p.a_step, s.a_step), copy_steps(p.b_step, s.b_step);
    copy_steps(p.c_step, s.y_step);
    luc_product(&p, c->in[0]->data, c->in[1]->data, c->out[0]->data, c->threads);
}

static void backward(const struct luc_op_call *c)
{
    const struct sizes s = sizes(c);
    const float *dy = c->dout[0]->data;
    if (c->din[0]) {
        struct luc_product p = { .m = s.m, .n = s.k, .k = s.n, .trans_b = true, .batch = s.batch };
        p.alpha = p.beta = 1.0f;
        copy_steps(p.a_step, s.y_step), copy_steps(p.b_step, s.b_step);
        copy_steps(p.c_step, s.a_step);
        luc_product(&p, dy, c->in[1]->data, c->din[0]->data, c->threads);
    }
    if (c->din[1]) {
        struct luc_product p = { .m = s.k, .n = s.n, .k = s.m, .trans_a = true, .batch = s.batch };
        p.alpha = p.beta = 1.0f;
        copy_steps(p.a_step, s.a_step), copy_steps(p.b_step, s.y_step);
        copy_steps(p.c_step, s.b_step);
        luc_product(&p, c->in[0]->data, dy, c->din[1]->data, c->threads);
    }
}

const struct luc_op luc_op_mat_mul = {
    .name = "MatMul",
    .since = 1,
    .n_in_min = 2,
    .n_in_max = 2,
    .infer = infer,
    .flops = flops,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
