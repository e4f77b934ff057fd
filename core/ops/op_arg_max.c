/* ArgMax -- https://onnx.ai/onnx/operators/onnx__ArgMax.html
 *
 *   in   x  any shape
 *   out  y  x's shape, `axis` of size 1 or gone: where along it the largest number is
 *   attr axis               the axis looked along
 *   attr keepdims           1: it stays, of size 1
 *   attr select_last_index  1: of equal ones the last, 0: the first
 *
 *   No gradient.
 */
#include "core/ops/arg_common.h"

static void forward(const struct luc_op_call *c)
{
    luc_call_arg(c, 1.0f);
}

const struct luc_op luc_op_arg_max = {
    .name = "ArgMax",
    .since = 1,
    .n_in_min = 1,
    .n_in_max = 1,
    .attrs_size = sizeof(struct luc_arg_attrs),
    .attrs = luc_arg_attrs,
    .infer = luc_infer_arg,
    .forward = forward,
};
