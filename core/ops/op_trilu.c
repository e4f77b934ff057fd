/* Trilu -- https://onnx.ai/onnx/operators/onnx__Trilu.html
 *
 *   in   x  [..., M, N]
 *   in   k  optional: the diagonal that bounds what stays; must be known before the run
 *   out  y  shape of x
 *   attr upper  1: what is on it and above stays, 0: on it and below
 *
 *   y = x there, 0 elsewhere;  dx += dy there
 */
#include "core/ops/common.h"

struct attrs {
    int64_t upper;
};

static const struct luc_param attr_table[] = {
    LUC_BOOL(struct attrs, upper, 1, "What is above the diagonal stays"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints k = { 0 };
    enum luc_status st = luc_infer_same(x, err);
    if (!st && luc_infer_has(x, 1))
        st = luc_infer_ints(x, 1, "k", &k, err);
    if (!st && x->in[0]->shape.rank < 2)
        st = luc_fail(err, LUC_SHAPE, "x must be a matrix or a stack of them");
    return st;
}

struct job {
    size_t rows, columns;
    int64_t k;
    bool upper, add;
    const float *from;
    float *to;
};

static void row(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const int64_t diagonal = (int64_t)(i % j->rows) + j->k;
    (void)lane;
    for (size_t c = 0; c < j->columns; c++) {
        const size_t at = i * j->columns + c;
        const bool stays = j->upper ? (int64_t)c >= diagonal : (int64_t)c <= diagonal;
        j->to[at] = (j->add ? j->to[at] : 0.0f) + (stays ? j->from[at] : 0.0f);
    }
}

static void run(const struct luc_op_call *c, const float *from, float *to, bool add)
{
    const struct luc_shape *s = &c->in[0]->shape;
    const struct luc_ints k = luc_call_ints(c, 1);
    struct job j = { .rows = s->dim[s->rank - 2],
                     .columns = s->dim[s->rank - 1],
                     .k = k.n ? (k.v[0] > INT32_MAX   ? INT32_MAX
                                 : k.v[0] < INT32_MIN ? INT32_MIN
                                                      : k.v[0])
                              : 0,
                     .upper = ((const struct attrs *)c->attrs)->upper != 0,
                     .add = add,
                     .from = from,
                     .to = to };
    luc_parallel_for(c->threads, luc_dims(s, 0, s->rank - 1), row, &j);
}

static void forward(const struct luc_op_call *c)
{
    run(c, c->in[0]->data, c->out[0]->data, false);
}

static void backward(const struct luc_op_call *c)
{
    if (c->din[0])
        run(c, c->dout[0]->data, c->din[0]->data, !luc_call_fresh(c, 0));
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}

const struct luc_op luc_op_trilu = {
    .name = "Trilu",
    .since = 14,
    .n_in_min = 1,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
