/* WebP through libwebp; of an animation the first frame. */
#include "core/tensor/codec_formats.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

static bool webp_match(const uint8_t *bytes, size_t size)
{
    return size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0;
}

static enum luc_status truncated(struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT, "the WebP file is truncated: send it again");
}

static enum luc_status damaged(struct luc_error *err)
{
    return luc_fail(err, LUC_FORMAT, "the WebP file is damaged or truncated: send it again");
}

/* EXIF comes after the pixels in a WebP file, so the whole file's chunks are walked. */
static enum luc_status open_chunks(const uint8_t *bytes, size_t size, WebPDemuxer **chunks,
                                   struct luc_error *err)
{
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    const WebPData data = { bytes, size };
    *chunks = WebPDemuxPartial(&data, &state);
    if (*chunks && state == WEBP_DEMUX_DONE)
        return LUC_OK;
    WebPDemuxDelete(*chunks);
    *chunks = NULL;
    if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER)
        return truncated(err);
    return luc_fail(err, LUC_FORMAT, "the WebP file is damaged: its parts do not fit");
}

static void read_chunks(WebPDemuxer *chunks, struct luc_image_info *info)
{
    WebPChunkIterator chunk;
    if (WebPDemuxGetChunk(chunks, "EXIF", 1, &chunk)) {
        info->orientation = luc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (WebPDemuxGetChunk(chunks, "ICCP", 1, &chunk)) {
        info->has_profile = true;
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    info->animated = WebPDemuxGetI(chunks, WEBP_FF_FRAME_COUNT) > 1;
}

static enum luc_status webp_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    WebPBitstreamFeatures f;
    WebPDemuxer *chunks = NULL;
    const VP8StatusCode code = WebPGetFeatures(bytes, size, &f);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA)
        return truncated(err);
    if (code != VP8_STATUS_OK)
        return luc_fail(err, LUC_FORMAT, "the WebP file is damaged: its header cannot be read");
    const enum luc_status st = open_chunks(bytes, size, &chunks, err);
    if (st)
        return st;
    info->width = (size_t)f.width;
    info->height = (size_t)f.height;
    info->has_alpha = f.has_alpha || f.has_animation; /* frames need not fill their canvas */
    info->working_bytes = 4 * info->width * info->height * (f.has_animation ? 3 : 1);
    read_chunks(chunks, info);
    WebPDemuxDelete(chunks);
    return LUC_OK;
}

/* The first frame, laid on its canvas. */
static enum luc_status decode_frame(const struct luc_decoding *d, struct luc_error *err)
{
    WebPAnimDecoderOptions options;
    const WebPData data = { d->bytes, d->size };
    if (!WebPAnimDecoderOptionsInit(&options))
        return luc_fail(err, LUC_INTERNAL, "libwebp is of another version");
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *frames = WebPAnimDecoderNew(&data, &options);
    uint8_t *canvas = NULL;
    int time = 0;
    const bool got = frames && WebPAnimDecoderGetNext(frames, &canvas, &time);
    if (got)
        memcpy(d->image->data, canvas, d->image->width * d->image->height * 4);
    WebPAnimDecoderDelete(frames);
    return got ? LUC_OK : damaged(err);
}

static enum luc_status decode_still(const struct luc_decoding *d, struct luc_error *err)
{
    struct luc_image *im = d->image;
    const size_t stride = im->width * im->channels; /* at most 16383 * 4 */
    const size_t room = stride * im->height;
    const uint8_t *done = im->channels == 4
                              ? WebPDecodeRGBAInto(d->bytes, d->size, im->data, room, (int)stride)
                              : WebPDecodeRGBInto(d->bytes, d->size, im->data, room, (int)stride);
    return done ? LUC_OK : damaged(err);
}

static enum luc_status webp_decode(const struct luc_decoding *d, struct luc_error *err)
{
    WebPDemuxer *chunks = NULL;
    WebPChunkIterator chunk;
    WebPBitstreamFeatures f;
    if (WebPGetFeatures(d->bytes, d->size, &f) != VP8_STATUS_OK)
        return damaged(err);
    enum luc_status st = f.has_animation ? decode_frame(d, err) : decode_still(d, err);
    if (st || !d->info->has_profile || d->ignore_profile)
        return st;
    st = open_chunks(d->bytes, d->size, &chunks, err);
    if (st)
        return st;
    if (WebPDemuxGetChunk(chunks, "ICCP", 1, &chunk)) {
        luc_profile_image(chunk.chunk.bytes, chunk.chunk.size, d->image);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(chunks);
    return LUC_OK;
}

const struct luc_codec luc_codec_webp = {
    .media_type = "image/webp",
    .match = webp_match,
    .probe = webp_probe,
    .decode = webp_decode,
};
