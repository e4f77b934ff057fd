/* Clip -- https://onnx.ai/onnx/operators/onnx__Clip.html
 *
 *   in   x         any shape
 *   in   min, max  since opset 11, optional: one number each
 *   out  y         shape of x
 *   attr min, max  before opset 11, instead of the inputs
 *
 *   y  = min(max(x, lo), hi)
 *   dx += dy where lo < y < hi. From 0 up it is a ReLU with a ceiling (MobileNet's ReLU6), and the
 *         run's rule for ReLUs holds: guided also wants dy > 0, deconvnet wants only that.
 */
#include "core/ops/common.h"

#include <float.h>
#include <math.h>

struct attrs {
    double min, max;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, min, -FLT_MAX, -HUGE_VAL, HUGE_VAL, "", "Smallest output"),
    LUC_REAL(struct attrs, max, FLT_MAX, -HUGE_VAL, HUGE_VAL, "", "Largest output"),
    LUC_PARAM_END,
};

struct bounds {
    float lo, hi;
    enum luc_relu_rule rule;
};

static struct bounds bounds_of(const struct luc_op_call *c)
{
    const struct attrs *a = c->attrs;
    const float lo = luc_call_has(c, 1) ? *c->in[1]->data : (float)a->min;
    const float hi = luc_call_has(c, 2) ? *c->in[2]->data : (float)a->max;
    return (struct bounds){ lo, hi, lo == 0.0f ? c->relu_rule : LUC_RELU_PLAIN };
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    for (size_t i = 1; i < 3; i++)
        if (luc_infer_has(x, i) && luc_numel(&x->in[i]->shape) != 1)
            return luc_fail(err, LUC_SHAPE, "its bounds must be one number each");
    return luc_infer_same(x, err);
}

static void clip(const void *attrs, const float *x, float *y, size_t n)
{
    const struct bounds *b = attrs;
    const float lo = b->lo, hi = b->hi;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] < lo ? lo : x[i]; /* so that NaN stays NaN */
        y[i] = v > hi ? hi : v;
    }
}

static void gradient(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                     size_t n)
{
    const struct bounds *b = attrs;
    const float lo = b->lo, hi = b->hi;
    (void)x;
    for (size_t i = 0; i < n; i++) {
        const bool inside = (y[i] > lo) & (y[i] < hi), up = dy[i] > 0.0f;
        const bool pass = b->rule == LUC_RELU_PLAIN    ? inside
                          : b->rule == LUC_RELU_GUIDED ? inside & up
                                                       : up;
        dx[i] = pass ? dy[i] : 0.0f;
    }
}

static void forward(const struct luc_op_call *c)
{
    const struct bounds b = bounds_of(c);
    luc_map_forward(c->threads, clip, &b, c->in[0]->data, c->out[0]->data,
                    luc_numel(&c->out[0]->shape));
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0])
        return;
    const struct bounds b = bounds_of(c);
    const struct luc_map_backward m = { .grad = gradient,
                                        .attrs = &b,
                                        .y = c->out[0]->data,
                                        .dy = c->dout[0]->data,
                                        .dx = c->din[0]->data,
                                        .fresh = luc_call_fresh(c, 0) };
    luc_map_backward(c->threads, &m, luc_numel(&c->out[0]->shape));
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_OUT | LUC_READS_IN(1) | LUC_READS_IN(2);
}

const struct luc_op luc_op_clip = {
    .name = "Clip",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 3,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
