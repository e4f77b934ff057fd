/* integer_common.h -- what ConvInteger, QLinearConv, MatMulInteger and QLinearMatMul share: shapes, and
 * the way from their inputs to core/kernels/integer.h.
 */
#ifndef LUC_OPS_INTEGER_COMMON_H
#define LUC_OPS_INTEGER_COMMON_H

#include "core/kernels/integer.h"
#include "core/ops/common.h"

/* Which input is what; LUC_ABSENT: the operator has none. */
#define LUC_ABSENT SIZE_MAX
struct luc_integer_inputs {
    size_t a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero, bias;
};

struct luc_integer_conv_attrs {
    struct luc_window_attrs win; /* first: its rows know their fields by offset */
    int64_t group;
};
extern const struct luc_param luc_integer_conv_attrs[];

enum luc_status luc_infer_integer_conv(struct luc_infer *x, const struct luc_integer_inputs *in,
                                       struct luc_error *err);
size_t luc_scratch_integer_conv(const struct luc_infer *x, const struct luc_integer_inputs *in,
                                size_t lanes);
void luc_call_integer_conv(const struct luc_op_call *c, const struct luc_integer_inputs *in);

enum luc_status luc_infer_integer_product(struct luc_infer *x, const struct luc_integer_inputs *in,
                                          struct luc_error *err);
void luc_call_integer_product(const struct luc_op_call *c, const struct luc_integer_inputs *in);

#endif
