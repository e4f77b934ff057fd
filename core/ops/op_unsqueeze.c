/* Unsqueeze -- https://onnx.ai/onnx/operators/onnx__Unsqueeze.html
 *
 *   in   x     any shape
 *   in   axes  since opset 13: where, in y, dimensions of size 1 stand; must be known before the
 *              run
 *   out  y     x with those dimensions; shares x's storage
 *   attr axes  before opset 13, instead of the input
 *
 *   y = x,  dx += dy
 */
#include "core/ops/common.h"

struct attrs {
    struct luc_ints axes;
};

static const struct luc_param attr_table[] = {
    LUC_INTS(struct attrs, axes, "", -8, 7, "", "Where the new dimensions of size 1 stand"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape;
    struct luc_ints axes;
    bool added[LUC_MAX_RANK];
    st = luc_infer_axes_given(x, &((const struct attrs *)x->attrs)->axes, &axes, err);
    if (!st)
        st = luc_infer_axes(&axes, in->rank + axes.n, added, err);
    if (st)
        return st;

    struct luc_shape out = { .rank = in->rank + axes.n };
    for (size_t d = 0, from = 0; d < out.rank; d++)
        out.dim[d] = added[d] ? 1 : in->dim[from++];
    x->out[0].shape = out;
    return LUC_OK;
}

const struct luc_op luc_op_unsqueeze = {
    .name = "Unsqueeze",
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
