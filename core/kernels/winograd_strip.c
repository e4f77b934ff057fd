#include "core/kernels/winograd_strip.h"

#include <assert.h>
#include <string.h>

typedef luc_wide wide;

#define LANES LUC_LANES
#define TILE  LUC_STRIP_TILE
#define SIDE  LUC_STRIP_SIDE
#define MID   (LUC_STRIP_TILE * LUC_STRIP_RANGE + 2 * LANES) /* columns under a range of tiles */
#define SOON                                                                                       \
    (2 * LANES) /* tiles ahead whose transform is asked for: 36 places are too many for the
                             processor to notice */

/* -- weights ------------------------------------------------------------------------------- */

static const double weights[SIDE][3] = {
    { 1, 0, 0 },
    { 1.0 / 3, 1.0 / 3, 1.0 / 3 },
    { -1.0 / 3, 1.0 / 3, -1.0 / 3 },
    { -16.0 / 15, -8.0 / 15, -4.0 / 15 },
    { 1.0 / 15, -2.0 / 15, 4.0 / 15 },
    { 0, 0, 1 },
};

void luc_strip_weights(const float *w, float *u, size_t step)
{
    for (size_t row = 0; row < SIDE; row++) {
        double line[3];
        for (size_t j = 0; j < 3; j++)
            line[j] = weights[row][0] * (double)w[j] + weights[row][1] * (double)w[3 + j] +
                      weights[row][2] * (double)w[6 + j];
        for (size_t col = 0; col < SIDE; col++)
            u[(row * SIDE + col) * step] =
                (float)(line[0] * weights[col][0] + line[1] * weights[col][1] +
                        line[2] * weights[col][2]);
    }
}

/* -- along one axis ------------------------------------------------------------------------ */

/* Points 0, 1, -1, 1/2, -2. */
LUC_INLINE void input_1d(const wide *d, wide *v)
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

LUC_INLINE void output_1d(const wide *m, wide *y)
{
    const wide plus = m[1] + m[2], minus = m[1] - m[2];
    y[0] = m[0] + plus + m[3] + m[4];
    y[1] = minus + 0.5f * m[3] - 2.0f * m[4];
    y[2] = plus + 0.25f * m[3] + 4.0f * m[4];
    y[3] = minus + 0.125f * m[3] - 8.0f * m[4] + m[5];
}

/* -- columns of tiles ---------------------------------------------------------------------- */

#define EVEN(a, b)                                                                                 \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(a, b)                                                                                  \
    __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define LOW(a, b)                                                                                  \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b)                                                                                 \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* d[i] = row[4 t + i] for the strip's tiles t. */
LUC_INLINE void split(const float *row, wide *d)
{
    const wide a = LUC_LOAD(row), b = LUC_LOAD(row + 16);
    const wide c = LUC_LOAD(row + 32), e = LUC_LOAD(row + 48), next = LUC_LOAD(row + 64);
    const wide even0 = EVEN(a, b), even1 = EVEN(c, e), odd0 = ODD(a, b), odd1 = ODD(c, e);
    d[0] = EVEN(even0, even1), d[2] = ODD(even0, even1);
    d[1] = EVEN(odd0, odd1), d[3] = ODD(odd0, odd1);
    d[4] =
        __builtin_shufflevector(d[0], next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    d[5] =
        __builtin_shufflevector(d[1], next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17);
}

LUC_INLINE void merge(const wide *y, float *row)
{
    const wide ac0 = LOW(y[0], y[2]), ac1 = HIGH(y[0], y[2]);
    const wide bd0 = LOW(y[1], y[3]), bd1 = HIGH(y[1], y[3]);
    LUC_STORE(row, LOW(ac0, bd0)), LUC_STORE(row + 16, HIGH(ac0, bd0));
    LUC_STORE(row + 32, LOW(ac1, bd1)), LUC_STORE(row + 48, HIGH(ac1, bd1));
}

/* -- input --------------------------------------------------------------------------------- */

/* Columns [lo, hi) of the rows lie in the picture; copies them where they do not fill a vector. */
static void copy_few(const struct luc_strip_rows *r, ptrdiff_t lo, ptrdiff_t hi,
                     float (*few)[LANES])
{
    for (size_t i = 0; i < SIDE; i++)
        for (ptrdiff_t k = 0; k < (ptrdiff_t)LANES; k++) {
            const bool there = lo + k < hi && r->row[i] && (!r->gated || r->gate[i][lo + k] > 0.0f);
            few[i][k] = there ? r->row[i][lo + k] : 0.0f;
        }
}

static const float nothing[LANES];

/* First down the columns, as they lie, to `mid`; then along its rows, tile by tile. */
LUC_INLINE void columns(const float *const *rows, const float *const *gates, const ptrdiff_t *move,
                        ptrdiff_t x, bool mirror, float (*mid)[MID], size_t at)
{
    wide d[SIDE], t[SIDE];
    LUC_UNROLL for (size_t i = 0; i < SIDE; i++)
    {
        const size_t k = mirror ? SIDE - 1 - i : i;
        d[i] = LUC_LOAD(rows[k] + (x & move[k]));
        if (gates)
            d[i] = (wide)((luc_bits)d[i] & (LUC_LOAD(gates[k] + (x & move[k])) > (wide){ 0 }));
    }
    input_1d(d, t);
    LUC_UNROLL for (size_t i = 0; i < SIDE; i++) LUC_STORE(mid[i] + at, t[i]);
}

LUC_CLONES static void down(const struct luc_strip_rows *r, ptrdiff_t lo, ptrdiff_t hi,
                            float (*mid)[MID])
{
    const float *rows[SIDE], *gates[SIDE];
    ptrdiff_t move[SIDE];
    for (size_t i = 0; i < SIDE; i++) {
        rows[i] = r->row[i] ? r->row[i] : nothing, move[i] = r->row[i] ? -1 : 0;
        gates[i] = r->row[i] && r->gated ? r->gate[i] : nothing;
    }
    for (ptrdiff_t x = lo; x < hi; x += LANES) {
        const ptrdiff_t here = x + LANES < hi ? x : hi - LANES;
        if (r->gated)
            columns(rows, gates, move, here, r->mirror, mid, (size_t)(here - r->x));
        else
            columns(rows, NULL, move, here, r->mirror, mid, (size_t)(here - r->x));
    }
}

LUC_CLONES static void along(float (*mid)[MID], size_t n, bool mirror, float *v, size_t step)
{
    wide d[SIDE], e[SIDE], t[SIDE];
    for (size_t x = 0; x < n; x += LANES)
        for (size_t row = 0; row < SIDE; row++) {
            split(mid[row] + x * TILE, d);
            LUC_UNROLL for (size_t i = 0; i < SIDE; i++) e[i] = mirror ? d[SIDE - 1 - i] : d[i];
            input_1d(e, t);
            LUC_UNROLL for (size_t i = 0; i < SIDE; i++)
                __builtin_prefetch(v + x + SOON + (row * SIDE + i) * step, 1);
            LUC_UNROLL for (size_t i = 0; i < SIDE; i++)
                LUC_STORE(v + x + (row * SIDE + i) * step, t[i]);
        }
}

void luc_strip_in(const struct luc_strip_rows *r, size_t n, float *v, size_t step)
{
    float mid[LUC_STRIP_SIDE][MID], few[LUC_STRIP_SIDE][LANES];
    const ptrdiff_t all = (ptrdiff_t)(TILE * ((n + LANES - 1) / LANES * LANES) + LANES);
    const ptrdiff_t lo = r->x > 0 ? r->x : 0, hi = r->w < r->x + all ? r->w : r->x + all;
    assert(n <= LUC_STRIP_RANGE);
    for (size_t i = 0; i < SIDE; i++) {
        const ptrdiff_t from = lo < hi ? lo - r->x : 0, to = lo < hi ? hi - r->x : 0;
        memset(mid[i], 0, (size_t)from * sizeof(float));
        memset(mid[i] + to, 0, (size_t)(all - to) * sizeof(float));
    }
    if (hi - lo >= (ptrdiff_t)LANES) {
        down(r, lo, hi, mid);
    } else if (lo < hi) {
        struct luc_strip_rows small = { .mirror = r->mirror, .x = r->x - lo };
        copy_few(r, lo, hi, few);
        for (size_t i = 0; i < SIDE; i++)
            small.row[i] = few[i];
        down(&small, 0, LANES, mid);
    }
    along(mid, n, r->mirror, v, step);
}

/* -- output -------------------------------------------------------------------------------- */

LUC_CLONES void luc_strip_out(const float *m, size_t step, const struct luc_strip_end *end,
                              float *const *rows)
{
    wide in[SIDE], mid[TILE][SIDE], y[TILE], z[TILE];
    const wide zero = { 0 };
    for (size_t col = 0; col < SIDE; col++) {
        LUC_UNROLL for (size_t i = 0; i < SIDE; i++)
            __builtin_prefetch(m + SOON + (i * SIDE + col) * step);
        LUC_UNROLL for (size_t i = 0; i < SIDE; i++) in[i] = LUC_LOAD(m + (i * SIDE + col) * step);
        output_1d(in, y);
        LUC_UNROLL for (size_t i = 0; i < TILE; i++) mid[i][col] = y[i];
    }
    for (size_t row = 0; row < TILE; row++) {
        output_1d(mid[row], y);
        LUC_UNROLL for (size_t i = 0; i < TILE; i++)
        {
            wide one = y[end->mirror ? TILE - 1 - i : i] + end->bias;
            if (end->relu)
                one = (wide)((luc_bits)one & ~(luc_bits)(one < zero));
            z[i] = one;
        }
        merge(z, rows[end->mirror ? TILE - 1 - row : row]);
    }
}
