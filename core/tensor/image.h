/* image.h -- 8-bit pictures, row-major, channels interleaved. */
#ifndef LUC_TENSOR_IMAGE_H
#define LUC_TENSOR_IMAGE_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct luc_image {
    size_t width, height;
    size_t channels; /* 1 gray, 3 RGB, 4 RGBA (straight alpha) */
    uint8_t *data;   /* width * height * channels bytes; heap, owned */
};

/* Zeroed pixels. LUC_TOO_LARGE when the product overflows, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_image_create(size_t width, size_t height, size_t channels,
                                              struct luc_image *image, struct luc_error *err);
void luc_image_done(struct luc_image *image); /* frees; safe on a zeroed struct */

#endif
