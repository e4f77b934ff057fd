#include "core/kernels/winograd.h"
#include "core/kernels/sizes.h"
#include "core/kernels/winograd_strip.h"

#include <stdint.h>
#include <string.h>

#define LANES  LUC_LANES                         /* tiles transformed together: a strip */
#define POINTS (LUC_STRIP_SIDE * LUC_STRIP_SIDE) /* numbers in a transformed tile */
#define PANEL  8                 /* channels that lie together in the packed weights */
#define CHUNK  32                /* output channels at a time where a block stays in the cache */
#define CACHE  (160 * 1024)      /* floats of a transformed block that stays in the cache */
#define SHARED (6 * 1024 * 1024) /* the same, in the cache that all lanes share */
#define LONG   192               /* tiles of a block that is shared, at most */
#define DEEP   16                /* with more input channels than this, blocks are shared */

struct job {
    const float *src, *gate, *u;
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

/* -- weights ------------------------------------------------------------------------------- */

size_t luc_winograd_floats(size_t c_out, size_t c_in)
{
    const size_t out = luc_round_up(c_out, PANEL), in = luc_round_up(c_in, PANEL);
    return out > SIZE_MAX / POINTS / sizeof(float) / in ? 0 : POINTS * out * in;
}

struct packing {
    const float *w;
    float *u;
    size_t c_out, c_in, out, in; /* out, in: rounded up to panels */
};

/* One panel of output channels. */
static void pack_item(void *ctx, size_t item, size_t lane)
{
    const struct packing *j = ctx;
    const size_t k = item * PANEL;
    (void)lane;
    for (size_t c = 0; c < j->in; c++) {
        float some[POINTS][PANEL] = { 0 };
        for (size_t i = 0; i < PANEL && k + i < j->c_out && c < j->c_in; i++)
            luc_strip_weights(j->w + ((k + i) * j->c_in + c) * 9, &some[0][i], PANEL);
        for (size_t p = 0; p < POINTS; p++)
            memcpy(j->u + (p * j->out + k) * j->in + c * PANEL, some[p], sizeof(some[p]));
    }
}

/* Packed as [position][c_out / 8][c_in][8 of c_out]. */
void luc_winograd_pack(const float *w, size_t c_out, size_t c_in, float *u,
                       const struct luc_threads *threads)
{
    struct packing j = { .w = w, .u = u, .c_out = c_out, .c_in = c_in };
    j.out = luc_round_up(c_out, PANEL), j.in = luc_round_up(c_in, PANEL);
    luc_parallel_for(threads, j.out / PANEL, pack_item, &j);
}

/* -- input --------------------------------------------------------------------------------- */

/* Where a block lies. */
struct area {
    size_t row, rows, col, cols;
};

static struct area area_of(const struct job *j, size_t block)
{
    struct area a = { .row = block / j->n_cols * j->rows, .col = block % j->n_cols * j->cols };
    a.rows = luc_min(j->rows, j->n * j->th - a.row);
    a.cols = luc_min(j->cols, j->tw - a.col);
    return a;
}

/* The rows under tile row `ty` of one plane; those outside the picture stay NULL. */
static void find_rows(const struct job *j, size_t plane, size_t ty, struct luc_strip_rows *r)
{
    const size_t pixels = j->h * j->w;
    for (size_t i = 0; i < LUC_STRIP_SIDE; i++) {
        const ptrdiff_t y = (ptrdiff_t)(LUC_STRIP_TILE * ty + i) - j->pt;
        if (y < 0 || y >= (ptrdiff_t)j->h)
            continue;
        r->row[i] = j->src + plane * pixels + (size_t)y * j->w;
        r->gate[i] = j->gate ? j->gate + plane * pixels + (size_t)y * j->w : NULL;
    }
}

/* The rows of a picture's next channel are far away, and too short for the processor to notice. */
static void prefetch_rows(const struct job *j, size_t plane, size_t ty, const struct area *a)
{
    const size_t line = 64 / sizeof(float),
                 end = luc_min(j->w, LUC_STRIP_TILE * (a->col + a->cols) + 2);
    for (size_t i = 0; i < LUC_STRIP_SIDE; i++) {
        const size_t y = LUC_STRIP_TILE * ty + i;
        const float *row = j->src + (plane * j->h + luc_min(y, j->h - 1)) * j->w;
        for (size_t x = LUC_STRIP_TILE * a->col; x < end; x += line)
            __builtin_prefetch(row + x);
    }
}

/* One channel of a block; v is the channel's row at position 0. A strip may run over its row's end:
 * the next row's strip overwrites that, and the last one's lies in the pitch's slack. */
static void channel_in(const struct job *j, const struct area *a, size_t channel, float *v)
{
    for (size_t r = 0; r < a->rows; r++) {
        const size_t image = (a->row + r) / j->th, ty = (a->row + r) % j->th;
        struct luc_strip_rows rows = { .gated = j->gate != NULL,
                                       .mirror = j->mirror,
                                       .w = (ptrdiff_t)j->w };
        find_rows(j, image * j->c + channel, ty, &rows);
        if (channel + 1 < j->c)
            prefetch_rows(j, image * j->c + channel + 1, ty, a);
        for (size_t x = 0; x < a->cols; x += LUC_STRIP_RANGE) {
            rows.x = (ptrdiff_t)(LUC_STRIP_TILE * (a->col + x)) - j->pl;
            luc_strip_in(&rows, luc_min(LUC_STRIP_RANGE, a->cols - x), v + r * a->cols + x,
                         j->v_step);
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
    size_t n, far, ahead, pitch; /* ahead: to the weights that are fetched meanwhile */
};

#define AHEAD 24 /* blocks of weights asked for in advance: they come from memory */

#define DEFINE_SUM(NAME, VECTOR, ROWS, VECTORS)                                                    \
    LUC_INLINE void NAME(const struct sum *s, size_t near, size_t across)                          \
    {                                                                                              \
        VECTOR sums[ROWS][VECTORS] = { 0 };                                                        \
        const size_t lanes = sizeof(VECTOR) / sizeof(float);                                       \
        const float *v = s->v;                                                                     \
        for (size_t i0 = 0; i0 < s->n; i0 += PANEL) {                                              \
            const float *u = s->u + i0 / PANEL * s->far;                                           \
            const size_t some = s->n - i0 < PANEL ? s->n - i0 : PANEL;                             \
            for (size_t line = 0; line < PANEL * PANEL; line += LANES)                             \
                __builtin_prefetch(u + s->ahead + line);                                           \
            for (size_t i = 0; i < some; i++, u += near, v += s->pitch) {                          \
                VECTOR b[VECTORS];                                                                 \
                LUC_UNROLL for (size_t t = 0; t < VECTORS; t++) b[t] =                             \
                    *(const VECTOR *)(v + t * lanes);                                              \
                LUC_UNROLL for (size_t r = 0; r < ROWS; r++)                                       \
                {                                                                                  \
                    LUC_UNROLL for (size_t t = 0; t < VECTORS; t++) sums[r][t] +=                  \
                        b[t] * u[r * across];                                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        LUC_UNROLL for (size_t r = 0; r < ROWS; r++)                                               \
        {                                                                                          \
            LUC_UNROLL for (size_t t = 0; t < VECTORS; t++) *                                      \
                (VECTOR *)(s->m + r * s->pitch + t * lanes) = sums[r][t];                          \
        }                                                                                          \
    }

DEFINE_SUM(wide_3, luc_wide, 8, 3)
DEFINE_SUM(wide_2, luc_wide, 8, 2)
DEFINE_SUM(wide_1, luc_wide, 8, 1)
DEFINE_SUM(half_2, luc_half, 4, 2)

LUC_INLINE void wide_row(struct sum s, size_t tiles, size_t near, size_t across)
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
            .ahead = j->mirror ? PANEL * PANEL : AHEAD * PANEL * PANEL,
            .pitch = j->pitch,
        };
        if (j->narrow)
            panel_narrow(&s, luc_round_up(tiles, LANES), j->mirror);
        else
            panel_wide(&s, luc_round_up(tiles, LANES), j->mirror);
    }
}

/* -- output -------------------------------------------------------------------------------- */

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
    float spare[LUC_STRIP_TILE][LUC_STRIP_TILE * LANES];
    float *rows[LUC_STRIP_TILE];
    const size_t tile = LUC_STRIP_TILE,
                 cols = luc_min(j->ow - tile * tx, tile * luc_min(tiles, LANES));
    const bool whole = cols == tile * LANES && !j->add;
    const struct luc_strip_end end = { .mirror = j->mirror,
                                       .relu = j->relu,
                                       .bias = j->bias ? j->bias[channel] : 0.0f };
    float *to = plane + tile * ty * j->ow + tile * tx;

    for (size_t i = 0; i < tile; i++)
        rows[i] = whole && tile * ty + i < j->oh ? to + i * j->ow : spare[i];
    luc_strip_out(m, j->m_step, &end, rows);
    for (size_t i = 0; i < tile && tile * ty + i < j->oh && !whole; i++)
        put_row(to + i * j->ow, spare[i], cols, j->add);
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
        const size_t end = luc_min(k + CHUNK, j->k);
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
    for (size_t c = item * SOME; c < luc_min((item + 1) * SOME, j->c); c++)
        channel_in(j, &a, c, j->v + c * j->pitch);
}

static void deep_multiply(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, j->block);
    const size_t pieces = luc_div_up(j->k, MANY), p = item / pieces, k = item % pieces * MANY;
    (void)lane;
    multiply(j, p, a.rows * a.cols, k, luc_min(k + MANY, j->k), j->v + p * j->v_step,
             j->m + p * j->m_step + k * j->pitch);
}

static void deep_out(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const struct area a = area_of(j, j->block);
    (void)lane;
    for (size_t k = item * SOME; k < luc_min((item + 1) * SOME, j->k); k++)
        channel_out(j, &a, k, j->m + k * j->pitch);
}

/* Blocks of about `tiles` tiles. */
static void cut_blocks(struct job *j, size_t tiles)
{
    const size_t all_rows = j->n * j->th;
    const size_t n_cols = luc_div_up(j->tw, tiles);
    j->cols = n_cols == 1 ? j->tw : luc_min(j->tw, luc_round_up(luc_div_up(j->tw, n_cols), LANES));
    j->n_cols = luc_div_up(j->tw, j->cols);
    const size_t n_rows = luc_div_up(all_rows, luc_max(1, tiles / j->cols));
    j->rows = luc_div_up(all_rows, n_rows);
    j->n_rows = luc_div_up(all_rows, j->rows);
    j->pitch = luc_round_up(j->rows * j->cols, LANES) + LANES;
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
    j.th = luc_div_up(j.oh, LUC_STRIP_TILE), j.tw = luc_div_up(j.ow, LUC_STRIP_TILE);
    j.u_in = luc_round_up(g->c_in, PANEL), j.u_out = luc_round_up(g->c_out, PANEL);
    const size_t near = CACHE / POINTS / (j.c + CHUNK) / LANES * LANES;
    cut_blocks(&j, luc_max(LANES, luc_min(128, near)));
    j.deep = j.c > DEEP || j.n_rows * j.n_cols < 8;
    if (j.deep)
        cut_blocks(&j, luc_max(48, luc_min(LONG, SHARED / POINTS / (j.c + j.k))));
    j.v_step = step_of(j.c, j.pitch);
    j.m_step = step_of(j.deep ? luc_round_up(j.k, PANEL) : CHUNK, j.pitch);
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

/* Measured: with few tiles the packed weights, several times the weights, are read for too little;
 * more so by the gradient, which reads them in short pieces. The number of images does not count: a
 * picture's answer must not depend on what shares its batch. */
bool luc_winograd_pays(const struct luc_conv *g, bool gradient)
{
    const size_t tiles =
        luc_div_up(g->win.oh, LUC_STRIP_TILE) * luc_div_up(g->win.ow, LUC_STRIP_TILE);
    const bool large = g->c_in * g->c_out > (size_t)1 << 16;
    return luc_winograd_can(g) && g->c_in >= 16 && g->c_out >= 16 &&
           tiles >= (gradient && large ? 40 : 12);
}

static void run(struct job *j, void *scratch, const struct luc_threads *threads)
{
    j->v = scratch;
    if (!luc_has_wide())
        j->narrow = true;
    if (!j->deep) {
        luc_parallel_for(threads, j->n_rows * j->n_cols, block_item, j);
        return;
    }
    j->m = j->v + j->v_step * POINTS;
    for (j->block = 0; j->block < j->n_rows * j->n_cols; j->block++) {
        luc_parallel_for(threads, luc_div_up(j->c, SOME), deep_in, j);
        luc_parallel_for(threads, POINTS * luc_div_up(j->k, MANY), deep_multiply, j);
        luc_parallel_for(threads, luc_div_up(j->k, SOME), deep_out, j);
    }
}

void luc_winograd_y(const struct luc_conv *g, const float *x, const struct luc_winograd *w,
                    const struct luc_conv_finish *fin, float *y, void *scratch,
                    const struct luc_threads *threads)
{
    struct job j = describe(g, false);
    j.src = x, j.u = w->u, j.dst = y, j.narrow = w->narrow;
    j.bias = fin->bias, j.relu = fin->relu, j.add = fin->add;
    run(&j, scratch, threads);
}

void luc_winograd_dx(const struct luc_conv *g, const float *dy, const float *gate,
                     const struct luc_winograd *w, bool add, float *dx, void *scratch,
                     const struct luc_threads *threads)
{
    struct job j = describe(g, true);
    j.src = dy, j.gate = gate, j.u = w->u, j.dst = dx, j.narrow = w->narrow, j.add = add;
    run(&j, scratch, threads);
}
