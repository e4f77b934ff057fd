/* Gemm -- https://onnx.ai/onnx/operators/onnx__Gemm.html
 *
 *   in   a  [M, K], or [K, M] with transA
 *        b  [K, N], or [N, K] with transB
 *        c  broadcast to [M, N], optional
 *   out  y  [M, N]
 *
 *   y  = alpha a' b' + beta c
 *   da' += alpha dy b'^T,  db' += alpha a'^T dy,  dc += beta dy, summed over broadcast axes
 */
#include "core/kernels/product.h"
#include "core/ops/op.h"

#include <limits.h>
#include <math.h>

struct attrs {
    double alpha, beta;
    int64_t transA, transB;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, alpha, 1, -HUGE_VAL, HUGE_VAL, "", "Factor of the product"),
    LUC_REAL(struct attrs, beta, 1, -HUGE_VAL, HUGE_VAL, "", "Factor of c"),
    LUC_INT(struct attrs, transA, 0, 0, 1, "", "Transpose a"),
    LUC_INT(struct attrs, transB, 0, 0, 1, "", "Transpose b"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct attrs *at = x->attrs;
    const struct luc_shape *a = &x->in[0]->shape, *b = &x->in[1]->shape;
    if (a->rank != 2 || b->rank != 2)
        return luc_fail(err, LUC_SHAPE, "a and b must be matrices, got ranks %zu and %zu", a->rank,
                        b->rank);
    const size_t m = a->dim[at->transA ? 1 : 0], k = a->dim[at->transA ? 0 : 1];
    const size_t n = b->dim[at->transB ? 0 : 1], k_b = b->dim[at->transB ? 1 : 0];
    if (k != k_b)
        return luc_fail(err, LUC_SHAPE, "a has %zu columns, b %zu rows", k, k_b);
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return luc_fail(err, LUC_TOO_LARGE, "matrices of %zu x %zu and %zu x %zu", m, k, k, n);
    x->out[0].shape = (struct luc_shape){ 2, { m, n } };
    if (x->n_in > 2 && x->in[2]) {
        struct luc_shape both;
        const enum luc_status st =
            luc_shape_broadcast(&x->in[2]->shape, &x->out[0].shape, &both, err);
        if (st)
            return st;
        if (!luc_shape_equal(&both, &x->out[0].shape))
            return luc_fail(err, LUC_SHAPE, "c does not broadcast to %zu x %zu", m, n);
    }
    return luc_shape_check(&x->out[0].shape, "output", err);
}

static double flops(const struct luc_infer *x)
{
    const struct attrs *at = x->attrs;
    return 2.0 * (double)luc_numel(&x->out[0].shape) *
           (double)x->in[0]->shape.dim[at->transA ? 0 : 1];
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return (wanted & 1u ? LUC_READS_IN(1) : 0) | (wanted & 2u ? LUC_READS_IN(0) : 0);
}

/* Steps from row to row and column to column of c, broadcast. */
static void c_steps(const struct luc_shape *c, size_t *row, size_t *col)
{
    const size_t cols = c->rank > 0 ? c->dim[c->rank - 1] : 1;
    *col = cols > 1;
    *row = c->rank > 1 && c->dim[c->rank - 2] > 1 ? cols : 0;
}

static void forward(const struct luc_op_call *c)
{
    const struct attrs *at = c->attrs;
    const size_t m = c->out[0]->shape.dim[0], n = c->out[0]->shape.dim[1];
    const bool has_c = c->n_in > 2 && c->in[2] && at->beta != 0.0;
    const struct luc_product p = { .trans_a = at->transA,
                                   .trans_b = at->transB,
                                   .m = m,
                                   .n = n,
                                   .k = c->in[0]->shape.dim[at->transA ? 0 : 1],
                                   .alpha = (float)at->alpha,
                                   .beta = has_c ? 1.0f : 0.0f };
    float *y = c->out[0]->data;
    size_t row = 0, col = 0;
    if (has_c)
        c_steps(&c->in[2]->shape, &row, &col);
    for (size_t i = 0; has_c && i < m * n; i++)
        y[i] = (float)at->beta * c->in[2]->data[i / n * row + i % n * col];
    luc_product(&p, c->in[0]->data, c->in[1]->data, y, c->threads);
}

/* da, stored as a is: a' = op(a), so dy b'^T, or its transpose b' dy^T. */
static void backward_a(const struct luc_op_call *c, const struct attrs *at, size_t m, size_t n,
                       size_t k)
{
    struct luc_product p = { .alpha = (float)at->alpha, .beta = 1.0f, .k = n };
    const float *dy = c->dout[0]->data, *b = c->in[1]->data;
    if (at->transA) {
        p.m = k, p.n = m, p.trans_a = at->transB, p.trans_b = true;
        luc_product(&p, b, dy, c->din[0]->data, c->threads);
    } else {
        p.m = m, p.n = k, p.trans_b = !at->transB;
        luc_product(&p, dy, b, c->din[0]->data, c->threads);
    }
}

static void backward_b(const struct luc_op_call *c, const struct attrs *at, size_t m, size_t n,
                       size_t k)
{
    struct luc_product p = { .alpha = (float)at->alpha, .beta = 1.0f, .k = m };
    const float *dy = c->dout[0]->data, *a = c->in[0]->data;
    if (at->transB) {
        p.m = n, p.n = k, p.trans_a = true, p.trans_b = at->transA;
        luc_product(&p, dy, a, c->din[1]->data, c->threads);
    } else {
        p.m = k, p.n = n, p.trans_a = !at->transA;
        luc_product(&p, a, dy, c->din[1]->data, c->threads);
    }
}

static void backward(const struct luc_op_call *c)
{
    const struct attrs *at = c->attrs;
    const size_t m = c->out[0]->shape.dim[0], n = c->out[0]->shape.dim[1];
    const size_t k = c->in[0]->shape.dim[at->transA ? 0 : 1];
    if (c->din[0])
        backward_a(c, at, m, n, k);
    if (c->din[1])
        backward_b(c, at, m, n, k);
    if (c->n_in > 2 && c->din[2]) {
        size_t row, col;
        c_steps(&c->in[2]->shape, &row, &col);
        for (size_t i = 0; i < m * n; i++)
            c->din[2]->data[i / n * row + i % n * col] += (float)at->beta * c->dout[0]->data[i];
    }
}

const struct luc_op luc_op_gemm = {
    .name = "Gemm",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .flops = flops,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
