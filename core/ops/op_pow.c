/* Pow -- https://onnx.ai/onnx/operators/onnx__Pow.html
 *
 *   in   a, b  broadcast together
 *   out  y     their common shape
 *
 *   y = a^b, of a's type; integers without the fraction
 *   da += dy * b * a^(b - 1), db += dy * y * ln(a) (0 where a <= 0), summed over what was broadcast
 */
#include "core/ops/common.h"

#include <math.h>

static void square(const float *a, float *y, size_t n)
{
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] * a[i];
}

static void power(const float *a, size_t sa, const float *b, size_t sb, float *y, size_t n)
{
    if (sa == 1 && sb == 0 && *b == 2.0f) {
        square(a, y, n); /* variances: most of what is raised in networks */
        return;
    }
    for (size_t i = 0; i < n; i++)
        y[i] = powf(a[i * sa], b[i * sb]);
}

LUC_BINARY(power_ints, (float)trunc(pow((double)p, (double)q)))
/* a^(b - 1) may be infinite where b is 0 */
LUC_BINARY_GRAD(by_a, b[i * sb] == 2.0f   ? 2.0f * dy[i] * a[i * sa]
                      : b[i * sb] == 0.0f ? 0.0f
                                          : dy[i] * b[i * sb] * powf(a[i * sa], b[i * sb] - 1.0f))
LUC_BINARY_GRAD(by_b, a[i * sa] > 0.0f ? dy[i] * y[i] * logf(a[i * sa]) : 0.0f)

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_broadcast(x, err);
    if (!st)
        x->out[0].dtype = x->in[0]->dtype;
    return st;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, luc_dtype_is_int(c->out[0]->dtype) ? power_ints : power);
}

static void backward(const struct luc_op_call *c)
{
    luc_call_binary_backward(c, 0, by_a);
    luc_call_binary_backward(c, 1, by_b);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return LUC_READS_IN(0) | LUC_READS_IN(1) | (wanted & 2 ? LUC_READS_OUT : 0);
}

const struct luc_op luc_op_pow = {
    .name = "Pow",
    .since = 7,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
