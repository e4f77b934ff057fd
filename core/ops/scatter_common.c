#include "core/ops/scatter_common.h"

#include <math.h>

const char *const luc_scatter_names[] = { "none", "add", "mul", "max", "min", NULL };

const struct luc_param luc_gather_elements_attrs[] = {
    LUC_INT(struct luc_along_attrs, axis, 0, -8, 7, "", "Axis that is indexed"),
    LUC_PARAM_END,
};

const struct luc_param luc_scatter_elements_attrs[] = {
    LUC_INT(struct luc_along_attrs, axis, 0, -8, 7, "", "Axis that is indexed"),
    LUC_CHOICE(struct luc_along_attrs, reduction, LUC_SCATTER_NONE, 5, luc_scatter_names,
               "What becomes of elements that are written to"),
    LUC_PARAM_END,
};

enum luc_status luc_infer_along(const struct luc_infer *x, const struct luc_shape *in,
                                const struct luc_shape *indices, struct luc_error *err)
{
    size_t axis = 0;
    const enum luc_status st =
        luc_infer_axis(((const struct luc_along_attrs *)x->attrs)->axis, in->rank, &axis, err);
    if (st)
        return st;
    if (indices->rank != in->rank)
        return luc_fail(err, LUC_SHAPE, "indices of rank %zu for a tensor of rank %zu",
                        indices->rank, in->rank);
    for (size_t d = 0; d < in->rank; d++)
        if (d != axis && indices->dim[d] > in->dim[d])
            return luc_fail(err, LUC_SHAPE, "indices are larger than the tensor along axis %zu", d);
    return luc_infer_indices(x->in[1], in->dim[axis], err);
}

size_t luc_place_along(const struct luc_op_call *c, size_t i)
{
    const struct luc_shape *in = &c->in[0]->shape, *list = &c->in[1]->shape;
    const struct luc_along a = luc_along(in, ((const struct luc_along_attrs *)c->attrs)->axis);
    size_t place = 0, step = 1, rest = i;
    for (size_t d = list->rank; d-- > 0;) {
        const size_t at = rest % list->dim[d];
        rest /= list->dim[d];
        place += step * (d == a.axis ? luc_index_at(c->in[1]->data[i], in->dim[d]) : at);
        step *= in->dim[d];
    }
    return place;
}

static struct luc_slices slices(const struct luc_shape *in, const struct luc_shape *list,
                                size_t batch)
{
    const size_t depth = list->dim[list->rank - 1];
    return (struct luc_slices){ .batch = batch,
                                .depth = depth,
                                .n = luc_dims(list, 0, list->rank - 1),
                                .size = luc_dims(in, batch + depth, in->rank) };
}

enum luc_status luc_infer_slices(const struct luc_infer *x, size_t batch, struct luc_slices *s,
                                 struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape, *list = &x->in[1]->shape;
    if (list->rank < batch + 1 || in->rank < batch + 1)
        return luc_fail(err, LUC_SHAPE, "indices of rank %zu into a tensor of rank %zu", list->rank,
                        in->rank);
    *s = slices(in, list, batch);
    if (s->depth == 0 || batch + s->depth > in->rank)
        return luc_fail(err, LUC_SHAPE, "%zu coordinates into a tensor of rank %zu", s->depth,
                        in->rank);
    for (size_t d = 0; d < batch; d++)
        if (in->dim[d] != list->dim[d])
            return luc_fail(err, LUC_SHAPE, "axis %zu of the indices and of the tensor differ", d);
    for (size_t d = 0; d < s->depth; d++)
        if (in->dim[batch + d] == 0 && s->n > 0)
            return luc_fail(err, LUC_SHAPE, "indices into an empty axis");
    for (size_t i = 0; x->in[1]->known && i < s->n * s->depth; i++) {
        const int64_t v = luc_to_int(x->in[1]->known[i]);
        const int64_t n = (int64_t)in->dim[batch + i % s->depth];
        if (v < -n || v >= n)
            return luc_fail(err, LUC_RANGE, "index %lld into %lld elements", (long long)v,
                            (long long)n);
    }
    return LUC_OK;
}

struct luc_slices luc_slices_of(const struct luc_op_call *c, size_t batch)
{
    return slices(&c->in[0]->shape, &c->in[1]->shape, batch);
}

size_t luc_place_slice(const struct luc_op_call *c, const struct luc_slices *s, size_t i)
{
    const struct luc_shape *in = &c->in[0]->shape;
    const size_t per_batch = s->n / luc_dims(in, 0, s->batch);
    size_t place = s->batch ? i / per_batch : 0;
    for (size_t d = 0; d < s->depth; d++)
        place = place * in->dim[s->batch + d] +
                luc_index_at(c->in[1]->data[i * s->depth + d], in->dim[s->batch + d]);
    return place * s->size;
}

void luc_scatter_into(float *y, float v, int64_t reduction)
{
    switch (reduction) {
    case LUC_SCATTER_ADD: *y += v; break;
    case LUC_SCATTER_MUL: *y *= v; break;
    case LUC_SCATTER_MAX: *y = fmaxf(*y, v); break;
    case LUC_SCATTER_MIN: *y = fminf(*y, v); break;
    default: *y = v; break;
    }
}

enum luc_status luc_infer_scatter_elements(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, 3, err);
    if (!st)
        st = luc_infer_same(x, err);
    if (!st)
        st = luc_infer_along(x, &x->in[0]->shape, &x->in[1]->shape, err);
    if (!st && !luc_shape_equal(&x->in[1]->shape, &x->in[2]->shape))
        st = luc_fail(err, LUC_SHAPE, "indices and updates have different shapes");
    return st;
}

void luc_call_scatter_elements(const struct luc_op_call *c)
{
    const int64_t reduction = ((const struct luc_along_attrs *)c->attrs)->reduction;
    luc_call_copy(c);
    for (size_t i = 0; i < luc_numel(&c->in[1]->shape); i++)
        luc_scatter_into(&c->out[0]->data[luc_place_along(c, i)], c->in[2]->data[i], reduction);
}

/* Along one line of the axis only the last write to a place counts: later ones lie after it in the
 * same line, `inner` elements apart. */
static bool written_again(const struct luc_op_call *c, size_t i, size_t place)
{
    const struct luc_along a =
        luc_along(&c->in[1]->shape, ((const struct luc_along_attrs *)c->attrs)->axis);
    const size_t position = i / a.inner % a.n;
    for (size_t k = position + 1; k < a.n; k++)
        if (luc_place_along(c, i + (k - position) * a.inner) == place)
            return true;
    return false;
}

void luc_call_scatter_elements_backward(const struct luc_op_call *c)
{
    const int64_t reduction = ((const struct luc_along_attrs *)c->attrs)->reduction;
    float *dx = c->din[0] ? c->din[0]->data : NULL, *du = c->din[2] ? c->din[2]->data : NULL;
    const float *dy = c->dout[0]->data;
    if (dx)
        luc_row_add(dx, dy, luc_numel(&c->in[0]->shape));
    for (size_t i = 0; i < luc_numel(&c->in[1]->shape); i++) {
        const size_t place = luc_place_along(c, i);
        if (reduction != LUC_SCATTER_ADD && written_again(c, i, place))
            continue;
        if (dx && reduction != LUC_SCATTER_ADD)
            dx[place] -= dy[place];
        if (du && reduction <= LUC_SCATTER_ADD)
            du[i] += dy[place];
    }
}

uint32_t luc_reads_in1(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1);
}
