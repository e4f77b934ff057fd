/* OneHot -- https://onnx.ai/onnx/operators/onnx__OneHot.html
 *
 *   in   indices  any shape; negative from the end, others outside give no mark
 *   in   depth    one number; must be known before the run
 *   in   values   { off, on }
 *   out  y        indices' shape with an axis of `depth` put in at `axis`
 *
 *   y[..., k, ...] = on where k is the index, else off; no gradient
 */
#include "core/ops/common.h"

#include <string.h>

struct attrs {
    int64_t axis;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, -1, -8, 7, "", "Where the new axis stands"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints depth = { 0 };
    size_t axis = 0;
    enum luc_status st = luc_infer_need(x, 3, err);
    if (!st)
        st = luc_infer_ints(x, 1, "depth", &depth, err);
    if (!st && (depth.n != 1 || depth.v[0] < 1 || depth.v[0] > INT32_MAX))
        st = luc_fail(err, LUC_SHAPE, "depth must be one number, at least 1");
    if (!st && luc_numel(&x->in[2]->shape) != 2)
        st = luc_fail(err, LUC_SHAPE, "values must be two: off, on");
    const struct luc_shape *in = &x->in[0]->shape;
    if (!st && in->rank >= LUC_MAX_RANK)
        st = luc_fail(err, LUC_UNSUPPORTED, "rank %zu", in->rank + 1);
    if (!st)
        st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, in->rank + 1, &axis, err);
    if (st)
        return st;
    struct luc_shape *out = &x->out[0].shape;
    out->rank = in->rank + 1;
    memcpy(out->dim, in->dim, axis * sizeof(size_t));
    out->dim[axis] = (size_t)depth.v[0];
    memcpy(out->dim + axis + 1, in->dim + axis, (in->rank - axis) * sizeof(size_t));
    x->out[0].dtype = x->in[2]->dtype;
    return luc_shape_check(out, "output", err);
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_along a = luc_along(&c->out[0]->shape, ((const struct attrs *)c->attrs)->axis);
    const float *list = c->in[0]->data, *values = c->in[2]->data;
    float *y = c->out[0]->data;
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++)
        y[i] = values[0];
    for (size_t i = 0; i < a.outer * a.inner; i++) {
        int64_t k = luc_to_int(list[i]);
        k += k < 0 ? (int64_t)a.n : 0;
        if (k >= 0 && k < (int64_t)a.n)
            y[(i / a.inner * a.n + (size_t)k) * a.inner + i % a.inner] = values[1];
    }
}

const struct luc_op luc_op_one_hot = {
    .name = "OneHot",
    .since = 9,
    .n_in_min = 3,
    .n_in_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
};
