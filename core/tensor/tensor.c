#include "core/tensor/tensor.h"

#include <stdio.h>

#define NUMEL_MAX ((size_t)1 << 34) /* 64 GiB of floats: beyond it nothing we run makes sense */

bool luc_shape_equal(const struct luc_shape *a, const struct luc_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

enum luc_status luc_shape_check(const struct luc_shape *s, const char *what, struct luc_error *err)
{
    if (s->rank > LUC_MAX_RANK)
        return luc_fail(err, LUC_UNSUPPORTED, "%s: rank %zu, at most %d are supported", what,
                        s->rank, LUC_MAX_RANK);
    size_t n = 1;
    for (size_t i = 0; i < s->rank; i++) {
        if (s->dim[i] == 0) /* empty, but strides are still products of the others */
            continue;
        if (n > NUMEL_MAX / s->dim[i])
            return luc_fail(err, LUC_TOO_LARGE, "%s: more than 2^34 elements", what);
        n *= s->dim[i];
    }
    return LUC_OK;
}

static size_t dim_from_right(const struct luc_shape *s, size_t i)
{
    return i < s->rank ? s->dim[s->rank - 1 - i] : 1;
}

enum luc_status luc_shape_broadcast(const struct luc_shape *a, const struct luc_shape *b,
                                    struct luc_shape *out, struct luc_error *err)
{
    struct luc_shape r = { .rank = a->rank > b->rank ? a->rank : b->rank };
    for (size_t i = 0; i < r.rank; i++) {
        const size_t x = dim_from_right(a, i), y = dim_from_right(b, i);
        if (x != y && x != 1 && y != 1) {
            char ta[LUC_SHAPE_TEXT], tb[LUC_SHAPE_TEXT];
            return luc_fail(err, LUC_SHAPE, "cannot broadcast %s with %s", luc_shape_print(a, ta),
                            luc_shape_print(b, tb));
        }
        r.dim[r.rank - 1 - i] = x == 1 ? y : x;
    }
    *out = r;
    return luc_shape_check(out, "broadcast", err);
}

const char *luc_shape_print(const struct luc_shape *s, char buf[LUC_SHAPE_TEXT])
{
    size_t used = 0;
    snprintf(buf, LUC_SHAPE_TEXT, "%s", s->rank ? "" : "scalar");
    for (size_t i = 0; i < s->rank && used < LUC_SHAPE_TEXT; i++) {
        const int n = snprintf(buf + used, LUC_SHAPE_TEXT - used, "%s%zu", i ? "x" : "", s->dim[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return buf;
}
