/* GridSample -- https://onnx.ai/onnx/operators/onnx__GridSample.html
 *
 *   in   x     [N, C, H, W]
 *   in   grid  [N, oH, oW, 2]: where to look, x then y, from -1 to 1 over the picture
 *   out  y     [N, C, oH, oW]
 *   attr mode           linear (or bilinear), nearest, cubic (or bicubic; a = -0.75)
 *   attr padding_mode   outside: zeros, the border's pixel, or the picture mirrored
 *   attr align_corners  1: -1 and 1 are the centres of the outermost pixels, 0: their outer edges
 *
 *   y[n,c,i,j] = sum of wy wx x[n,c,.,.] over 1, 2 x 2 or 4 x 4 pixels around the place
 *   dx there += wy wx dy,  dgrid = sum of dy x over channels times the weights' slopes
 *
 * Source: Jaderberg et al., "Spatial Transformer Networks", 2015, arXiv:1506.02025, section 3.3.
 */
#include "core/ops/common.h"

#include <math.h>

#define TAPS  4
#define FAR   0x1p30 /* pixels; what lies beyond is nowhere near any picture */
#define CUBIC (-0.75)

enum mode { LINEAR, BILINEAR, NEAREST, CUBIC_MODE, BICUBIC };
enum padding { ZEROS, BORDER, REFLECTION };

struct attrs {
    int64_t mode, padding_mode, align_corners;
};

static const char *const modes[] = { "linear", "bilinear", "nearest", "cubic", "bicubic", NULL };
static const char *const paddings[] = { "zeros", "border", "reflection", NULL };

static const struct luc_param attr_table[] = {
    LUC_CHOICE(struct attrs, mode, LINEAR, 5, modes, "How pixels between pixels are made"),
    LUC_CHOICE(struct attrs, padding_mode, ZEROS, 3, paddings, "What lies outside"),
    LUC_BOOL(struct attrs, align_corners, 0, "Corners are the centres of the corner pixels"),
    LUC_PARAM_END,
};

static enum luc_status infer(struct luc_infer *x, struct luc_error *err)
{
    const enum luc_status st = luc_infer_need(x, 2, err);
    if (st)
        return st;
    const struct luc_shape *in = &x->in[0]->shape, *grid = &x->in[1]->shape;
    if (in->rank != 4 || grid->rank != 4 || luc_numel(in) == 0)
        return luc_fail(err, in->rank == 5 ? LUC_UNSUPPORTED : LUC_SHAPE,
                        "x and grid must be [N, C, H, W] and [N, oH, oW, 2], not empty");
    if (grid->dim[0] != in->dim[0] || grid->dim[3] != 2)
        return luc_fail(err, LUC_SHAPE, "grid must be [%zu, oH, oW, 2]", in->dim[0]);
    x->out[0].shape = luc_shape4(in->dim[0], in->dim[1], grid->dim[1], grid->dim[2]);
    return luc_shape_check(&x->out[0].shape, "output", err);
}

/* The pixels along one axis that a place is made of. */
struct taps {
    size_t n;
    ptrdiff_t at[TAPS];               /* -1: outside, where everything is 0 */
    double weight[TAPS], slope[TAPS]; /* slope: of the weight by the grid's coordinate */
};

/* Into the picture by mirrors at its border; *sign: -1 where the way back is run. */
static double mirror(double x, double n, bool align, double *sign)
{
    const double low = align ? 0 : -0.5, span = align ? n - 1 : n;
    *sign = 1;
    if (span <= 0)
        return *sign = 0, 0;
    double from = x - low;
    if (from < 0)
        from = -from, *sign = -1;
    const double flips = floor(from / span), rest = from - flips * span;
    if (fmod(flips, 2) != 0)
        *sign = -*sign;
    return (fmod(flips, 2) == 0 ? rest : span - rest) + low;
}

static double clip(double x, double n, double *sign)
{
    if (x < 0 || x > n - 1)
        *sign = 0;
    return x < 0 ? 0 : x > n - 1 ? n - 1 : x;
}

static double pad(const struct attrs *a, double x, double n, double *sign)
{
    double bent = 1, clipped = 1;
    if (a->padding_mode == REFLECTION)
        x = mirror(x, n, a->align_corners != 0, &bent);
    if (a->padding_mode != ZEROS)
        x = clip(x, n, &clipped);
    *sign = bent * clipped;
    return x;
}

static void cubic(double t, double w[TAPS], double d[TAPS])
{
    for (int k = 0; k < TAPS; k++) {
        const double v = t - (k - 1), u = fabs(v), sign = v < 0 ? -1 : 1;
        w[k] = u <= 1 ? ((CUBIC + 2) * u - (CUBIC + 3)) * u * u + 1
                      : ((CUBIC * u - 5 * CUBIC) * u + 8 * CUBIC) * u - 4 * CUBIC;
        d[k] = sign * (u <= 1 ? (3 * (CUBIC + 2) * u - 2 * (CUBIC + 3)) * u
                              : (3 * CUBIC * u - 10 * CUBIC) * u + 8 * CUBIC);
    }
}

static struct taps taps_of(const struct attrs *a, double grid, size_t size)
{
    const double n = (double)size, scale = a->align_corners ? (n - 1) / 2 : n / 2;
    const bool is_cubic = a->mode >= CUBIC_MODE;
    double x = (grid + 1) * scale - (a->align_corners ? 0 : 0.5), sign = 1;
    x = isfinite(x) ? fmin(fmax(x, -FAR), FAR) : -FAR;
    if (!is_cubic)
        x = pad(a, x, n, &sign);
    struct taps t = { .n = a->mode == NEAREST ? 1 : is_cubic ? TAPS : 2 };
    const double first = a->mode == NEAREST ? nearbyint(x) : floor(x) - is_cubic, f = x - floor(x);
    if (is_cubic) {
        cubic(f, t.weight, t.slope);
    } else if (t.n == 2) {
        t.weight[0] = 1 - f, t.weight[1] = f;
        t.slope[0] = -1, t.slope[1] = 1;
    } else {
        t.weight[0] = 1;
    }
    for (size_t k = 0; k < t.n; k++) {
        double unused, at = first + (double)k;
        at = is_cubic ? pad(a, at, n, &unused) : at;
        t.at[k] = at >= 0 && at <= n - 1 ? (ptrdiff_t)at : -1;
        t.slope[k] *= scale * sign;
    }
    return t;
}

struct job {
    const struct luc_op_call *c;
    size_t channels, h, w, oh, ow;
};

static struct job job_of(const struct luc_op_call *c)
{
    const struct luc_shape *in = &c->in[0]->shape, *out = &c->out[0]->shape;
    return (struct job){ c, in->dim[1], in->dim[2], in->dim[3], out->dim[2], out->dim[3] };
}

/* Place p of image n: the taps of both axes. */
static void look(const struct job *j, size_t n, size_t p, struct taps *ty, struct taps *tx)
{
    const float *g = j->c->in[1]->data + (n * j->oh * j->ow + p) * 2;
    *tx = taps_of(j->c->attrs, (double)g[0], j->w);
    *ty = taps_of(j->c->attrs, (double)g[1], j->h);
}

/* sum of wy[i] wx[k] over the plane's pixels */
static double mix(const struct job *j, const float *plane, const struct taps *ty, const double *wy,
                  const struct taps *tx, const double *wx)
{
    double sum = 0;
    for (size_t i = 0; i < ty->n; i++)
        for (size_t k = 0; k < tx->n; k++)
            if (ty->at[i] >= 0 && tx->at[k] >= 0)
                sum += wy[i] * wx[k] * (double)plane[(size_t)ty->at[i] * j->w + (size_t)tx->at[k]];
    return sum;
}

static void y_row(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t n = item / j->oh, row = item % j->oh;
    (void)lane;
    for (size_t p = row * j->ow; p < (row + 1) * j->ow; p++) {
        struct taps ty, tx;
        look(j, n, p, &ty, &tx);
        for (size_t c = 0; c < j->channels; c++) {
            const size_t plane = n * j->channels + c;
            j->c->out[0]->data[plane * j->oh * j->ow + p] = (float)mix(
                j, j->c->in[0]->data + plane * j->h * j->w, &ty, ty.weight, &tx, tx.weight);
        }
    }
}

static void dx_plane(void *ctx, size_t plane, size_t lane)
{
    const struct job *j = ctx;
    float *dx = j->c->din[0]->data + plane * j->h * j->w;
    (void)lane;
    for (size_t p = 0; p < j->oh * j->ow; p++) {
        const double dy = (double)j->c->dout[0]->data[plane * j->oh * j->ow + p];
        struct taps ty, tx;
        look(j, plane / j->channels, p, &ty, &tx);
        for (size_t i = 0; i < ty.n; i++)
            for (size_t k = 0; k < tx.n; k++)
                if (ty.at[i] >= 0 && tx.at[k] >= 0)
                    dx[(size_t)ty.at[i] * j->w + (size_t)tx.at[k]] +=
                        (float)(ty.weight[i] * tx.weight[k] * dy);
    }
}

static void dgrid_row(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t n = item / j->oh, row = item % j->oh;
    (void)lane;
    for (size_t p = row * j->ow; p < (row + 1) * j->ow; p++) {
        struct taps ty, tx;
        double along_x = 0, along_y = 0;
        look(j, n, p, &ty, &tx);
        for (size_t c = 0; c < j->channels; c++) {
            const size_t plane = n * j->channels + c;
            const float *x = j->c->in[0]->data + plane * j->h * j->w;
            const double dy = (double)j->c->dout[0]->data[plane * j->oh * j->ow + p];
            along_x += dy * mix(j, x, &ty, ty.weight, &tx, tx.slope);
            along_y += dy * mix(j, x, &ty, ty.slope, &tx, tx.weight);
        }
        float *to = j->c->din[1]->data + (n * j->oh * j->ow + p) * 2;
        to[0] += (float)along_x;
        to[1] += (float)along_y;
    }
}

static void forward(const struct luc_op_call *c)
{
    struct job j = job_of(c);
    luc_parallel_for(c->threads, c->out[0]->shape.dim[0] * j.oh, y_row, &j);
}

static void backward(const struct luc_op_call *c)
{
    struct job j = job_of(c);
    if (c->din[0])
        luc_parallel_for(c->threads, luc_dims(&c->in[0]->shape, 0, 2), dx_plane, &j);
    if (c->din[1])
        luc_parallel_for(c->threads, c->out[0]->shape.dim[0] * j.oh, dgrid_row, &j);
}

const struct luc_op luc_op_grid_sample = {
    .name = "GridSample",
    .since = 16,
    .n_in_min = 2,
    .n_in_max = 2,
    .attrs_size = sizeof(struct attrs),
    .attrs = attr_table,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
