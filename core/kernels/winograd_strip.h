/* winograd_strip.h -- the transforms of winograd.c, LUC_LANES tiles of one channel at a time.
 *
 * A tile is 4x4 outputs from 6x6 inputs; its transform has 36 numbers, `step` floats apart.
 */
#ifndef LUC_KERNELS_WINOGRAD_STRIP_H
#define LUC_KERNELS_WINOGRAD_STRIP_H

#include "core/kernels/wide.h"

#include <stddef.h>

#define LUC_STRIP_TILE  4
#define LUC_STRIP_SIDE  6
#define LUC_STRIP_RANGE 64 /* tiles of one call of luc_strip_in */

/* What lies under a row of tiles. */
struct luc_strip_rows {
    const float *row[LUC_STRIP_SIDE]; /* [w]; NULL: zeros */
    const float
        *gate[LUC_STRIP_SIDE]; /* [w], with gated: the row counts where its gate is positive */
    bool gated, mirror;        /* mirror: rows and columns of each tile in reverse */
    ptrdiff_t x, w;            /* column of the first tile; those outside [0, w) are zero */
};

/* `n` tiles, at most LUC_STRIP_RANGE; writes whole vectors. */
void luc_strip_in(const struct luc_strip_rows *rows, size_t n, float *v, size_t step);

struct luc_strip_end {
    bool mirror, relu;
    float bias;
};

/* LUC_LANES tiles to LUC_STRIP_TILE rows of LUC_STRIP_TILE * LUC_LANES floats. */
void luc_strip_out(const float *m, size_t step, const struct luc_strip_end *end,
                   float *const *rows);

/* w [3, 3] to u[position * step], in double. */
void luc_strip_weights(const float *w, float *u, size_t step);

#endif
