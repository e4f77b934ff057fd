/* GroupNormalization -- https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
 *
 *   in   x         [N, C, ...]
 *        scale, b  [C] since opset 21, one a group before
 *   out  y         shape of x
 *   attr num_groups  divides C
 *
 *   y = scale h + b,  h = (x - mean) r,  r = 1 / sqrt(var + epsilon)
 *
 * with mean and var over the pixels of a group of C / num_groups channels of one image. Gradient:
 * core/kernels/rownorm.h.
 *
 * Source: Wu & He, "Group Normalization", 2018, arXiv:1803.08494.
 */
#include "core/kernels/rownorm.h"
#include "core/ops/common.h"

#include <math.h>

enum { X, SCALE, B };

struct attrs {
    int64_t num_groups, stash_type;
    double epsilon;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, num_groups, 1, 1, 0x1p31, "", "Groups of channels"),
    LUC_INT(struct attrs, stash_type, 1, 0, 99, "", "Of no effect: reals are float32"),
    LUC_REAL(struct attrs, epsilon, 1e-5, 0, HUGE_VAL, "", "Added to the variance"),
    LUC_PARAM_END,
};

static size_t groups_of(const void *attrs)
{
    return (size_t)((const struct attrs *)attrs)->num_groups;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 3, err);
    if (!st)
        st = luc_infer_same_float(x, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[X]->shape;
    const size_t groups = groups_of(x->attrs);
    if (in->rank < 2 || luc_numel(in) == 0 || in->dim[1] % groups != 0)
        return luc_fail(err, LUC_SHAPE, "x must be [N, C, ...] with C a multiple of %zu", groups);
    const size_t want = x->opset < 21 ? groups : in->dim[1];
    for (size_t i = SCALE; i <= B; i++)
        if (luc_numel(&x->in[i]->shape) != want)
            return luc_fail(err, LUC_SHAPE, "%s must have %zu numbers", i == SCALE ? "scale" : "b",
                            want);
    return LUC_OK;
}

static struct luc_rownorm norm_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[X]->shape;
    const size_t groups = groups_of(c->attrs), per = in->dim[1] / groups;
    const size_t pixels = luc_dims(in, 2, in->rank);
    const bool by_channel = luc_numel(&c->in[SCALE]->shape) == in->dim[1];
    return (struct luc_rownorm){ .rows = in->dim[0] * groups,
                                 .groups = groups,
                                 .m = by_channel ? per : 1,
                                 .inner = by_channel ? pixels : per * pixels,
                                 .epsilon = ((const struct attrs *)c->attrs)->epsilon,
                                 .centre = true };
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    luc_rownorm_forward(&n, c->threads, c->in[X]->data, c->in[SCALE]->data, c->in[B]->data,
                        c->out[0]->data, NULL, NULL);
}

static void backward(const struct luc_op_call *c)
{
    const struct luc_rownorm n = norm_of(c);
    luc_rownorm_backward(&n, c->threads, c->in[X]->data, c->in[SCALE]->data, c->dout[0]->data,
                         c->din[X] ? c->din[X]->data : NULL,
                         c->din[SCALE] ? c->din[SCALE]->data : NULL,
                         c->din[B] ? c->din[B]->data : NULL);
}

const struct luc_op luc_op_group_normalization = {
    .name = "GroupNormalization",
    .since = 18,
    .n_in_min = 3,
    .n_in_max = 3,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
