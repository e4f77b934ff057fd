/* tile.h -- the product that convolutions spend their time in: some output channels by some pixels,
 * kept in registers while all that is summed goes by.
 *
 * Weights are packed once into panels of LUC_PANEL channels, so that a vector is 16 of them; pixels
 * are read one by one from wherever they lie, at the offsets of a table. So a picture needs no
 * unrolling, and a map of any width leaves no lane of a vector empty.
 *
 * Source: Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008, for
 * blocks in registers and packed panels; Zhang, Franchetti & Low, "High Performance Zero-Memory
 * Overhead Direct Convolutions", 2018, for reading pixels in place.
 */
#ifndef LUC_KERNELS_TILE_H
#define LUC_KERNELS_TILE_H

#include "core/base/parallel.h"

#include <stdbool.h>
#include <stdint.h>

#define LUC_PANEL 32 /* channels of a panel */
#define LUC_TILE  14 /* pixels of a tile at most: with 32 channels, 28 of 32 vector registers */

/* Weights as they are stored: row r, channel c, tap t at w[r * row + c * channel + t], or with
 * `mirror` the taps in the opposite order (gradients). */
struct luc_weights {
    const float *w;
    size_t rows, channels, taps;
    size_t row, channel; /* steps */
    bool mirror;
};

/* Floats of the panels; 0 when that overflows. */
size_t luc_panels_floats(size_t rows, size_t sum);
/* [panel][channel * taps + tap][LUC_PANEL], zero beyond the last row; aligned to LUC_ALIGN. */
void luc_panels_pack(const struct luc_weights *w, float *panels, const struct luc_threads *threads);

struct luc_tile {
    const float *panel;     /* [n][LUC_PANEL] */
    const float *x;         /* term i of pixel p: x[offset[i] + p] */
    const uint32_t *offset; /* [n] */
    size_t n;               /* terms of the sum */
    size_t width, lines;    /* pixels of a line; one line, or two: at most LUC_TILE pixels in all */
    size_t gap;             /* from a line's x to the next */
    size_t rows;            /* of the panel that count */
    float *sum;             /* [lines * width][LUC_PANEL], room for LUC_TILE pixels */
    bool add;               /* to what sum holds */
};

/* `narrow`: vectors of 8, as on processors that have no longer ones. */
void luc_tile_sum(const struct luc_tile *t, bool narrow);
void luc_tile_sum_ref(const struct luc_tile *t);
/* y[r * pitch + p] = sum[p][r] for all of a panel. Writes 16 pixels of each row. */
void luc_tile_turn(const float *sum, float *y, size_t pitch, bool narrow);

/* Whether this processor wants `narrow`. */
bool luc_tile_narrow(void);

#endif
