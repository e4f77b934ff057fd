#include "core/kernels/strip.h"
#include "core/kernels/wide.h"

#define PART 256 /* as in tile.c: terms that are summed one by one */

struct part {
    struct luc_strip s;
    bool more; /* sum holds what came before */
    bool last;
};

LUC_INLINE size_t here(size_t r, size_t p)
{
    return r * LUC_STRIP + p;
}

/* ROWS channels from r0 on by VECTORS vectors of pixels from p0 on, all in registers. */
#define DEFINE_SUM(NAME, VECTOR, BITS, ROWS, VECTORS)                                              \
    LUC_INLINE void NAME(const struct part *part, size_t r0, size_t p0)                            \
    {                                                                                              \
        const struct luc_strip *s = &part->s;                                                      \
        const size_t lanes = sizeof(VECTOR) / sizeof(float);                                       \
        const float *panel = s->panel + r0, *x = s->x + p0;                                        \
        VECTOR sum[ROWS][VECTORS];                                                                 \
        LUC_UNROLL for (size_t r = 0; r < (ROWS); r++)                                             \
            LUC_UNROLL for (size_t v = 0; v < (VECTORS); v++) sum[r][v] = (VECTOR){ 0 };           \
        for (size_t i = 0; i < s->n; i++, panel += LUC_PANEL) {                                    \
            const float *at = x + s->offset[i];                                                    \
            VECTOR in[VECTORS];                                                                    \
            LUC_UNROLL for (size_t v = 0; v < (VECTORS); v++) in[v] =                              \
                *(const VECTOR *)(at + v * lanes);                                                 \
            LUC_UNROLL for (size_t r = 0; r < (ROWS); r++)                                         \
                LUC_UNROLL for (size_t v = 0; v < (VECTORS); v++) sum[r][v] += in[v] * panel[r];   \
        }                                                                                          \
        LUC_UNROLL for (size_t r = 0; r < (ROWS); r++) if (r0 + r < s->rows)                       \
        {                                                                                          \
            const float bias = s->bias ? s->bias[r0 + r] : 0.0f;                                   \
            LUC_UNROLL for (size_t v = 0; v < (VECTORS); v++)                                      \
            {                                                                                      \
                const size_t p = p0 + v * lanes, y = (r0 + r) * s->pitch + p;                      \
                VECTOR *kept = (VECTOR *)(s->sum + here(r0 + r, p)), all = sum[r][v];              \
                all += part->more ? *kept : (VECTOR){ 0 };                                         \
                if (!part->last) {                                                                 \
                    *kept = all;                                                                   \
                    continue;                                                                      \
                }                                                                                  \
                all += bias;                                                                       \
                if (s->plus)                                                                       \
                    all += *(const VECTOR *)(s->plus + y);                                         \
                if (s->relu)                                                                       \
                    all = (VECTOR)((BITS)all & ~(BITS)(all < 0.0f));                               \
                *(VECTOR *)(s->y + y) = all;                                                       \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_SUM(eight_3, luc_loose, luc_bits, 8, 3)
DEFINE_SUM(eight_2, luc_loose, luc_bits, 8, 2)
DEFINE_SUM(eight_1, luc_loose, luc_bits, 8, 1)
DEFINE_SUM(four_2, luc_loose_half, luc_bits_half, 4, 2)

LUC_WIDE static void strip_wide(const struct part *part)
{
    if (part->s.vectors == 3)
        eight_3(part, 0, 0);
    else if (part->s.vectors == 2)
        eight_2(part, 0, 0);
    else
        eight_1(part, 0, 0);
}

LUC_CLONES static void strip_narrow(const struct part *part)
{
    for (size_t r = 0; r < part->s.rows; r += 4)
        for (size_t v = 0; v < part->s.vectors; v++)
            four_2(part, r, v * LUC_LANES);
}

void luc_strip_sum(const struct luc_strip *s, bool narrow)
{
    struct part part = { .s = *s };
    size_t done = 0;
    do {
        part.s.panel = s->panel + done * LUC_PANEL;
        part.s.offset = s->offset + done;
        part.s.n = s->n - done < PART ? s->n - done : PART;
        part.more = done > 0;
        done += part.s.n;
        part.last = done == s->n && s->y;
        if (narrow)
            strip_narrow(&part);
        else
            strip_wide(&part);
    } while (done < s->n);
}

void luc_strip_sum_ref(const struct luc_strip *s)
{
    for (size_t r = 0; r < s->rows; r++)
        for (size_t p = 0; p < s->vectors * LUC_LANES; p++) {
            double sum = 0.0;
            for (size_t i = 0; i < s->n; i++)
                sum += (double)s->panel[i * LUC_PANEL + r] * (double)s->x[s->offset[i] + p];
            if (!s->y) {
                s->sum[here(r, p)] = (float)sum;
                continue;
            }
            sum += s->bias ? (double)s->bias[r] : 0.0;
            sum += s->plus ? (double)s->plus[r * s->pitch + p] : 0.0;
            s->y[r * s->pitch + p] = s->relu && sum < 0.0 ? 0.0f : (float)sum;
        }
}
