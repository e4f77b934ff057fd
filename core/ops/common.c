#include "core/ops/common.h"

#include <math.h>
#include <string.h>

enum luc_status luc_infer_need(const struct luc_infer *x, size_t n, struct luc_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!luc_infer_has(x, i))
            return luc_fail(err, LUC_INVALID, "input %zu is missing", i);
    return LUC_OK;
}

enum luc_status luc_infer_same(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 1, err);
    if (st)
        return st;
    x->out[0].shape = x->in[0]->shape;
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

enum luc_status luc_infer_same_float(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_same(x, err);
    if (!st && luc_dtype_is_int(x->out[0].dtype))
        return luc_fail(err, LUC_UNSUPPORTED, "its input holds integers, it wants real numbers");
    return st;
}

enum luc_status luc_infer_broadcast(struct luc_infer *x, struct luc_error *err)
{
    enum luc_status st = luc_infer_need(x, x->n_in, err);
    if (st)
        return st;
    struct luc_shape shape = x->in[0]->shape;
    enum luc_dtype dtype = x->in[0]->dtype;
    for (size_t i = 1; i < x->n_in; i++) {
        st = luc_shape_broadcast(&shape, &x->in[i]->shape, &shape, err);
        if (st)
            return st;
        if (luc_dtype_is_int(dtype) && !luc_dtype_is_int(x->in[i]->dtype))
            dtype = x->in[i]->dtype;
    }
    x->out[0].shape = shape;
    x->out[0].dtype = dtype;
    return LUC_OK;
}

enum luc_status luc_infer_truth(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_broadcast(x, err);
    x->out[0].dtype = LUC_BOOL;
    return st;
}

enum luc_status luc_infer_axis(int64_t axis, size_t rank, size_t *to, struct luc_error *err)
{
    const int64_t n = (int64_t)rank;
    if (axis < -n || axis >= n)
        return luc_fail(err, LUC_SHAPE, "axis %lld does not exist in a tensor of rank %zu",
                        (long long)axis, rank);
    *to = (size_t)(axis < 0 ? axis + n : axis);
    return LUC_OK;
}

enum luc_status luc_infer_axes(const struct luc_ints *axes, size_t rank, bool chosen[LUC_MAX_RANK],
                               struct luc_error *err)
{
    bool mark[LUC_MAX_RANK] = { false };
    if (rank > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "rank %zu, at most %d are supported", rank,
                        LUC_MAX_RANK);
    for (size_t i = 0; i < axes->n; i++) {
        size_t axis = 0;
        const enum luc_status st = luc_infer_axis(axes->v[i], rank, &axis, err);
        if (st)
            return st;
        if (mark[axis])
            return luc_fail(err, LUC_SHAPE, "axis %zu is named twice", axis);
        mark[axis] = true;
    }
    memcpy(chosen, mark, sizeof(mark));
    return LUC_OK;
}

enum luc_status luc_infer_sizes(const struct luc_ints *sizes, const char *what,
                                struct luc_shape *to, struct luc_error *err)
{
    struct luc_shape shape = { .rank = sizes->n };
    if (sizes->n > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "%s has rank %zu, at most %d are supported", what,
                        sizes->n, LUC_MAX_RANK);
    for (size_t i = 0; i < sizes->n; i++) {
        if (sizes->v[i] < 0)
            return luc_fail(err, LUC_SHAPE, "%s: %lld is not a size", what, (long long)sizes->v[i]);
        shape.dim[i] = (size_t)sizes->v[i];
    }
    const enum luc_status st = luc_shape_check(&shape, what, err);
    if (!st)
        *to = shape;
    return st;
}

const struct luc_param luc_softmax_attrs[] = {
    LUC_INT(struct luc_softmax_attrs, axis, LUC_NO_AXIS, -9, 7, "",
            "Axis to normalise over; when not given, 1 before opset 13 and -1 since"),
    LUC_PARAM_END,
};

static int64_t softmax_axis(const void *attrs, int opset)
{
    const int64_t axis = ((const struct luc_softmax_attrs *)attrs)->axis;
    return axis != LUC_NO_AXIS ? axis : opset < 13 ? 1 : -1;
}

enum luc_status luc_infer_softmax(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status same = luc_infer_same_float(x, err);
    if (same)
        return same;
    const size_t rank = x->in[0]->shape.rank;
    const int64_t axis = softmax_axis(x->attrs, x->opset);
    size_t at = 0;
    /* Before opset 13 the axis splits the shape in two and may lie past its end. */
    if (rank > 0 && !(x->opset < 13 && axis == (int64_t)rank))
        return luc_infer_axis(axis, rank, &at, err);
    return LUC_OK;
}

static struct luc_softmax softmax_over(const void *attrs, int opset, const struct luc_shape *shape)
{
    const int64_t axis = softmax_axis(attrs, opset);
    const size_t at = (size_t)(axis < 0 ? axis + (int64_t)shape->rank : axis);
    if (shape->rank == 0)
        return (struct luc_softmax){ .outer = 1, .axis = 1, .inner = 1 };
    if (opset < 13)
        return (struct luc_softmax){ .outer = luc_dims(shape, 0, at),
                                     .axis = luc_dims(shape, at, shape->rank),
                                     .inner = 1 };
    return (struct luc_softmax){ .outer = luc_dims(shape, 0, at),
                                 .axis = shape->dim[at],
                                 .inner = luc_dims(shape, at + 1, shape->rank) };
}

void luc_call_softmax(const struct luc_op_call *c, bool log)
{
    struct luc_softmax s = softmax_over(c->attrs, c->opset, &c->in[0]->shape);
    s.log = log;
    luc_softmax_forward(c->threads, &s, c->in[0]->data, c->out[0]->data);
}

void luc_call_softmax_backward(const struct luc_op_call *c, bool log)
{
    if (!c->din[0])
        return;
    struct luc_softmax s = softmax_over(c->attrs, c->opset, &c->in[0]->shape);
    s.log = log;
    s.fresh = luc_call_fresh(c, 0);
    luc_softmax_backward(c->threads, &s, c->out[0]->data, c->dout[0]->data, c->din[0]->data);
}

int64_t luc_to_int(float v)
{
    return v >= 0x1p63f ? INT64_MAX : v > -0x1p63f ? (int64_t)v : v < 0.0f ? INT64_MIN : 0;
}

static enum luc_status check_list(const struct luc_infer *x, size_t i, const char *what,
                                  struct luc_error *err)
{
    const struct luc_info *in = x->in[i];
    if (in->shape.rank > 1)
        return luc_fail(err, LUC_SHAPE, "%s must be a list, not a tensor of rank %zu", what,
                        in->shape.rank);
    if (luc_numel(&in->shape) > LUC_LIST_MAX)
        return luc_fail(err, LUC_UNSUPPORTED, "%s holds %zu values, at most %d are supported", what,
                        luc_numel(&in->shape), LUC_LIST_MAX);
    if (!in->known && luc_numel(&in->shape) > 0)
        return luc_fail(err, LUC_UNSUPPORTED, "%s must be known before the run", what);
    return LUC_OK;
}

enum luc_status luc_infer_ints(const struct luc_infer *x, size_t i, const char *what,
                               struct luc_ints *to, struct luc_error *err)
{
    const enum luc_status st = check_list(x, i, what, err);
    if (st)
        return st;
    struct luc_ints list = { .n = luc_numel(&x->in[i]->shape) };
    for (size_t k = 0; k < list.n; k++) {
        const float v = x->in[i]->known[k];
        if (isnan(v) || (!isinf(v) && v != truncf(v)))
            return luc_fail(err, LUC_INVALID, "%s: %g is not a whole number", what, (double)v);
        list.v[k] = luc_to_int(v);
    }
    *to = list;
    return LUC_OK;
}

enum luc_status luc_infer_axes_given(const struct luc_infer *x, const struct luc_ints *attribute,
                                     struct luc_ints *to, struct luc_error *err)
{
    if (luc_infer_has(x, 1))
        return luc_infer_ints(x, 1, "axes", to, err);
    *to = *attribute;
    return LUC_OK;
}

enum luc_status luc_infer_reals(const struct luc_infer *x, size_t i, const char *what,
                                struct luc_reals *to, struct luc_error *err)
{
    const enum luc_status st = check_list(x, i, what, err);
    if (st)
        return st;
    to->n = luc_numel(&x->in[i]->shape);
    for (size_t k = 0; k < to->n; k++)
        to->v[k] = (double)x->in[i]->known[k];
    return LUC_OK;
}

static size_t list_size(const struct luc_op_call *c, size_t i)
{
    const size_t n = luc_call_has(c, i) ? luc_numel(&c->in[i]->shape) : 0;
    return n < LUC_LIST_MAX ? n : LUC_LIST_MAX;
}

struct luc_ints luc_call_ints(const struct luc_op_call *c, size_t i)
{
    struct luc_ints list = { .n = list_size(c, i) };
    for (size_t k = 0; k < list.n; k++)
        list.v[k] = luc_to_int(c->in[i]->data[k]);
    return list;
}

struct luc_reals luc_call_reals(const struct luc_op_call *c, size_t i)
{
    struct luc_reals list = { .n = list_size(c, i) };
    for (size_t k = 0; k < list.n; k++)
        list.v[k] = (double)c->in[i]->data[k];
    return list;
}

void luc_wrap_ints(enum luc_dtype type, float *v, size_t n)
{
    for (size_t i = 0; i < n && type == LUC_U8; i++)
        v[i] = (float)(uint8_t)luc_to_int(v[i]);
    for (size_t i = 0; i < n && type == LUC_I8; i++)
        v[i] = (float)(int8_t)(uint8_t)luc_to_int(v[i]);
    for (size_t i = 0; i < n && type == LUC_U16; i++)
        v[i] = (float)(uint16_t)luc_to_int(v[i]);
    for (size_t i = 0; i < n && type == LUC_I16; i++)
        v[i] = (float)(int16_t)(uint16_t)luc_to_int(v[i]);
}

size_t luc_index_at(float v, size_t n)
{
    const int64_t at = luc_to_int(v), size = (int64_t)n;
    const int64_t from_start = at < 0 ? (at < -size ? 0 : at + size) : at;
    return (size_t)(from_start < size ? from_start : size - 1);
}

enum luc_status luc_infer_indices(const struct luc_info *list, size_t n, struct luc_error *err)
{
    const size_t n_list = luc_numel(&list->shape);
    if (n_list > 0 && n == 0)
        return luc_fail(err, LUC_SHAPE, "indices into an empty axis");
    for (size_t i = 0; list->known && i < n_list; i++) {
        const int64_t v = luc_to_int(list->known[i]);
        if (v < -(int64_t)n || v >= (int64_t)n)
            return luc_fail(err, LUC_RANGE, "index %lld into %zu elements", (long long)v, n);
    }
    return LUC_OK;
}

struct luc_along luc_along(const struct luc_shape *s, int64_t axis)
{
    const size_t at = (size_t)(axis < 0 ? axis + (int64_t)s->rank : axis);
    return (struct luc_along){ at, luc_dims(s, 0, at), s->dim[at], luc_dims(s, at + 1, s->rank) };
}

static void to_bool(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] != 0.0f ? 1.0f : 0.0f;
}

static void cut(const void *attrs, const float *x, float *y, size_t n)
{
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] = truncf(x[i]);
    luc_wrap_ints(*(const enum luc_dtype *)attrs, y, n);
}

void luc_call_cast(const struct luc_op_call *c)
{
    const enum luc_dtype to = c->out[0]->dtype;
    if (luc_dtype_is_int(to))
        luc_map_forward(c->threads, to == LUC_BOOL ? to_bool : cut, &to, c->in[0]->data,
                        c->out[0]->data, luc_numel(&c->out[0]->shape));
    else
        luc_call_copy(c);
}

void luc_call_cast_backward(const struct luc_op_call *c)
{
    if (!luc_dtype_is_int(c->out[0]->dtype))
        luc_call_copy_backward(c);
    else if (c->din[0])
        luc_call_clear(c, 0);
}

void luc_call_clear(const struct luc_op_call *c, size_t i)
{
    if (luc_call_fresh(c, i))
        memset(c->din[i]->data, 0, luc_numel(&c->din[i]->shape) * sizeof(float));
}

void luc_call_map(const struct luc_op_call *c, luc_map_fn *f)
{
    luc_map_forward(c->threads, f, c->attrs, c->in[0]->data, c->out[0]->data,
                    luc_numel(&c->out[0]->shape));
}

void luc_call_map_backward(const struct luc_op_call *c, luc_map_grad *g)
{
    if (!c->din[0])
        return;
    const struct luc_map_backward m = { .grad = g,
                                        .attrs = c->attrs,
                                        .x = c->in[0]->data,
                                        .y = c->out[0]->data,
                                        .dy = c->dout[0]->data,
                                        .dx = c->din[0]->data,
                                        .fresh = luc_call_fresh(c, 0) };
    luc_map_backward(c->threads, &m, luc_numel(&c->out[0]->shape));
}

void luc_call_binary(const struct luc_op_call *c, luc_binary_fn *f)
{
    luc_binary_forward(c->threads, f, c->in[0], c->in[1], c->out[0]);
}

void luc_call_binary_backward(const struct luc_op_call *c, size_t i, luc_binary_grad *g)
{
    if (!c->din[i])
        return;
    const struct luc_binary_backward m = { .grad = g,
                                           .a = c->in[0],
                                           .b = c->in[1],
                                           .y = c->out[0],
                                           .dy = c->dout[0],
                                           .dx = c->din[i],
                                           .which = i,
                                           .fresh = luc_call_fresh(c, i) };
    luc_binary_backward(c->threads, &m);
}

LUC_BINARY(first, ((void)q, p))

void luc_call_fold(const struct luc_op_call *c, luc_binary_fn *f)
{
    const struct luc_tensor *y = c->out[0];
    if (c->n_in == 1)
        luc_binary_forward(c->threads, first, c->in[0], c->in[0], y);
    for (size_t k = 1; k < c->n_in; k++)
        luc_binary_forward(c->threads, f, k == 1 ? c->in[0] : y, c->in[k], y);
}

LUC_BINARY_GRAD(scaled, dy[i] * *b)

void luc_call_fold_backward(const struct luc_op_call *c, size_t k, float factor)
{
    const struct luc_tensor by = { .data = &factor };
    if (!c->din[k])
        return;
    const struct luc_binary_backward m = { .grad = factor == 1.0f ? NULL : scaled,
                                           .a = c->in[k],
                                           .b = &by,
                                           .y = c->out[0],
                                           .dy = c->dout[0],
                                           .dx = c->din[k],
                                           .fresh = luc_call_fresh(c, k) };
    luc_binary_backward(c->threads, &m);
}

/* Operand 0 is one input, 1 and 2 the output and what is left of its gradient. */
struct taking {
    const float *x, *y;
    float *left;
    ptrdiff_t x_step;
};

static void take_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct taking *t = ctx;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
        if (t->x[at[0] + i * t->x_step] == t->y[at[1] + i])
            t->left[at[1] + i] = 0.0f;
}

static void take(const struct luc_op_call *c, size_t k, float *left)
{
    struct luc_walk w = luc_walk_of(&c->out[0]->shape);
    luc_walk_broadcast(&w, 0, &c->in[k]->shape);
    luc_walk_broadcast(&w, 1, &c->out[0]->shape);
    luc_walk_merge(&w);
    struct taking t = { c->in[k]->data, c->out[0]->data, left, w.step[0][w.rank - 1] };
    luc_walk_run(&w, c->threads, take_row, &t);
}

LUC_BINARY_GRAD(where_equal, a[i * sa] == y[i] ? dy[i] : 0.0f)

void luc_call_extreme_backward(const struct luc_op_call *c)
{
    const struct luc_tensor left = { c->out[0]->shape, LUC_F32, c->scratch };
    memcpy(left.data, c->dout[0]->data, luc_numel(&left.shape) * sizeof(float));
    for (size_t k = 0; k < c->n_in; k++) {
        const struct luc_binary_backward m = { .grad = where_equal,
                                               .a = c->in[k],
                                               .b = c->out[0],
                                               .y = c->out[0],
                                               .dy = &left,
                                               .dx = c->din[k],
                                               .fresh = luc_call_fresh(c, k) };
        if (c->din[k])
            luc_binary_backward(c->threads, &m);
        take(c, k, left.data);
    }
}

size_t luc_scratch_extreme(const struct luc_infer *x, bool backward, size_t lanes)
{
    (void)lanes;
    return backward ? luc_numel(&x->out[0].shape) * sizeof(float) : 0;
}

static void copy(const void *attrs, const float *x, float *y, size_t n)
{
    (void)attrs;
    if (x != y)
        memcpy(y, x, n * sizeof(*y));
}

static void copy_grad(const void *attrs, const float *x, const float *y, const float *dy, float *dx,
                      size_t n)
{
    (void)x, (void)y;
    copy(attrs, dy, dx, n);
}

void luc_call_copy(const struct luc_op_call *c)
{
    luc_call_map(c, copy);
}

void luc_call_copy_backward(const struct luc_op_call *c)
{
    luc_call_map_backward(c, copy_grad);
}

uint32_t luc_reads_nothing(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return 0;
}

uint32_t luc_reads_out(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_OUT;
}

uint32_t luc_reads_in0(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(0);
}
