#include "core/kernels/window.h"

const char *const luc_auto_pad_names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL };

enum luc_status luc_window_list(const struct luc_ints *list, const char *name, size_t axes,
                                size_t per_axis, size_t def, size_t out[4], struct luc_error *err)
{
    if (list->n != 0 && list->n != axes * per_axis)
        return luc_fail_param(err, LUC_SHAPE, name, "%s: %zu values, want %zu", name, list->n,
                              axes * per_axis);
    for (size_t side = 0; side < per_axis; side++)
        for (size_t axis = 0; axis < 2; axis++) {
            const size_t missing = 2 - axes; /* one spatial axis: the height is 1 */
            size_t v = def;
            if (axis >= missing)
                v = list->n ? (size_t)list->v[side * axes + axis - missing] : v;
            out[side * 2 + axis] = v;
        }
    return LUC_OK;
}

static enum luc_status read_kernel(const struct luc_window_attrs *a, size_t axes,
                                   const size_t *kernel, size_t out[4], struct luc_error *err)
{
    if (!kernel && a->kernel_shape.n == 0)
        return luc_fail_param(err, LUC_INVALID, "kernel_shape", "kernel_shape is required");
    const enum luc_status st =
        luc_window_list(&a->kernel_shape, "kernel_shape", axes, 1, 1, out, err);
    if (st)
        return st;
    for (size_t i = 0; kernel && i < 2; i++) {
        if (kernel[i] < 1 || kernel[i] > LUC_WINDOW_MAX)
            return luc_fail(err, LUC_RANGE, "kernel of %zu x %zu: sides go from 1 to %d", kernel[0],
                            kernel[1], LUC_WINDOW_MAX);
        if (a->kernel_shape.n && out[i] != kernel[i])
            return luc_fail_param(err, LUC_SHAPE, "kernel_shape",
                                  "kernel_shape says %zu, the weights have %zu", out[i], kernel[i]);
        out[i] = kernel[i];
    }
    return LUC_OK;
}

enum luc_status luc_window_base(const struct luc_window_attrs *a, const struct luc_shape *x,
                                const size_t *kernel, struct luc_window *win, struct luc_error *err)
{
    size_t k[4] = { 0 }, s[4] = { 0 }, d[4] = { 0 };
    enum luc_status st = luc_shape_check(x, "input", err);
    if (st)
        return st;
    if (x->rank != 3 && x->rank != 4)
        return luc_fail(err, LUC_UNSUPPORTED,
                        "input of rank %zu: only [N, C, W] and [N, C, H, W] are supported",
                        x->rank);
    if (luc_numel(x) == 0)
        return luc_fail(err, LUC_SHAPE, "the input is empty");
    const size_t axes = x->rank - 2;
    if ((st = read_kernel(a, axes, kernel, k, err)) != LUC_OK ||
        (st = luc_window_list(&a->strides, "strides", axes, 1, 1, s, err)) != LUC_OK ||
        (st = luc_window_list(&a->dilations, "dilations", axes, 1, 1, d, err)) != LUC_OK)
        return st;
    *win = (struct luc_window){ .h = axes == 2 ? x->dim[2] : 1,
                                .w = x->dim[x->rank - 1],
                                .kh = k[0],
                                .kw = k[1],
                                .sh = s[0],
                                .sw = s[1],
                                .dh = d[0],
                                .dw = d[1] };
    return LUC_OK;
}

/* Pads of one axis for auto_pad, into *begin and *end. */
static void pad_axis(enum luc_auto_pad mode, size_t size, size_t extent, size_t stride,
                     size_t *begin, size_t *end)
{
    if (mode == LUC_PAD_NOTSET)
        return;
    *begin = *end = 0;
    if (mode == LUC_PAD_VALID)
        return;
    const size_t need = ((size - 1) / stride) * stride + extent;
    const size_t total = need > size ? need - size : 0;
    *begin = mode == LUC_PAD_SAME_LOWER ? total - total / 2 : total / 2;
    *end = total - *begin;
}

/* Outputs along one axis, or 0 when not even one window fits. */
static size_t out_size(size_t size, size_t extent, size_t stride, size_t begin, size_t end,
                       bool ceil_mode)
{
    const size_t padded = size + begin + end;
    if (padded < extent)
        return 0;
    size_t n = (padded - extent) / stride + 1;
    /* one more, unless that window would start in the padding at the end */
    if (ceil_mode && (padded - extent) % stride != 0 && n * stride < size + begin)
        n++;
    return n;
}

enum luc_status luc_window_resolve(const struct luc_window_attrs *a, const struct luc_shape *x,
                                   const size_t *kernel, bool ceil_mode, struct luc_window *win,
                                   struct luc_error *err)
{
    struct luc_window w;
    size_t pads[4];
    enum luc_status st = luc_window_base(a, x, kernel, &w, err);
    if (st || (st = luc_window_list(&a->pads, "pads", x->rank - 2, 2, 0, pads, err)) != LUC_OK)
        return st;
    const enum luc_auto_pad mode = (enum luc_auto_pad)a->auto_pad;
    const size_t eh = luc_extent(w.kh, w.dh), ew = luc_extent(w.kw, w.dw);
    w.pt = pads[0], w.pl = pads[1], w.pb = pads[2], w.pr = pads[3];
    pad_axis(mode, w.h, eh, w.sh, &w.pt, &w.pb);
    pad_axis(mode, w.w, ew, w.sw, &w.pl, &w.pr);
    w.oh = out_size(w.h, eh, w.sh, w.pt, w.pb, ceil_mode);
    w.ow = out_size(w.w, ew, w.sw, w.pl, w.pr, ceil_mode);
    if (w.oh == 0 || w.ow == 0)
        return luc_fail(err, LUC_SHAPE,
                        "a window of %zu x %zu does not fit an input of %zu x %zu with its padding",
                        eh, ew, w.h, w.w);
    *win = w;
    return LUC_OK;
}

struct luc_shape luc_window_shape(const struct luc_shape *x, size_t channels, size_t oh, size_t ow)
{
    if (x->rank == 3)
        return (struct luc_shape){ 3, { x->dim[0], channels, ow } };
    return luc_shape4(x->dim[0], channels, oh, ow);
}
