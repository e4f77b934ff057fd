/* CastLike -- https://onnx.ai/onnx/operators/onnx__CastLike.html
 *
 *   in   x     any shape
 *   in   like  anything of the wanted type
 *   out  y     shape of x, type of like
 *   attr saturate  only about 8-bit floats, which are not supported
 *
 *   As Cast.
 */
#include "core/ops/common.h"

struct attrs {
    int64_t saturate;
};

static const struct luc_param attr_table[] = {
    LUC_BOOL(struct attrs, saturate, 1, "Of 8-bit floats, which are not supported"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        x->out[0].dtype = x->in[1]->dtype;
    return st;
}

const struct luc_op luc_op_cast_like = {
    .name = "CastLike",
    .since = 15,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = luc_call_cast,
    .backward = luc_call_cast_backward,
};
