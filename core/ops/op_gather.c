/* Gather -- https://onnx.ai/onnx/operators/onnx__Gather.html
 *
 *   in   x        [outer.., n, inner..]
 *   in   indices  any shape, in [-n, n); negative from the end. Outside, an error when they are
 *                 known before the run, else the nearest valid index
 *   out  y        [outer.., indices' shape.., inner..]
 *   attr axis     where n stands, negative from the end
 *
 *   y[o, j, i] = x[o, indices[j], i],  dx[o, indices[j], i] += dy[o, j, i]
 */
#include "core/ops/common.h"

#include <string.h>

struct attrs {
    int64_t axis;
};

static const struct luc_param attr_table[] = {
    LUC_INT(struct attrs, axis, 0, -8, 7, "", "Axis that is indexed"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    size_t axis = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_axis(((const struct attrs *)x->attrs)->axis, x->in[0]->shape.rank, &axis,
                            err);
    if (!st)
        st = luc_infer_indices(x->in[1], x->in[0]->shape.dim[axis], err);
    if (st)
        return st;

    const struct luc_shape *in = &x->in[0]->shape, *list = &x->in[1]->shape;
    struct luc_shape out = { .rank = in->rank - 1 + list->rank };
    if (out.rank > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "rank %zu, at most %d are supported", out.rank,
                        LUC_MAX_RANK);
    memcpy(out.dim, in->dim, axis * sizeof(size_t));
    memcpy(out.dim + axis, list->dim, list->rank * sizeof(size_t));
    memcpy(out.dim + axis + list->rank, in->dim + axis + 1, (in->rank - axis - 1) * sizeof(size_t));
    x->out[0].shape = out;
    x->out[0].dtype = x->in[0]->dtype;
    return luc_shape_check(&out, "gathered tensor", err);
}

struct job {
    size_t size, n_list, inner; /* of the axis, of the indices, of what follows the axis */
    const float *list, *from;
    float *to;
};

static struct job make_job(const struct luc_op_call *c, size_t *outer)
{
    const struct luc_shape *in = &c->in[0]->shape;
    const struct luc_along a = luc_along(in, ((const struct attrs *)c->attrs)->axis);
    *outer = a.outer;
    return (struct job){
        .size = a.n, .n_list = luc_numel(&c->in[1]->shape), .inner = a.inner, .list = c->in[1]->data
    };
}

static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    for (size_t r = begin; r < end; r++) /* rows of y: [outer, list] */
        memcpy(j->to + r * j->inner,
               j->from + (r / j->n_list * j->size + luc_index_at(j->list[r % j->n_list], j->size)) *
                             j->inner,
               j->inner * sizeof(float));
}

static void backward_item(void *ctx, size_t o, size_t lane)
{
    const struct job *j = ctx;
    (void)lane;
    for (size_t i = 0; i < j->n_list; i++) /* the same index may come twice: one thread, in order */
        luc_row_add(j->to + (o * j->size + luc_index_at(j->list[i], j->size)) * j->inner,
                    j->from + (o * j->n_list + i) * j->inner, j->inner);
}

static void forward(const struct luc_op_call *c)
{
    size_t outer;
    struct job j = make_job(c, &outer);
    j.from = c->in[0]->data, j.to = c->out[0]->data;
    if (luc_numel(&c->out[0]->shape) > 0)
        luc_ranges(c->threads, outer * j.n_list, LUC_BLOCK / j.inner + 1, forward_range, &j);
}

static void backward(const struct luc_op_call *c)
{
    size_t outer;
    if (!c->din[0])
        return;
    struct job j = make_job(c, &outer);
    j.from = c->dout[0]->data, j.to = c->din[0]->data;
    luc_call_clear(c, 0);
    if (luc_numel(&c->out[0]->shape) > 0)
        luc_parallel_for(c->threads, outer, backward_item, &j);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}

const struct luc_op luc_op_gather = {
    .name = "Gather",
    .since = 1,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
