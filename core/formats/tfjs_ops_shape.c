/* TensorFlow graph operators that compute with shapes and move values. */
#include "core/formats/tfjs_node.h"

#include <limits.h>
#include <string.h>

static enum luc_status shape_of(struct tfjs_op *o, struct luc_error *err)
{
    static const double nhwc[] = { 0, 2, 3, 1 };
    size_t x = LUC_NONE, in[2] = { LUC_NONE, LUC_NONE };
    const bool turned = o->in[0]->picture;
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = 1, .length = o->in[0]->rank };
    enum luc_status st = luc_tfjs_as_it_is(o, 0, &x, err);
    if (!st)
        st = luc_tfjs_op_emit(o, "Shape", turned ? "nchw" : NULL, &x, 1, NULL, &in[0], err);
    o->out.value = in[0];
    if (st || !turned)
        return st;
    st = luc_tfjs_ints(o, "nhwc", nhwc, 4, &in[1], err);
    return st ? st : luc_tfjs_op_emit(o, "Gather", NULL, in, 2, NULL, &o->out.value, err);
}

struct cut {
    double from[LUC_MAX_RANK], to[LUC_MAX_RANK], step[LUC_MAX_RANK], axes[LUC_MAX_RANK];
    double gone[LUC_MAX_RANK]; /* axes that a single index removes */
    size_t n, n_gone;
};

static unsigned mask(const struct tfjs_op *o, const char *key)
{
    const double v = luc_tfjs_attr_int(o->attr, key, 0);
    return v >= 0 && v < 65536 ? (unsigned)v : UINT_MAX;
}

static enum luc_status read_cut(const struct tfjs_op *o, struct cut *c, struct luc_error *err)
{
    size_t n_to = 0, n_step = 0;
    *c = (struct cut){ 0 };
    enum luc_status st = luc_tfjs_known(o, 1, c->from, LUC_MAX_RANK, &c->n, err);
    if (!st)
        st = luc_tfjs_known(o, 2, c->to, LUC_MAX_RANK, &n_to, err);
    if (!st)
        st = luc_tfjs_known(o, 3, c->step, LUC_MAX_RANK, &n_step, err);
    if (st)
        return st;
    if (c->n == 0 || c->n != n_to || c->n != n_step || c->n > o->in[0]->rank)
        return luc_tfjs_refuse(o, "begin, end and strides do not fit its input", err);
    if (mask(o, "ellipsis_mask") || mask(o, "new_axis_mask"))
        return luc_tfjs_refuse(o, "an ellipsis or a new axis is not supported", err);
    for (size_t i = 0; i < c->n; i++) {
        const unsigned bit = 1u << i;
        c->axes[i] = (double)i;
        if (!(c->step[i] >= 1))
            return luc_tfjs_refuse(o, "strides must be positive", err);
        if (mask(o, "shrink_axis_mask") & bit) {
            c->to[i] = c->from[i] == -1 ? (double)INT32_MAX : c->from[i] + 1;
            c->gone[c->n_gone++] = (double)i;
            continue;
        }
        if (mask(o, "begin_mask") & bit)
            c->from[i] = 0;
        if (mask(o, "end_mask") & bit)
            c->to[i] = (double)INT32_MAX;
    }
    return LUC_OK;
}

static enum luc_status strided_slice(struct tfjs_op *o, struct luc_error *err)
{
    struct cut c;
    size_t in[5] = { LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE };
    enum luc_status st = read_cut(o, &c, err);
    const bool turned = !st && o->in[0]->picture && c.n_gone == 0;
    for (size_t i = 0; turned && i < c.n; i++)
        c.axes[i] = (double)luc_tfjs_picture_axis(i);
    if (!st)
        st = turned ? luc_tfjs_picture(o, 0, &in[0], err) : luc_tfjs_plain(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_ints(o, "starts", c.from, c.n, &in[1], err);
    if (!st)
        st = luc_tfjs_ints(o, "ends", c.to, c.n, &in[2], err);
    if (!st)
        st = luc_tfjs_ints(o, "axes", c.axes, c.n, &in[3], err);
    if (!st)
        st = luc_tfjs_ints(o, "steps", c.step, c.n, &in[4], err);
    size_t squeeze[2] = { LUC_NONE, LUC_NONE };
    if (!st)
        st = luc_tfjs_op_emit(o, "Slice", c.n_gone ? "slice" : NULL, in, 5, NULL, &squeeze[0], err);
    if (st)
        return st;
    o->out = (struct tfjs_value){ .value = squeeze[0],
                                  .rank = o->in[0]->rank - c.n_gone,
                                  .picture = turned };
    if (c.n_gone == 0)
        return LUC_OK;
    st = luc_tfjs_ints(o, "gone", c.gone, c.n_gone, &squeeze[1], err);
    return st ? st : luc_tfjs_op_emit(o, "Squeeze", NULL, squeeze, 2, NULL, &o->out.value, err);
}

#define INPUTS_MAX 256

static enum luc_status pack(struct tfjs_op *o, struct luc_error *err)
{
    const double axis = luc_tfjs_attr_int(o->attr, "axis", 0);
    const struct tfjs_attr attrs[] = { { "axis", 1, { axis }, NULL }, { 0 } };
    size_t parts[INPUTS_MAX], in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_ints(o, "axis", &axis, 1, &in[1], err);
    for (size_t i = 0; !st && i < o->n_in; i++) {
        st = luc_tfjs_plain(o, i, &in[0], err);
        if (!st)
            st = luc_tfjs_op_emit(o, "Unsqueeze", "part", in, 2, NULL, &parts[i], err);
    }
    o->out = (struct tfjs_value){ .value = LUC_NONE,
                                  .rank = o->in[0]->rank + 1,
                                  .length = o->in[0]->rank == 0 ? o->n_in : 0 };
    return st ? st : luc_tfjs_op_emit(o, "Concat", NULL, parts, o->n_in, attrs, &o->out.value, err);
}

static enum luc_status concat(struct tfjs_op *o, struct luc_error *err)
{
    double axis = 0;
    size_t parts[INPUTS_MAX], n = 0;
    enum luc_status st = luc_tfjs_known(o, o->n_in - 1, &axis, 1, &n, err);
    if (!st && n != 1)
        st = luc_tfjs_refuse(o, "its axis must be one number", err);
    if (!st)
        st = luc_tfjs_axes(o, &axis, 1, err);
    if (!st)
        st = luc_tfjs_together(o, o->n_in - 1, parts, err);
    if (st)
        return st;
    const size_t at = o->out.picture ? luc_tfjs_picture_axis((size_t)axis) : (size_t)axis;
    const struct tfjs_attr attrs[] = { { "axis", 1, { (double)at }, NULL }, { 0 } };
    return luc_tfjs_op_emit(o, "Concat", NULL, parts, o->n_in - 1, attrs, &o->out.value, err);
}

static enum luc_status reshape(struct tfjs_op *o, struct luc_error *err)
{
    size_t in[2];
    const struct tfjs_weight *w = o->in[1]->weight;
    const size_t rank = w ? luc_numel(&w->shape) : o->in[1]->length;
    if (rank > LUC_MAX_RANK || (!w && rank == 0))
        return luc_tfjs_refuse(o, "the number of dimensions of its result is not known", err);
    enum luc_status st = luc_tfjs_plain(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_plain(o, 1, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = rank };
    return st ? st : luc_tfjs_op_emit(o, "Reshape", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status expand_dims(struct tfjs_op *o, struct luc_error *err)
{
    double axis = 0;
    size_t n = 0, in[2];
    enum luc_status st = luc_tfjs_known(o, 1, &axis, 1, &n, err);
    if (!st && n != 1)
        st = luc_tfjs_refuse(o, "its axis must be one number", err);
    if (!st)
        st = luc_tfjs_plain(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_ints(o, "axis", &axis, 1, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank + 1 };
    return st ? st : luc_tfjs_op_emit(o, "Unsqueeze", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status squeeze(struct tfjs_op *o, struct luc_error *err)
{
    static const double hw[] = { 2, 3 };
    double axes[LUC_MAX_RANK];
    size_t n = luc_tfjs_attr_ints(o->attr, "squeeze_dims", axes, LUC_MAX_RANK), in[2];
    if (n == 0)
        n = luc_tfjs_attr_ints(o->attr, "axis", axes, LUC_MAX_RANK);
    if (n == 0 || n > o->in[0]->rank)
        return luc_tfjs_refuse(o, "its axes must be given", err);
    enum luc_status st = luc_tfjs_axes(o, axes, n, err);
    const bool turned = !st && o->in[0]->picture && luc_tfjs_over_picture(axes, n);
    if (!st)
        st = turned ? luc_tfjs_picture(o, 0, &in[0], err) : luc_tfjs_plain(o, 0, &in[0], err);
    if (!st)
        st = luc_tfjs_ints(o, "axes", turned ? hw : axes, n, &in[1], err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = o->in[0]->rank - n };
    return st ? st : luc_tfjs_op_emit(o, "Squeeze", NULL, in, 2, NULL, &o->out.value, err);
}

static enum luc_status transpose(struct tfjs_op *o, struct luc_error *err)
{
    struct tfjs_attr attrs[] = { { "perm", 0, { 0 }, NULL }, { 0 } };
    size_t n = 0, in = LUC_NONE;
    enum luc_status st = luc_tfjs_known(o, 1, attrs[0].v, LUC_MAX_RANK, &n, err);
    if (!st && (n != o->in[0]->rank || n == 0))
        st = luc_tfjs_refuse(o, "its permutation does not fit its input", err);
    attrs[0].n = n;
    if (!st)
        st = luc_tfjs_plain(o, 0, &in, err);
    o->out = (struct tfjs_value){ .value = LUC_NONE, .rank = n };
    return st ? st : luc_tfjs_op_emit(o, "Transpose", NULL, &in, 1, attrs, &o->out.value, err);
}

const struct tfjs_op_row luc_tfjs_shape_rows[] = {
    { "ConcatV2", 2, INPUTS_MAX, concat, NULL },
    { "ExpandDims", 2, 2, expand_dims, NULL },
    { "Pack", 1, INPUTS_MAX, pack, NULL },
    { "Reshape", 2, 2, reshape, NULL },
    { "Shape", 1, 1, shape_of, NULL },
    { "Squeeze", 1, 1, squeeze, NULL },
    { "StridedSlice", 4, 4, strided_slice, NULL },
    { "Transpose", 2, 2, transpose, NULL },
    { 0 },
};
