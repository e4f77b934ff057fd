/* ConstantOfShape -- https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html
 *
 *   in   shape  sizes; must be known before the run
 *   out  y      that shape, every element `value`
 *   attr value  one number
 *   attr dtype  its type, numbered as ours; a reader sets it from the tensor that ONNX's value is
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double value;
    int64_t dtype;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, value, 0, -HUGE_VAL, HUGE_VAL, "", "What every element is"),
    LUC_INT(struct attrs, dtype, LUC_F32, LUC_F32, LUC_U64, "", "Type of the elements"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints sizes = { 0 };
    struct luc_shape out = { 0 };
    enum luc_status st = luc_infer_need(x, 1, err);
    if (!st)
        st = luc_infer_ints(x, 0, "shape", &sizes, err);
    if (!st)
        st = luc_infer_sizes(&sizes, "shape", &out, err);
    if (st)
        return st;
    x->out[0].shape = out;
    x->out[0].dtype = (enum luc_dtype)((const struct attrs *)x->attrs)->dtype;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    const float value = (float)((const struct attrs *)c->attrs)->value;
    const size_t n = luc_numel(&c->out[0]->shape);
    for (size_t i = 0; i < n; i++)
        c->out[0]->data[i] = value;
}

const struct luc_op luc_op_constant_of_shape = {
    .name = "ConstantOfShape",
    .since = 9,
    .n_in_min = 1,
    .n_in_max = 1,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
};
