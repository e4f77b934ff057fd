/* Dropout -- https://onnx.ai/onnx/operators/onnx__Dropout.html
 *
 *   in   x         any shape
 *   in   ratio     since opset 12, optional
 *   in   training  since opset 12, optional: whether to drop anything; must be known before the run
 *   out  y         x: networks are run, not trained, so nothing is dropped
 *   out  mask      optional: all true
 *   attr ratio, seed  no effect
 *
 *   y = x,  dx += dy
 */
#include "core/ops/common.h"

#include <math.h>

struct attrs {
    double ratio;
    int64_t seed;
};

static const struct luc_param attr_table[] = {
    LUC_REAL(struct attrs, ratio, 0.5, -HUGE_VAL, HUGE_VAL, "", "Part dropped while training"),
    LUC_INT(struct attrs, seed, 0, -0x1p63, 0x1p63, "", "Of the random numbers while training"),
    LUC_PARAM_END,
};

/* Does it drop anything? */
static enum luc_status read_training(const struct luc_infer *x, bool *drops, struct luc_error *err)
{
    struct luc_ints on = { 0 };
    struct luc_reals ratio = { .n = 1, .v = { 0.5 } };
    enum luc_status st = LUC_OK;
    if (luc_infer_has(x, 2))
        st = luc_infer_ints(x, 2, "training_mode", &on, err);
    if (!st && on.n > 0 && on.v[0] != 0 && luc_infer_has(x, 1))
        st = luc_infer_reals(x, 1, "ratio", &ratio, err);
    if (!st)
        *drops = on.n > 0 && on.v[0] != 0 && (ratio.n == 0 || ratio.v[0] != 0.0);
    return st;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    bool drops = false;
    enum luc_status st = luc_infer_same(x, err);
    if (!st)
        st = read_training(x, &drops, err);
    if (!st && drops)
        st = luc_fail(err, LUC_UNSUPPORTED, "training mode: export the network for inference");
    if (st)
        return st;
    x->out[1].shape = x->in[0]->shape;
    x->out[1].dtype = LUC_BOOL;
    return LUC_OK;
}

static void forward(const struct luc_op_call *c)
{
    luc_call_copy(c);
    const size_t n = c->n_out > 1 ? luc_numel(&c->out[1]->shape) : 0;
    for (size_t i = 0; i < n; i++)
        c->out[1]->data[i] = 1.0f;
}

/* Not a view, because of the mask; in place it costs nothing either. */
const struct luc_op luc_op_dropout = {
    .name = "Dropout",
    .since = 7,
    .n_in_min = 1,
    .n_in_max = 3,
    .n_out_max = 2,
    .flags = LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = forward,
    .backward = luc_call_copy_backward,
};
