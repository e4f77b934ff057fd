/* QuantizeLinear -- https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 *
 *   in   x           any shape
 *   in   scale       one number, or one per index of `axis`
 *   in   zero_point  optional, of scale's shape; its type is y's, without it unsigned 8 bits
 *   out  y           shape of x, integers
 *   attr axis        since opset 13: which axis has its own scales
 *   attr block_size, output_dtype, precision, saturate  only their defaults
 *
 *   y = clamp(round(x / scale) + zero_point), halves to the even one; no gradient
 */
#include "core/kernels/integer.h"
#include "core/ops/common.h"

struct attrs {
    int64_t axis, block_size, output_dtype, precision, saturate;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, 1, -8, 7, "", "Axis that has its own scales"),
    LUC_INT(struct attrs, block_size, 0, 0, 0x1p62, "", "Only 0, no blocks, is supported"),
    LUC_INT(struct attrs, output_dtype, 0, 0, 99, "", "Of no effect beside a zero point"),
    LUC_INT(struct attrs, precision, 0, 0, 99, "", "Of no effect: reals are float32"),
    LUC_BOOL(struct attrs, saturate, 1, "Of 8-bit floats, which are not supported"),
    LUC_PARAM_END,
};

static enum luc_status check_scale(const struct luc_infer *x, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape;
    const size_t n = luc_numel(&x->in[1]->shape);
    size_t axis = 0;
    if (luc_infer_has(x, 2) && luc_numel(&x->in[2]->shape) != n)
        return luc_fail(err, LUC_SHAPE, "%zu scales but %zu zero points", n,
                        luc_numel(&x->in[2]->shape));
    if (n == 1)
        return LUC_OK;
    const enum luc_status st =
        luc_infer_axis(((const struct attrs *)x->attrs)->axis, in->rank, &axis, err);
    if (!st && n != in->dim[axis])
        return luc_fail(err, LUC_SHAPE, "%zu scales for %zu elements of axis %zu", n, in->dim[axis],
                        axis);
    return st;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st && ((const struct attrs *)x->attrs)->block_size != 0)
        st = luc_fail(err, LUC_UNSUPPORTED, "block_size");
    if (!st)
        st = check_scale(x, err);
    const enum luc_dtype type = luc_infer_has(x, 2) ? x->in[2]->dtype : LUC_U8;
    if (!st && (type < LUC_U8 || type > LUC_I16))
        st = luc_fail(err, LUC_UNSUPPORTED, "only integers of 8 and 16 bits");
    if (st)
        return st;
    x->out[0].shape = x->in[0]->shape;
    x->out[0].dtype = type;
    return LUC_OK;
}

struct job {
    const struct luc_op_call *c;
    struct luc_per scale, zero;
    size_t n, inner; /* along the axis */
    float lo, hi;
};

static void quantise_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    for (size_t i = begin; i < end; i++) {
        const size_t which = i / j->inner % j->n;
        j->c->out[0]->data[i] = luc_quantise(j->c->in[0]->data[i] / luc_per_at(&j->scale, which),
                                             luc_per_at(&j->zero, which), j->lo, j->hi);
    }
}

static void forward(const struct luc_op_call *c)
{
    const size_t n = luc_numel(&c->in[1]->shape);
    struct job j = { .c = c, .scale = { c->in[1]->data, n }, .n = 1, .inner = 1 };
    j.zero = (struct luc_per){ luc_call_has(c, 2) ? c->in[2]->data : NULL, n };
    if (n > 1) {
        const struct luc_along a =
            luc_along(&c->in[0]->shape, ((const struct attrs *)c->attrs)->axis);
        j.n = a.n, j.inner = a.inner;
    }
    luc_int_bounds(c->out[0]->dtype, &j.lo, &j.hi);
    luc_ranges(c->threads, luc_numel(&c->out[0]->shape), LUC_BLOCK, quantise_range, &j);
}

const struct luc_op luc_op_quantize_linear = {
    .name = "QuantizeLinear",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
};
