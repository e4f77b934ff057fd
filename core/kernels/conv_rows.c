#include "core/kernels/conv_rows.h"
#include "core/kernels/sizes.h"
#include "core/kernels/wide.h"

#include <string.h>

#define PANEL    8             /* output channels whose weights lie together */
#define FEW      3             /* the same where there are no more */
#define MAX_TAPS 128           /* of a kernel */
#define COLS     256           /* output columns of an item, about */
#define ROWS     16            /* output rows of an item, at most */
#define CACHE    (128 * 1024)  /* floats of copied input that stay in the second-level cache */
#define NEAR     (8 * 1024)    /* the same for the first level */
#define MAX_W    (1024 * 1024) /* weights: they are packed at every call */

struct job {
    const float *src, *w;
    float *dst;
    const float *bias;
    bool relu, add, mirror, narrow;
    size_t n, c, k;         /* images; channels of src and dst */
    size_t h, w_in, oh, ow; /* of src and dst */
    ptrdiff_t pt, pl;       /* negative: src is cropped */
    size_t kh, kw, sh, sw, dh, dw;
    size_t rows, n_rows, cols, n_cols; /* of dst: in an item, items */
    size_t panel, n_panels;
    size_t pitch;         /* floats of one phase of a copied row */
    size_t in_rows;       /* copied for an item */
    size_t chunk;         /* channels copied and summed at a time */
    size_t off[MAX_TAPS]; /* from a row's first window to a tap */
    float *packed, *scratch;
};

/* -- weights ------------------------------------------------------------------------------- */

/* One panel: [c][tap][panel], rows beyond the last channel zero. */
static void pack_panel(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t taps = j->kh * j->kw;
    float *to = j->packed + item * j->panel * j->c * taps;
    (void)lane;
    for (size_t c = 0; c < j->c; c++)
        for (size_t t = 0; t < taps; t++)
            for (size_t r = 0; r < j->panel; r++) {
                const size_t k = item * j->panel + r;
                const size_t at =
                    j->mirror ? (c * j->k + k) * taps + taps - 1 - t : (k * j->c + c) * taps + t;
                *to++ = k < j->k ? j->w[at] : 0.0f;
            }
}

/* -- input --------------------------------------------------------------------------------- */

LUC_CLONES static void every(const float *from, size_t step, size_t n, float *to)
{
    if (step == 2)
        for (size_t i = 0; i < n; i++)
            to[i] = from[2 * i];
    else
        for (size_t i = 0; i < n; i++)
            to[i] = from[i * step];
}

/* One phase of a row: to[i] = from[x0 + i * sw], zero outside [0, w_in). */
static void copy_phase(const struct job *j, const float *from, ptrdiff_t x0, float *to)
{
    const ptrdiff_t w = (ptrdiff_t)j->w_in, step = (ptrdiff_t)j->sw;
    const size_t left = x0 >= 0 ? 0 : (size_t)((-x0 + step - 1) / step);
    const size_t end = x0 >= w ? 0 : (size_t)((w - x0 + step - 1) / step);
    const size_t lo = from ? luc_min(left, j->pitch) : j->pitch,
                 hi = luc_max(lo, luc_min(end, j->pitch));
    memset(to, 0, lo * sizeof(*to));
    if (hi > lo && step == 1)
        memcpy(to + lo, from + x0 + (ptrdiff_t)lo, (hi - lo) * sizeof(*to));
    else if (hi > lo)
        every(from + x0 + (ptrdiff_t)lo * step, j->sw, hi - lo, to + lo);
    memset(to + hi, 0, (j->pitch - hi) * sizeof(*to));
}

/* What output rows from oh0 and columns from ow0 look at: [c][row][phase][pitch]. */
static void copy_input(const struct job *j, size_t image, size_t c0, size_t c1, size_t oh0,
                       size_t ow0, float *to)
{
    const ptrdiff_t x0 = (ptrdiff_t)(ow0 * j->sw) - j->pl, y0 = (ptrdiff_t)(oh0 * j->sh) - j->pt;
    for (size_t c = c0; c < c1; c++) {
        const float *plane = j->src + (image * j->c + c) * j->h * j->w_in;
        for (size_t i = 0; i < j->in_rows; i++) {
            const ptrdiff_t y = y0 + (ptrdiff_t)i;
            const bool inside = y >= 0 && y < (ptrdiff_t)j->h;
            for (size_t p = 0; p < j->sw; p++, to += j->pitch)
                copy_phase(j, inside ? plane + y * (ptrdiff_t)j->w_in : NULL, x0 + (ptrdiff_t)p,
                           to);
        }
    }
}

/* -- sums ---------------------------------------------------------------------------------- */

/* Sums over channels and taps, added to what `to` holds unless `first`; x begins at the first
 * window of the row. */
struct sum {
    const float *x, *w;
    const size_t *off;
    size_t c, taps, step; /* step: floats from one channel to the next */
    bool first;
    float *to; /* [panel][SUMS] */
};

#define SUMS      (COLS + LUC_LANES)
#define SUMS_SIZE (ROWS * FEW * SUMS) /* more than a panel's */

#define DEFINE_SUM(NAME, VECTOR, LOOSE, N, VECTORS, PANEL_ROWS)                                    \
    LUC_INLINE void NAME(const struct sum *s)                                                      \
    {                                                                                              \
        VECTOR sums[N][VECTORS] = { 0 };                                                           \
        const size_t lanes = sizeof(VECTOR) / sizeof(float);                                       \
        const float *w = s->w, *x = s->x;                                                          \
        for (size_t r = 0; r < (N) && !s->first; r++)                                              \
            for (size_t v = 0; v < (VECTORS); v++)                                                 \
                sums[r][v] = *(const LOOSE *)(s->to + r * SUMS + v * lanes);                       \
        for (size_t c = 0; c < s->c; c++, x += s->step)                                            \
            for (size_t t = 0; t < s->taps; t++, w += (PANEL_ROWS)) {                              \
                const float *at = x + s->off[t];                                                   \
                LUC_UNROLL for (size_t v = 0; v < (VECTORS); v++)                                  \
                {                                                                                  \
                    const VECTOR b = (VECTOR) * (const LOOSE *)(at + v * lanes);                   \
                    LUC_UNROLL for (size_t r = 0; r < (N); r++) sums[r][v] += b * w[r];            \
                }                                                                                  \
            }                                                                                      \
        for (size_t r = 0; r < (N); r++)                                                           \
            for (size_t v = 0; v < (VECTORS); v++)                                                 \
                *(LOOSE *)(s->to + r * SUMS + v * lanes) = sums[r][v];                             \
    }

DEFINE_SUM(eight_3, luc_wide, luc_loose, 8, 3, 8)
DEFINE_SUM(eight_2, luc_wide, luc_loose, 8, 2, 8)
DEFINE_SUM(eight_1, luc_wide, luc_loose, 8, 1, 8)
DEFINE_SUM(three_8, luc_wide, luc_loose, 3, 8, 3)
DEFINE_SUM(three_4, luc_wide, luc_loose, 3, 4, 3)
DEFINE_SUM(three_1, luc_wide, luc_loose, 3, 1, 3)
DEFINE_SUM(half_4, luc_half, luc_loose_half, 4, 2, 8)
DEFINE_SUM(half_3, luc_half, luc_loose_half, 3, 2, 3)

LUC_INLINE void shift(struct sum *s, size_t *vectors, size_t by)
{
    s->x += by * LUC_LANES, s->to += by * LUC_LANES, *vectors -= by;
}

LUC_WIDE static void row_wide(struct sum s, size_t vectors, bool few)
{
    while (vectors > 0) {
        if (few && vectors >= 8)
            three_8(&s), shift(&s, &vectors, 8);
        else if (few && vectors >= 4)
            three_4(&s), shift(&s, &vectors, 4);
        else if (few)
            three_1(&s), shift(&s, &vectors, 1);
        else if (vectors == 3 || vectors > 4)
            eight_3(&s), shift(&s, &vectors, 3);
        else if (vectors >= 2)
            eight_2(&s), shift(&s, &vectors, 2);
        else
            eight_1(&s), shift(&s, &vectors, 1);
    }
}

LUC_CLONES static void row_narrow(struct sum s, size_t vectors, bool few)
{
    for (; vectors > 0; shift(&s, &vectors, 1)) {
        struct sum low = s;
        if (few) {
            half_3(&s);
            continue;
        }
        half_4(&s);
        low.w += 4, low.to += 4 * SUMS;
        half_4(&low);
    }
}

/* -- output -------------------------------------------------------------------------------- */

LUC_CLONES static void finish_row(const float *sums, size_t n, float bias, bool add, bool relu,
                                  float *to)
{
    for (size_t i = 0; i < n; i++) {
        const float v = sums[i] + bias + (add ? to[i] : 0.0f);
        to[i] = relu && v < 0.0f ? 0.0f : v;
    }
}

/* Adds a chunk of channels from c0 to one row of one panel; x is the row's first window. */
static void add_chunk(const struct job *j, const float *x, size_t panel, size_t c0, size_t c1,
                      size_t cols, float *sums)
{
    const size_t taps = j->kh * j->kw;
    const struct sum s = {
        .x = x,
        .w = j->packed + (panel * j->c + c0) * taps * j->panel,
        .off = j->off,
        .c = c1 - c0,
        .taps = taps,
        .step = j->in_rows * j->sw * j->pitch,
        .first = c0 == 0,
        .to = sums,
    };
    if (j->narrow)
        row_narrow(s, luc_div_up(cols, LUC_LANES), j->panel == FEW);
    else
        row_wide(s, luc_div_up(cols, LUC_LANES), j->panel == FEW);
}

static void finish_panel(const struct job *j, size_t panel, size_t image, size_t oh, size_t ow0,
                         size_t cols, const float *sums)
{
    const size_t k0 = panel * j->panel;
    for (size_t r = 0; r < j->panel && k0 + r < j->k; r++)
        finish_row(sums + r * SUMS, cols, j->bias ? j->bias[k0 + r] : 0.0f, j->add, j->relu,
                   j->dst + ((image * j->k + k0 + r) * j->oh + oh) * j->ow + ow0);
}

static size_t lane_floats(const struct job *j)
{
    return SUMS_SIZE + j->chunk * j->in_rows * j->sw * j->pitch;
}

static void item(void *ctx, size_t it, size_t lane)
{
    const struct job *j = ctx;
    const size_t ow0 = it % j->n_cols * j->cols, cols = luc_min(j->cols, j->ow - ow0);
    const size_t oh0 = it / j->n_cols % j->n_rows * j->rows, rows = luc_min(j->rows, j->oh - oh0);
    const size_t image = it / j->n_cols / j->n_rows;
    float *sums = j->scratch + lane * lane_floats(j), *x = sums + SUMS_SIZE;

    for (size_t c0 = 0; c0 < j->c; c0 += j->chunk) {
        const size_t c1 = luc_min(c0 + j->chunk, j->c);
        copy_input(j, image, c0, c1, oh0, ow0, x);
        for (size_t p = 0; p < j->n_panels; p++)
            for (size_t r = 0; r < rows; r++) {
                float *to = sums + (j->panel == FEW ? r * FEW * SUMS : 0);
                add_chunk(j, x + r * j->sh * j->sw * j->pitch, p, c0, c1, cols, to);
                if (c1 == j->c)
                    finish_panel(j, p, image, oh0 + r, ow0, cols, to);
            }
    }
}

/* -- the whole ----------------------------------------------------------------------------- */

static void cut_items(struct job *j)
{
    const size_t reach = luc_extent(j->kw, j->dw) / j->sw + 1, tall = luc_extent(j->kh, j->dh);
    j->cols = luc_min(COLS, luc_round_up(luc_div_up(j->ow, luc_div_up(j->ow, COLS)), LUC_LANES));
    j->n_cols = luc_div_up(j->ow, j->cols);
    j->pitch = luc_round_up(j->cols + reach, LUC_LANES);
    const bool few = j->panel == FEW; /* their sums wait while channels come and go */
    const size_t fit = CACHE / ((few ? 1 : j->c) * j->sw * j->pitch);
    const size_t n_rows = luc_max(luc_div_up(8, j->n * j->n_cols), 1);
    j->rows = luc_min(luc_min(ROWS, luc_div_up(j->oh, n_rows)),
                      fit > tall ? (fit - tall) / j->sh + 1 : 1);
    j->n_rows = luc_div_up(j->oh, j->rows);
    j->in_rows = (j->rows - 1) * j->sh + tall;
    j->chunk = few ? luc_min(j->c, luc_max(1, NEAR / (j->in_rows * j->sw * j->pitch))) : j->c;
}

static struct job describe(const struct luc_conv *g, bool gradient)
{
    const struct luc_window *w = &g->win;
    struct job j = { .n = g->n, .mirror = gradient };
    const ptrdiff_t down = (ptrdiff_t)luc_extent(w->kh, w->dh) - 1;
    const ptrdiff_t right = (ptrdiff_t)luc_extent(w->kw, w->dw) - 1;
    j.c = gradient ? g->c_out : g->c_in, j.k = gradient ? g->c_in : g->c_out;
    j.h = gradient ? w->oh : w->h, j.w_in = gradient ? w->ow : w->w;
    j.oh = gradient ? w->h : w->oh, j.ow = gradient ? w->w : w->ow;
    j.pt = gradient ? down - (ptrdiff_t)w->pt : (ptrdiff_t)w->pt;
    j.pl = gradient ? right - (ptrdiff_t)w->pl : (ptrdiff_t)w->pl;
    j.kh = w->kh, j.kw = w->kw, j.sh = w->sh, j.sw = w->sw, j.dh = w->dh, j.dw = w->dw;
    j.panel = j.k <= FEW ? FEW : PANEL;
    j.n_panels = luc_div_up(j.k, j.panel);
    cut_items(&j);
    for (size_t t = 0; t < w->kh * w->kw && t < MAX_TAPS; t++) {
        const size_t right_by = t % w->kw * w->dw;
        j.off[t] = (t / w->kw * w->dh * w->sw + right_by % w->sw) * j.pitch + right_by / w->sw;
    }
    return j;
}

static size_t packed_floats(const struct job *j)
{
    return luc_round_up(j->n_panels * j->panel * j->c * j->kh * j->kw, LUC_LANES);
}

size_t luc_conv_rows_scratch(const struct luc_conv *g, bool gradient, size_t lanes)
{
    const struct job j = describe(g, gradient);
    return (packed_floats(&j) + lanes * lane_floats(&j)) * sizeof(float);
}

bool luc_conv_rows_can(const struct luc_conv *g, bool gradient)
{
    const struct luc_window *w = &g->win;
    return g->groups == 1 && w->kh * w->kw <= MAX_TAPS && w->sw <= 4 && w->sh <= 4 &&
           !(gradient && (w->sw > 1 || w->sh > 1)) && g->c_in <= MAX_W / (w->kh * w->kw) / g->c_out;
}

bool luc_conv_rows_pays(const struct luc_conv *g, bool gradient)
{
    const struct luc_window *w = &g->win;
    const size_t cols = gradient ? w->w : w->ow;
    return luc_conv_rows_can(g, gradient) && w->kh * w->kw > 1 && cols >= 12;
}

static void run(struct job *j, void *scratch, const struct luc_threads *threads)
{
    j->packed = scratch;
    j->scratch = j->packed + packed_floats(j);
    if (!luc_has_wide())
        j->narrow = true;
    luc_parallel_for(threads, j->n_panels, pack_panel, j);
    luc_parallel_for(threads, j->n * j->n_rows * j->n_cols, item, j);
}

void luc_conv_rows_y(const struct luc_conv *g, const float *x, const float *w,
                     const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                     const struct luc_threads *threads)
{
    struct job j = describe(g, false);
    j.src = x, j.w = w, j.dst = y, j.narrow = narrow;
    j.bias = fin->bias, j.relu = fin->relu, j.add = fin->add;
    run(&j, scratch, threads);
}

void luc_conv_rows_dx(const struct luc_conv *g, const float *dy, const float *w, bool add,
                      float *dx, bool narrow, void *scratch, const struct luc_threads *threads)
{
    struct job j = describe(g, true);
    j.src = dy, j.w = w, j.dst = dx, j.narrow = narrow, j.add = add;
    run(&j, scratch, threads);
}
