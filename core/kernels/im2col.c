#include "core/kernels/im2col.h"
#include "core/kernels/clones.h"

#include <string.h>

/* Outputs [from, to) of one row, for a tap at column offset `at` (before padding); x is the input
 * row, NULL when it lies in the padding. */
static void gather_row(const struct luc_window *win, const float *x, size_t at, size_t from,
                       size_t to, float *m)
{
    size_t lo = to, hi = to;
    if (x)
        luc_window_range(win->w, win->sw, at, win->pl, from, to, &lo, &hi);
    memset(m, 0, (lo - from) * sizeof(*m));
    if (win->sw == 1 && hi > lo)
        memcpy(m + (lo - from), x + (lo + at - win->pl), (hi - lo) * sizeof(*m));
    for (size_t o = lo; win->sw != 1 && o < hi; o++)
        m[o - from] = x[o * win->sw + at - win->pl];
    memset(m + (hi - from), 0, (to - hi) * sizeof(*m));
}

void luc_im2col(const struct luc_window *win, const float *x, size_t row, size_t n_rows, size_t col,
                size_t n_cols, float *m)
{
    for (size_t r = row; r < row + n_rows; r++, m += n_cols) {
        const size_t c = r / (win->kh * win->kw), tap = r % (win->kh * win->kw);
        const size_t up = tap / win->kw * win->dh, at = tap % win->kw * win->dw;
        const float *plane = x + c * win->h * win->w;
        size_t oh = col / win->ow, from = col % win->ow;

        for (size_t done = 0; done < n_cols; oh++, from = 0) {
            const size_t left = n_cols - done;
            const size_t to = win->ow - from < left ? win->ow : from + left;
            const size_t h = oh * win->sh + up;
            const bool inside = h >= win->pt && h - win->pt < win->h;
            gather_row(win, inside ? plane + (h - win->pt) * win->w : NULL, at, from, to, m + done);
            done += to - from;
        }
    }
}

void luc_im2col_ref(const struct luc_window *win, const float *x, size_t row, size_t n_rows,
                    size_t col, size_t n_cols, float *m)
{
    for (size_t r = 0; r < n_rows; r++)
        for (size_t q = 0; q < n_cols; q++) {
            const size_t tap = (row + r) % (win->kh * win->kw);
            const size_t c = (row + r) / (win->kh * win->kw);
            const size_t h = (col + q) / win->ow * win->sh + tap / win->kw * win->dh;
            const size_t w = (col + q) % win->ow * win->sw + tap % win->kw * win->dw;
            const bool inside =
                h >= win->pt && h < win->pt + win->h && w >= win->pl && w < win->pl + win->w;
            m[r * n_cols + q] =
                inside ? x[(c * win->h + h - win->pt) * win->w + w - win->pl] : 0.0f;
        }
}

LUC_CLONES static void add_row(float *x, const float *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += m[i];
}

static void scatter_row(const struct luc_window *win, const float *m, size_t at, float *x)
{
    size_t lo, hi;
    luc_window_range(win->w, win->sw, at, win->pl, 0, win->ow, &lo, &hi);
    if (win->sw == 1 && hi > lo)
        add_row(x + (lo + at - win->pl), m + lo, hi - lo);
    for (size_t o = lo; win->sw != 1 && o < hi; o++)
        x[o * win->sw + at - win->pl] += m[o];
}

void luc_col2im(const struct luc_window *win, const float *m, size_t n_channels, size_t oh0,
                size_t oh1, size_t h0, size_t h1, float *x)
{
    const size_t taps = win->kh * win->kw;
    for (size_t r = 0; r < n_channels * taps; r++) {
        const size_t c = r / taps, tap = r % taps;
        const size_t up = tap / win->kw * win->dh, at = tap % win->kw * win->dw;
        float *plane = x + c * win->h * win->w;

        for (size_t oh = oh0; oh < oh1; oh++, m += win->ow) {
            const size_t h = oh * win->sh + up;
            if (h >= win->pt + h0 && h < win->pt + h1)
                scatter_row(win, m, at, plane + (h - win->pt) * win->w);
        }
    }
}

void luc_col2im_ref(const struct luc_window *win, const float *m, size_t n_channels, size_t oh0,
                    size_t oh1, size_t h0, size_t h1, float *x)
{
    const size_t taps = win->kh * win->kw;
    for (size_t r = 0; r < n_channels * taps; r++)
        for (size_t oh = oh0; oh < oh1; oh++)
            for (size_t ow = 0; ow < win->ow; ow++, m++) {
                const size_t h = oh * win->sh + r % taps / win->kw * win->dh;
                const size_t w = ow * win->sw + r % taps % win->kw * win->dw;
                if (h >= win->pt + h0 && h < win->pt + h1 && w >= win->pl && w < win->pl + win->w)
                    x[(r / taps * win->h + h - win->pt) * win->w + w - win->pl] += *m;
            }
}
