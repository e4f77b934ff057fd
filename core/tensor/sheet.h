/* sheet.h -- many small pictures of one size, side by side on white. */
#ifndef LUC_TENSOR_SHEET_H
#define LUC_TENSOR_SHEET_H

#include "core/tensor/image.h"

struct luc_sheet {
    struct luc_image image; /* owned; take it by copying the struct and zeroing this one */
    size_t tile_width, tile_height, n, columns, scale, gap;
};

/* Room for n > 0 tiles of width x height pixels, each pixel drawn as a square of `scale` (0: so
 * that a tile's longer side reaches about `LUC_SHEET_SIDE`), `columns` in a row (0: about as many
 * as rows). LUC_TOO_LARGE, LUC_NOMEM. */
#define LUC_SHEET_SIDE 56
LUC_MUST_USE enum luc_status luc_sheet_create(size_t width, size_t height, size_t n, size_t columns,
                                              size_t scale, struct luc_sheet *sheet,
                                              struct luc_error *err);
void luc_sheet_done(struct luc_sheet *sheet); /* safe on a zeroed struct */

/* Tile i from rgb[height][width][3]. */
void luc_sheet_put(struct luc_sheet *sheet, size_t i, const uint8_t *rgb);

#endif
