#include "core/tensor/codec.h"
#include "core/tensor/codec_formats.h"

#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

#define N_CODECS 3

static const struct luc_codec *const codecs[N_CODECS] = {
    [LUC_IMAGE_JPEG] = &luc_codec_jpeg,
    [LUC_IMAGE_PNG] = &luc_codec_png,
    [LUC_IMAGE_WEBP] = &luc_codec_webp,
};

#define EXIF_HEADER 6
#define EXIF_MAX    65536

const char *luc_image_media_type(enum luc_image_format format)
{
    return codecs[format]->media_type;
}

static ExifData *load_exif(const uint8_t *exif, size_t size)
{
    static const uint8_t header[EXIF_HEADER] = "Exif\0";
    if (size == 0 || size > EXIF_MAX)
        return NULL;
    if (size >= EXIF_HEADER && memcmp(exif, header, EXIF_HEADER) == 0)
        return exif_data_new_from_data(exif, (unsigned)size);
    uint8_t *whole = malloc(EXIF_HEADER + size); /* libexif wants the header that JPEG has */
    if (!whole)
        return NULL;
    memcpy(whole, header, EXIF_HEADER);
    memcpy(whole + EXIF_HEADER, exif, size);
    ExifData *data = exif_data_new_from_data(whole, (unsigned)(EXIF_HEADER + size));
    free(whole);
    return data;
}

int luc_exif_orientation(const uint8_t *exif, size_t size)
{
    ExifData *data = load_exif(exif, size);
    if (!data)
        return 1;
    int orientation = 1;
    const ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components == 1 && entry->size >= 2)
        orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
    exif_data_unref(data);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

static bool is_turned(int orientation)
{
    return orientation >= 5; /* width and height change places */
}

/* As stored; the public probe turns it upright. */
static enum luc_status probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                             struct luc_error *err)
{
    for (size_t i = 0; i < N_CODECS; i++) {
        if (!codecs[i]->match(bytes, size))
            continue;
        struct luc_image_info found = { .format = (enum luc_image_format)i, .orientation = 1 };
        const enum luc_status st = codecs[i]->probe(bytes, size, &found, err);
        if (st)
            return st;
        if (found.width == 0 || found.height == 0)
            return luc_fail(err, LUC_FORMAT, "the picture has no pixels");
        *info = found;
        return LUC_OK;
    }
    return luc_fail(err, LUC_FORMAT, "not a JPEG, PNG or WebP file");
}

enum luc_status luc_image_probe(const void *bytes, size_t size, struct luc_image_info *info,
                                struct luc_error *err)
{
    struct luc_image_info found = { 0 };
    const enum luc_status st = probe(bytes, size, &found, err);
    if (st)
        return st;
    *info = found;
    if (is_turned(found.orientation))
        info->width = found.height, info->height = found.width;
    return LUC_OK;
}

/* Byte steps through a picture as stored that walk it upright: right and down from `start`. */
struct walk {
    ptrdiff_t start, right, down;
};

static struct walk upright_walk(const struct luc_image *im, int orientation)
{
    const ptrdiff_t pixel = (ptrdiff_t)im->channels, row = pixel * (ptrdiff_t)im->width;
    const ptrdiff_t x1 = row - pixel, y1 = row * ((ptrdiff_t)im->height - 1);
    switch (orientation) {
    case 2: return (struct walk){ x1, -pixel, row };
    case 3: return (struct walk){ x1 + y1, -pixel, -row };
    case 4: return (struct walk){ y1, pixel, -row };
    case 5: return (struct walk){ 0, row, pixel };
    case 6: return (struct walk){ y1, -row, pixel };
    case 7: return (struct walk){ x1 + y1, -row, -pixel };
    case 8: return (struct walk){ x1, row, -pixel };
    default: return (struct walk){ 0, pixel, row };
    }
}

/* Replaces *im by its upright copy. */
static enum luc_status make_upright(struct luc_image *im, int orientation, struct luc_error *err)
{
    if (orientation == 1)
        return LUC_OK;
    const bool turned = is_turned(orientation);
    struct luc_image up = { 0 };
    const enum luc_status st = luc_image_create(
        turned ? im->height : im->width, turned ? im->width : im->height, im->channels, &up, err);
    if (st)
        return st;
    const struct walk w = upright_walk(im, orientation);
    uint8_t *to = up.data;
    for (size_t y = 0; y < up.height; y++) {
        const uint8_t *from = im->data + w.start + (ptrdiff_t)y * w.down;
        for (size_t x = 0; x < up.width; x++, from += w.right)
            for (size_t c = 0; c < im->channels; c++)
                *to++ = from[c];
    }
    luc_image_done(im);
    *im = up;
    return LUC_OK;
}

/* RGBA over a colour, in place; the buffer keeps its size. */
static void lay_over(struct luc_image *im, const uint8_t background[3])
{
    const size_t n = im->width * im->height;
    const uint8_t *from = im->data;
    uint8_t *to = im->data;
    for (size_t i = 0; i < n; i++, from += 4, to += 3) {
        const unsigned a = from[3];
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)((a * from[c] + (255 - a) * background[c] + 127) / 255);
    }
    im->channels = 3;
}

static enum luc_status check_size(const struct luc_image_info *info, size_t max_pixels,
                                  struct luc_error *err)
{
    const unsigned long long pixels = (unsigned long long)info->width * info->height;
    if (max_pixels == 0 || pixels <= max_pixels)
        return LUC_OK;
    const bool turned = is_turned(info->orientation);
    return luc_fail(err, LUC_TOO_LARGE,
                    "the picture has %zu x %zu pixels, at most %.1f megapixels are allowed: "
                    "make it smaller",
                    turned ? info->height : info->width, turned ? info->width : info->height,
                    (double)max_pixels / 1e6);
}

enum luc_status luc_image_decode(const void *bytes, size_t size, const struct luc_decode *how,
                                 struct luc_image *image, struct luc_error *err)
{
    struct luc_image_info info = { 0 };
    enum luc_status st = probe(bytes, size, &info, err);
    if (!st)
        st = check_size(&info, how->max_pixels, err);
    if (st)
        return st;
    struct luc_image im = { 0 };
    st = luc_image_create(info.width, info.height, info.has_alpha ? 4 : 3, &im, err);
    if (!st)
        st = codecs[info.format]->decode(bytes, size, &info, &im, err);
    if (!st && info.has_alpha && !how->keep_alpha)
        lay_over(&im, how->background);
    if (!st)
        st = make_upright(&im, info.orientation, err);
    if (st) {
        luc_image_done(&im);
        return st;
    }
    *image = im;
    return LUC_OK;
}
