/* Where -- https://onnx.ai/onnx/operators/onnx__Where.html
 *
 *   in   condition, a, b  broadcast together
 *   out  y                their common shape, a's type
 *
 *   y = condition ? a : b
 *   da += condition ? dy : 0, db += condition ? 0 : dy, summed over what was broadcast
 */
#include "core/ops/common.h"

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_broadcast(x, err);
    if (!st)
        x->out[0].dtype = x->in[1]->dtype;
    return st;
}

LUC_BINARY(take_second, ((void)p, q))
/* b's part first, then a's over it where the condition (operand 0 is it, 1 is a) holds. */
struct choice {
    const float *condition, *a;
    float *y;
    ptrdiff_t condition_step, a_step;
};

static void choose_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct choice *w = ctx;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
        if (w->condition[at[0] + i * w->condition_step] != 0.0f)
            w->y[at[2] + i] = w->a[at[1] + i * w->a_step];
}

static void forward(const struct luc_op_call *c)
{
    struct luc_walk w = luc_walk_of(&c->out[0]->shape);
    luc_binary_forward(c->threads, take_second, c->in[2], c->in[2], c->out[0]);
    luc_walk_broadcast(&w, 0, &c->in[0]->shape);
    luc_walk_broadcast(&w, 1, &c->in[1]->shape);
    luc_walk_broadcast(&w, 2, &c->out[0]->shape);
    luc_walk_merge(&w);
    struct choice choice = { c->in[0]->data, c->in[1]->data, c->out[0]->data, w.step[0][w.rank - 1],
                             w.step[1][w.rank - 1] };
    luc_walk_run(&w, c->threads, choose_row, &choice);
}

LUC_BINARY_GRAD(where_true, a[i * sa] != 0.0f ? dy[i] : 0.0f)
LUC_BINARY_GRAD(where_false, a[i * sa] != 0.0f ? 0.0f : dy[i])

static void backward(const struct luc_op_call *c)
{
    for (size_t i = 1; i < 3; i++) {
        if (!c->din[i])
            continue;
        const struct luc_binary_backward m = { .grad = i == 1 ? where_true : where_false,
                                               .a = c->in[0],
                                               .b = c->in[i],
                                               .y = c->out[0],
                                               .dy = c->dout[0],
                                               .dx = c->din[i],
                                               .which = 1,
                                               .fresh = luc_call_fresh(c, i) };
        luc_binary_backward(c->threads, &m);
    }
}

const struct luc_op luc_op_where = {
    .name = "Where",
    .since = 9,
    .n_in_min = 3,
    .n_in_max = 3,
    .flags = LUC_OP_SETS_DIN,
    .infer = infer,
    .reads = luc_reads_in0,
    .forward = forward,
    .backward = backward,
};
