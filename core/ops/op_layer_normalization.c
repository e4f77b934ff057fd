/* LayerNormalization -- https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 *
 *   in   x         any shape
 *        scale, b  x's shape from `axis` on; b may be absent
 *   out  y         shape of x
 *        mean, r   optional: x's shape, 1 from `axis` on
 *
 *   y = scale h + b,  h = (x - mean) r,  r = 1 / sqrt(var + epsilon)
 *
 * with mean and var over the axes from `axis` on. Gradient: core/kernels/rownorm.h.
 *
 * Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
 */
#include "core/kernels/rownorm.h"
#include "core/ops/common.h"

#include <math.h>

enum { X, SCALE, B };

struct attrs {
    int64_t axis, stash_type;
    double epsilon;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, -1, -8, 7, "", "First axis that is normalised over"),
    LUC_INT(struct attrs, stash_type, 1, 0, 99, "", "Of no effect: reals are float32"),
    LUC_REAL(struct attrs, epsilon, 1e-5, 0, HUGE_VAL, "", "Added to the variance"),
    LUC_PARAM_END,
};

static size_t first_axis(const void *attrs, const struct luc_shape *x)
{
    const int64_t axis = ((const struct attrs *)attrs)->axis;
    return (size_t)(axis < 0 ? axis + (int64_t)x->rank : axis);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    size_t axis = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same_float(x, err);
    if (!st)
        st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, x->in[X]->shape.rank, &axis,
                            err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[X]->shape;
    const size_t n = luc_dims(in, axis, in->rank);
    for (size_t i = SCALE; i <= B; i++)
        if (luc_infer_has(x, i) && luc_numel(&x->in[i]->shape) != n)
            return luc_fail(err, LUC_SHAPE, "%s has %zu numbers, normalised are %zu",
                            i == SCALE ? "scale" : "b", luc_numel(&x->in[i]->shape), n);
    for (size_t k = 1; k < x->n_out; k++) {
        x->out[k].shape = *in;
        for (size_t d = axis; d < in->rank; d++)
            x->out[k].shape.dim[d] = 1;
    }
    return LUC_OK;
}

static struct luc_rownorm norm_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[X]->shape;
    const size_t axis = first_axis(c->attrs, in);
    return (struct luc_rownorm){ .rows = luc_dims(in, 0, axis),
                                 .groups = 1,
                                 .m = luc_dims(in, axis, in->rank),
                                 .inner = 1,
                                 .epsilon = ((const struct attrs *)c->attrs)->epsilon,
                                 .centre = true };
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    luc_rownorm_forward(&n, c->threads, c->in[X]->data, c->in[SCALE]->data,
                        luc_call_has(c, B) ? c->in[B]->data : NULL, c->out[0]->data,
                        c->n_out > 1 && c->out[1] ? c->out[1]->data : NULL,
                        c->n_out > 2 && c->out[2] ? c->out[2]->data : NULL);
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    if (c->dout[0])
        luc_rownorm_backward(&n, c->threads, c->in[X]->data, c->in[SCALE]->data, c->dout[0]->data,
                             c->din[X] ? c->din[X]->data : NULL,
                             c->din[SCALE] ? c->din[SCALE]->data : NULL,
                             c->n_in > B && c->din[B] ? c->din[B]->data : NULL);
}

const struct luc_op luc_op_layer_normalization = {
    .name = "LayerNormalization",
    .since = 17,
    .n_in_min = 2,
    .n_in_max = 3,
    .n_out_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
