/* QLinearMatMul -- https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html
 *
 *   in   a, a_scale, a_zero  [..., M, K], 8 bits, and what it stands for: a_scale (a - a_zero)
 *        b, b_scale, b_zero  [..., K, N] or [K, N]; scale and zero one for all, or one per column
 *        y_scale, y_zero     of the result
 *   out  y                   [..., M, N], of y_zero's type
 *
 *   y = clamp(round((a - a_zero) (b - b_zero) a_scale b_scale / y_scale) + y_zero)
 *
 *   The sum is exact, the factor is one float32; no gradient.
 */
#include "core/ops/integer_common.h"

static const struct luc_integer_inputs inputs = { .a = 0,
                                                  .a_scale = 1,
                                                  .a_zero = 2,
                                                  .b = 3,
                                                  .b_scale = 4,
                                                  .b_zero = 5,
                                                  .y_scale = 6,
                                                  .y_zero = 7,
                                                  .bias = LUC_ABSENT };

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 8, err);
    return st ? st : luc_infer_integer_product(x, &inputs, err);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_integer_product(c, &inputs);
}

const struct luc_op luc_op_q_linear_mat_mul = {
    .name = "QLinearMatMul",
    .since = 10,
    .n_in_min = 8,
    .n_in_max = 8,
    .infer = infer,
    .forward = forward,
};
