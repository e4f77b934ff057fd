/* RMSNormalization -- https://onnx.ai/onnx/operators/onnx__RMSNormalization.html
 *
 *   in   x      any shape
 *        scale  x's shape from `axis` on
 *   out  y      shape of x
 *
 *   y = scale x r,  r = 1 / sqrt(mean(x^2) + epsilon)
 *
 * with the mean over the axes from `axis` on. Gradient: core/kernels/rownorm.h.
 *
 * Source: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, arXiv:1910.07467.
 */
#include "core/kernels/rownorm.h"
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    int64_t axis, stash_type;
    double epsilon;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, -1, -8, 7, "", "First axis that is normalised over"),
    LUC_INT(struct attrs, stash_type, 1, 0, 99, "", "Of no effect: reals are float32"),
    LUC_REAL(struct attrs, epsilon, 1e-5, 0, HUGE_VAL, "", "Added to the mean square"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    size_t axis = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same_float(x, err);
    if (!st)
        st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, x->in[0]->shape.rank, &axis,
                            err);
    if (st)
        return st;
    const size_t n = luc_dims(&x->in[0]->shape, axis, x->in[0]->shape.rank);
    if (luc_numel(&x->in[1]->shape) != n)
        return luc_fail(err, LUC_SHAPE, "scale has %zu numbers, normalised are %zu",
                        luc_numel(&x->in[1]->shape), n);
    return LUC_OK;
}

static struct luc_rownorm norm_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape;
    const struct attrs *a = c->attrs;
    const size_t axis = (size_t)(a->axis < 0 ? a->axis + (int64_t)in->rank : a->axis);
    return (struct luc_rownorm){ .rows = luc_dims(in, 0, axis),
                                 .groups = 1,
                                 .m = luc_dims(in, axis, in->rank),
                                 .inner = 1,
                                 .epsilon = a->epsilon };
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    luc_rownorm_forward(&n, c->threads, c->in[0]->data, c->in[1]->data, NULL, c->out[0]->data, NULL,
                        NULL);
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    luc_rownorm_backward(&n, c->threads, c->in[0]->data, c->in[1]->data, c->dout[0]->data,
                         c->din[0] ? c->din[0]->data : NULL, c->din[1] ? c->din[1]->data : NULL,
                         NULL);
}

const struct luc_op luc_op_rms_normalization = {
    .name = "RMSNormalization",
    .since = 23,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
