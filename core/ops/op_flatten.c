/* Flatten -- https://onnx.ai/onnx/operators/onnx__Flatten.html
 *
 *   in   x     any shape
 *   out  y     [sizes before axis, sizes from axis on]; shares x's storage
 *   attr axis  where to cut, negative from the end
 *
 *   y = x,  dx += dy
 */
#include "core/ops/common.h"

struct attrs {
    int64_t axis;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, 1, -8, 8, "", "Dimensions before it become the rows"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 1, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape;
    const int64_t axis = ((const struct attrs *)x->attrs)->axis;
    size_t at = in->rank; /* cutting after the last dimension is fine */
    if (axis != (int64_t)in->rank) {
        st = luc_infer_axis(axis, in->rank, &at, err);
        if (st)
            return st;
    }
    x->out[0].shape = (struct luc_shape){ 2, { luc_dims(in, 0, at), luc_dims(in, at, in->rank) } };
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

const struct luc_op luc_op_flatten = {
    .name = "Flatten",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_VIEW | LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = luc_call_copy,
    .backward = luc_call_copy_backward,
};
