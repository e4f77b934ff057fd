/* Mod -- https://onnx.ai/onnx/operators/onnx__Mod.html
 *
 *   in   a, b  broadcast together
 *   out  y     what is left of a when b is taken away as often as it goes
 *   attr fmod  1: y has a's sign, as in C; 0: b's, as in Python
 *
 *   No gradient.
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    int64_t fmod;
};

static const struct luc_param attr_table[] = {
    LUC_BOOL(struct attrs, fmod, 0, "The result has the sign of a, not of b"),
    LUC_PARAM_END,
};

static float python(float a, float b)
{
    const float r = fmodf(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

LUC_BINARY(as_c, fmodf(p, q))
LUC_BINARY(as_python, python(p, q))

static void forward(const struct luc_op_call *c)
{
    luc_call_binary(c, ((const struct attrs *)c->attrs)->fmod ? as_c : as_python);
}

const struct luc_op luc_op_mod = {
    .name = "Mod",
    .since = 10,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = luc_infer_broadcast,
    .forward = forward,
};
