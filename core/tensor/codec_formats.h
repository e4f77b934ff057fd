/* codec_formats.h -- what codec.c asks of each file format; private to codec*.c.
 *
 * probe() fills width, height as stored (not yet upright), orientation and has_alpha.
 * decode() fills `image` (already checked against the limit) as stored: RGB, or RGBA when the file
 * has alpha. Both may be given any bytes that start with the format's signature.
 */
#ifndef LUC_TENSOR_CODEC_FORMATS_H
#define LUC_TENSOR_CODEC_FORMATS_H

#include "core/tensor/codec.h"

struct luc_codec {
    const char *media_type;
    bool (*match)(const uint8_t *bytes, size_t size);
    enum luc_status (*probe)(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                             struct luc_error *err);
    enum luc_status (*decode)(const uint8_t *bytes, size_t size, const struct luc_image_info *info,
                              struct luc_image *image, struct luc_error *err);
};

extern const struct luc_codec luc_codec_jpeg, luc_codec_png, luc_codec_webp;

/* The orientation 1..8 that an EXIF block states; 1 where it states none. */
int luc_exif_orientation(const uint8_t *exif, size_t size);

#endif
