/* Mean -- https://onnx.ai/onnx/operators/onnx__Mean.html
 *
 *   in   x_k  one or more, broadcast together
 *   out  y    their common shape
 *
 *   y = (x_0 + x_1 + ...) / n;  dx_k += dy / n, summed over what was broadcast
 */
#include "core/ops/common.h"

LUC_BINARY(add, p + q)
LUC_BINARY(divide, p / q)

static void forward(const struct luc_op_call *c)
{
    float n = (float)c->n_in;
    const struct luc_tensor divisor = { .data = &n };
    luc_call_fold(c, add);
    luc_binary_forward(c->threads, divide, c->out[0], &divisor, c->out[0]);
}

static void backward(const struct luc_op_call *c)
{
    for (size_t k = 0; k < c->n_in; k++)
        luc_call_fold_backward(c, k, 1.0f / (float)c->n_in);
}

const struct luc_op luc_op_mean = {
    .name = "Mean",
    .since = 8,
    .n_in_min = 1,
    .n_in_max = SIZE_MAX,
    .flags = LUC_OP_SETS_DIN,
    .infer = luc_infer_broadcast,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = backward,
};
