/* codec_formats.h -- what codec.c asks of each file format; private to codec*.c.
 *
 * A codec is a row. probe() fills width, height as stored (not yet upright), orientation and the
 * rest. decode() fills a picture that codec.c made: RGB, or RGBA when the file has alpha, as stored,
 * of the size that reduce() said. Both may be given any bytes that match().
 */
#ifndef LUC_TENSOR_CODEC_FORMATS_H
#define LUC_TENSOR_CODEC_FORMATS_H

#include "core/tensor/codec.h"
#include "core/tensor/codec_profile.h"

/* A stored side of n pixels is decoded as ceil(n * num / den). */
struct luc_reduction {
    unsigned num, den;
};

struct luc_decoding {
    const uint8_t *bytes;
    size_t size;
    const struct luc_image_info *info;
    struct luc_reduction reduction;
    bool ignore_profile;
    struct luc_image *image;
};

struct luc_codec {
    const char *media_type;
    bool (*match)(const uint8_t *bytes, size_t size);
    enum luc_status (*probe)(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                             struct luc_error *err);
    /* How far a file can shrink while it is decoded so that its longer side keeps max_side pixels at
     * least. NULL: not at all. */
    struct luc_reduction (*reduce)(const struct luc_image_info *info, size_t max_side);
    enum luc_status (*decode)(const struct luc_decoding *d, struct luc_error *err);
};

extern const struct luc_codec luc_codec_jpeg, luc_codec_png, luc_codec_webp, luc_codec_gif,
    luc_codec_heic, luc_codec_avif;

/* The orientation 1..8 that an EXIF block states; 1 where it states none. */
int luc_exif_orientation(const uint8_t *exif, size_t size);

/* Turns a whole decoded picture (RGB or RGBA) from the colours of its profile into sRGB, in place. */
void luc_profile_image(const void *profile, size_t size, struct luc_image *image);

#endif
