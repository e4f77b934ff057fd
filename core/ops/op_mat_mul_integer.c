/* MatMulInteger -- https://onnx.ai/onnx/operators/onnx__MatMulInteger.html
 *
 *   in   a, b    [..., M, K], [..., K, N] or [K, N], 8 bits
 *        a_zero  optional, one number or one per row;  b_zero  optional, one number or one per column
 *   out  y       [..., M, N], 32 bits
 *
 *   y = (a - a_zero) (b - b_zero), exactly; no gradient
 */
#include "core/ops/integer_common.h"

static const struct luc_integer_inputs inputs = { .a = 0,
                                                  .a_scale = LUC_ABSENT,
                                                  .a_zero = 2,
                                                  .b = 1,
                                                  .b_scale = LUC_ABSENT,
                                                  .b_zero = 3,
                                                  .y_scale = LUC_ABSENT,
                                                  .y_zero = LUC_ABSENT,
                                                  .bias = LUC_ABSENT };

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 2, err);
    return st ? st : luc_infer_integer_product(x, &inputs, err);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_integer_product(c, &inputs);
}

const struct luc_op luc_op_mat_mul_integer = {
    .name = "MatMulInteger",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 4,
    .infer = infer,
    .forward = forward,
};
