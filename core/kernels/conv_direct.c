/* Convolution with one input channel per group (depthwise): each tap is a multiple of a shifted
 * row, too little work per value for a matrix product. */
#include "core/kernels/clones.h"
#include "core/kernels/conv.h"

#include <string.h>

struct job {
    const struct luc_conv *g;
    const float *x, *w, *dy;
    const struct luc_conv_finish *fin;
    float *y, *dx, *dw;
    bool add;
};

/* The input row that tap row i of output row oh sees, or false in the padding. */
static inline bool input_row(const struct luc_window *win, size_t oh, size_t i, size_t *h)
{
    *h = oh * win->sh + i * win->dh - win->pt; /* wraps below zero: then it is not < h */
    return *h < win->h;
}

LUC_CLONES static void plane_y(const struct luc_window *win, const float *x, const float *w,
                               const struct luc_conv_finish *fin, float bias, float *y)
{
    const size_t sw = win->sw;
    for (size_t oh = 0; oh < win->oh; oh++, y += win->ow) {
        for (size_t o = 0; o < win->ow; o++)
            y[o] = fin->add ? y[o] + bias : bias;
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            size_t h, lo, hi;
            if (!input_row(win, oh, t / win->kw, &h))
                continue;
            const size_t at = t % win->kw * win->dw;
            luc_window_range(win->w, sw, at, win->pl, 0, win->ow, &lo, &hi);
            const float *row = x + h * win->w, tap = w[t];
            if (sw == 1)
                for (size_t o = lo; o < hi; o++)
                    y[o] += tap * row[o + at - win->pl];
            else
                for (size_t o = lo; o < hi; o++)
                    y[o] += tap * row[o * sw + at - win->pl];
        }
        for (size_t o = 0; fin->relu && o < win->ow; o++)
            y[o] = y[o] < 0.0f ? 0.0f : y[o];
    }
}

static void y_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_conv *g = j->g;
    const size_t n = item / g->c_out, m = item % g->c_out, per = g->c_out / g->groups;
    const size_t taps = g->win.kh * g->win.kw;
    (void)lane;
    plane_y(&g->win, j->x + (n * g->groups + m / per) * g->win.h * g->win.w, j->w + m * taps,
            j->fin, j->fin->bias ? j->fin->bias[m] : 0.0f, j->y + item * g->win.oh * g->win.ow);
}

void luc_conv_direct_y(const struct luc_conv *g, const float *x, const float *w,
                       const struct luc_conv_finish *fin, float *y,
                       const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .w = w, .fin = fin, .y = y };
    luc_parallel_for(threads, g->n * g->c_out, y_item, &j);
}

LUC_CLONES static void plane_dx(const struct luc_window *win, const float *dy, const float *w,
                                float *dx)
{
    const size_t sw = win->sw;
    for (size_t oh = 0; oh < win->oh; oh++, dy += win->ow)
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            size_t h, lo, hi;
            if (!input_row(win, oh, t / win->kw, &h))
                continue;
            const size_t at = t % win->kw * win->dw;
            luc_window_range(win->w, sw, at, win->pl, 0, win->ow, &lo, &hi);
            float *row = dx + h * win->w;
            const float tap = w[t];
            if (sw == 1)
                for (size_t o = lo; o < hi; o++)
                    row[o + at - win->pl] += tap * dy[o];
            else
                for (size_t o = lo; o < hi; o++)
                    row[o * sw + at - win->pl] += tap * dy[o];
        }
}

static void dx_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_conv *g = j->g;
    const size_t n = item / g->groups, c = item % g->groups, per = g->c_out / g->groups;
    const size_t taps = g->win.kh * g->win.kw, plane = g->win.h * g->win.w;
    (void)lane;
    if (!j->add)
        memset(j->dx + item * plane, 0, plane * sizeof(float));
    for (size_t m = c * per; m < (c + 1) * per; m++)
        plane_dx(&g->win, j->dy + (n * g->c_out + m) * g->win.oh * g->win.ow, j->w + m * taps,
                 j->dx + item * plane);
}

void luc_conv_direct_dx(const struct luc_conv *g, const float *dy, const float *w, bool add,
                        float *dx, const struct luc_threads *threads)
{
    struct job j = { .g = g, .dy = dy, .w = w, .add = add, .dx = dx };
    luc_parallel_for(threads, g->n * g->groups, dx_item, &j);
}

/* The sum of x times dy over one plane, for one tap. */
static double plane_dw(const struct luc_window *win, const float *x, const float *dy, size_t tap)
{
    const size_t at = tap % win->kw * win->dw;
    double sum = 0.0;
    size_t lo, hi, h;
    luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
    for (size_t oh = 0; oh < win->oh; oh++)
        for (size_t o = lo; input_row(win, oh, tap / win->kw, &h) && o < hi; o++)
            sum +=
                (double)x[h * win->w + o * win->sw + at - win->pl] * (double)dy[oh * win->ow + o];
    return sum;
}

static void dw_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_conv *g = j->g;
    const size_t taps = g->win.kh * g->win.kw, m = item / taps, per = g->c_out / g->groups;
    double sum = 0.0;
    (void)lane;
    for (size_t n = 0; n < g->n; n++)
        sum += plane_dw(&g->win, j->x + (n * g->groups + m / per) * g->win.h * g->win.w,
                        j->dy + (n * g->c_out + m) * g->win.oh * g->win.ow, item % taps);
    j->dw[item] = (float)((double)j->dw[item] + sum);
}

void luc_conv_direct_dw(const struct luc_conv *g, const float *x, const float *dy, float *dw,
                        const struct luc_threads *threads)
{
    struct job j = { .g = g, .x = x, .dy = dy, .dw = dw };
    luc_parallel_for(threads, g->c_out * g->win.kh * g->win.kw, dw_item, &j);
}
