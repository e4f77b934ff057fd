#include "core/kernels/integer.h"

#include <math.h>
#include <string.h>

void luc_int_bounds(enum luc_dtype type, float *lo, float *hi)
{
    *lo = type == LUC_I8 ? -128 : type == LUC_I16 ? -32768 : 0;
    *hi = type == LUC_I8 ? 127 : type == LUC_I16 ? 32767 : type == LUC_U16 ? 65535 : 255;
}

float luc_quantise(float x, float zero, float lo, float hi)
{
    const float y = nearbyintf(x) + zero;
    return y < lo ? lo : y > hi ? hi : y;
}

/* y = the sums, finished; element i belongs to channel `which` (fixed >= 0) or i. */
static void finish(const struct luc_requantise *r, const int32_t *sum, size_t n, ptrdiff_t fixed,
                   float *y)
{
    for (size_t i = 0; i < n; i++) {
        const size_t which = fixed >= 0 ? (size_t)fixed : i;
        const int32_t s = sum[i] + (r->bias ? (int32_t)r->bias[which] : 0);
        if (!r->x_scale) {
            y[i] = (float)s;
            continue;
        }
        const float scale = *r->x_scale * luc_per_at(&r->w_scale, which) / r->y_scale;
        y[i] = luc_quantise((float)s * scale, r->y_zero, r->lo, r->hi);
    }
}

struct conv_job {
    const struct luc_int_conv *g;
    const float *x, *w;
    float *y;
    int32_t *sums; /* [lanes][oh * ow] */
};

size_t luc_int_conv_scratch(const struct luc_int_conv *g, size_t lanes)
{
    return lanes * g->win.oh * g->win.ow * sizeof(int32_t);
}

/* Adds one tap of one plane; what lies outside counts as the zero point, that is as nothing. */
static void add_tap(const struct luc_int_conv *g, const float *x, int32_t weight, size_t i,
                    size_t j, int32_t *sums)
{
    const struct luc_window *win = &g->win;
    const int32_t zero = (int32_t)g->x_zero;
    size_t h0, h1, w0, w1;
    luc_window_range(win->h, win->sh, i * win->dh, win->pt, 0, win->oh, &h0, &h1);
    luc_window_range(win->w, win->sw, j * win->dw, win->pl, 0, win->ow, &w0, &w1);
    for (size_t oh = h0; oh < h1; oh++) {
        const float *row = x + (oh * win->sh + i * win->dh - win->pt) * win->w;
        int32_t *to = sums + oh * win->ow;
        for (size_t ow = w0; ow < w1; ow++)
            to[ow] += weight * ((int32_t)row[ow * win->sw + j * win->dw - win->pl] - zero);
    }
}

static void conv_plane(void *ctx, size_t item, size_t lane)
{
    const struct conv_job *job = ctx;
    const struct luc_int_conv *g = job->g;
    const struct luc_window *win = &g->win;
    const size_t m = item % g->c_out, image = item / g->c_out, size = win->oh * win->ow;
    const size_t per = g->c_in / g->groups, first = m / (g->c_out / g->groups) * per;
    const int32_t zero = (int32_t)luc_per_at(&g->w_zero, m);
    int32_t *sums = job->sums + lane * size;
    memset(sums, 0, size * sizeof(*sums));
    for (size_t c = 0; c < per; c++)
        for (size_t i = 0; i < win->kh; i++)
            for (size_t j = 0; j < win->kw; j++) {
                const float w = job->w[((m * per + c) * win->kh + i) * win->kw + j];
                const size_t plane = image * g->c_in + first + c;
                add_tap(g, job->x + plane * win->h * win->w, (int32_t)w - zero, i, j, sums);
            }
    finish(&g->then, sums, size, (ptrdiff_t)m, job->y + item * size);
}

void luc_int_conv(const struct luc_int_conv *g, const float *x, const float *w, float *y,
                  void *scratch, const struct luc_threads *threads)
{
    struct conv_job job = { g, x, w, y, scratch };
    luc_parallel_for(threads, g->n * g->c_out, conv_plane, &job);
}

struct product_job {
    const struct luc_int_product *p;
    const float *a, *b;
    float *y;
};

#define COLUMNS 64 /* summed at a time, on the stack */

static void product_row(void *ctx, size_t item, size_t lane)
{
    const struct product_job *job = ctx;
    const struct luc_int_product *p = job->p;
    const size_t which = item / p->m, row = item % p->m;
    const float *a = job->a + which * p->a_step + row * p->k, *b = job->b + which * p->b_step;
    const int32_t a_zero = (int32_t)luc_per_at(&p->a_zero, row);
    (void)lane;
    for (size_t n0 = 0; n0 < p->n; n0 += COLUMNS) {
        const size_t n = p->n - n0 < COLUMNS ? p->n - n0 : COLUMNS;
        int32_t sums[COLUMNS] = { 0 }, zero[COLUMNS];
        for (size_t i = 0; i < n; i++)
            zero[i] = (int32_t)luc_per_at(&p->b_zero, n0 + i);
        for (size_t k = 0; k < p->k; k++) {
            const int32_t v = (int32_t)a[k] - a_zero;
            for (size_t i = 0; i < n; i++)
                sums[i] += v * ((int32_t)b[k * p->n + n0 + i] - zero[i]);
        }
        struct luc_requantise then = p->then;
        if (then.w_scale.n > 1)
            then.w_scale.v += n0, then.w_scale.n -= n0;
        finish(&then, sums, n, -1, job->y + item * p->n + n0);
    }
}

void luc_int_product(const struct luc_int_product *p, const float *a, const float *b, float *y,
                     const struct luc_threads *threads)
{
    struct product_job job = { p, a, b, y };
    luc_parallel_for(threads, p->stack * p->m, product_row, &job);
}
