#include "core/ops/arg_common.h"

const struct luc_param luc_arg_attrs[] = {
    LUC_INT(struct luc_arg_attrs, axis, 0, -8, 7, "", "Axis looked along"),
    LUC_BOOL(struct luc_arg_attrs, keepdims, 1, "The axis stays, of size 1"),
    LUC_BOOL(struct luc_arg_attrs, select_last_index, 0, "Of equal ones the last"),
    LUC_PARAM_END,
};

enum luc_status luc_infer_arg(struct luc_infer *x, struct luc_error *err)
{
    const struct luc_arg_attrs *a = x->attrs;
    size_t axis = 0;
    enum luc_status st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_axis(a->axis, x->in[0]->shape.rank, &axis, err);
    if (!st && x->in[0]->shape.dim[axis] == 0)
        st = luc_fail(err, LUC_SHAPE, "an empty axis has no largest number");
    if (st)
        return st;
    struct luc_shape *out = &x->out[0].shape;
    x->out[0].dtype = LUC_I64;
    out->dim[axis] = 1;
    if (a->keepdims)
        return LUC_OK;
    for (size_t d = axis; d + 1 < out->rank; d++)
        out->dim[d] = out->dim[d + 1];
    out->rank--;
    return LUC_OK;
}

void luc_call_arg(const struct luc_op_call *c, float sign)
{
    const struct luc_arg_attrs *a = c->attrs;
    const struct luc_along along = luc_along(&c->in[0]->shape, a->axis);
    for (size_t i = 0; i < along.outer * along.inner; i++) {
        const float *x = c->in[0]->data + i / along.inner * along.n * along.inner + i % along.inner;
        size_t best = 0;
        for (size_t k = 1; k < along.n; k++) {
            const float v = sign * x[k * along.inner], top = sign * x[best * along.inner];
            if (v > top || (v == top && a->select_last_index))
                best = k;
        }
        c->out[0]->data[i] = (float)best;
    }
}
