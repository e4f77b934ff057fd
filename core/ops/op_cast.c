/* Cast -- https://onnx.ai/onnx/operators/onnx__Cast.html
 *
 *   in   x         any shape
 *   out  y         shape of x, of another type
 *   attr to        number of the type in ONNX's TensorProto.DataType
 *   attr saturate  only about 8-bit floats, which are not supported
 *
 *   To an integer the fraction is cut off, 8 and 16 bits wrap around; to a truth value anything but 0 is
 *   true. Real numbers stay as they are: all are held in float32.
 *   dx += dy between real numbers.
 */
#include "core/ops/common.h"

struct attrs {
    int64_t to, saturate;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, to, 0, 0, 99, "", "The type wanted, as ONNX numbers types"),
    LUC_BOOL(struct attrs, saturate, 1, "Of 8-bit floats, which are not supported"),
    LUC_PARAM_END,
};

static bool find_type(int64_t onnx, enum luc_dtype *to)
{
    static const struct {
        int64_t onnx;
        enum luc_dtype type;
    } types[] = { { 1, LUC_F32 },  { 2, LUC_U8 },   { 3, LUC_I8 },   { 4, LUC_U16 },
                  { 5, LUC_I16 },  { 6, LUC_I32 },  { 7, LUC_I64 },  { 9, LUC_BOOL },
                  { 10, LUC_F16 }, { 11, LUC_F64 }, { 12, LUC_U32 }, { 13, LUC_U64 } };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].onnx == onnx) {
            *to = types[i].type;
            return true;
        }
    return false;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const int64_t to = ((const struct attrs *)x->attrs)->to;
    enum luc_dtype dtype = LUC_F32;
    const enum luc_status st = luc_infer_same(x, err);
    if (st)
        return st;
    if (!find_type(to, &dtype))
        return luc_fail(err, LUC_UNSUPPORTED, "ONNX type %lld", (long long)to);
    x->out[0].dtype = dtype;
    return LUC_OK;
}

const struct luc_op luc_op_cast = {
    .name = "Cast",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = luc_call_cast,
    .backward = luc_call_cast_backward,
};
