/* Squeeze -- https://onnx.ai/onnx/operators/onnx__Squeeze.html
 *
 *   in   x     any shape
 *   in   axes  since opset 13, optional: which to drop; must be known before the run
 *   out  y     x without those dimensions, or without all of size 1; shares x's storage
 *   attr axes  before opset 13, instead of the input
 *
 *   y = x,  dx += dy
 */
#include "core/ops/common.h"

struct attrs {
    struct luc_ints axes;
};

static const struct luc_param attr_table[] = {
    LUC_INTS(struct attrs, axes, "", -8, 7, "", "Dimensions of size 1 to drop"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape;
    struct luc_ints axes;
    bool drop[LUC_MAX_RANK];
    st = luc_infer_axes_given(x, &((const struct attrs *)x->attrs)->axes, &axes, err);
    if (!st)
        st = luc_infer_axes(&axes, in->rank, drop, err);
    if (st)
        return st;

    struct luc_shape out = { 0 };
    for (size_t d = 0; d < in->rank; d++) {
        if (axes.n > 0 && drop[d] && in->dim[d] != 1)
            return luc_fail(err, LUC_SHAPE, "cannot drop axis %zu of size %zu", d, in->dim[d]);
        if (axes.n > 0 ? !drop[d] : in->dim[d] != 1)
            out.dim[out.rank++] = in->dim[d];
    }
    x->out[0].shape = out;
    return LUC_OK;
}

const struct luc_op luc_op_squeeze = {
    .name = "Squeeze",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_VIEW | LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = luc_call_copy,
    .backward = luc_call_copy_backward,
};
