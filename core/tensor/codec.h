/* codec.h -- files to pictures and back: JPEG, PNG, WebP, GIF, HEIC and AVIF are read, the first two
 * are written.
 *
 * Only codec*.c know the libraries. Files come from strangers: sizes are checked from the header
 * before pixels are decoded, nothing is printed, nothing leaks. What costs pixels (a file cut off,
 * damaged samples) is an error rather than half a picture; what leaves every pixel right (no end
 * marker, bytes after the end, a bad checksum on a comment) is none.
 *
 * Pictures come out upright (EXIF orientation applied) and in 8-bit sRGB: embedded ICC profiles are
 * applied. Of several frames the first is shown.
 */
#ifndef LUC_TENSOR_CODEC_H
#define LUC_TENSOR_CODEC_H

#include "core/base/str.h"
#include "core/tensor/image.h"

enum luc_image_format {
    LUC_IMAGE_JPEG,
    LUC_IMAGE_PNG,
    LUC_IMAGE_WEBP,
    LUC_IMAGE_GIF,
    LUC_IMAGE_HEIC, /* this and AVIF: when built with libheif */
    LUC_IMAGE_AVIF,
};

struct luc_image_info {
    enum luc_image_format format;
    size_t width, height; /* upright */
    int orientation;      /* EXIF, 1..8; 1 is upright */
    bool has_alpha;
    bool has_profile; /* an ICC profile lies in the file */
    bool animated;    /* more frames follow the one that is shown */
    bool interlaced;
    size_t working_bytes; /* that decoding needs besides the picture: files not read row by row */
};

struct luc_decode {
    size_t max_pixels;     /* width * height; 0: no limit but memory */
    uint8_t background[3]; /* RGB behind transparent pixels */
    bool keep_alpha;       /* RGBA for files that have alpha, instead of laying them over */
    bool ignore_profile;   /* take the samples for sRGB, whatever profile the file has */
    size_t max_side;       /* a picture with a longer side is made smaller; 0: as stored */
};

/* "image/jpeg", ... */
const char *luc_image_media_type(enum luc_image_format format);

/* Reads the header only. LUC_FORMAT: not a picture, or its header is damaged. LUC_UNSUPPORTED: a
 * format that is known but not read, named with what to do. */
LUC_MUST_USE enum luc_status luc_image_probe(const void *bytes, size_t size,
                                             struct luc_image_info *info, struct luc_error *err);

/* The size of the picture that luc_image_decode() makes of such a file, and the bytes that it needs
 * for that at most, the picture among them. */
void luc_image_shown(const struct luc_image_info *info, const struct luc_decode *how, size_t *width,
                     size_t *height);
size_t luc_image_decode_bytes(const struct luc_image_info *info, const struct luc_decode *how);

/* *image is RGB (RGBA with keep_alpha and alpha); the caller ends it with luc_image_done().
 * A baseline JPEG and a PNG that is not interlaced are never held whole when max_side is less.
 * LUC_TOO_LARGE: over max_pixels, found before decoding. LUC_FORMAT: not an image, cut off or
 * damaged. LUC_UNSUPPORTED: a format not read, 12-bit or lossless JPEG. LUC_NOMEM. */
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
