/* window.h -- the geometry of windows sliding over a picture: convolution and pooling.
 *
 * Output (oh, ow) looks at input (oh * sh - pt + i * dh, ow * sw - pl + j * dw) for tap (i, j) of
 * the kernel; what lies outside is padding. A [N, C, W] tensor is a picture of height 1.
 */
#ifndef LUC_KERNELS_WINDOW_H
#define LUC_KERNELS_WINDOW_H

#include "core/base/param.h"
#include "core/tensor/tensor.h"

#define LUC_WINDOW_MAX 65536 /* largest kernel, stride, dilation and pad */

struct luc_window {
    size_t h, w;   /* input */
    size_t oh, ow; /* output */
    size_t kh, kw, sh, sw, dh, dw;
    size_t pt, pl; /* padding at the top and left */
    size_t pb, pr; /* at the bottom and right: pooling divides by them, nothing else asks */
};

enum luc_auto_pad { LUC_PAD_NOTSET, LUC_PAD_SAME_UPPER, LUC_PAD_SAME_LOWER, LUC_PAD_VALID };
extern const char *const luc_auto_pad_names[];

/* The attributes that ONNX's Conv, ConvTranspose and pools share; list lengths as given. */
struct luc_window_attrs {
    int64_t auto_pad;
    struct luc_ints kernel_shape, strides, dilations, pads; /* n 0: the default */
};

/* clang-format off */
#define LUC_WINDOW_ROWS(T)                                                                         \
    LUC_CHOICE(T, auto_pad, LUC_PAD_NOTSET, 4, luc_auto_pad_names, "How pads are chosen; NOTSET takes pads as given"), \
    LUC_INTS(T, kernel_shape, NULL, 1, LUC_WINDOW_MAX, "", "Height and width of the kernel"),      \
    LUC_INTS(T, strides, NULL, 1, LUC_WINDOW_MAX, "", "Steps between windows"),                    \
    LUC_INTS(T, dilations, NULL, 1, LUC_WINDOW_MAX, "", "Steps between the taps of the kernel"),   \
    LUC_INTS(T, pads, NULL, 0, LUC_WINDOW_MAX, "", "Padding: top, left, bottom, right")
/* clang-format on */

/* Everything but pads and output of *win from the attributes. x is the sliding side's shape
 * [N, C, (H,) W]; kernel [kh, kw] or NULL: kernel_shape is required. LUC_UNSUPPORTED: not one or
 * two spatial axes. LUC_SHAPE, LUC_RANGE: what does not fit. */
LUC_MUST_USE enum luc_status luc_window_base(const struct luc_window_attrs *a,
                                             const struct luc_shape *x, const size_t *kernel,
                                             struct luc_window *win, struct luc_error *err);
/* The same, with pads and output size; `ceil_mode` as in pooling. */
LUC_MUST_USE enum luc_status luc_window_resolve(const struct luc_window_attrs *a,
                                                const struct luc_shape *x, const size_t *kernel,
                                                bool ceil_mode, struct luc_window *win,
                                                struct luc_error *err);

/* Reads a list attribute as top/left (and bottom/right) for x's one or two spatial axes. */
LUC_MUST_USE enum luc_status luc_window_list(const struct luc_ints *list, const char *name,
                                             size_t axes, size_t per_axis, size_t def,
                                             size_t out[4], struct luc_error *err);

/* [N, C, oh, ow], or [N, C, ow] when x has rank 3. */
struct luc_shape luc_window_shape(const struct luc_shape *x, size_t channels, size_t oh, size_t ow);

/* Taps span this many input pixels. */
static inline size_t luc_extent(size_t k, size_t dilation)
{
    return (k - 1) * dilation + 1;
}

/* Outputs [*lo, *hi) within [from, to) whose tap lies inside: pad <= o * stride + offset and
 * o * stride + offset - pad < size. */
static inline void luc_window_range(size_t size, size_t stride, size_t offset, size_t pad,
                                    size_t from, size_t to, size_t *lo, size_t *hi)
{
    const size_t first = offset >= pad ? 0 : (pad - offset + stride - 1) / stride;
    const size_t end = size + pad > offset ? (size + pad - offset + stride - 1) / stride : 0;
    *lo = first > from ? first : from;
    *lo = *lo < to ? *lo : to;
    *hi = end < to ? end : to;
    if (*hi < *lo)
        *hi = *lo;
}

#endif
