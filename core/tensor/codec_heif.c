/* HEIC and AVIF through libheif, where the build has it. The library turns pictures upright itself. */
#include "core/tensor/codec_formats.h"

#include <stdlib.h>
#include <string.h>

#define BRANDS_MAX 16

/* The brands of a file are four letters each: the major one at 8, compatible ones from 16. */
static bool has_brand(const uint8_t *bytes, size_t size, const char *const *brands)
{
    if (size < 16 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return false;
    const size_t box = (size_t)bytes[2] << 8 | bytes[3];
    for (size_t i = 0; i < BRANDS_MAX; i++) {
        const size_t at = i == 0 ? 8 : 12 + 4 * i;
        if (at + 4 > box || at + 4 > size)
            break;
        for (const char *const *b = brands; *b; b++)
            if (memcmp(bytes + at, *b, 4) == 0)
                return true;
    }
    return false;
}

static bool avif_match(const uint8_t *bytes, size_t size)
{
    static const char *const brands[] = { "avif", "avis", NULL };
    return has_brand(bytes, size, brands);
}

static bool heic_match(const uint8_t *bytes, size_t size)
{
    static const char *const brands[] = { "heic", "heix", "hevc", "hevx", "heim",
                                          "heis", "mif1", "msf1", NULL };
    return !avif_match(bytes, size) && has_brand(bytes, size, brands);
}

#ifdef LUC_HEIF
#include <libheif/heif.h>

#define MAX_SIDE 32768

struct reading {
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
};

static enum luc_status fail_heif(struct heif_error e, struct luc_error *err)
{
    if (e.code == heif_error_Memory_allocation_error &&
        e.subcode != heif_suberror_Security_limit_exceeded)
        return luc_fail(err, LUC_NOMEM, "HEIF: out of memory");
    if (e.code == heif_error_Unsupported_feature || e.code == heif_error_Unsupported_filetype)
        return luc_fail(err, LUC_UNSUPPORTED, "the HEIF file cannot be read: %s", e.message);
    if (e.subcode == heif_suberror_End_of_data)
        return luc_fail(err, LUC_FORMAT, "the HEIF file is truncated: send it again");
    return luc_fail(err, LUC_FORMAT, "the HEIF file is damaged or truncated: %s", e.message);
}

static void close_heif(struct reading *r)
{
    heif_image_release(r->image);
    heif_image_handle_release(r->handle);
    heif_context_free(r->context);
}

static enum luc_status open_heif(const uint8_t *bytes, size_t size, struct reading *r,
                                 struct luc_error *err)
{
    r->context = heif_context_alloc();
    if (!r->context)
        return luc_fail(err, LUC_NOMEM, "HEIF: out of memory");
    heif_context_set_maximum_image_size_limit(r->context, MAX_SIDE);
    heif_context_set_max_decoding_threads(r->context, 0);
    struct heif_error e = heif_context_read_from_memory_without_copy(r->context, bytes, size, NULL);
    if (!e.code)
        e = heif_context_get_primary_image_handle(r->context, &r->handle);
    return e.code ? fail_heif(e, err) : LUC_OK;
}

static enum luc_status heif_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    struct reading r = { 0 };
    const enum luc_status st = open_heif(bytes, size, &r, err);
    if (!st) {
        const int width = heif_image_handle_get_width(r.handle);
        const int height = heif_image_handle_get_height(r.handle);
        info->width = width > 0 ? (size_t)width : 0;
        info->height = height > 0 ? (size_t)height : 0;
        info->has_alpha = heif_image_handle_has_alpha_channel(r.handle) != 0;
        info->has_profile = heif_image_handle_get_raw_color_profile_size(r.handle) > 0;
        info->animated = heif_context_get_number_of_top_level_images(r.context) > 1;
        info->working_bytes = 8 * info->width * info->height; /* planes, then the same as RGB */
    }
    close_heif(&r);
    return st;
}

static void apply_profile(const struct reading *r, struct luc_image *image)
{
    const size_t size = heif_image_handle_get_raw_color_profile_size(r->handle);
    void *profile = malloc(size);
    if (profile && !heif_image_handle_get_raw_color_profile(r->handle, profile).code)
        luc_profile_image(profile, size, image);
    free(profile);
}

static enum luc_status heif_decode(const struct luc_decoding *d, struct luc_error *err)
{
    struct reading r = { 0 };
    struct luc_image *im = d->image;
    enum luc_status st = open_heif(d->bytes, d->size, &r, err);
    if (!st) {
        const struct heif_error e = heif_decode_image(
            r.handle, &r.image, heif_colorspace_RGB,
            im->channels == 4 ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, NULL);
        st = e.code ? fail_heif(e, err) : LUC_OK;
    }
    int stride = 0;
    const uint8_t *from =
        st ? NULL : heif_image_get_plane_readonly(r.image, heif_channel_interleaved, &stride);
    if (!st && (!from || stride <= 0 ||
                heif_image_get_width(r.image, heif_channel_interleaved) != (int)im->width ||
                heif_image_get_height(r.image, heif_channel_interleaved) != (int)im->height))
        st = luc_fail(err, LUC_FORMAT, "the HEIF file is damaged: its parts do not fit");
    for (size_t y = 0; !st && y < im->height; y++)
        memcpy(im->data + y * im->width * im->channels, from + y * (size_t)stride,
               im->width * im->channels);
    if (!st && d->info->has_profile && !d->ignore_profile)
        apply_profile(&r, im);
    close_heif(&r);
    return st;
}
#else
static enum luc_status heif_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    (void)size, (void)info;
    return luc_fail(err, LUC_UNSUPPORTED,
                    "this is %s, and this lucida was built without libheif; convert it to JPEG",
                    avif_match(bytes, size) ? "an AVIF" : "a HEIC");
}

static enum luc_status heif_decode(const struct luc_decoding *d, struct luc_error *err)
{
    struct luc_image_info info;
    return heif_probe(d->bytes, d->size, &info, err);
}
#endif

const struct luc_codec luc_codec_heic = {
    .media_type = "image/heic",
    .match = heic_match,
    .probe = heif_probe,
    .decode = heif_decode,
};

const struct luc_codec luc_codec_avif = {
    .media_type = "image/avif",
    .match = avif_match,
    .probe = heif_probe,
    .decode = heif_decode,
};
