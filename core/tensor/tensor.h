/* tensor.h -- dense row-major arrays of float32, NCHW when rank is 4.
 *
 * Storage is always float32. `dtype` is what the numbers mean: integers (shapes, axes, indices,
 * 8-bit weights) are carried as floats, exactly up to 2^24; INT64_MIN and INT64_MAX, which ONNX
 * uses for "to the end", keep their sign and stay huge. One set of kernels serves them all, and a
 * reader refuses other integers that would not survive.
 *
 * A tensor is a view: it never owns its data, arenas do.
 */
#ifndef LUC_TENSOR_TENSOR_H
#define LUC_TENSOR_TENSOR_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUC_MAX_RANK  8
#define LUC_EXACT_INT 16777216.0 /* 2^24 */

/* Zero is float32, so { shape, .data = p } is an ordinary tensor. */
enum luc_dtype {
    LUC_F32,
    LUC_F64,
    LUC_F16,
    LUC_BOOL,
    LUC_U8,
    LUC_I8,
    LUC_U16,
    LUC_I16,
    LUC_I32,
    LUC_U32,
    LUC_I64,
    LUC_U64
};

static inline bool luc_dtype_is_int(enum luc_dtype t)
{
    return t >= LUC_BOOL;
}

struct luc_shape {
    size_t rank;              /* 0: a scalar, one element */
    size_t dim[LUC_MAX_RANK]; /* outermost first */
};

struct luc_tensor {
    struct luc_shape shape;
    enum luc_dtype dtype;
    float *data; /* luc_numel(&shape) floats */
};

static inline size_t luc_numel(const struct luc_shape *s)
{
    size_t n = 1;
    for (size_t i = 0; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

/* Product of dim[from..to). */
static inline size_t luc_dims(const struct luc_shape *s, size_t from, size_t to)
{
    size_t n = 1;
    for (size_t i = from; i < to; i++)
        n *= s->dim[i];
    return n;
}

static inline struct luc_shape luc_shape4(size_t n, size_t c, size_t h, size_t w)
{
    return (struct luc_shape){ 4, { n, c, h, w } };
}

bool luc_shape_equal(const struct luc_shape *a, const struct luc_shape *b);

/* Checks rank <= LUC_MAX_RANK and that 4 * numel fits comfortably in memory arithmetic.
 * LUC_TOO_LARGE names `what`. Call it wherever a size comes from a file or a user. */
LUC_MUST_USE enum luc_status luc_shape_check(const struct luc_shape *s, const char *what,
                                             struct luc_error *err);

/* Numpy broadcasting of a and b. LUC_SHAPE when they do not fit. */
LUC_MUST_USE enum luc_status luc_shape_broadcast(const struct luc_shape *a,
                                                 const struct luc_shape *b, struct luc_shape *out,
                                                 struct luc_error *err);

#define LUC_SHAPE_TEXT 96
/* "1x3x224x224" into buf; returns buf. */
const char *luc_shape_print(const struct luc_shape *s, char buf[LUC_SHAPE_TEXT]);

#endif
