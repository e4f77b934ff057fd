/* Relu -- https://onnx.ai/onnx/operators/onnx__Relu.html
 *
 *   in   x  any shape
 *   out  y  shape of x
 *
 *   y  = max(0, x)
 *   dx += dy where the run's rule lets it pass: y > 0 (plain), y > 0 and dy > 0 (guided),
 *         dy > 0 (deconvnet)
 *
 * Source: Springenberg et al., "Striving for Simplicity", 2014, arXiv:1412.6806, section 3.4;
 * Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2013, arXiv:1311.2901.
 */
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

static void forward(const struct luc_op_call *c)
{
    luc_call_map(c, relu);
}

static void backward(const struct luc_op_call *c)
{
    luc_map_grad *const by_rule[] = {
        [LUC_RELU_PLAIN] = plain, [LUC_RELU_GUIDED] = guided, [LUC_RELU_DECONV] = deconv
    };
    luc_call_map_backward(c, by_rule[c->relu_rule]);
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
