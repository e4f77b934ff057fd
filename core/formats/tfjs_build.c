#include "core/formats/tfjs_parts.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 512

enum luc_status luc_tfjs_name(struct tfjs_build *b, const char *base, const char *suffix,
                              size_t *value, struct luc_error *err)
{
    char name[NAME_MAX_BYTES];
    const char *slash = suffix ? "/" : "", *end = suffix ? suffix : "";
    int n = snprintf(name, sizeof(name), "%s%s%s", base, slash, end);
    if (n > 0 && (size_t)n < sizeof(name) && luc_graph_find(b->g, name) != LUC_NONE)
        n = snprintf(name, sizeof(name), "%s%s%s#%zu", base, slash, end, ++b->n_made);
    if (n <= 0 || (size_t)n >= sizeof(name) || luc_graph_find(b->g, name) != LUC_NONE)
        return luc_fail(err, LUC_FORMAT, "'%.60s': the name is empty, too long or taken", base);
    return luc_graph_value(b->g, name, value, err);
}

static enum luc_status set_attrs(const struct luc_op *op, const struct tfjs_attr *a, void *dst,
                                 struct luc_error *err)
{
    enum luc_status st = LUC_OK;
    for (; !st && a && a->key; a++)
        st = a->n ? luc_param_set_numbers(op->attrs, a->key, a->v, a->n, dst, err)
                  : luc_param_set(op->attrs, a->key, a->text, dst, err);
    return st;
}

enum luc_status luc_tfjs_emit(struct tfjs_build *b, const char *op, const char *base,
                              const char *suffix, const size_t *in, size_t n_in,
                              const struct tfjs_attr *attrs, size_t *out, struct luc_error *err)
{
    const struct luc_op *found = luc_op_find(op);
    if (!found)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "'%.80s': operator '%s' is not supported; supported operators are listed "
                        "in docs/operators.md",
                        base, op);
    size_t value = LUC_NONE;
    void *dst = NULL;
    enum luc_status st = luc_tfjs_name(b, base, suffix, &value, err);
    if (!st)
        st = luc_graph_add_node(b->g, found, b->g->values[value].name, in, n_in, &value, 1, &dst,
                                err);
    if (st)
        return st;
    struct luc_error why = { 0 };
    st = set_attrs(found, attrs, dst, &why);
    if (st)
        return luc_fail(err, st == LUC_NOT_FOUND ? LUC_UNSUPPORTED : st, "'%.80s' (%s): %.120s",
                        base, op, why.text);
    *out = value;
    return LUC_OK;
}

enum luc_status luc_tfjs_numbers(struct tfjs_build *b, const char *base, const char *suffix,
                                 enum luc_dtype dtype, const double *v, size_t n, size_t rank,
                                 size_t *value, struct luc_error *err)
{
    float *data = luc_arena_raw(b->g->arena, n, sizeof(*data));
    if (!data)
        return luc_fail_nomem(err, base, n * sizeof(*data));
    for (size_t i = 0; i < n; i++)
        data[i] = (float)v[i];
    const struct luc_tensor t = { { .rank = rank, .dim = { n } }, dtype, data };
    size_t made = LUC_NONE;
    enum luc_status st = luc_tfjs_name(b, base, suffix, &made, err);
    if (!st)
        st = luc_graph_set_constant(b->g, made, &t, err);
    if (!st)
        *value = made;
    return st;
}

/* Walks the result in order; `at` follows in the weight with the permuted strides. */
static void permute(const struct tfjs_weight *w, const size_t *perm, float *out)
{
    const size_t rank = w->shape.rank, n = luc_numel(&w->shape);
    size_t stride[LUC_MAX_RANK], dim[LUC_MAX_RANK], index[LUC_MAX_RANK] = { 0 }, at = 0;
    for (size_t k = 0; k < rank; k++) {
        dim[k] = w->shape.dim[perm[k]];
        stride[k] = luc_dims(&w->shape, perm[k] + 1, rank);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)luc_tfjs_weight_at(w, at);
        for (size_t k = rank; k-- > 0;) {
            at += stride[k];
            if (++index[k] < dim[k])
                break;
            at -= stride[k] * dim[k];
            index[k] = 0;
        }
    }
}

enum luc_status luc_tfjs_constant(struct tfjs_build *b, const struct tfjs_weight *w,
                                  const size_t *perm, const struct luc_shape *shape, size_t *value,
                                  struct luc_error *err)
{
    const size_t n = luc_numel(&w->shape);
    float *data = luc_arena_raw(b->g->arena, n, sizeof(*data));
    if (!data)
        return luc_fail_nomem(err, w->name, (unsigned long long)n * sizeof(*data));
    permute(w, perm, data);
    const struct luc_tensor t = { *shape, w->dtype, data };
    size_t made = LUC_NONE;
    enum luc_status st = luc_tfjs_name(b, w->name, NULL, &made, err);
    if (!st)
        st = luc_graph_set_constant(b->g, made, &t, err);
    if (!st)
        *value = made;
    return st;
}

static const size_t straight[LUC_MAX_RANK] = { 0, 1, 2, 3, 4, 5, 6, 7 };

/* [H, W, C] -> [1, C, H, W] and the like: axes missing in front count as 1. */
static enum luc_status picture_constant(struct tfjs_build *b, const struct tfjs_weight *w,
                                        size_t *value, struct luc_error *err)
{
    struct tfjs_weight wide = *w;
    static const size_t perm[] = { 0, 3, 1, 2 };
    if (w->shape.rank > 4)
        return luc_fail(err, LUC_UNSUPPORTED, "'%.80s': rank %zu beside a picture", w->name,
                        w->shape.rank);
    const size_t missing = 4 - w->shape.rank;
    for (size_t i = 0; i < 4; i++)
        wide.shape.dim[i] = i < missing ? 1 : w->shape.dim[i - missing];
    wide.shape.rank = 4;
    const size_t *d = wide.shape.dim;
    const struct luc_shape shape = luc_shape4(d[0], d[3], d[1], d[2]);
    return luc_tfjs_constant(b, &wide, perm, &shape, value, err);
}

enum luc_status luc_tfjs_as_plain(struct tfjs_build *b, const char *name, struct tfjs_value *v,
                                  size_t *value, struct luc_error *err)
{
    static const struct tfjs_attr to_nhwc[] = { { "perm", 4, { 0, 2, 3, 1 }, NULL }, { 0 } };
    if (v->value == LUC_NONE && v->weight) {
        const enum luc_status st =
            luc_tfjs_constant(b, v->weight, straight, &v->weight->shape, &v->value, err);
        if (st)
            return st;
    }
    if (v->picture)
        return luc_tfjs_emit(b, "Transpose", name, "nhwc", &v->value, 1, to_nhwc, value, err);
    *value = v->value;
    return LUC_OK;
}

enum luc_status luc_tfjs_as_picture(struct tfjs_build *b, const char *name, struct tfjs_value *v,
                                    size_t *value, struct luc_error *err)
{
    static const struct tfjs_attr to_nchw[] = { { "perm", 4, { 0, 3, 1, 2 }, NULL }, { 0 } };
    static const double axes[] = { 0, 1, 2, 3 };
    if (v->weight)
        return picture_constant(b, v->weight, value, err);
    if (v->picture) {
        *value = v->value;
        return LUC_OK;
    }
    if (v->rank > 4)
        return luc_fail(err, LUC_UNSUPPORTED, "'%.80s': rank %zu where a picture is wanted", name,
                        v->rank);
    size_t in[2] = { v->value, LUC_NONE };
    enum luc_status st = LUC_OK;
    if (v->rank < 4) {
        st = luc_tfjs_numbers(b, name, "axes", LUC_I64, axes, 4 - v->rank, 1, &in[1], err);
        if (!st)
            st = luc_tfjs_emit(b, "Unsqueeze", name, "rank4", in, 2, NULL, &in[0], err);
    }
    return st ? st : luc_tfjs_emit(b, "Transpose", name, "nchw", in, 1, to_nchw, value, err);
}

size_t luc_tfjs_picture_axis(size_t axis)
{
    static const size_t map[] = { 0, 2, 3, 1 };
    return map[axis];
}
