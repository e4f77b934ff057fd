/* The first frame of a GIF through giflib. */
#include "core/tensor/codec_formats.h"

#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

#define MAX_RECORDS 4096 /* comments and other extensions before the first frame */

struct source {
    const uint8_t *bytes;
    size_t size, at;
};

struct reading {
    struct source source;
    GifFileType *gif;
    int transparent; /* palette index, or -1 */
};

static int read_bytes(GifFileType *gif, GifByteType *to, int n)
{
    struct source *s = gif->UserData;
    const size_t left = s->size - s->at, take = (size_t)n < left ? (size_t)n : left;
    memcpy(to, s->bytes + s->at, take);
    s->at += take;
    return (int)take;
}

static enum luc_status fail_reading(const struct reading *r, struct luc_error *err)
{
    const int code = r->gif ? r->gif->Error : D_GIF_ERR_NOT_ENOUGH_MEM;
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return luc_fail(err, LUC_NOMEM, "GIF: out of memory");
    if (r->source.at >= r->source.size)
        return luc_fail(err, LUC_FORMAT, "the GIF file is truncated: send it again");
    const char *text = GifErrorString(code);
    return luc_fail(err, LUC_FORMAT, "the GIF file is damaged: %s", text ? text : "no frame");
}

static bool read_extension(struct reading *r)
{
    int code = 0;
    GifByteType *block = NULL;
    if (DGifGetExtension(r->gif, &code, &block) == GIF_ERROR)
        return false;
    while (block) {
        GraphicsControlBlock control;
        if (code == GRAPHICS_EXT_FUNC_CODE &&
            DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            r->transparent = control.TransparentColor;
        if (DGifGetExtensionNext(r->gif, &block) == GIF_ERROR)
            return false;
    }
    return true;
}

/* Up to the pixels of the first frame. */
static bool find_frame(struct reading *r)
{
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    for (size_t i = 0; i < MAX_RECORDS; i++) {
        if (DGifGetRecordType(r->gif, &type) == GIF_ERROR)
            return false;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(r->gif) == GIF_OK;
        if (type != EXTENSION_RECORD_TYPE || !read_extension(r))
            return false;
    }
    return false;
}

static enum luc_status open_frame(struct reading *r, struct luc_error *err)
{
    int code = 0;
    r->transparent = NO_TRANSPARENT_COLOR;
    r->gif = DGifOpen(&r->source, read_bytes, &code);
    if (!r->gif)
        return r->source.at >= r->source.size && code != D_GIF_ERR_NOT_ENOUGH_MEM
                   ? luc_fail(err, LUC_FORMAT, "the GIF file is truncated: send it again")
                   : luc_fail(err, code == D_GIF_ERR_NOT_ENOUGH_MEM ? LUC_NOMEM : LUC_FORMAT,
                              "the GIF file is damaged: its header cannot be read");
    return find_frame(r) ? LUC_OK : fail_reading(r, err);
}

static void close_frame(struct reading *r)
{
    int code = 0;
    if (r->gif)
        DGifCloseFile(r->gif, &code);
}

static bool gif_match(const uint8_t *bytes, size_t size)
{
    return size >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

/* Another frame's descriptor after the first one's blocks. */
static bool has_another(struct reading *r)
{
    GifByteType *block = NULL;
    int size = 0;
    if (DGifGetCode(r->gif, &size, &block) == GIF_ERROR)
        return false;
    while (block)
        if (DGifGetCodeNext(r->gif, &block) == GIF_ERROR)
            return false;
    return find_frame(r);
}

static enum luc_status gif_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                 struct luc_error *err)
{
    struct reading r = { .source = { bytes, size, 0 } };
    const enum luc_status st = open_frame(&r, err);
    if (!st) {
        const GifImageDesc *frame = &r.gif->Image;
        info->width = (size_t)r.gif->SWidth;
        info->height = (size_t)r.gif->SHeight;
        info->has_alpha = r.transparent != NO_TRANSPARENT_COLOR || frame->Left > 0 ||
                          frame->Top > 0 || frame->Width < r.gif->SWidth ||
                          frame->Height < r.gif->SHeight;
        info->animated = has_another(&r);
    }
    close_frame(&r);
    return st;
}

static void put_row(const struct reading *r, const uint8_t *indices, struct luc_image *image,
                    size_t y)
{
    const ColorMapObject *map = r->gif->Image.ColorMap ? r->gif->Image.ColorMap : r->gif->SColorMap;
    const size_t left = (size_t)r->gif->Image.Left, top = (size_t)r->gif->Image.Top;
    if (top + y >= image->height)
        return;
    uint8_t *to = image->data + ((top + y) * image->width + left) * image->channels;
    for (size_t x = 0; x < (size_t)r->gif->Image.Width && left + x < image->width; x++) {
        const int index = indices[x];
        const bool known = map && index < map->ColorCount;
        to[0] = known ? map->Colors[index].Red : 0;
        to[1] = known ? map->Colors[index].Green : 0;
        to[2] = known ? map->Colors[index].Blue : 0;
        if (image->channels == 4)
            to[3] = index == r->transparent ? 0 : 255;
        to += image->channels;
    }
}

/* Interlaced frames come as every 8th row, every 8th from 4, every 4th from 2, every other. */
static bool read_rows(struct reading *r, uint8_t *indices, struct luc_image *image)
{
    static const size_t from[] = { 0, 4, 2, 1 }, by[] = { 8, 8, 4, 2 };
    const GifImageDesc *frame = &r->gif->Image;
    const size_t height = (size_t)frame->Height, passes = frame->Interlace ? 4 : 1;
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t y = frame->Interlace ? from[pass] : 0; y < height;
             y += frame->Interlace ? by[pass] : 1) {
            if (DGifGetLine(r->gif, indices, frame->Width) == GIF_ERROR)
                return false;
            put_row(r, indices, image, y);
        }
    return true;
}

static enum luc_status gif_decode(const struct luc_decoding *d, struct luc_error *err)
{
    struct reading r = { .source = { d->bytes, d->size, 0 } };
    enum luc_status st = open_frame(&r, err);
    if (!st) {
        const size_t width = (size_t)r.gif->Image.Width;
        uint8_t *indices = calloc(width + 1, 1);
        if (!indices)
            st = luc_fail_nomem(err, "a row", width);
        else if (!read_rows(&r, indices, d->image))
            st = fail_reading(&r, err);
        free(indices);
    }
    close_frame(&r);
    return st;
}

const struct luc_codec luc_codec_gif = {
    .media_type = "image/gif",
    .match = gif_match,
    .probe = gif_probe,
    .decode = gif_decode,
};
