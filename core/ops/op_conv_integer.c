/* ConvInteger -- https://onnx.ai/onnx/operators/onnx__ConvInteger.html
 *
 *   in   x       [N, C, H, W], 8 bits
 *        w       [M, C / group, kH, kW], 8 bits
 *        x_zero  optional, one number;  w_zero  optional, one number or one per output channel
 *   out  y       [N, M, oH, oW], 32 bits
 *
 *   y = the convolution of x - x_zero with w - w_zero, exactly; no gradient
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

const struct luc_op luc_op_conv_integer = {
    .name = "ConvInteger",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 4,
    .attrs_size = sizeof(struct luc_integer_conv_attrs),
    .attrs = luc_integer_conv_attrs,
    .infer = infer,
    .scratch = scratch,
    .forward = forward,
};
