/* Resize -- https://onnx.ai/onnx/operators/onnx__Resize.html
 *
 *   in   x       any shape
 *   in   roi     since opset 11, optional; only for tf_crop_and_resize, which is not supported
 *   in   scales  optional (in opset 10: the second input): factor per axis
 *   in   sizes   since opset 11, optional, instead of scales: output size per axis; both must be
 *                known before the run
 *   out  y       floor(size * scale) per axis, or `sizes`
 *   attr mode    nearest, linear or cubic
 *   attr coordinate_transformation_mode, nearest_mode  which input an output looks at: see
 *                core/kernels/resample.h. Opset 10: asymmetric, floor
 *   attr cubic_coeff_a, exclude_outside  of cubic
 *   attr axes    since opset 18: the axes scales and sizes are about
 *   attr antialias, keep_aspect_ratio_policy, extrapolation_value  only their defaults
 *
 *   y = a weighted sum of x's neighbours per axis; dx += the same weights times dy
 */
#include "core/kernels/resample.h"
#include "core/ops/common.h"

#include <math.h>

enum { CROP = 6 }; /* tf_crop_and_resize among the coordinate modes */

struct attrs {
    int64_t mode, coordinate_transformation_mode, nearest_mode, exclude_outside, antialias;
    int64_t keep_aspect_ratio_policy;
    double cubic_coeff_a, extrapolation_value;
    struct luc_ints axes;
};

static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
static const char *const coords[] = { "half_pixel",           "pytorch_half_pixel",
                                      "align_corners",        "asymmetric",
                                      "tf_half_pixel_for_nn", "half_pixel_symmetric",
                                      "tf_crop_and_resize",   NULL };
static const char *const rounds[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil",
                                      NULL };
static const char *const policies[] = { "stretch", "not_larger", "not_smaller", NULL };

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, mode, LUC_NEAREST, 3, modes, "How neighbours are weighted"),
    LUC_CHOICE(struct attrs, coordinate_transformation_mode, LUC_HALF_PIXEL, 7, coords,
               "Where an output looks in the input"),
    LUC_CHOICE(struct attrs, nearest_mode, LUC_ROUND_PREFER_FLOOR, 4, rounds,
               "Which neighbour is the nearest"),
    LUC_REAL(struct attrs, cubic_coeff_a, -0.75, -HUGE_VAL, HUGE_VAL, "", "Of cubic mode"),
    LUC_BOOL(struct attrs, exclude_outside, 0, "Cubic: no weight past the border"),
    LUC_REAL(struct attrs, extrapolation_value, 0, -HUGE_VAL, HUGE_VAL, "",
             "Of tf_crop_and_resize, which is not supported"),
    LUC_BOOL(struct attrs, antialias, 0, "Not supported where anything shrinks"),
    LUC_INTS(struct attrs, axes, "", -8, 7, "", "Axes that scales and sizes are about"),
    LUC_CHOICE(struct attrs, keep_aspect_ratio_policy, 0, 3, policies, "Only stretch is supported"),
    LUC_PARAM_END,
};

/* What was asked for: scales or sizes, one of them empty. */
struct wish {
    struct luc_reals scales;
    struct luc_ints sizes;
};

static enum luc_status set_axis(struct luc_resample *r, size_t d, const struct wish *w, size_t i,
                                struct luc_error *err)
{
    const double n = (double)r->in.dim[d];
    const double scale = w->sizes.n ? 0.0 : w->scales.v[i];
    if (!w->sizes.n && !(scale > 0.0 && scale < 1e9))
        return luc_fail(err, LUC_SHAPE, "a scale of %g", scale);
    const double size = w->sizes.n ? (double)w->sizes.v[i] : floor(n * scale);
    if (!(size >= 0.0 && size < 0x1p40) || (n == 0.0 && size > 0.0))
        return luc_fail(err, LUC_SHAPE, "cannot resize %g elements to %g", n, size);
    r->out.dim[d] = (size_t)size;
    r->scale[d] = !w->sizes.n ? scale : n > 0.0 && size > 0.0 ? size / n : 1.0;
    return LUC_OK;
}

static enum luc_status resolve(const struct attrs *a, int opset, const struct luc_shape *in,
                               const struct wish *w, struct luc_resample *to, struct luc_error *err)
{
    bool chosen[LUC_MAX_RANK];
    const size_t n = w->sizes.n ? w->sizes.n : w->scales.n;
    enum luc_status st = luc_infer_axes(&a->axes, in->rank, chosen, err);
    if (st)
        return st;
    if (n != (a->axes.n ? a->axes.n : in->rank))
        return luc_fail(err, LUC_SHAPE, "%zu scales or sizes for %zu axes", n,
                        a->axes.n ? a->axes.n : in->rank);
    struct luc_resample r = { .in = *in,
                              .out = *in,
                              .mode = (enum luc_resample_mode)a->mode,
                              .coord = (enum luc_resample_coord)a->coordinate_transformation_mode,
                              .round = (enum luc_resample_round)a->nearest_mode,
                              .cubic_a = a->cubic_coeff_a,
                              .exclude_outside = a->exclude_outside != 0 };
    if (opset < 11)
        r.coord = LUC_ASYMMETRIC, r.round = LUC_FLOOR;
    for (size_t d = 0; d < in->rank; d++)
        r.scale[d] = 1.0;
    for (size_t i = 0; !st && i < n; i++) {
        const int64_t named = a->axes.n ? a->axes.v[i] : (int64_t)i;
        st = set_axis(&r, (size_t)(named < 0 ? named + (int64_t)in->rank : named), w, i, err);
    }
    if (!st)
        st = luc_shape_check(&r.out, "resized tensor", err);
    if (!st)
        *to = r;
    return st;
}

static enum luc_status read_wish(const struct luc_infer *x, struct wish *w, struct luc_error *err)
{
    const size_t scales = x->opset < 11 ? 1 : 2, sizes = 3;
    enum luc_status st = LUC_OK;
    *w = (struct wish){ 0 };
    if (x->opset >= 11 && luc_infer_has(x, sizes))
        st = luc_infer_ints(x, sizes, "sizes", &w->sizes, err);
    if (!st && w->sizes.n == 0 && luc_infer_has(x, scales))
        st = luc_infer_reals(x, scales, "scales", &w->scales, err);
    return st;
}

static enum luc_status check_attrs(const struct attrs *a, const struct luc_resample *r,
                                   struct luc_error *err)
{
    if (a->coordinate_transformation_mode == CROP)
        return luc_fail(err, LUC_UNSUPPORTED, "coordinate mode tf_crop_and_resize");
    if (a->keep_aspect_ratio_policy != 0)
        return luc_fail(err, LUC_UNSUPPORTED, "keep_aspect_ratio_policy other than stretch");
    for (size_t d = 0; a->antialias && d < r->in.rank; d++)
        if (r->scale[d] < 1.0)
            return luc_fail(err, LUC_UNSUPPORTED, "antialias");
    return LUC_OK;
}

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    struct luc_resample r = { 0 };
    struct wish w;
    enum luc_status st = luc_infer_same(x, err);
    if (!st)
        st = read_wish(x, &w, err);
    if (!st)
        st = resolve(x->attrs, x->opset, &x->in[0]->shape, &w, &r, err);
    if (!st)
        st = check_attrs(x->attrs, &r, err);
    if (!st)
        x->out[0].shape = r.out;
    return st;
}

static size_t scratch(const struct luc_infer *x, bool backward, size_t lanes)
{
    struct luc_resample r = { 0 };
    struct wish w;
    (void)backward, (void)lanes;
    if (read_wish(x, &w, NULL) || resolve(x->attrs, x->opset, &x->in[0]->shape, &w, &r, NULL))
        return 0; /* infer() has failed already */
    return luc_resample_scratch(&r);
}

static struct luc_resample make(const struct luc_op_call *c)
{
    struct luc_resample r = { 0 };
    struct wish w = { 0 };
    if (c->opset >= 11)
        w.sizes = luc_call_ints(c, 3);
    if (w.sizes.n == 0)
        w.scales = luc_call_reals(c, c->opset < 11 ? 1 : 2);
    const enum luc_status st = resolve(c->attrs, c->opset, &c->in[0]->shape, &w, &r, NULL);
    (void)st; /* infer() had no complaints */
    return r;
}

static void forward(const struct luc_op_call *c)
{
    const struct luc_resample r = make(c);
    luc_resample_forward(&r, c->threads, c->scratch, c->in[0]->data, c->out[0]->data);
}

static void backward(const struct luc_op_call *c)
{
    if (!c->din[0])
        return;
    const struct luc_resample r = make(c);
    luc_call_clear(c, 0);
    luc_resample_backward(&r, c->threads, c->scratch, c->dout[0]->data, c->din[0]->data);
}

static uint32_t reads(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return LUC_READS_IN(1) | LUC_READS_IN(2) | LUC_READS_IN(3);
}

const struct luc_op luc_op_resize = {
    .name = "Resize",
    .since = 10,
    .n_in_min = 1,
    .n_in_max = 4,
    .flags = LUC_OP_SETS_DIN,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .scratch = scratch,
    .reads = reads,
    .forward = forward,
    .backward = backward,
};
