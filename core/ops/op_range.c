/* Range -- https://onnx.ai/onnx/operators/onnx__Range.html
 *
 *   in   start, limit, delta  one number each; must be known before the run
 *   out  y                    [n], n = max(0, ceil((limit - start) / delta))
 *
 *   y[i] = start + i delta; no gradient
 */
#include "core/ops/common.h"

#include <math.h>

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    static const char *const names[] = { "start", "limit", "delta" };
    double v[3] = { 0 };
    enum luc_status st = luc_infer_need(x, 3, err);
    for (size_t i = 0; !st && i < 3; i++) {
        struct luc_reals list = { 0 };
        st = luc_infer_reals(x, i, names[i], &list, err);
        if (!st && list.n != 1)
            st = luc_fail(err, LUC_SHAPE, "%s must be one number", names[i]);
        v[i] = list.v[0];
    }
    if (!st && (v[2] == 0 || !isfinite(v[0]) || !isfinite(v[1]) || !isfinite(v[2])))
        st = luc_fail(err, LUC_INVALID, "a range from %g to %g by %g", v[0], v[1], v[2]);
    if (st)
        return st;
    const double n = fmax(0, ceil((v[1] - v[0]) / v[2]));
    if (n > LUC_EXACT_INT)
        return luc_fail(err, LUC_TOO_LARGE, "a range of %.0f numbers", n);
    x->out[0].shape = (struct luc_shape){ 1, { (size_t)n } };
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    const float start = c->in[0]->data[0], delta = c->in[2]->data[0];
    for (size_t i = 0; i < c->out[0]->shape.dim[0]; i++)
        c->out[0]->data[i] = (float)((double)start + (double)i * (double)delta);
}

const struct luc_op luc_op_range = {
    .name = "Range",
    .since = 11,
    .n_in_min = 3,
    .n_in_max = 3,
    .infer = infer,
    .forward = forward,
};
