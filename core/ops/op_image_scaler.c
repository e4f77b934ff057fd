/* ImageScaler -- of the experimental ONNX operators that WinML's older converters wrote.
 *
 *   in   x      [N, C, H, W]
 *   out  y      shape of x
 *   attr scale  one number
 *   attr bias   one per channel; none: 0
 *
 *   y = scale x + bias,  dx += scale dy
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double scale;
    struct luc_reals bias;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, scale, 1, -HUGE_VAL, HUGE_VAL, "", "Factor"),
    LUC_REALS(struct attrs, bias, "", -HUGE_VAL, HUGE_VAL, "", "Added, one per channel"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_reals *bias = &((const struct attrs *)x->attrs)->bias;
    const enum luc_status st = luc_infer_same_float(x, err);
    if (st)
        return st;
    if (x->in[0]->shape.rank != 4 || (bias->n > 0 && bias->n != x->in[0]->shape.dim[1]))
        return luc_fail(err, LUC_SHAPE, "x must be [N, %zu, H, W]", bias->n);
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    const struct luc_shape *s = &c->in[0]->shape;
    const size_t plane = s->dim[2] * s->dim[3];
    for (size_t i = 0; i < luc_numel(s); i++)
        c->out[0]->data[i] = (float)(a->scale * (double)c->in[0]->data[i] +
                                     (a->bias.n ? a->bias.v[i / plane % s->dim[1]] : 0));
}

static void backward(const struct luc_op_call *c)
{
    const float scale = (float)((const struct attrs *)c->attrs)->scale;
    for (size_t i = 0; c->din[0] && i < luc_numel(&c->in[0]->shape); i++)
        c->din[0]->data[i] += scale * c->dout[0]->data[i];
}

const struct luc_op luc_op_image_scaler = {
    .name = "ImageScaler",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
