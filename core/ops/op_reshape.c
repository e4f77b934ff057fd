/* Reshape -- https://onnx.ai/onnx/operators/onnx__Reshape.html
 *
 *   in   x          any shape
 *   in   shape      sizes: 0 keeps x's (unless allowzero), one -1 is what is left over; must be
 *                   known before the run
 *   out  y          that shape; shares x's storage
 *   attr allowzero  1: a 0 means an empty dimension
 *
 *   y = x,  dx += dy
 */
#include "core/ops/common.h"

struct attrs {
    int64_t allowzero;
};

static const struct luc_param attr_table[] = {
    LUC_BOOL(struct attrs, allowzero, 0, "A 0 in the shape is an empty dimension, not a copy"),
    LUC_PARAM_END,
};

/* Sizes with -1 standing as 1, and where it was (rank when nowhere). */
static enum luc_status read_sizes(const struct luc_infer *x, const struct luc_ints *list,
                                  struct luc_shape *to, size_t *open, struct luc_error *err)
{
    const struct luc_shape *in = &x->in[0]->shape;
    const bool copies = !((const struct attrs *)x->attrs)->allowzero;
    if (list->n > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "shape has rank %zu, at most %d are supported",
                        list->n, LUC_MAX_RANK);
    to->rank = *open = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const int64_t v = list->v[i];
        if (v < -1 || (v == -1 && *open != list->n))
            return luc_fail(err, LUC_SHAPE, "shape: %lld is not a size, or a second -1",
                            (long long)v);
        if (v == 0 && copies && i >= in->rank)
            return luc_fail(err, LUC_SHAPE, "shape: 0 at %zu copies a size that is not there", i);
        if (v == -1)
            *open = i;
        to->dim[i] = v == -1 ? 1 : v == 0 && copies ? in->dim[i] : (size_t)v;
    }
    return luc_shape_check(to, "shape", err);
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_ints list = { 0 };
    struct luc_shape to = { 0 };
    size_t open = 0;
    enum luc_status st = luc_infer_need(x, 2, err);
    if (!st)
        st = luc_infer_ints(x, 1, "shape", &list, err);
    if (!st)
        st = read_sizes(x, &list, &to, &open, err);
    if (st)
        return st;

    const size_t n = luc_numel(&x->in[0]->shape), given = luc_numel(&to);
    if (open < to.rank && given > 0 && n % given == 0)
        to.dim[open] = n / given;
    char from[LUC_SHAPE_TEXT], want[LUC_SHAPE_TEXT];
    if (luc_numel(&to) != n || (open < to.rank && given == 0))
        return luc_fail(err, LUC_SHAPE, "cannot reshape %s to %s%s",
                        luc_shape_print(&x->in[0]->shape, from), luc_shape_print(&to, want),
                        open < to.rank ? " (-1 counted as 1)" : "");
    x->out[0].shape = to;
    x->out[0].dtype = x->in[0]->dtype;
    return LUC_OK;
}

const struct luc_op luc_op_reshape = {
    .name = "Reshape",
    .since = 5,
    .n_in_min = 2,
    .n_in_max = 2,
    .flags = LUC_OP_VIEW | LUC_OP_SETS_DIN | LUC_OP_IN_PLACE,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .reads = luc_reads_nothing,
    .forward = luc_call_copy,
    .backward = luc_call_copy_backward,
};
