/* label.h -- words on pictures: printable ASCII in one small face, five by nine pixels times a whole
 * scale. Drawn for this program; other characters come out as '?'. */
#ifndef LUC_TENSOR_LABEL_H
#define LUC_TENSOR_LABEL_H

#include "core/tensor/image.h"

#define LUC_LABEL_HEIGHT 9 /* pixels at scale 1, two of them below the line */

/* Pixels from the first column to the last. */
size_t luc_label_width(const char *text, size_t scale);

/* Bytes of `text` that fit into `width` pixels. */
size_t luc_label_fit(const char *text, size_t scale, size_t width);

/* Writes the first `n` bytes of `text` with its upper left corner at x, y; what leaves the picture
 * (RGB) is cut. */
void luc_label_draw(struct luc_image *image, size_t x, size_t y, size_t scale, const uint8_t rgb[3],
                    const char *text, size_t n);

#endif
