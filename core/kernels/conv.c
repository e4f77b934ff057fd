#include "core/kernels/conv.h"
#include "core/kernels/clones.h"
#include "core/kernels/conv_rows.h"
#include "core/kernels/im2col.h"
#include "core/kernels/sizes.h"
#include "core/tensor/blas.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#define BLOCK ((size_t)1 << 18) /* floats: 1 MiB, half a second-level cache */
#define ITEMS 8                 /* what a loop is split into at least, where it can be */

/* `size` in equal pieces of at most `most`, multiples of 16. */
static size_t piece(size_t size, size_t most)
{
    return luc_min(size, luc_round_up(luc_div_up(size, luc_div_up(size, luc_max(most, 16))), 16));
}

/* The matrices of one group: w is [m, k], the unrolled x [k, p], y [m, p]. */
struct dims {
    size_t m, k, p;
};

static struct dims dims(const struct luc_conv *g)
{
    return (struct dims){ .m = g->c_out / g->groups,
                          .k = g->c_in / g->groups * g->win.kh * g->win.kw,
                          .p = g->win.oh * g->win.ow };
}

enum luc_status luc_conv_check(const struct luc_conv *g, struct luc_error *err)
{
    const struct luc_window *win = &g->win;
    const size_t taps = win->kh * win->kw, most = INT_MAX;
    if (taps > most || g->c_in / g->groups > most / taps || g->c_out > most ||
        win->oh > most / win->ow || win->h > most / win->w || taps > ((size_t)1 << 32) / win->ow)
        return luc_fail(err, LUC_TOO_LARGE, "a convolution of %zu to %zu pixels and %zu taps",
                        win->h * win->w, win->oh * win->ow, taps);
    return LUC_OK;
}

static bool is_direct(const struct luc_conv *g)
{
    return g->groups > 1 && g->c_in == g->groups;
}

/* x itself is the unrolled matrix. */
static bool is_point(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    return w->kh == 1 && w->kw == 1 && w->sh == 1 && w->sw == 1 && w->oh == w->h && w->ow == w->w &&
           w->pt == 0 && w->pl == 0;
}

static const float *x_group(const struct luc_conv *g, const float *x, size_t n, size_t group)
{
    return x + (n * g->c_in + group * (g->c_in / g->groups)) * g->win.h * g->win.w;
}

static size_t y_offset(const struct luc_conv *g, size_t n, size_t group, size_t row)
{
    return (n * g->c_out + group * (g->c_out / g->groups) + row) * g->win.oh * g->win.ow;
}

/* -- forward ------------------------------------------------------------------------------- */

/* How [rows, p] results are cut: columns where there are many, rows where there are few. */
struct cut {
    size_t cols, n_cols; /* columns of a block, blocks */
    size_t rows, n_rows;
};

static struct cut cut_result(size_t images, size_t rows, size_t p)
{
    struct cut c = { 0 };
    size_t n = p <= 640 ? 1 : luc_div_up(p, 512);
    if (p > 2048 && n < ITEMS)
        n = ITEMS;
    c.cols = piece(p, luc_div_up(p, n));
    c.rows = rows;
    if (images * luc_div_up(p, c.cols) < 4) {
        c.cols = p;
        c.rows = piece(rows, luc_max(32, luc_div_up(rows, ITEMS)));
    }
    c.n_cols = luc_div_up(p, c.cols), c.n_rows = luc_div_up(rows, c.rows);
    return c;
}

struct y_job {
    const struct luc_conv *g;
    const float *x, *w;
    const struct luc_conv_finish *fin;
    float *y, *scratch;
    struct dims d;
    struct cut cut;
    size_t slab; /* rows of the unrolled matrix at a time */
    /* the one image whose unrolled matrix all lanes share */
    size_t n, group, k0, k1;
};

LUC_CLONES static void finish_row(float *y, size_t n, float bias, bool relu)
{
    for (size_t i = 0; i < n; i++) {
        const float v = y[i] + bias;
        y[i] = relu && v < 0.0f ? 0.0f : v;
    }
}

static void finish(const struct y_job *j, size_t n, size_t group, size_t row, size_t rows,
                   size_t col, size_t cols)
{
    if (!j->fin->bias && !j->fin->relu)
        return;
    for (size_t r = row; r < row + rows; r++)
        finish_row(j->y + y_offset(j->g, n, group, r) + col, cols,
                   j->fin->bias ? j->fin->bias[group * j->d.m + r] : 0.0f, j->fin->relu);
}

/* Rows of w times the slab [k0, k1) of the unrolled matrix, which is at b with row length ldb. */
static void multiply_slab(const struct y_job *j, size_t n, size_t group, size_t row, size_t rows,
                          size_t col, size_t cols, size_t k0, size_t k1, const float *b, size_t ldb)
{
    luc_sgemm(false, false, rows, cols, k1 - k0, 1.0f, j->w + (group * j->d.m + row) * j->d.k + k0,
              j->d.k, b, ldb, k0 > 0 || j->fin->add ? 1.0f : 0.0f,
              j->y + y_offset(j->g, n, group, row) + col, j->d.p);
}

/* One block of the result from x as it is. */
static void point_item(void *ctx, size_t item, size_t lane)
{
    const struct y_job *j = ctx;
    const struct cut *c = &j->cut;
    const size_t col = item % c->n_cols * c->cols, row = item / c->n_cols % c->n_rows * c->rows;
    const size_t image = item / c->n_cols / c->n_rows;
    const size_t n = image / j->g->groups, group = image % j->g->groups;
    const size_t cols = luc_min(c->cols, j->d.p - col), rows = luc_min(c->rows, j->d.m - row);
    (void)lane;
    multiply_slab(j, n, group, row, rows, col, cols, 0, j->d.k, x_group(j->g, j->x, n, group) + col,
                  j->d.p);
    finish(j, n, group, row, rows, col, cols);
}

/* One block of columns, unrolled by this lane. */
static void column_item(void *ctx, size_t item, size_t lane)
{
    const struct y_job *j = ctx;
    const size_t col = item % j->cut.n_cols * j->cut.cols, image = item / j->cut.n_cols;
    const size_t n = image / j->g->groups, group = image % j->g->groups;
    const size_t cols = luc_min(j->cut.cols, j->d.p - col);
    float *block = j->scratch + lane * j->slab * luc_round_up(j->cut.cols, 16);

    for (size_t k0 = 0; k0 < j->d.k; k0 += j->slab) {
        const size_t k1 = luc_min(k0 + j->slab, j->d.k);
        luc_im2col(&j->g->win, x_group(j->g, j->x, n, group), k0, k1 - k0, col, cols, block);
        multiply_slab(j, n, group, 0, j->d.m, col, cols, k0, k1, block, cols);
    }
    finish(j, n, group, 0, j->d.m, col, cols);
}

static void shared_unroll(void *ctx, size_t item, size_t lane)
{
    const struct y_job *j = ctx;
    const size_t k0 = j->k0 + item * 16, k1 = luc_min(k0 + 16, j->k1);
    (void)lane;
    luc_im2col(&j->g->win, x_group(j->g, j->x, j->n, j->group), k0, k1 - k0, 0, j->d.p,
               j->scratch + item * 16 * j->d.p);
}

static void shared_multiply(void *ctx, size_t item, size_t lane)
{
    const struct y_job *j = ctx;
    const size_t row = item * j->cut.rows, rows = luc_min(j->cut.rows, j->d.m - row);
    (void)lane;
    multiply_slab(j, j->n, j->group, row, rows, 0, j->d.p, j->k0, j->k1, j->scratch, j->d.p);
    if (j->k1 == j->d.k)
        finish(j, j->n, j->group, row, rows, 0, j->d.p);
}

/* Few pixels: unroll the image together, then share out the rows of the result. */
static void shared_image(struct y_job *j, const struct luc_threads *threads)
{
    for (j->k0 = 0; j->k0 < j->d.k; j->k0 = j->k1) {
        j->k1 = luc_min(j->k0 + j->slab, j->d.k);
        luc_parallel_for(threads, luc_div_up(j->k1 - j->k0, 16), shared_unroll, j);
        luc_parallel_for(threads, j->cut.n_rows, shared_multiply, j);
    }
}

static bool is_shared(const struct cut *c)
{
    return c->n_rows > 1;
}

static size_t y_slab(const struct cut *c, const struct dims *d)
{
    return piece(d->k, (is_shared(c) ? 2 : 1) * BLOCK / c->cols);
}

void luc_conv_y(const struct luc_conv *g, const float *x, const float *w,
                const struct luc_conv_finish *fin, float *y, void *scratch,
                const struct luc_threads *threads)
{
    struct y_job j = { .g = g, .x = x, .w = w, .fin = fin, .y = y, .scratch = scratch };
    const size_t images = g->n * g->groups;
    if (is_direct(g)) {
        luc_conv_direct_y(g, x, w, fin, y, scratch, threads);
        return;
    }
    if (luc_conv_rows_pays(g, false)) {
        luc_conv_rows_y(g, x, w, fin, y, false, scratch, threads);
        return;
    }
    j.d = dims(g);
    j.cut = cut_result(images, j.d.m, j.d.p);
    j.slab = y_slab(&j.cut, &j.d);
    if (is_point(g)) {
        luc_parallel_for(threads, images * j.cut.n_rows * j.cut.n_cols, point_item, &j);
    } else if (!is_shared(&j.cut)) {
        luc_parallel_for(threads, images * j.cut.n_cols, column_item, &j);
    } else {
        for (size_t i = 0; i < images; i++) {
            j.n = i / g->groups, j.group = i % g->groups;
            shared_image(&j, threads);
        }
    }
}

/* -- gradient with respect to x ------------------------------------------------------------ */

struct dx_job {
    const struct luc_conv *g;
    const float *dy, *w;
    bool add;
    float *dx, *scratch;
    struct dims d;
    struct cut cut;              /* 1x1 */
    size_t channels, n_channels; /* channels of a block, blocks */
    size_t rows, n_rows;         /* the same for rows of x */
    size_t out_rows;             /* rows of y unrolled at a time */
};

static float *dx_at(const struct dx_job *j, size_t n, size_t group, size_t channel, size_t pixel)
{
    const struct luc_conv *g = j->g;
    return j->dx + (n * g->c_in + group * (g->c_in / g->groups) + channel) * g->win.h * g->win.w +
           pixel;
}

static void dx_point_item(void *ctx, size_t item, size_t lane)
{
    const struct dx_job *j = ctx;
    const struct cut *c = &j->cut;
    const size_t col = item % c->n_cols * c->cols, row = item / c->n_cols % c->n_rows * c->rows;
    const size_t image = item / c->n_cols / c->n_rows;
    const size_t n = image / j->g->groups, group = image % j->g->groups;
    (void)lane;
    luc_sgemm(true, false, luc_min(c->rows, j->d.k - row), luc_min(c->cols, j->d.p - col), j->d.m,
              1.0f, j->w + group * j->d.m * j->d.k + row, j->d.k,
              j->dy + y_offset(j->g, n, group, 0) + col, j->d.p, j->add ? 1.0f : 0.0f,
              dx_at(j, n, group, row, col), j->d.p);
}

/* Some channels and rows of dx: dy times the transposed weights, folded back. */
static void dx_item(void *ctx, size_t item, size_t lane)
{
    const struct dx_job *j = ctx;
    const struct luc_window *win = &j->g->win;
    const size_t taps = win->kh * win->kw, extent = luc_extent(win->kh, win->dh);
    const size_t h0 = item % j->n_rows * j->rows, h1 = luc_min(h0 + j->rows, win->h);
    const size_t c0 = item / j->n_rows % j->n_channels * j->channels;
    const size_t image = item / j->n_rows / j->n_channels;
    const size_t n = image / j->g->groups, group = image % j->g->groups;
    const size_t channels = luc_min(j->channels, j->g->c_in / j->g->groups - c0);
    const size_t reach = h0 + win->pt;
    const size_t oh1 = luc_min(win->oh, (h1 - 1 + win->pt) / win->sh + 1);
    float *dx = dx_at(j, n, group, c0, 0);
    float *block = j->scratch + lane * j->channels * taps * j->out_rows * win->ow;

    for (size_t c = 0; c < channels && !j->add; c++)
        memset(dx + (c * win->h + h0) * win->w, 0, (h1 - h0) * win->w * sizeof(*dx));
    for (size_t oh = reach >= extent ? luc_div_up(reach - (extent - 1), win->sh) : 0; oh < oh1;
         oh += j->out_rows) {
        const size_t end = luc_min(oh + j->out_rows, oh1), cols = (end - oh) * win->ow;
        luc_sgemm(true, false, channels * taps, cols, j->d.m, 1.0f,
                  j->w + group * j->d.m * j->d.k + c0 * taps, j->d.k,
                  j->dy + y_offset(j->g, n, group, 0) + oh * win->ow, j->d.p, 0.0f, block, cols);
        luc_col2im(win, block, channels, oh, end, h0, h1, dx);
    }
}

static void cut_dx(struct dx_job *j)
{
    const struct luc_window *win = &j->g->win;
    const size_t images = j->g->n * j->g->groups, channels = j->g->c_in / j->g->groups;
    const size_t taps = win->kh * win->kw;

    /* Blocks of rows share a margin, so they stay much taller than the kernel. */
    const size_t tall = 8 * luc_extent(win->kh, win->dh);
    const size_t n_rows = luc_max(1, luc_min(luc_div_up(ITEMS, images), win->h / tall));
    j->rows = luc_div_up(win->h, n_rows);
    j->n_rows = luc_div_up(win->h, j->rows);

    assert(win->oh > 0 && win->ow > 0 && taps > 0);
    j->out_rows = luc_min(win->oh, luc_max(1, 448 / win->ow));
    const size_t fit = luc_max(1, BLOCK / (taps * j->out_rows * win->ow));
    const size_t wide = luc_div_up(channels, luc_div_up(ITEMS, images * j->n_rows));
    j->channels = luc_min(channels, luc_min(fit, luc_max(16, wide)));
    j->n_channels = luc_div_up(channels, j->channels);
}

void luc_conv_dx(const struct luc_conv *g, const float *dy, const float *w, bool add, float *dx,
                 void *scratch, const struct luc_threads *threads)
{
    struct dx_job j = { .g = g, .dy = dy, .w = w, .add = add, .dx = dx, .scratch = scratch };
    const size_t images = g->n * g->groups;
    if (is_direct(g)) {
        luc_conv_direct_dx(g, dy, w, add, dx, scratch, threads);
        return;
    }
    if (luc_conv_rows_pays(g, true)) {
        luc_conv_rows_dx(g, dy, w, add, dx, false, scratch, threads);
        return;
    }
    j.d = dims(g);
    if (is_point(g)) {
        j.cut = cut_result(images, j.d.k, j.d.p);
        luc_parallel_for(threads, images * j.cut.n_rows * j.cut.n_cols, dx_point_item, &j);
        return;
    }
    cut_dx(&j);
    luc_parallel_for(threads, images * j.n_channels * j.n_rows, dx_item, &j);
}

/* -- gradient with respect to w ------------------------------------------------------------ */

struct dw_job {
    const struct luc_conv *g;
    const float *x, *dy;
    float *dw, *scratch;
    struct dims d;
    size_t cols;         /* pixels summed at a time */
    size_t slab, n_slab; /* columns of dw, blocks */
    size_t rows, n_rows; /* rows of dw, blocks */
};

/* One block of dw, summed over images and pixels in order. */
static void dw_item(void *ctx, size_t item, size_t lane)
{
    const struct dw_job *j = ctx;
    const size_t row = item % j->n_rows * j->rows, rows = luc_min(j->rows, j->d.m - row);
    const size_t k0 = item / j->n_rows % j->n_slab * j->slab, k = luc_min(j->slab, j->d.k - k0);
    const size_t group = item / j->n_rows / j->n_slab;
    float *dw = j->dw + (group * j->d.m + row) * j->d.k + k0;
    float *block = j->scratch + lane * j->slab * j->cols;

    for (size_t n = 0; n < j->g->n; n++)
        for (size_t col = 0; col < j->d.p; col += j->cols) {
            const size_t cols = luc_min(j->cols, j->d.p - col);
            const float *x = x_group(j->g, j->x, n, group), *b = x + k0 * j->d.p + col;
            size_t ldb = j->d.p;
            if (!is_point(j->g)) {
                luc_im2col(&j->g->win, x, k0, k, col, cols, block);
                b = block, ldb = cols;
            }
            luc_sgemm(false, true, rows, k, cols, 1.0f, j->dy + y_offset(j->g, n, group, row) + col,
                      j->d.p, b, ldb, 1.0f, dw, j->d.k);
        }
}

static void cut_dw(struct dw_job *j)
{
    j->cols = luc_min(j->d.p, 1024);
    j->slab = piece(j->d.k, BLOCK / j->cols);
    j->n_slab = luc_div_up(j->d.k, j->slab);
    j->rows =
        piece(j->d.m, luc_max(16, luc_div_up(j->d.m, luc_div_up(ITEMS, j->g->groups * j->n_slab))));
    j->n_rows = luc_div_up(j->d.m, j->rows);
}

void luc_conv_dw(const struct luc_conv *g, const float *x, const float *dy, float *dw,
                 void *scratch, const struct luc_threads *threads)
{
    struct dw_job j = { .g = g, .x = x, .dy = dy, .dw = dw, .scratch = scratch };
    if (is_direct(g)) {
        luc_conv_direct_dw(g, x, dy, dw, threads);
        return;
    }
    j.d = dims(g);
    cut_dw(&j);
    luc_parallel_for(threads, g->groups * j.n_slab * j.n_rows, dw_item, &j);
}

size_t luc_conv_scratch(const struct luc_conv *g, size_t lanes)
{
    if (is_direct(g))
        return luc_conv_direct_scratch(g, lanes);
    const struct dims d = dims(g);
    const struct cut cut = cut_result(g->n * g->groups, d.m, d.p);
    const size_t slab = y_slab(&cut, &d);
    struct dx_job dx = { .g = g, .d = d };
    struct dw_job dw = { .g = g, .d = d };
    cut_dx(&dx);
    cut_dw(&dw);
    const size_t y_floats =
        is_shared(&cut) ? slab * d.p : lanes * slab * luc_round_up(cut.cols, 16);
    const size_t dx_floats = lanes * dx.channels * g->win.kh * g->win.kw * dx.out_rows * g->win.ow;
    const size_t dw_floats = lanes * dw.slab * dw.cols;
    const size_t most = is_point(g) ? 0 : luc_max(y_floats, luc_max(dx_floats, dw_floats));
    size_t bytes = most * sizeof(float);
    for (int gradient = 0; gradient < 2; gradient++)
        if (luc_conv_rows_pays(g, gradient))
            bytes = luc_max(bytes, luc_conv_rows_scratch(g, gradient, lanes));
    return bytes;
}

/* -- channels ------------------------------------------------------------------------------ */

struct channel_job {
    float *t, *sums;
    const float *from, *bias;
    size_t n, channels, pixels;
};

static void sum_item(void *ctx, size_t c, size_t lane)
{
    const struct channel_job *j = ctx;
    double sum = 0.0;
    (void)lane;
    for (size_t n = 0; n < j->n; n++)
        for (size_t p = 0; p < j->pixels; p++)
            sum += (double)j->from[(n * j->channels + c) * j->pixels + p];
    j->sums[c] = (float)((double)j->sums[c] + sum);
}

void luc_channel_sums(const float *t, size_t n, size_t channels, size_t pixels, float *sums,
                      const struct luc_threads *threads)
{
    struct channel_job j = {
        .from = t, .sums = sums, .n = n, .channels = channels, .pixels = pixels
    };
    luc_parallel_for(threads, channels, sum_item, &j);
}

static void add_item(void *ctx, size_t i, size_t lane)
{
    const struct channel_job *j = ctx;
    (void)lane;
    finish_row(j->t + i * j->pixels, j->pixels, j->bias[i % j->channels], false);
}

void luc_channel_add(float *t, size_t n, size_t channels, size_t pixels, const float *bias,
                     const struct luc_threads *threads)
{
    struct channel_job j = { .t = t, .bias = bias, .n = n, .channels = channels, .pixels = pixels };
    luc_parallel_for(threads, n * channels, add_item, &j);
}
