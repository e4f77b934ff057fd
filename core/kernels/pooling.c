#include "core/kernels/pooling.h"
#include "core/kernels/clones.h"

#include <math.h>
#include <string.h>

/* The input row that tap row i of output row oh sees, or false in the padding. */
static inline bool input_row(const struct luc_window *win, size_t oh, size_t i, size_t *h)
{
    *h = oh * win->sh + i * win->dh - win->pt; /* wraps below zero: then it is not < h */
    return *h < win->h;
}

/* Inlined, so that each stride has a loop of its own in each clone of the caller. */
__attribute__((always_inline)) static inline void max_into(float *y, const float *row, size_t lo,
                                                           size_t hi, size_t stride, size_t shift)
{
    for (size_t o = lo; o < hi; o++)
        y[o] = row[o * stride + shift] > y[o] ? row[o * stride + shift] : y[o];
}

#define SPAN 1024 /* columns at a time: their maxima stay in the first cache */

/* The largest of the rows under output row oh, for `n` columns from `col` on, counted from the
 * padding's first. */
__attribute__((always_inline)) static inline void fold_rows(const struct luc_window *win,
                                                            const float *x, size_t oh, size_t col,
                                                            size_t n, float *most)
{
    size_t h, lo, hi;
    luc_window_range(win->w, 1, col, win->pl, 0, n, &lo, &hi);
    for (size_t i = 0; i < n; i++)
        most[i] = -INFINITY;
    for (size_t i = 0; i < win->kh; i++)
        if (input_row(win, oh, i, &h))
            max_into(most, x + h * win->w, lo, hi, 1, col - win->pl);
}

/* Rows first, then columns: for k x k taps k passes over all columns and k over those that begin a
 * window, in place of k * k. */
LUC_CLONES static void max_rows(const struct luc_window *win, const float *x, float *y)
{
    const size_t extent = luc_extent(win->kw, win->dw), each = (SPAN - extent) / win->sw + 1;
    float most[SPAN] = { 0 }; /* all that is read is set below, which the analyser cannot see */
    for (size_t oh = 0; oh < win->oh; oh++)
        for (size_t o = 0; o < win->ow; o += each) {
            const size_t n = each < win->ow - o ? each : win->ow - o;
            fold_rows(win, x, oh, o * win->sw, (n - 1) * win->sw + extent, most);
            for (size_t i = 0; i < n; i++)
                y[i] = -INFINITY;
            for (size_t j = 0; j < extent; j += win->dw)
                if (win->sw == 1)
                    max_into(y, most, 0, n, 1, j);
                else if (win->sw == 2)
                    max_into(y, most, 0, n, 2, j);
                else
                    max_into(y, most, 0, n, win->sw, j);
            y += n;
        }
}

/* The same tap by tap, for windows of any width. */
LUC_CLONES static void max_taps(const struct luc_window *win, const float *x, float *y)
{
    for (size_t oh = 0; oh < win->oh; oh++, y += win->ow) {
        for (size_t o = 0; o < win->ow; o++)
            y[o] = -INFINITY;
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            size_t h, lo, hi;
            if (!input_row(win, oh, t / win->kw, &h))
                continue;
            const size_t at = t % win->kw * win->dw;
            luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
            /* at - pl may wrap below zero; the first term makes up for it */
            max_into(y, x + h * win->w, lo, hi, win->sw, at - win->pl);
        }
    }
}

LUC_CLONES static void argmax_rows(const struct luc_window *win, const float *x, float *y,
                                   uint32_t *argmax)
{
    for (size_t oh = 0; oh < win->oh; oh++, y += win->ow, argmax += win->ow) {
        for (size_t o = 0; o < win->ow; o++)
            y[o] = -INFINITY, argmax[o] = LUC_NO_ARGMAX;
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            size_t h, lo, hi;
            if (!input_row(win, oh, t / win->kw, &h))
                continue;
            const size_t at = t % win->kw * win->dw;
            luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
            for (size_t o = lo; o < hi; o++) {
                const size_t i = h * win->w + o * win->sw + at - win->pl;
                const bool more = x[i] > y[o] || argmax[o] == LUC_NO_ARGMAX;
                y[o] = more ? x[i] : y[o];
                argmax[o] = more ? (uint32_t)i : argmax[o];
            }
        }
    }
}

void luc_pool_max(const struct luc_window *win, const float *x, float *y, uint32_t *argmax)
{
    if (argmax)
        argmax_rows(win, x, y, argmax);
    else if (luc_extent(win->kw, win->dw) <= SPAN / 2)
        max_rows(win, x, y);
    else
        max_taps(win, x, y);
}

/* Taps of output o along one axis that lie in [from, end), counted from the padding's start. */
static size_t count_taps(size_t o, size_t k, size_t s, size_t d, size_t from, size_t end)
{
    size_t lo, hi;
    luc_window_range(end - from, d, o * s, from, 0, k, &lo, &hi);
    return hi - lo;
}

/* What the sum of a window is divided by: rows times columns. */
static float count_of(const struct luc_window *w, size_t oh, size_t ow, bool count_pad)
{
    const size_t rows = count_taps(oh, w->kh, w->sh, w->dh, count_pad ? 0 : w->pt,
                                   w->pt + w->h + (count_pad ? w->pb : 0));
    const size_t cols = count_taps(ow, w->kw, w->sw, w->dw, count_pad ? 0 : w->pl,
                                   w->pl + w->w + (count_pad ? w->pr : 0));
    return rows * cols > 0 ? (float)(rows * cols) : 1.0f;
}

void luc_pool_mean(const struct luc_window *win, const float *x, bool count_pad, float *y)
{
    for (size_t oh = 0; oh < win->oh; oh++, y += win->ow) {
        memset(y, 0, win->ow * sizeof(*y));
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            size_t h, lo, hi;
            if (!input_row(win, oh, t / win->kw, &h))
                continue;
            const size_t at = t % win->kw * win->dw;
            luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
            for (size_t o = lo; o < hi; o++)
                y[o] += x[h * win->w + o * win->sw + at - win->pl];
        }
        for (size_t o = 0; o < win->ow; o++)
            y[o] /= count_of(win, oh, o, count_pad);
    }
}

void luc_pool_mean_dx(const struct luc_window *win, const float *dy, bool count_pad, float *dx)
{
    for (size_t oh = 0; oh < win->oh; oh++)
        for (size_t ow = 0; ow < win->ow; ow++) {
            const float share = dy[oh * win->ow + ow] / count_of(win, oh, ow, count_pad);
            for (size_t t = 0; t < win->kh * win->kw; t++) {
                const size_t w = ow * win->sw + t % win->kw * win->dw - win->pl;
                size_t h;
                if (input_row(win, oh, t / win->kw, &h) && w < win->w)
                    dx[h * win->w + w] += share;
            }
        }
}

void luc_pool_max_ref(const struct luc_window *win, const float *x, float *y, uint32_t *argmax)
{
    for (size_t o = 0; o < win->oh * win->ow; o++) {
        y[o] = -INFINITY;
        if (argmax)
            argmax[o] = LUC_NO_ARGMAX;
        for (size_t i = 0; i < win->h * win->w; i++) { /* every pixel: is it one of the taps? */
            const size_t h = i / win->w + win->pt, w = i % win->w + win->pl;
            const size_t top = o / win->ow * win->sh, left = o % win->ow * win->sw;
            const bool tap = h >= top && (h - top) % win->dh == 0 &&
                             (h - top) / win->dh < win->kh && w >= left &&
                             (w - left) % win->dw == 0 && (w - left) / win->dw < win->kw;
            if (tap && x[i] > y[o]) {
                y[o] = x[i];
                if (argmax)
                    argmax[o] = (uint32_t)i;
            }
        }
    }
}

void luc_pool_mean_ref(const struct luc_window *win, const float *x, bool count_pad, float *y)
{
    for (size_t o = 0; o < win->oh * win->ow; o++) {
        double sum = 0.0;
        size_t n = 0;
        for (size_t t = 0; t < win->kh * win->kw; t++) {
            const size_t h = o / win->ow * win->sh + t / win->kw * win->dh;
            const size_t w = o % win->ow * win->sw + t % win->kw * win->dw;
            const bool inside =
                h >= win->pt && h < win->pt + win->h && w >= win->pl && w < win->pl + win->w;
            const bool padded = h < win->pt + win->h + win->pb && w < win->pl + win->w + win->pr;
            n += count_pad ? padded : inside;
            if (inside)
                sum += (double)x[(h - win->pt) * win->w + w - win->pl];
        }
        y[o] = (float)(sum / (double)(n ? n : 1));
    }
}
