/* Scatter -- https://onnx.ai/onnx/operators/onnx__Scatter.html
 *
 *   ScatterElements by the name it had before opset 11.
 *
 *   in   x        any shape
 *   in   indices  x's rank; negative from the end. Outside, an error when they are known before the
 *                 run, else the nearest
 *   in   updates  indices' shape
 *   out  y        x with the updates at these places
 *   attr axis
 *   attr reduction  none: written, the last one stays; add, mul, max, min: joined with what is there
 *
 *   dx += dy but where something was written;  dupdates += dy there. No gradient passes mul, max and
 *   min at the places they touch.
 */
#include "core/ops/scatter_common.h"

const struct luc_op luc_op_scatter = {
    .name = "Scatter",
    .since = 9,
    .n_in_min = 3,
    .n_in_max = 3,
    .attrs_size = sizeof(struct luc_along_attrs),
    .attrs = luc_scatter_elements_attrs,
    .infer = luc_infer_scatter_elements,
    .reads = luc_reads_in1,
    .forward = luc_call_scatter_elements,
    .backward = luc_call_scatter_elements_backward,
};
