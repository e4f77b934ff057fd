#include "core/kernels/tile.h"
#include "core/kernels/wide.h"

#include <string.h>

#define LANES LUC_LANES
#define PART  256 /* terms that are summed one by one */
#define AHEAD 64  /* terms: a network's weights come from memory, in every run anew */

bool luc_tile_narrow(void)
{
    return !luc_has_wide();
}

/* -- packing ------------------------------------------------------------------------------- */

size_t luc_panels_floats(size_t rows, size_t sum)
{
    const size_t panels = rows / LUC_PANEL + (rows % LUC_PANEL != 0);
    if (sum && panels > SIZE_MAX / sizeof(float) / LUC_PANEL / sum)
        return 0;
    return panels * LUC_PANEL * sum;
}

struct packing {
    struct luc_weights w;
    float *panels;
};

#define CHUNK 16 /* terms that are read from each row at a time: a cache line */

/* Terms [t0, t1) of one channel, for all rows of a panel. */
static void pack_chunk(const struct luc_weights *w, const float *from, size_t rows, size_t t0,
                       size_t t1, float *to)
{
    for (size_t r = 0; r < LUC_PANEL; r++)
        for (size_t t = t0; t < t1; t++)
            to[t * LUC_PANEL + r] =
                r < rows ? from[r * w->row + (w->mirror ? w->taps - 1 - t : t)] : 0.0f;
}

static void pack_item(void *ctx, size_t panel, size_t lane)
{
    const struct packing *p = ctx;
    const struct luc_weights *w = &p->w;
    const size_t first = panel * LUC_PANEL;
    const size_t rows = w->rows - first < LUC_PANEL ? w->rows - first : LUC_PANEL;
    float *to = p->panels + panel * w->channels * w->taps * LUC_PANEL;
    (void)lane;
    for (size_t c = 0; c < w->channels; c++, to += w->taps * LUC_PANEL) {
        const float *from = w->w + first * w->row + c * w->channel;
        if (w->row == 1 && w->taps == 1 && rows == LUC_PANEL) {
            memcpy(to, from, LUC_PANEL * sizeof(*to));
            continue;
        }
        for (size_t t = 0; t < w->taps; t += CHUNK)
            pack_chunk(w, from, rows, t, t + CHUNK < w->taps ? t + CHUNK : w->taps, to);
    }
}

void luc_panels_pack(const struct luc_weights *w, float *panels, const struct luc_threads *threads)
{
    struct packing p = { .w = *w, .panels = panels };
    if (!w->mirror && w->channel == w->taps) { /* a row's terms follow each other */
        p.w.taps = w->channels * w->taps;
        p.w.channels = 1;
    }
    luc_parallel_for(threads, (w->rows + LUC_PANEL - 1) / LUC_PANEL, pack_item, &p);
}

/* -- sums ---------------------------------------------------------------------------------- */

/* `width` pixels of `lines` lines by `vectors` vectors of channels from channel `c` on, all in
 * registers. */
#define DEFINE_SUM(NAME, VECTOR, MOST)                                                             \
    LUC_INLINE void NAME(const struct luc_tile *s, size_t c, size_t p0, const size_t width,        \
                         const size_t lines, const size_t vectors)                                 \
    {                                                                                              \
        const size_t lanes = sizeof(VECTOR) / sizeof(float), n = lines * width, gap = s->gap;      \
        const float *panel = s->panel + c, *x = s->x + p0;                                         \
        float *out = s->sum + p0 * LUC_PANEL + c;                                                  \
        VECTOR sum[MOST][2];                                                                       \
        LUC_UNROLL for (size_t p = 0; p < n; p++) LUC_UNROLL for (size_t v = 0; v < vectors; v++)  \
            sum[p][v] = (VECTOR){ 0 };                                                             \
        for (size_t i = 0; i < s->n; i++, panel += LUC_PANEL) {                                    \
            const float *at = x + s->offset[i];                                                    \
            VECTOR w[2];                                                                           \
            __builtin_prefetch(panel + AHEAD * LUC_PANEL);                                         \
            __builtin_prefetch(panel + AHEAD * LUC_PANEL + 16);                                    \
            LUC_UNROLL for (size_t v = 0; v < vectors; v++) w[v] =                                 \
                *(const VECTOR *)(panel + v * lanes);                                              \
            LUC_UNROLL for (size_t p = 0; p < n; p++)                                              \
                LUC_UNROLL for (size_t v = 0; v < vectors; v++) sum[p][v] +=                       \
                w[v] * (p < width ? at[p] : (at + gap)[p - width]);                                \
        }                                                                                          \
        LUC_UNROLL for (size_t p = 0; p < n; p++) LUC_UNROLL for (size_t v = 0; v < vectors; v++)  \
        {                                                                                          \
            VECTOR *to = (VECTOR *)(out + p * LUC_PANEL + v * lanes);                              \
            *to = sum[p][v] + (s->add ? *to : (VECTOR){ 0 });                                      \
        }                                                                                          \
    }

/* clang-format off */
DEFINE_SUM(sum_wide, luc_loose, LUC_TILE)
DEFINE_SUM(sum_half, luc_loose_half, 6)

#define ONE(W) case W: sum_wide(s, 0, 0, W, 1, vectors); break;
#define TWO(W) case 16 + W: sum_wide(s, 0, 0, W, 2, vectors); break;
LUC_INLINE void any_width(const struct luc_tile *s, const size_t vectors)
{
    switch (s->width + (s->lines - 1) * 16) {
    ONE(1) ONE(2) ONE(3) ONE(4) ONE(5) ONE(6) ONE(7) ONE(8) ONE(9) ONE(10) ONE(11) ONE(12) ONE(13)
    ONE(14) TWO(1) TWO(2) TWO(3) TWO(4) TWO(5) TWO(6) TWO(7)
    default: break;
    }
}
/* clang-format on */

LUC_WIDE static void tile_wide(const struct luc_tile *s)
{
    if (s->rows > LANES)
        any_width(s, 2);
    else
        any_width(s, 1);
}

LUC_CLONES static void tile_narrow(const struct luc_tile *tile)
{
    struct luc_tile s = *tile;
    for (size_t line = 0; line < tile->lines; line++) {
        for (size_t c = 0; c < s.rows; c += 16) {
            size_t p = 0;
            for (; p + 6 <= s.width; p += 6)
                sum_half(&s, c, p, 6, 1, 2);
            for (; p + 4 <= s.width; p += 4)
                sum_half(&s, c, p, 4, 1, 2);
            for (; p < s.width; p++)
                sum_half(&s, c, p, 1, 1, 2);
        }
        s.x += s.gap;
        s.sum += s.width * LUC_PANEL;
    }
}

/* Long sums in parts: a float that has grown large rounds away what is added to it one by one. */
void luc_tile_sum(const struct luc_tile *t, bool narrow)
{
    struct luc_tile part = *t;
    size_t done = 0;
    do {
        part.panel = t->panel + done * LUC_PANEL;
        part.offset = t->offset + done;
        part.n = t->n - done < PART ? t->n - done : PART;
        part.add = t->add || done > 0;
        if (narrow)
            tile_narrow(&part);
        else
            tile_wide(&part);
        done += part.n;
    } while (done < t->n);
}

void luc_tile_sum_ref(const struct luc_tile *t)
{
    for (size_t p = 0; p < t->lines * t->width; p++)
        for (size_t r = 0; r < t->rows; r++) {
            const float *x = t->x + p / t->width * t->gap + p % t->width;
            double sum = t->add ? (double)t->sum[p * LUC_PANEL + r] : 0.0;
            for (size_t i = 0; i < t->n; i++)
                sum += (double)t->panel[i * LUC_PANEL + r] * (double)x[t->offset[i]];
            t->sum[p * LUC_PANEL + r] = (float)sum;
        }
}

/* -- turning ------------------------------------------------------------------------------- */

/* Exchanges the off-diagonal blocks of S x S in every block of 2S x 2S. */
#define EXCHANGE(S, LOW, HIGH)                                                                     \
    LUC_UNROLL for (size_t i = 0; i < LANES; i++)                                                  \
    {                                                                                              \
        if (!(i & (S))) {                                                                          \
            const luc_loose a = m[i], b = m[i + (S)];                                              \
            m[i] = __builtin_shuffle(a, b, (luc_bits)LOW);                                         \
            m[i + (S)] = __builtin_shuffle(a, b, (luc_bits)HIGH);                                  \
        }                                                                                          \
    }

#if defined(__GNUC__) && !defined(__clang__)
/* clang-format off */
LUC_WIDE static void turn_wide(const float *sum, float *y, size_t pitch)
{
    luc_loose m[LANES];
    LUC_UNROLL for (size_t p = 0; p < LUC_TILE; p++) m[p] = *(const luc_loose *)(sum + p * LUC_PANEL);
    LUC_UNROLL for (size_t p = LUC_TILE; p < LANES; p++) m[p] = (luc_loose){ 0 };
#define L(...) { __VA_ARGS__ }
    EXCHANGE(8, L(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                L(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    EXCHANGE(4, L(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
                L(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(2, L(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
                L(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(1, L(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
                L(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef L
    LUC_UNROLL for (size_t r = 0; r < LANES; r++) *(luc_loose *)(y + r * pitch) = m[r];
}
/* clang-format on */
#else
static void turn_wide(const float *sum, float *y, size_t pitch)
{
    for (size_t r = 0; r < LANES; r++)
        for (size_t p = 0; p < LUC_TILE; p++)
            y[r * pitch + p] = sum[p * LUC_PANEL + r];
}
#endif

LUC_CLONES static void turn_narrow(const float *sum, float *y, size_t pitch)
{
    for (size_t r = 0; r < LUC_PANEL; r++)
        for (size_t p = 0; p < LUC_TILE; p++)
            y[r * pitch + p] = sum[p * LUC_PANEL + r];
}

void luc_tile_turn(const float *sum, float *y, size_t pitch, bool narrow)
{
    if (narrow) {
        turn_narrow(sum, y, pitch);
        return;
    }
    turn_wide(sum, y, pitch);
    turn_wide(sum + LANES, y + LANES * pitch, pitch);
}
