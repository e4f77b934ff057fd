/* GatherND -- https://onnx.ai/onnx/operators/onnx__GatherND.html
 *
 *   in   x        any shape
 *   in   indices  [batch.., ..., q]: leading coordinates after the batch axes; negative from the
 *                 end. Outside, an error when they are known before the run, else the nearest
 *   out  y        [batch.., ..., x's other axes]
 *   attr batch_dims  leading axes that x and indices share
 *
 *   y[b, i, ...] = x[b, indices[b, i], ...],  dx there += dy
 */
#include "core/ops/scatter_common.h"

#include <string.h>

struct attrs {
    int64_t batch_dims;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, batch_dims, 0, 0, 7, "", "Leading axes that both inputs share"),
    LUC_PARAM_END,
};

static size_t batch_of(const void *attrs)
{
    return (size_t)((const struct attrs *)attrs)->batch_dims;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_slices s = { 0 };
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_slices(x, batch_of(x->attrs), &s, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape, *list = &x->in[1]->shape;
    struct luc_shape *out = &x->out[0].shape;
    const size_t first = s.batch + s.depth;
    out->rank = list->rank - 1 + in->rank - first;
    if (out->rank > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "rank %zu, at most %d are supported", out->rank,
                        LUC_MAX_RANK);
    memcpy(out->dim, list->dim, (list->rank - 1) * sizeof(size_t));
    memcpy(out->dim + list->rank - 1, in->dim + first, (in->rank - first) * sizeof(size_t));
    x->out[0].dtype = x->in[0]->dtype;
    return luc_shape_check(out, "gathered tensor", err);
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_slices s = luc_slices_of(c, batch_of(c->attrs));
    for (size_t i = 0; i < s.n; i++)
        memcpy(c->out[0]->data + i * s.size, c->in[0]->data + luc_place_slice(c, &s, i),
               s.size * sizeof(float));
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_slices s = luc_slices_of(c, batch_of(c->attrs));
    for (size_t i = 0; c->din[0] && i < s.n; i++)
        luc_row_add(c->din[0]->data + luc_place_slice(c, &s, i), c->dout[0]->data + i * s.size,
                    s.size);
}

const struct luc_op luc_op_gather_nd = {
    .name = "GatherND",
    .since = 11,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_in1,
    .forward = forward,
    .backward = backward,
};
