/* ScatterND -- https://onnx.ai/onnx/operators/onnx__ScatterND.html
 *
 *   in   x        any shape
 *   in   indices  [..., q]: leading coordinates; negative from the end. Outside, an error when they
 *                 are known before the run, else the nearest
 *   in   updates  [..., x's other axes]
 *   out  y        x with the updates at these places
 *   attr reduction  none: written, the last one stays; add, mul, max, min: joined with what is there
 *
 *   dx += dy but where something was written;  dupdates += dy there. No gradient passes mul, max and
 *   min at the places they touch.
 */
#include "core/ops/scatter_common.h"

#include <string.h>

struct attrs {
    int64_t reduction;
};

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, reduction, LUC_SCATTER_NONE, 5, luc_scatter_names,
               "What becomes of elements that are written to"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_slices s = { 0 };
    enum luc_status st = luc_infer_need(x, 3, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_slices(x, 0, &s, err);
    if (!st && luc_numel(&x->in[2]->shape) != s.n * s.size)
        st = luc_fail(err, LUC_SHAPE, "%zu numbers for %zu slices of %zu",
                      luc_numel(&x->in[2]->shape), s.n, s.size);
    return st;
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_slices s = luc_slices_of(c, 0);
    const int64_t reduction = ((const struct attrs *)c->attrs)->reduction;
    luc_call_copy(c);
    for (size_t i = 0; i < s.n; i++) {
        float *to = c->out[0]->data + luc_place_slice(c, &s, i);
        for (size_t k = 0; k < s.size; k++)
            luc_scatter_into(&to[k], c->in[2]->data[i * s.size + k], reduction);
    }
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_slices s = luc_slices_of(c, 0);
    const int64_t reduction = ((const struct attrs *)c->attrs)->reduction;
    float *dx = c->din[0] ? c->din[0]->data : NULL, *du = c->din[2] ? c->din[2]->data : NULL;
    const float *dy = c->dout[0]->data;
    /* dy is added everywhere and taken back where it must not pass, so that dx needs no zeros */
    if (dx)
        luc_row_add(dx, dy, luc_numel(&c->in[0]->shape));
    for (size_t i = 0; i < s.n; i++) {
        const size_t at = luc_place_slice(c, &s, i);
        bool again = false; /* a later one writes the same place */
        for (size_t k = i + 1; reduction != LUC_SCATTER_ADD && k < s.n && !again; k++)
            again = luc_place_slice(c, &s, k) == at;
        for (size_t k = 0; k < s.size && !again; k++) {
            if (dx && reduction != LUC_SCATTER_ADD)
                dx[at + k] -= dy[at + k];
            if (du && reduction <= LUC_SCATTER_ADD)
                du[i * s.size + k] += dy[at + k];
        }
    }
}

const struct luc_op luc_op_scatter_nd = {
    .name = "ScatterND",
    .since = 11,
    .n_in_min = 3,
    .n_in_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_in1,
    .forward = forward,
    .backward = backward,
};
