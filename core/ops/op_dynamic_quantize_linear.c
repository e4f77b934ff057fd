/* DynamicQuantizeLinear -- https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
 *
 *   in   x           any shape
 *   out  y           shape of x, unsigned 8 bits
 *        scale, zero  one number each
 *
 *   scale = (max(x, 0) - min(x, 0)) / 255 over all of x, 1 where that is 0
 *   zero  = clamp(round(-min / scale)),  y = clamp(round(x / scale) + zero); no gradient
 */
#include "core/kernels/integer.h"
#include "core/ops/common.h"

#include <math.h>

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_same_float(x, err);
    if (st)
        return st;
    x->out[0].dtype = LUC_U8;
    for (size_t i = 1; i < x->n_out; i++)
        x->out[i].shape = (struct luc_shape){ .rank = 0 };
    if (x->n_out > 2)
        x->out[2].dtype = LUC_U8;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    const float *x = c->in[0]->data;
    float min = 0, max = 0;
    const size_t n = luc_numel(&c->in[0]->shape);
    for (size_t i = 0; i < n; i++) {
        min = fminf(min, x[i]);
        max = fmaxf(max, x[i]);
    }
    const float scale = max > min ? (max - min) / 255 : 1;
    const float zero = luc_quantise(0 - min / scale, 0, 0, 255);
    for (size_t i = 0; i < n; i++)
        c->out[0]->data[i] = luc_quantise(x[i] / scale, zero, 0, 255);
    if (c->n_out > 1 && c->out[1])
        c->out[1]->data[0] = scale;
    if (c->n_out > 2 && c->out[2])
        c->out[2]->data[0] = zero;
}

const struct luc_op luc_op_dynamic_quantize_linear = {
    .name = "DynamicQuantizeLinear",
    .since = 11,
    .n_in_min = 1,
    .n_in_max = 1,
    .n_out_max = 3,
    .infer = infer,
    .forward = forward,
};
