/* Relu -- https://onnx.ai/onnx/operators/onnx__Relu.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = max(0, x)
 *   dx += dy where the run's rule lets it pass: y > 0 (plain), y > 0 and dy > 0 (guided),
 *         dy > 0 (deconvnet)
 *
 *   With call.softplus = b: y = ln(1 + e^(b x)) / b, dx += dy * (1 - e^(-b y)), and no rule.
 *
 * Source: Springenberg et al., "Striving for Simplicity", 2014, arXiv:1412.6806, section 3.4;
 * Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013, arXiv:1311.2901.
 */
#include "core/kernels/softplus.h"
#include "core/ops/common.h"

static void relu(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0.0f ? 0.0f : x[i]; /* so that NaN stays NaN */
}

static void plain(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                  size_t n)
{
    (void)attrs, (void)x;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

static void guided(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                   size_t n)
{
    (void)attrs, (void)x;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = ((y[i] > 0.0f) & (dy[i] > 0.0f)) ? dy[i] : 0.0f;
}

static void deconv(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                   size_t n)
{
    (void)attrs, (void)x, (void)y;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] > 0.0f ? dy[i] : 0.0f;
}

static void soft(const void *beta, const float *x, float *y, size_t n)
{
    luc_softplus(*(const float *)beta, x, y, n);
}

static void soft_gradient(const void *beta, const float *x, const float *y, const float *dy,
                          float *dx, size_t n)
{
    (void)x;
    luc_softplus_grad(*(const float *)beta, y, dy, dx, n);
}

/* The same call with the softplus's beta where the loops look for attributes. */
static struct luc_op_call with_beta(const struct luc_op_call *c)
{
    struct luc_op_call call = *c;
    call.attrs = &c->softplus;
    return call;
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_op_call call = with_beta(c);
    luc_call_map(&call, c->softplus > 0 ? soft : relu);
}

static void backward(const struct luc_op_call *c)
{
    luc_map_grad *const by_rule[] = {
        [LUC_RELU_PLAIN] = plain, [LUC_RELU_GUIDED] = guided, [LUC_RELU_DECONV] = deconv
    };
    const struct luc_op_call call = with_beta(c);
    luc_call_map_backward(&call, c->softplus > 0 ? soft_gradient : by_rule[c->relu_rule]);
}

const struct luc_op luc_op_relu = {
    .name = "Relu",
    .since = 6,
    .n_in_min = 1,
    .n_in_max = 1,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = luc_infer_same,
    .reads = luc_reads_out,
    .forward = forward,
    .backward = backward,
};
