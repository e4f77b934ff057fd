/* QLinearConv -- https://onnx.ai/onnx/operators/onnx__QLinearConv.html
 *
 *   in   x, x_scale, x_zero  [N, C, H, W], 8 bits, and what it stands for: x_scale (x - x_zero)
 *        w, w_scale, w_zero  [M, C / group, kH, kW]; scale and zero one for all, or one per channel
 *        y_scale, y_zero     of the result
 *        b                   optional, [M], 32 bits, of scale x_scale w_scale
 *   out  y                   [N, M, oH, oW], of y_zero's type
 *
 *   y = clamp(round((conv(x - x_zero, w - w_zero) + b) x_scale w_scale / y_scale) + y_zero)
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
                                                  .bias = 8 };

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 8, err);
    return st ? st : luc_infer_integer_conv(x, &inputs, err);
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    (void)backward;
    return luc_scratch_integer_conv(x, &inputs, lanes);
}

static void forward(const struct luc_op_call *c)
{
    luc_call_integer_conv(c, &inputs);
}

const struct luc_op luc_op_q_linear_conv = {
    .name = "QLinearConv",
    .since = 10,
    .n_in_min = 8,
    .n_in_max = 9,
    .attrs_size = sizeof(struct luc_integer_conv_attrs),
    .attrs = luc_integer_conv_attrs,
    .infer = infer,
    .scratch = scratch,
    .forward = forward,
};
