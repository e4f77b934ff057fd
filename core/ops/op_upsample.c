/* Upsample -- https://onnx.ai/onnx/operators/onnx__Upsample.html
 *
 *   in   x       any shape
 *   in   scales  since opset 9: factor per axis, at least 1; must be known before the run
 *   out  y       floor(size * scale) per axis
 *   attr scales  in opsets 7 and 8, instead of the input
 *   attr mode    nearest or linear
 *
 *   Output o of an axis looks at o / scale: y[o] = x[floor(o / scale)], or linear between the two
 *   neighbours. dx += the same weights times dy.
 */
#include "core/kernels/resample.h"
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    int64_t mode;
    struct luc_reals scales;
};

static const char *const modes[] = { "nearest", "linear", NULL };

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, mode, LUC_NEAREST, 2, modes, "How neighbours are weighted"),
    LUC_REALS(struct attrs, scales, "", -HUGE_VAL, HUGE_VAL, "", "Factor per axis"),
    LUC_PARAM_END,
};

static enum luc_status resolve(const struct attrs *a, const struct luc_shape *in,
                               const struct luc_reals *scales, struct luc_resample *to,
                               struct luc_error *err)
{
    struct luc_resample r = { .in = *in,
                              .out = *in,
                              .mode = (enum luc_resample_mode)a->mode,
                              .coord = LUC_ASYMMETRIC,
                              .round = LUC_FLOOR };
    if (scales->n != in->rank)
        return luc_fail(err, LUC_SHAPE, "%zu scales for %zu axes", scales->n, in->rank);
    for (size_t d = 0; d < in->rank; d++) {
        if (!(scales->v[d] >= 1.0 && scales->v[d] < 1e9))
            return luc_fail(err, LUC_SHAPE, "a scale of %g", scales->v[d]);
        const double size = floor((double)in->dim[d] * scales->v[d]);
        if (!(size < 0x1p40))
            return luc_fail(err, LUC_TOO_LARGE, "an axis of %g elements", size);
        r.out.dim[d] = (size_t)size;
        r.scale[d] = scales->v[d];
    }
    const enum luc_status st = luc_shape_check(&r.out, "upsampled tensor", err);
    if (!st)
        *to = r;
    return st;
}

static enum luc_status read_scales(const struct luc_infer *x, struct luc_resample *r,
                                   struct luc_error *err)
{
    struct luc_reals scales = ((const struct attrs *)x->attrs)->scales;
    enum luc_status st = LUC_OK;
    if (luc_infer_has(x, 1))
        st = luc_infer_reals(x, 1, "scales", &scales, err);
    return st ? st : resolve(x->attrs, &x->in[0]->shape, &scales, r, err);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_resample r = { 0 };
    enum luc_status st = luc_infer_same(x, err);
    if (!st)
        st = read_scales(x, &r, err);
    if (!st)
        x->out[0].shape = r.out;
    return st;
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    struct luc_resample r = { 0 };
    (void)backward, (void)lanes;
    return read_scales(x, &r, NULL) ? 0 : luc_resample_scratch(&r);
}

static struct luc_resample make(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    const struct luc_reals scales = luc_call_has(c, 1) ? luc_call_reals(c, 1) : a->scales;
    struct luc_resample r = { 0 };
    const enum luc_status st = resolve(a, &c->in[0]->shape, &scales, &r, NULL);
    (void)st; /* infer() had no complaints */
    return r;
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_resample r = make(c);
    luc_resample_forward(&r, c->threads, c->scratch, c->in[0]->data, c->out[0]->data);
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0])
        return;
    const struct luc_resample r = make(c);
    luc_call_clear(c, 0);
    luc_resample_backward(&r, c->threads, c->scratch, c->dout[0]->data, c->din[0]->data);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}

const struct luc_op luc_op_upsample = {
    .name = "Upsample",
    .since = 7,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
