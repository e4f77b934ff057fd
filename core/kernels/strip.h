/* strip.h -- the product of tile.h the other way round: pixels are the vectors, weights are read one
 * by one from the same panels.
 *
 * What comes out are rows of y as they are stored, finished while still in registers, and pixels of
 * a channel are read as they lie in the picture: nothing is staged and nothing turned. It wants long
 * rows; where these are short, vectors stay empty and tile.h is faster.
 */
#ifndef LUC_KERNELS_STRIP_H
#define LUC_KERNELS_STRIP_H

#include "core/kernels/tile.h"

#define LUC_STRIP      48 /* pixels of a strip at most: three vectors */
#define LUC_STRIP_ROWS 8  /* channels of a strip: a part of a panel */

struct luc_strip {
    const float *panel;     /* [n][LUC_PANEL], at the first of the strip's channels */
    const float *x;         /* term i of pixel p: x[offset[i] + p] */
    const uint32_t *offset; /* [n] */
    size_t n;               /* terms of the sum */
    size_t vectors;         /* of 16 pixels: 1 to 3 */
    size_t rows;            /* channels that count: 1 to LUC_STRIP_ROWS */
    float *sum;             /* [LUC_STRIP_ROWS][LUC_STRIP]: room, and the result where y is NULL */
    float *y;               /* channel r of pixel p: y[r * pitch + p] */
    size_t pitch;
    const float *bias; /* [rows] or NULL */
    const float *plus; /* as y, added before the ReLU; may be y; or NULL */
    bool relu;
};

/* `narrow`: see tile.h. */
void luc_strip_sum(const struct luc_strip *s, bool narrow);
void luc_strip_sum_ref(const struct luc_strip *s);

#endif
