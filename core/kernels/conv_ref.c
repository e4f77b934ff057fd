#include "core/kernels/conv.h"

#include <stdlib.h>

/* One product of the convolution: y[yi] gets x[xi] * w[wi]. */
struct term {
    size_t x, y, w;
};

/* The it-th of all products, or false where the tap lies in the padding. */
static bool term(const struct luc_conv *g, size_t it, struct term *t)
{
    const struct luc_window *win = &g->win;
    const size_t cg = g->c_in / g->groups;
    const size_t j = it % win->kw, i = (it /= win->kw) % win->kh;
    const size_t c = (it /= win->kh) % cg, ow = (it /= cg) % win->ow;
    const size_t oh = (it /= win->ow) % win->oh, m = (it /= win->oh) % g->c_out;
    const size_t n = it / g->c_out, group = m / (g->c_out / g->groups);
    const size_t h = oh * win->sh + i * win->dh, w = ow * win->sw + j * win->dw;

    if (h < win->pt || h - win->pt >= win->h || w < win->pl || w - win->pl >= win->w)
        return false;
    t->x = ((n * g->c_in + group * cg + c) * win->h + h - win->pt) * win->w + w - win->pl;
    t->y = ((n * g->c_out + m) * win->oh + oh) * win->ow + ow;
    t->w = ((m * cg + c) * win->kh + i) * win->kw + j;
    return true;
}

static size_t n_terms(const struct luc_conv *g)
{
    return g->n * g->c_out * g->win.oh * g->win.ow * (g->c_in / g->groups) * g->win.kh * g->win.kw;
}

/* Sums every product into `to` in double. which: 0 y, 1 dx, 2 dw. */
static void sum_terms(const struct luc_conv *g, int which, const float *a, const float *b,
                      float *to, size_t n_to)
{
    double *sums = calloc(n_to, sizeof(*sums));
    for (size_t it = 0; sums && it < n_terms(g); it++) {
        struct term t;
        if (!term(g, it, &t))
            continue;
        if (which == 0)
            sums[t.y] += (double)a[t.x] * (double)b[t.w];
        else if (which == 1)
            sums[t.x] += (double)a[t.y] * (double)b[t.w];
        else
            sums[t.w] += (double)a[t.x] * (double)b[t.y];
    }
    for (size_t i = 0; sums && i < n_to; i++)
        to[i] = (float)((double)to[i] + sums[i]);
    free(sums);
}

void luc_conv_y_ref(const struct luc_conv *g, const float *x, const float *w,
                    const struct luc_conv_finish *fin, float *y)
{
    const size_t pixels = g->win.oh * g->win.ow, n_y = g->n * g->c_out * pixels;
    for (size_t i = 0; i < n_y; i++)
        y[i] = (fin->add ? y[i] : 0.0f) + (fin->bias ? fin->bias[i / pixels % g->c_out] : 0.0f);
    sum_terms(g, 0, x, w, y, n_y);
    for (size_t i = 0; fin->plus && i < n_y; i++)
        y[i] += fin->plus[i];
    for (size_t i = 0; fin->relu && i < n_y; i++)
        y[i] = y[i] < 0.0f ? 0.0f : y[i];
}

void luc_conv_dx_ref(const struct luc_conv *g, const float *dy, const float *w, float *dx)
{
    sum_terms(g, 1, dy, w, dx, g->n * g->c_in * g->win.h * g->win.w);
}

void luc_conv_dw_ref(const struct luc_conv *g, const float *x, const float *dy, float *dw)
{
    sum_terms(g, 2, x, dy, dw, g->c_out * (g->c_in / g->groups) * g->win.kh * g->win.kw);
}
