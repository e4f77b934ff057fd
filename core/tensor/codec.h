/* codec.h -- JPEG, PNG and WebP files to pictures and back.
 *
 * Only codec*.c know libjpeg, libpng, libwebp and libexif. Files come from strangers: sizes are
 * checked from the header before pixels are decoded, a file that is cut off or damaged is an error
 * rather than half a picture, nothing is printed, nothing leaks.
 *
 * Pictures come out upright (EXIF orientation applied), in 8-bit sRGB as the file states it.
 * Embedded ICC profiles are not applied.
 */
#ifndef LUC_TENSOR_CODEC_H
#define LUC_TENSOR_CODEC_H

#include "core/base/str.h"
#include "core/tensor/image.h"

enum luc_image_format { LUC_IMAGE_JPEG, LUC_IMAGE_PNG, LUC_IMAGE_WEBP };

struct luc_image_info {
    enum luc_image_format format;
    size_t width, height; /* upright */
    int orientation;      /* EXIF, 1..8; 1 is upright */
    bool has_alpha;
};

struct luc_decode {
    size_t max_pixels;     /* width * height; 0: no limit but memory */
    uint8_t background[3]; /* RGB behind transparent pixels */
    bool keep_alpha;       /* RGBA for files that have alpha, instead of laying them over */
};

/* "image/jpeg", ... */
const char *luc_image_media_type(enum luc_image_format format);

/* Reads the header only. LUC_FORMAT: not a JPEG, PNG or WebP, or its header is damaged. */
LUC_MUST_USE enum luc_status luc_image_probe(const void *bytes, size_t size,
                                             struct luc_image_info *info, struct luc_error *err);

/* *image is RGB (RGBA with keep_alpha and alpha); the caller ends it with luc_image_done().
 * LUC_TOO_LARGE: over max_pixels, found before decoding. LUC_FORMAT: not an image, cut off or
 * damaged. LUC_UNSUPPORTED: animated WebP, 12-bit or lossless JPEG. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_image_decode(const void *bytes, size_t size,
                                              const struct luc_decode *how, struct luc_image *image,
                                              struct luc_error *err);

struct luc_image_text {
    const char *key;   /* 1 to 79 printable ASCII characters */
    const char *value; /* UTF-8 */
};

/* How hard luc_image_encode_png works: time against size. */
enum luc_png_effort { LUC_PNG_DEFAULT, LUC_PNG_FAST, LUC_PNG_SMALL };

struct luc_png_options { /* zeroed: the defaults */
    enum luc_png_effort effort;
    const struct luc_image_text *texts; /* written as iTXt */
    size_t n_texts;
};

/* Appends a PNG of a picture of 1, 3 or 4 channels. `options` may be NULL. On failure `out` is as it
 * was. The same picture and options give the same bytes. LUC_INVALID, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_image_encode_png(const struct luc_image *image,
                                                  const struct luc_png_options *options,
                                                  struct luc_str *out, struct luc_error *err);

/* Appends a baseline JPEG of a picture of 1 or 3 channels; quality 1..100. From 90 on colours keep
 * their full resolution. LUC_INVALID, LUC_RANGE (a side over 65500), LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_image_encode_jpeg(const struct luc_image *image, int quality,
                                                   struct luc_str *out, struct luc_error *err);

#endif
