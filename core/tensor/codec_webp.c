/* Still WebP through libwebp. */
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

/* EXIF comes after the pixels in a WebP file, so the whole file's chunks are walked. */
static enum luc_status read_orientation(const uint8_t *bytes, size_t size, int *orientation,
                                        struct luc_error *err)
{
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    const WebPData data = { bytes, size };
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    if (demuxer && state == WEBP_DEMUX_DONE) {
        WebPChunkIterator chunk;
        if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
            *orientation = luc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
            WebPDemuxReleaseChunkIterator(&chunk);
        }
    }
    WebPDemuxDelete(demuxer);
    if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER)
        return truncated(err);
    if (state != WEBP_DEMUX_DONE)
        return luc_fail(err, LUC_FORMAT, "the WebP file is damaged: its parts do not fit");
    return LUC_OK;
}

static enum luc_status webp_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    WebPBitstreamFeatures f;
    const VP8StatusCode code = WebPGetFeatures(bytes, size, &f);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA)
        return truncated(err);
    if (code != VP8_STATUS_OK)
        return luc_fail(err, LUC_FORMAT, "the WebP file is damaged: its header cannot be read");
    if (f.has_animation)
        return luc_fail(err, LUC_UNSUPPORTED, "the WebP file is animated: send a still picture");
    info->width = (size_t)f.width;
    info->height = (size_t)f.height;
    info->has_alpha = f.has_alpha;
    return read_orientation(bytes, size, &info->orientation, err);
}

static enum luc_status webp_decode(const uint8_t *bytes, size_t size,
                                   const struct luc_image_info *info, struct luc_image *image,
                                   struct luc_error *err)
{
    const size_t stride = image->width * image->channels; /* at most 16383 * 4 */
    const size_t room = stride * image->height;
    const uint8_t *done = info->has_alpha
                              ? WebPDecodeRGBAInto(bytes, size, image->data, room, (int)stride)
                              : WebPDecodeRGBInto(bytes, size, image->data, room, (int)stride);
    if (!done)
        return luc_fail(err, LUC_FORMAT, "the WebP file is damaged or truncated: send it again");
    return LUC_OK;
}

const struct luc_codec luc_codec_webp = {
    .media_type = "image/webp",
    .match = webp_match,
    .probe = webp_probe,
    .decode = webp_decode,
};
