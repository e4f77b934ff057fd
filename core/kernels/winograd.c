#include "core/kernels/winograd.h"
#include "core/kernels/clones.h"

#include <stdint.h>
#include <string.h>

#define POINTS 36           /* positions in a transformed tile */
#define LANES  16           /* tiles transformed together: a strip */
#define PANEL  8            /* channels that lie together in the packed weights */
#define CHUNK  64           /* output channels at a time where a block stays in the cache */
#define CACHE  (280 * 1024) /* floats of a transformed block that stays in the cache */
#define LONG   192          /* tiles of a block that does not */
#define DEEP   64           /* with more input channels than this, blocks do not */
#define INLINE static inline __attribute__((always_inline))

/* LANES floats; `loose` where the address is any float's. */
typedef float wide __attribute__((vector_size(64), may_alias));
typedef float loose __attribute__((vector_size(64), aligned(4), may_alias));
typedef int bits __attribute__((vector_size(64)));
typedef float half __attribute__((vector_size(32), may_alias));

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL _Pragma("unroll")
#endif

struct job {
    const float *src, *u;
    float *dst;
    const float *bias;
    bool relu, add, mirror, narrow;
    size_t n, c, k;        /* images; channels of src and dst */
    size_t h, w, oh, ow;   /* of src and dst */
    ptrdiff_t pt, pl;      /* negative: src is cropped */
    size_t th, tw;         /* tiles of an image */
    size_t rows, n_rows;   /* rows of tiles in a block, blocks; all images' rows in one count */
    size_t cols, n_cols;   /* the same for columns */
    size_t pitch;          /* tiles of a block, rounded up, and a strip that may be spoilt */
    size_t v_step, m_step; /* from one position to the next */
    size_t u_in, u_out;    /* the packed weights' channels, rounded up to panels */
    bool deep;             /* a block is shared by all lanes */
    float *v, *m;
    size_t block; /* deep: the one that is worked on */
};

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t div_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t round_to(size_t a, size_t unit)
{
    return (a + unit - 1) / unit * unit;
}

/* -- weights ------------------------------------------------------------------------------- */

size_t luc_winograd_floats(size_t c_out, size_t c_in)
{
    const size_t out = round_to(c_out, PANEL), in = round_to(c_in, PANEL);
    return out > SIZE_MAX / POINTS / sizeof(float) / in ? 0 : POINTS * out * in;
}

static void weights_1d(const double *g, size_t step, double *u)
{
    const double a = g[0], b = g[step], c = g[2 * step];
    u[0] = a;
    u[1] = (a + b + c) / 3.0;
    u[2] = (b - a - c) / 3.0;
    u[3] = -(16.0 * a + 8.0 * b + 4.0 * c) / 15.0;
    u[4] = (a - 2.0 * b + 4.0 * c) / 15.0;
    u[5] = c;
}

/* u[row * 6 + col] */
static void weights_2d(const float *w, float *u, size_t step)
{
    double taps[9], half_way[18], column[6];
    for (size_t i = 0; i < 9; i++)
        taps[i] = (double)w[i];
    for (size_t i = 0; i < 3; i++)
        weights_1d(taps + 3 * i, 1, half_way + 6 * i);
    for (size_t col = 0; col < 6; col++) {
        weights_1d(half_way + col, 6, column);
        for (size_t row = 0; row < 6; row++)
            u[(row * 6 + col) * step] = (float)column[row];
    }
}

/* Packed as [position][c_out / 8][c_in][8 of c_out]. */
void luc_winograd_pack(const float *w, size_t c_out, size_t c_in, float *u)
{
    const size_t out = round_to(c_out, PANEL), in = round_to(c_in, PANEL);
    for (size_t k = 0; k < out; k += PANEL)
        for (size_t c = 0; c < in; c++) {
            float some[POINTS][PANEL] = { 0 };
            for (size_t i = 0; i < PANEL && k + i < c_out && c < c_in; i++)
                weights_2d(w + ((k + i) * c_in + c) * 9, &some[0][i], PANEL);
            for (size_t p = 0; p < POINTS; p++)
                memcpy(u + (p * out + k) * in + c * PANEL, some[p], sizeof(some[p]));
        }
}

/* -- input transform ----------------------------------------------------------------------- */

INLINE void input_1d(const wide *d, wide *v)
{
    const wide a = d[3] - d[1] + 1.5f * d[2], b = d[4] - d[2] + 1.5f * d[3];
    const wide c = d[3] - d[1], e = d[4] - d[2];
    v[0] = d[0] + d[4] - 2.0f * d[2] + 1.5f * c;
    v[1] = b + a;
    v[2] = b - a;
    v[3] = e + 2.0f * c;
    v[4] = e - 0.5f * c;
    v[5] = d[1] + d[5] - 2.0f * d[3] + 1.5f * e;
}

/* Macros: a function that returns such a vector has another ABI on each processor. */
#define LOAD(p)     ((wide) * (const loose *)(p))
#define STORE(p, v) (*(loose *)(p) = (v))

#define EVEN(a, b)                                                                                 \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(a, b)                                                                                  \
    __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define LOW(a, b)                                                                                  \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b)                                                                                 \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* d[i] = row[4 t + i] for the strip's tiles t. */
INLINE void split_columns(const float *row, wide *d)
{
    const wide a = LOAD(row), b = LOAD(row + 16), c = LOAD(row + 32), e = LOAD(row + 48);
    const wide a4 = LOAD(row + 4), b4 = LOAD(row + 20), c4 = LOAD(row + 36), e4 = LOAD(row + 52);
    const wide even0 = EVEN(a, b), even1 = EVEN(c, e), odd0 = ODD(a, b), odd1 = ODD(c, e);
    d[0] = EVEN(even0, even1), d[2] = ODD(even0, even1);
    d[1] = EVEN(odd0, odd1), d[3] = ODD(odd0, odd1);
    const wide next0 = EVEN(a4, b4), next1 = EVEN(c4, e4);
    const wide next2 = ODD(a4, b4), next3 = ODD(c4, e4);
    d[4] = EVEN(next0, next1), d[5] = EVEN(next2, next3);
}

#define REACH 80 /* columns read for a strip: 64, the overlap, up to whole vectors */

/* Six rows of REACH columns to LANES tiles: v[position * step]. */
LUC_CLONES static void strip_in(const float *const *rows, bool mirror, float *v, size_t step)
{
    float mid[6][REACH];
    wide d[6], t[6], e[6];
    for (size_t x = 0; x < REACH; x += LANES) {
        UNROLL for (size_t i = 0; i < 6; i++) d[i] = LOAD(rows[mirror ? 5 - i : i] + x);
        input_1d(d, t);
        UNROLL for (size_t i = 0; i < 6; i++) STORE(mid[i] + x, t[i]);
    }
    for (size_t row = 0; row < 6; row++) {
        split_columns(mid[row], d);
        UNROLL for (size_t i = 0; i < 6; i++) e[i] = mirror ? d[5 - i] : d[i];
        input_1d(e, t);
        UNROLL for (size_t i = 0; i < 6; i++) STORE(v + (row * 6 + i) * step, t[i]);
    }
}

static const float nothing[REACH];

/* The rows of a strip whose first tile is (ty, tx); `edge` holds those that leave the picture. */
static void gather_rows(const struct job *j, const float *plane, size_t ty, size_t tx,
                        float (*edge)[REACH], const float **rows)
{
    const ptrdiff_t x = (ptrdiff_t)(4 * tx) - j->pl, w = (ptrdiff_t)j->w;
    for (size_t i = 0; i < 6; i++) {
        const ptrdiff_t y = (ptrdiff_t)(4 * ty + i) - j->pt;
        rows[i] = nothing;
        if (y < 0 || y >= (ptrdiff_t)j->h || x >= w || x + REACH <= 0)
            continue;
        const float *from = plane + y * w;
        if (x >= 0 && x + REACH <= w) {
            rows[i] = from + x;
            continue;
        }
        const ptrdiff_t first = x < 0 ? -x : 0, end = x + REACH > w ? w - x : REACH;
        memset(edge[i], 0, sizeof(edge[i]));
        memcpy(edge[i] + first, from + x + first, (size_t)(end - first) * sizeof(float));
        rows[i] = edge[i];
    }
}

/* Where a block lies. */
struct area {
    size_t row, rows, col, cols;
};

static struct area area_of(const struct job *j, size_t block)
{
    struct area a = { .row = block / j->n_cols * j->rows, .col = block % j->n_cols * j->cols };
    a.rows = min(j->rows, j->n * j->th - a.row);
    a.cols = min(j->cols, j->tw - a.col);
    return a;
}

/* One channel of a block; v is the channel's row at position 0. A strip may run over its row's end:
 * the next row's strip overwrites that, and the last one's lies in the pitch's slack. */
static void channel_in(const struct job *j, const struct area *a, size_t channel, float *v)
{
    float edge[6][REACH];
    const float *rows[6];
    for (size_t r = 0; r < a->rows; r++) {
        const size_t image = (a->row + r) / j->th, ty = (a->row + r) % j->th;
        const float *plane = j->src + (image * j->c + channel) * j->h * j->w;
        for (size_t x = 0; x < a->cols; x += LANES) {
            gather_rows(j, plane, ty, a->col + x, edge, rows);
            strip_in(rows, j->mirror, v + r * a->cols + x, j->v_step);
        }
    }
    for (size_t p = 0; p < POINTS; p++)
        memset(v + p * j->v_step + a->rows * a->cols, 0, LANES * sizeof(*v));
}

/* -- products ------------------------------------------------------------------------------ */

/* Some output channels of one position: m[r][t] = sum over `n` channels of weight times v[.][t]. The
 * weights of channel i begin at u + i / 8 * far + i % 8 * near; row r is `across` floats on. */
struct sum {
    const float *u, *v;
    float *m;
    size_t n, far, pitch;
};

#define DEFINE_SUM(NAME, VECTOR, ROWS, VECTORS)                                                    \
    INLINE void NAME(const struct sum *s, size_t near, size_t across)                              \
    {                                                                                              \
        VECTOR sums[ROWS][VECTORS] = { 0 };                                                        \
        const size_t lanes = sizeof(VECTOR) / sizeof(float);                                       \
        const float *v = s->v;                                                                     \
        for (size_t i0 = 0; i0 < s->n; i0 += PANEL) {                                              \
            const float *u = s->u + i0 / PANEL * s->far;                                           \
            const size_t some = s->n - i0 < PANEL ? s->n - i0 : PANEL;                             \
            for (size_t i = 0; i < some; i++, u += near, v += s->pitch) {                          \
                VECTOR b[VECTORS];                                                                 \
                UNROLL for (size_t t = 0; t < VECTORS; t++) b[t] =                                 \
                    *(const VECTOR *)(v + t * lanes);                                              \
                UNROLL for (size_t r = 0; r < ROWS; r++)                                           \
                {                                                                                  \
                    UNROLL for (size_t t = 0; t < VECTORS; t++) sums[r][t] +=                      \
                        b[t] * u[r * across];                                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        UNROLL for (size_t r = 0; r < ROWS; r++)                                                   \
        {                                                                                          \
            UNROLL for (size_t t = 0; t < VECTORS; t++) *                                          \
                (VECTOR *)(s->m + r * s->pitch + t * lanes) = sums[r][t];                          \
        }                                                                                          \
    }

DEFINE_SUM(wide_3, wide, 8, 3)
DEFINE_SUM(wide_2, wide, 8, 2)
DEFINE_SUM(wide_1, wide, 8, 1)
DEFINE_SUM(half_2, half, 4, 2)

INLINE void wide_row(struct sum s, size_t tiles, size_t near, size_t across)
{
    for (size_t t = 0; t < tiles;) {
        const size_t left = (tiles - t) / LANES;
        struct sum at = s;
        at.v += t, at.m += t;
        if (left == 3 || left > 4) {
            wide_3(&at, near, across);
            t += 3 * LANES;
        } else if (left == 2 || left == 4) {
            wide_2(&at, near, across);
            t += 2 * LANES;
        } else {
            wide_1(&at, near, across);
            t += LANES;
        }
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#define LUC_WIDE __attribute__((target("avx512f,avx2,fma")))
static bool has_wide(void)
{
    return __builtin_cpu_supports("avx512f");
}
#else
#define LUC_WIDE
static bool has_wide(void)
{
    return false;
}
#endif

/* One panel of output channels times `tiles` tiles, a multiple of LANES. */
LUC_WIDE static void panel_wide(const struct sum *s, size_t tiles, bool mirror)
{
    if (mirror)
        wide_row(*s, tiles, 1, PANEL);
    else
        wide_row(*s, tiles, PANEL, 1);
}

LUC_CLONES static void panel_narrow(const struct sum *s, size_t tiles, bool mirror)
{
    for (size_t t = 0; t < tiles; t += LANES)
        for (size_t r = 0; r < PANEL; r += 4) {
            struct sum at = *s;
            at.v += t, at.m += t + r * s->pitch, at.u += mirror ? r * PANEL : r;
            if (mirror)
                half_2(&at, 1, PANEL);
            else
                half_2(&at, PANEL, 1);
        }
}

/* Output channels [k0, k1) at one position; v and m are that position's, m begins at k0. */
static void multiply(const struct job *j, size_t position, size_t tiles, size_t k0, size_t k1,
                     const float *v, float *m)
{
    const float *u = j->u + position * j->u_in * j->u_out;
    for (size_t k = k0; k < k1; k += PANEL) {
        const struct sum s = {
            .u = u + (j->mirror ? k * PANEL : k * j->u_in),
            .v = v,
            .m = m + (k - k0) * j->pitch,
            .n = j->c,
            .far = j->mirror ? j->u_in * PANEL : PANEL * PANEL,
            .pitch = j->pitch,
        };
        if (j->narrow)
            panel_narrow(&s, round_to(tiles, LANES), j->mirror);
        else
            panel_wide(&s, round_to(tiles, LANES), j->mirror);
    }
}

/* -- output transform ---------------------------------------------------------------------- */

INLINE void output_1d(const wide *m, wide *y)
{
    const wide plus = m[1] + m[2], minus = m[1] - m[2];
    y[0] = m[0] + plus + m[3] + m[4];
    y[1] = minus + 0.5f * m[3] - 2.0f * m[4];
    y[2] = plus + 0.25f * m[3] + 4.0f * m[4];
    y[3] = minus + 0.125f * m[3] - 8.0f * m[4] + m[5];
}

/* LANES tiles at m[position * step] to four rows of 64, with bias and ReLU. */
LUC_CLONES static void strip_out(const float *m, size_t step, bool mirror, float bias, bool relu,
                                 float *const *rows)
{
    wide in[6], mid[4][6], y[4];
    const wide zero = { 0 };
    UNROLL for (size_t col = 0; col < 6; col++)
    {
        UNROLL for (size_t i = 0; i < 6; i++) in[i] = LOAD(m + (i * 6 + col) * step);
        output_1d(in, y);
        UNROLL for (size_t i = 0; i < 4; i++) mid[i][col] = y[i];
    }
    UNROLL for (size_t row = 0; row < 4; row++)
    {
        output_1d(mid[row], y);
        UNROLL for (size_t i = 0; i < 4; i++)
        {
            y[i] += bias;
            if (relu)
                y[i] = (wide)((bits)y[i] & ~(bits)(y[i] < zero));
        }
        const wide a = mirror ? y[3] : y[0], b = mirror ? y[2] : y[1];
        const wide c = mirror ? y[1] : y[2], d = mirror ? y[0] : y[3];
        const wide ac0 = LOW(a, c), ac1 = HIGH(a, c), bd0 = LOW(b, d), bd1 = HIGH(b, d);
        const wide out[4] = { LOW(ac0, bd0), HIGH(ac0, bd0), LOW(ac1, bd1), HIGH(ac1, bd1) };
        UNROLL for (size_t i = 0; i < 4; i++)
            STORE(rows[mirror ? 3 - row : row] + i * LANES, out[i]);
    }
}

static void put_row(float *to, const float *from, size_t n, bool add)
{
    if (!add)
        memcpy(to, from, n * sizeof(*to));
    for (size_t i = 0; add && i < n; i++)
        to[i] += from[i];
}

/* One strip of one channel into dst. */
static void place_strip(const struct job *j, const float *m, size_t channel, size_t ty, size_t tx,
                        size_t tiles, float *plane)
{
    float spare[4][4 * LANES];
    float *rows[4];
    const size_t cols = min(j->ow - 4 * tx, 4 * min(tiles, LANES));
    const bool whole = cols == sizeof(spare[0]) / sizeof(float) && !j->add;

    for (size_t i = 0; i < 4; i++)
        rows[i] = whole && 4 * ty + i < j->oh ? plane + (4 * ty + i) * j->ow + 4 * tx : spare[i];
    strip_out(m, j->m_step, j->mirror, j->bias ? j->bias[channel] : 0.0f, j->relu, rows);
    for (size_t i = 0; i < 4 && 4 * ty + i < j->oh && !whole; i++)
        put_row(plane + (4 * ty + i) * j->ow + 4 * tx, spare[i], cols, j->add);
}

/* One channel of a block; m is the channel's row at position 0. */
static void channel_out(const struct job *j, const struct area *a, size_t channel, const float *m)
{
    for (size_t r = 0; r < a->rows; r++) {
        const size_t image = (a->row + r) / j->th, ty = (a->row + r) % j->th;
        float *plane = j->dst + (image * j->k + channel) * j->oh * j->ow;
        for (size_t x = 0; x < a->cols; x += LANES)
            place_strip(j, m + r * a->cols + x, channel, ty, a->col + x, a->cols - x, plane);
    }
}

/* -- blocks -------------------------------------------------------------------------------- */

/* A whole block by one lane. */
static void block_item(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, item);
    float *v = j->v + lane * (j->v_step + j->m_step) * POINTS, *m = v + j->v_step * POINTS;

    for (size_t c = 0; c < j->c; c++)
        channel_in(j, &a, c, v + c * j->pitch);
    for (size_t k = 0; k < j->k; k += CHUNK) {
        const size_t end = min(k + CHUNK, j->k);
        for (size_t p = 0; p < POINTS; p++)
            multiply(j, p, a.rows * a.cols, k, end, v + p * j->v_step, m + p * j->m_step);
        for (size_t i = k; i < end; i++)
            channel_out(j, &a, i, m + (i - k) * j->pitch);
    }
}

#define SOME 4  /* channels transformed by one item */
#define MANY 64 /* output channels multiplied by one item */

static void deep_in(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, j->block);
    (void)lane;
    for (size_t c = item * SOME; c < min((item + 1) * SOME, j->c); c++)
        channel_in(j, &a, c, j->v + c * j->pitch);
}

static void deep_multiply(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, j->block);
    const size_t pieces = div_up(j->k, MANY), p = item / pieces, k = item % pieces * MANY;
    (void)lane;
    multiply(j, p, a.rows * a.cols, k, min(k + MANY, j->k), j->v + p * j->v_step,
             j->m + p * j->m_step + k * j->pitch);
}

static void deep_out(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, j->block);
    (void)lane;
    for (size_t k = item * SOME; k < min((item + 1) * SOME, j->k); k++)
        channel_out(j, &a, k, j->m + k * j->pitch);
}

/* Blocks of about `tiles` tiles. */
static void cut_blocks(struct job *j, size_t tiles)
{
    const size_t all_rows = j->n * j->th;
    const size_t n_cols = div_up(j->tw, tiles);
    j->cols = n_cols == 1 ? j->tw : min(j->tw, round_to(div_up(j->tw, n_cols), LANES));
    j->n_cols = div_up(j->tw, j->cols);
    const size_t n_rows = div_up(all_rows, max(1, tiles / j->cols));
    j->rows = div_up(all_rows, n_rows);
    j->n_rows = div_up(all_rows, j->rows);
    j->pitch = round_to(j->rows * j->cols, LANES) + LANES;
}

/* From one position to the next: an odd number of cache lines, so that a tile's 36 values do not
 * fall on the same lines of the cache. */
static size_t step_of(size_t channels, size_t pitch)
{
    const size_t step = channels * pitch;
    return step / LANES % 2 ? step : step + LANES;
}

static struct job describe(const struct luc_conv *g, bool gradient)
{
    const struct luc_window *w = &g->win;
    struct job j = { .n = g->n, .mirror = gradient };
    j.c = gradient ? g->c_out : g->c_in, j.k = gradient ? g->c_in : g->c_out;
    j.h = gradient ? w->oh : w->h, j.w = gradient ? w->ow : w->w;
    j.oh = gradient ? w->h : w->oh, j.ow = gradient ? w->w : w->ow;
    j.pt = gradient ? 2 - (ptrdiff_t)w->pt : (ptrdiff_t)w->pt;
    j.pl = gradient ? 2 - (ptrdiff_t)w->pl : (ptrdiff_t)w->pl;
    j.th = div_up(j.oh, 4), j.tw = div_up(j.ow, 4);
    j.u_in = round_to(g->c_in, PANEL), j.u_out = round_to(g->c_out, PANEL);
    cut_blocks(&j, max(48, min(128, CACHE / POINTS / j.c)));
    j.deep = j.c > DEEP || j.n_rows * j.n_cols < 8;
    if (j.deep)
        cut_blocks(&j, LONG);
    j.v_step = step_of(j.c, j.pitch);
    j.m_step = step_of(j.deep ? round_to(j.k, PANEL) : CHUNK, j.pitch);
    return j;
}

size_t luc_winograd_scratch(const struct luc_conv *g, bool gradient, size_t lanes)
{
    const struct job j = describe(g, gradient);
    return (j.v_step + j.m_step) * POINTS * sizeof(float) * (j.deep ? 1 : lanes);
}

bool luc_winograd_can(const struct luc_conv *g)
{
    const struct luc_window *w = &g->win;
    return g->groups == 1 && w->kh == 3 && w->kw == 3 && w->sh == 1 && w->sw == 1 && w->dh == 1 &&
           w->dw == 1;
}

/* Measured: with few tiles the packed weights, four times the weights, are read for too little;
 * more so by the gradient, which reads them in short pieces. The number of images does not count: a
 * picture's answer must not depend on what shares its batch. */
bool luc_winograd_pays(const struct luc_conv *g, bool gradient)
{
    const size_t tiles = div_up(g->win.oh, 4) * div_up(g->win.ow, 4);
    const bool large = g->c_in * g->c_out > (size_t)1 << 16;
    return luc_winograd_can(g) && g->c_in >= 16 && g->c_out >= 16 &&
           tiles >= (gradient && large ? 40 : 12);
}

static void run(struct job *j, void *scratch, const struct luc_threads *threads)
{
    j->v = scratch;
    if (!has_wide())
        j->narrow = true;
    if (!j->deep) {
        luc_parallel_for(threads, j->n_rows * j->n_cols, block_item, j);
        return;
    }
    j->m = j->v + j->v_step * POINTS;
    for (j->block = 0; j->block < j->n_rows * j->n_cols; j->block++) {
        luc_parallel_for(threads, div_up(j->c, SOME), deep_in, j);
        luc_parallel_for(threads, POINTS * div_up(j->k, MANY), deep_multiply, j);
        luc_parallel_for(threads, div_up(j->k, SOME), deep_out, j);
    }
}

void luc_winograd_y(const struct luc_conv *g, const float *x, const float *u,
                    const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                    const struct luc_threads *threads)
{
    struct job j = describe(g, false);
    j.src = x, j.u = u, j.dst = y, j.narrow = narrow;
    j.bias = fin->bias, j.relu = fin->relu, j.add = fin->add;
    run(&j, scratch, threads);
}

void luc_winograd_dx(const struct luc_conv *g, const float *dy, const float *u, bool add, float *dx,
                     bool narrow, void *scratch, const struct luc_threads *threads)
{
    struct job j = describe(g, true);
    j.src = dy, j.u = u, j.dst = dx, j.narrow = narrow, j.add = add;
    run(&j, scratch, threads);
}
