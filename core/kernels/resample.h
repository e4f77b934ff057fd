/* resample.h -- resizes a tensor along any axes, one axis after the other.
 *
 * Along an axis every output is a weighted sum of one (nearest), two (linear) or four (cubic)
 * inputs. Axes that shrink most go first, so that what lies in between stays small. The gradient
 * takes the same sums backwards.
 */
#ifndef LUC_KERNELS_RESAMPLE_H
#define LUC_KERNELS_RESAMPLE_H

#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

enum luc_resample_mode { LUC_NEAREST, LUC_LINEAR, LUC_CUBIC };

/* Where output o of an axis looks in the input; s: scale, n: input size, m: output size. */
enum luc_resample_coord {
    LUC_HALF_PIXEL,           /* (o + 1/2) / s - 1/2 */
    LUC_PYTORCH_HALF_PIXEL,   /* the same, but 0 when m = 1 */
    LUC_ALIGN_CORNERS,        /* o (n - 1) / (n s - 1); n s is m before rounding */
    LUC_ASYMMETRIC,           /* o / s */
    LUC_TF_HALF_PIXEL,        /* (o + 1/2) / s */
    LUC_HALF_PIXEL_SYMMETRIC, /* half pixel about the middle of what a rounded m leaves */
};

enum luc_resample_round { LUC_ROUND_PREFER_FLOOR, LUC_ROUND_PREFER_CEIL, LUC_FLOOR, LUC_CEIL };

struct luc_resample {
    struct luc_shape in, out;
    double scale[LUC_MAX_RANK]; /* exactly 1: the axis is left alone */
    enum luc_resample_mode mode;
    enum luc_resample_coord coord;
    enum luc_resample_round round; /* nearest */
    double cubic_a;                /* cubic: -0.75 or -0.5 are usual */
    bool exclude_outside;          /* cubic: inputs past the border have no weight */
    /* Part of a larger resize: `in` and `out` are the parts, which begin at these places of tensors
     * of the sizes `whole`; the out part must look at nothing but the in part. whole 0: no part. */
    struct luc_resample_part {
        size_t in_from, out_from, whole_in, whole_out;
    } part[LUC_MAX_RANK];
};

/* The inputs [*from, *to) that output `o` of axis `d` looks at, of the whole. */
void luc_resample_reach(const struct luc_resample *r, size_t d, size_t o, size_t *from, size_t *to);

/* Bytes. SIZE_MAX when they cannot be counted. */
size_t luc_resample_scratch(const struct luc_resample *r);
void luc_resample_forward(const struct luc_resample *r, const struct luc_threads *threads,
                          void *scratch, const float *x, float *y);
/* Adds to dx. */
void luc_resample_backward(const struct luc_resample *r, const struct luc_threads *threads,
                           void *scratch, const float *dy, float *dx);

#endif
