#include "core/generate/view.h"

#include <math.h>
#include <string.h>

#define DEGREE 0.017453292519943295

struct luc_view luc_view_plain(enum luc_border border)
{
    return (struct luc_view){ .along = 1, .border = border };
}

static double draw_shift(size_t jitter, struct luc_rng *rng)
{
    return jitter ? (double)luc_rng_below(rng, 2 * (uint64_t)jitter + 1) - (double)jitter : 0;
}

static double draw_around(double middle, double spread, struct luc_rng *rng)
{
    return spread > 0 ? middle + spread * (2 * luc_rng_uniform(rng) - 1) : middle;
}

struct luc_view luc_view_draw(const struct luc_views *views, struct luc_rng *rng)
{
    struct luc_view v = luc_view_plain(views->border);
    v.shift_y = draw_shift(views->jitter, rng);
    v.shift_x = draw_shift(views->jitter, rng);
    const double scale = draw_around(1, views->zoom, rng);
    const double angle = draw_around(0, views->rotate, rng) * DEGREE;
    v.along = cos(angle) / scale;
    v.across = sin(angle) / scale;
    return v;
}

/* The four pixels of `in` that one pixel of `out` is mixed from. */
struct taps {
    size_t at[4];
    float weight[4];
};

static size_t inside(double i, size_t n, enum luc_border border)
{
    const double period = border == LUC_BORDER_WRAP ? (double)n : 2 * (double)n;
    const size_t at = (size_t)(i - period * floor(i / period));
    return at < n ? at : 2 * n - 1 - at; /* ... 1 0 | 0 1 ... n-1 | n-1 n-2 ... */
}

static struct taps find_taps(const struct luc_view *v, size_t height, size_t width, size_t y,
                             size_t x)
{
    const double cy = ((double)height - 1) / 2, cx = ((double)width - 1) / 2;
    const double dy = (double)y - cy, dx = (double)x - cx;
    const double sy = cy + v->shift_y + v->along * dy + v->across * dx;
    const double sx = cx + v->shift_x + v->along * dx - v->across * dy;
    const double fy = floor(sy), fx = floor(sx);
    const size_t y0 = inside(fy, height, v->border), y1 = inside(fy + 1, height, v->border);
    const size_t x0 = inside(fx, width, v->border), x1 = inside(fx + 1, width, v->border);
    const float ty = (float)(sy - fy), tx = (float)(sx - fx);
    return (struct taps){
        { y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1 },
        { (1 - ty) * (1 - tx), (1 - ty) * tx, ty * (1 - tx), ty * tx },
    };
}

/* Neither turned nor zoomed, moved by whole pixels: each pixel of `out` is one of `in`. */
static bool is_shift(const struct luc_view *v)
{
    return v->along == 1 && v->across == 0 && v->shift_y == floor(v->shift_y) &&
           v->shift_x == floor(v->shift_x);
}

/* Where the pixels of a shifted row come from: [from, to) from right beside one another. */
static void straight(double shift, size_t n, size_t *from, size_t *to)
{
    const double side = (double)n, first = fmin(fmax(-shift, 0), side);
    *from = (size_t)first;
    *to = (size_t)fmax(fmin(side - shift, side), first);
}

static size_t came_from(size_t i, double shift, size_t n, enum luc_border border)
{
    return inside((double)i + shift, n, border);
}

struct job {
    const struct luc_view *view;
    const float *from;
    float *to;
    size_t planes, height, width;
};

static void shift_row(const struct job *j, size_t y)
{
    const struct luc_view *v = j->view;
    const size_t w = j->width, row = came_from(y, v->shift_y, j->height, v->border);
    size_t from, to;
    straight(v->shift_x, w, &from, &to);
    for (size_t p = 0; p < j->planes; p++) {
        const float *in = j->from + (p * j->height + row) * w;
        float *out = j->to + (p * j->height + y) * w;
        for (size_t x = 0; x < from; x++)
            out[x] = in[came_from(x, v->shift_x, w, v->border)];
        if (to > from)
            memcpy(out + from, in + came_from(from, v->shift_x, w, v->border),
                   (to - from) * sizeof(*out));
        for (size_t x = to; x < w; x++)
            out[x] = in[came_from(x, v->shift_x, w, v->border)];
    }
}

static void apply_row(void *ctx, size_t y, size_t lane)
{
    const struct job *j = ctx;
    const size_t pixels = j->height * j->width;
    (void)lane;
    if (is_shift(j->view)) {
        shift_row(j, y);
        return;
    }
    for (size_t x = 0; x < j->width; x++) {
        const struct taps t = find_taps(j->view, j->height, j->width, y, x);
        for (size_t p = 0; p < j->planes; p++) {
            const float *in = j->from + p * pixels;
            j->to[p * pixels + y * j->width + x] =
                t.weight[0] * in[t.at[0]] + t.weight[1] * in[t.at[1]] + t.weight[2] * in[t.at[2]] +
                t.weight[3] * in[t.at[3]];
        }
    }
}

static void shift_plane_back(const struct job *j, const float *d, float *to)
{
    const struct luc_view *v = j->view;
    const size_t w = j->width;
    size_t from, end;
    straight(v->shift_x, w, &from, &end);
    const size_t start = from < end ? came_from(from, v->shift_x, w, v->border) : 0;
    for (size_t y = 0; y < j->height; y++) {
        const float *row = d + y * w;
        float *sum = to + came_from(y, v->shift_y, j->height, v->border) * w;
        for (size_t x = 0; x < from; x++)
            sum[came_from(x, v->shift_x, w, v->border)] += row[x];
        for (size_t x = from; x < end; x++)
            sum[start + x - from] += row[x];
        for (size_t x = end; x < w; x++)
            sum[came_from(x, v->shift_x, w, v->border)] += row[x];
    }
}

/* A whole plane is one item: neighbouring rows add to the same pixels. */
static void adjoint_plane(void *ctx, size_t p, size_t lane)
{
    const struct job *j = ctx;
    const size_t pixels = j->height * j->width;
    const float *d = j->from + p * pixels;
    float *to = j->to + p * pixels;
    (void)lane;
    memset(to, 0, pixels * sizeof(*to));
    if (is_shift(j->view)) {
        shift_plane_back(j, d, to);
        return;
    }
    for (size_t y = 0; y < j->height; y++)
        for (size_t x = 0; x < j->width; x++) {
            const struct taps t = find_taps(j->view, j->height, j->width, y, x);
            for (size_t k = 0; k < 4; k++)
                to[t.at[k]] += t.weight[k] * d[y * j->width + x];
        }
}

void luc_view_apply(const struct luc_view *v, const struct luc_threads *threads, size_t planes,
                    size_t height, size_t width, const float *in, float *out)
{
    struct job j = { v, in, out, planes, height, width };
    luc_parallel_for(threads, height, apply_row, &j);
}

void luc_view_adjoint(const struct luc_view *v, const struct luc_threads *threads, size_t planes,
                      size_t height, size_t width, const float *d_out, float *d_in)
{
    struct job j = { v, d_out, d_in, planes, height, width };
    luc_parallel_for(threads, planes, adjoint_plane, &j);
}
