#include "core/tensor/codec.h"
#include "core/tensor/codec_formats.h"
#include "core/tensor/resize.h"

#include <stdlib.h>
#include <string.h>

#include <libexif/exif-data.h>

static const struct luc_codec *const codecs[] = {
    [LUC_IMAGE_JPEG] = &luc_codec_jpeg, [LUC_IMAGE_PNG] = &luc_codec_png,
    [LUC_IMAGE_WEBP] = &luc_codec_webp, [LUC_IMAGE_GIF] = &luc_codec_gif,
    [LUC_IMAGE_HEIC] = &luc_codec_heic, [LUC_IMAGE_AVIF] = &luc_codec_avif,
};
#define N_CODECS (sizeof(codecs) / sizeof(*codecs))

/* What people send besides. The first bytes say what it is, `at` bytes into the file. */
static const struct {
    const char *name, *magic;
    size_t at, size;
} others[] = {
    { "a TIFF", "II*\0", 0, 4 },
    { "a TIFF", "MM\0*", 0, 4 },
    { "a BMP", "BM", 0, 2 },
    { "a JPEG XL", "\0\0\0\x0cJXL ", 0, 8 },
    { "a JPEG XL", "\xff\x0a", 0, 2 },
    { "a JPEG 2000", "\0\0\0\x0cjP  ", 0, 8 },
    { "a Photoshop file", "8BPS", 0, 4 },
    { "a PDF", "%PDF", 0, 4 },
    { "an icon", "\0\0\1\0", 0, 4 },
    { "an SVG", "<svg", 0, 4 },
    { "an SVG", "<?xml", 0, 5 },
    { "a video", "ftyp", 4, 4 },
    { "a Netpbm picture", "P6", 0, 2 },
    { "an OpenEXR picture", "v/1\1", 0, 4 },
    { "a Radiance picture", "#?RADIANCE", 0, 10 },
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
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (size >= others[i].at + others[i].size &&
            memcmp(bytes + others[i].at, others[i].magic, others[i].size) == 0)
            return luc_fail(err, LUC_UNSUPPORTED, "this is %s; convert it to JPEG or PNG",
                            others[i].name);
    return luc_fail(err, LUC_FORMAT, "not a JPEG, PNG, WebP, GIF, HEIC or AVIF file");
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

static size_t reduced(size_t n, struct luc_reduction r)
{
    return (n * r.num + r.den - 1) / r.den;
}

static struct luc_reduction reduction_of(const struct luc_image_info *info, size_t max_side)
{
    const struct luc_codec *codec = codecs[info->format];
    const size_t longer = info->width > info->height ? info->width : info->height;
    if (max_side == 0 || longer <= max_side || !codec->reduce)
        return (struct luc_reduction){ 1, 1 };
    return codec->reduce(info, max_side);
}

void luc_image_shown(const struct luc_image_info *info, const struct luc_decode *how, size_t *width,
                     size_t *height)
{
    const size_t longer = info->width > info->height ? info->width : info->height;
    const size_t w = info->width, h = info->height, side = how->max_side;
    *width = w, *height = h;
    if (side == 0 || longer <= side)
        return;
    *width = (w * side + longer / 2) / longer;
    *height = (h * side + longer / 2) / longer;
    *width += *width == 0;
    *height += *height == 0;
}

size_t luc_image_decode_bytes(const struct luc_image_info *info, const struct luc_decode *how)
{
    const struct luc_reduction r = reduction_of(info, how->max_side);
    const size_t channels = info->has_alpha ? 4 : 3;
    const size_t decoded = channels * reduced(info->width, r) * reduced(info->height, r);
    size_t width = 0, height = 0;
    luc_image_shown(info, how, &width, &height);
    const size_t shown = channels * width * height;
    const bool copied = shown != decoded || info->orientation != 1;
    return decoded + (copied ? shown : 0) + info->working_bytes;
}

/* What is decoded at `r` of its stored size becomes as large as luc_image_shown() says. */
static enum luc_status shrink(struct luc_image *im, const struct luc_image_info *info,
                              const struct luc_decode *how, struct luc_reduction r,
                              struct luc_error *err)
{
    size_t width = 0, height = 0;
    luc_image_shown(info, how, &width, &height);
    if (width == im->width && height == im->height)
        return LUC_OK;
    const struct luc_box box = { 0, 0, (double)info->width * r.num / r.den,
                                 (double)info->height * r.num / r.den };
    struct luc_image small = { 0 };
    const enum luc_status st = luc_image_resize(im, &box, width, height, LUC_BICUBIC, &small, err);
    if (st)
        return st;
    luc_image_done(im);
    *im = small;
    return LUC_OK;
}

void luc_profile_image(const void *profile, size_t size, struct luc_image *image)
{
    struct luc_profile *p =
        luc_profile_open(profile, size, image->channels == 4 ? LUC_SAMPLES_RGBA : LUC_SAMPLES_RGB);
    if (p)
        for (size_t y = 0; y < image->height; y++) {
            uint8_t *row = image->data + y * image->width * image->channels;
            luc_profile_apply(p, row, image->width, row);
        }
    luc_profile_close(p);
}

static enum luc_status decode(const struct luc_decoding *d, const struct luc_decode *how,
                              struct luc_error *err)
{
    const struct luc_image_info *info = d->info;
    enum luc_status st =
        luc_image_create(reduced(info->width, d->reduction), reduced(info->height, d->reduction),
                         info->has_alpha ? 4 : 3, d->image, err);
    if (!st)
        st = codecs[info->format]->decode(d, err);
    if (!st && info->has_alpha && !how->keep_alpha)
        lay_over(d->image, how->background);
    if (!st)
        st = shrink(d->image, info, how, d->reduction, err);
    return st ? st : make_upright(d->image, info->orientation, err);
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
    const struct luc_decoding d = { .bytes = bytes,
                                    .size = size,
                                    .info = &info,
                                    .reduction = reduction_of(&info, how->max_side),
                                    .ignore_profile = how->ignore_profile,
                                    .image = &im };
    st = decode(&d, how, err);
    if (st) {
        luc_image_done(&im);
        return st;
    }
    *image = im;
    return LUC_OK;
}
