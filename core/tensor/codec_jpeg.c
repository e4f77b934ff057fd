/* JPEG through libjpeg-turbo.
 *
 * libjpeg reports an error by calling error_exit, which must not return: it jumps back to the
 * setjmp in guarded(). Everything that has to be freed lives in a struct owned by guarded()'s
 * caller, so that no local variable is read after the jump.
 */
#include "core/tensor/codec_formats.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#define MAX_SCANS    64 /* honest progressive files have about ten */
#define MAX_SIDE     65500
#define MEMORY_FIXED ((long)16 << 20) /* bytes that libjpeg may use besides the coefficients */
#define OUT_BLOCK    16384

struct failure {
    struct jpeg_error_mgr mgr; /* first: libjpeg's cinfo->err points here */
    jmp_buf back;
    enum luc_status status;
    struct luc_error *err;
};

static struct failure *failure_of(j_common_ptr cinfo)
{
    return (struct failure *)(void *)cinfo->err;
}

static void on_error(j_common_ptr cinfo)
{
    struct failure *f = failure_of(cinfo);
    char text[JMSG_LENGTH_MAX];
    f->mgr.format_message(cinfo, text);
    switch (f->mgr.msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE: f->status = luc_fail(f->err, LUC_NOMEM, "JPEG: %s", text); break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
        f->status = luc_fail(f->err, LUC_UNSUPPORTED, "JPEG: %s", text);
        break;
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        f->status = luc_fail(f->err, LUC_FORMAT, "the JPEG file is truncated: send it again");
        break;
    default: f->status = luc_fail(f->err, LUC_FORMAT, "the JPEG file is damaged: %s", text); break;
    }
    longjmp(f->back, 1);
}

/* libjpeg would go on and paint the missing part gray; a part of a picture is not a picture. Stray
 * bytes between markers, which cameras write, stay harmless. */
static void on_message(j_common_ptr cinfo, int level)
{
    if (level >= 0)
        return;
    struct failure *f = failure_of(cinfo);
    switch (f->mgr.msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        f->status = luc_fail(f->err, LUC_FORMAT, "the JPEG file is truncated: send it again");
        longjmp(f->back, 1);
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_NOT_SEQUENTIAL: on_error(cinfo); break;
    default: break;
    }
}

static void on_output(j_common_ptr cinfo)
{
    (void)cinfo; /* nothing is printed */
}

/* A progressive file may ask for any number of passes over all pixels, each for a few bytes. */
static void on_progress(j_common_ptr cinfo)
{
    if (!cinfo->is_decompressor)
        return;
    struct failure *f = failure_of(cinfo);
    if (((j_decompress_ptr)(void *)cinfo)->input_scan_number <= MAX_SCANS)
        return;
    f->status =
        luc_fail(f->err, LUC_UNSUPPORTED, "the JPEG file has more than %d scans", MAX_SCANS);
    longjmp(f->back, 1);
}

static struct jpeg_error_mgr *init_failure(struct failure *f, struct luc_error *err)
{
    jpeg_std_error(&f->mgr);
    f->mgr.error_exit = on_error;
    f->mgr.emit_message = on_message;
    f->mgr.output_message = on_output;
    f->err = err;
    return &f->mgr;
}

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    struct failure failure;
    const uint8_t *bytes;
    size_t size;
    struct luc_image_info info;
    struct luc_image *image;
};

static int marker_orientation(const struct jpeg_marker_struct *list)
{
    for (const struct jpeg_marker_struct *m = list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return luc_exif_orientation(m->data, m->data_length);
    return 1;
}

static void read_header(struct reader *r)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    jpeg_create_decompress(j);
    j->mem->max_memory_to_use = MEMORY_FIXED;
    r->progress.progress_monitor = on_progress;
    j->progress = &r->progress;
    jpeg_mem_src(j, r->bytes, (unsigned long)r->size);
    jpeg_save_markers(j, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(j, TRUE);
    r->info.width = j->image_width;
    r->info.height = j->image_height;
    r->info.orientation = marker_orientation(j->marker_list);
}

/* In files by Adobe's programs, which say so in a marker, 255 means no ink. */
static void cmyk_to_rgb(const uint8_t *from, size_t n, bool inverted, uint8_t *to)
{
    const unsigned flip = inverted ? 0 : 255;
    for (size_t i = 0; i < n; i++, from += 4, to += 3)
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)(((from[c] ^ flip) * (from[3] ^ flip) + 127) / 255);
}

static void read_pixels(struct reader *r)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    read_header(r);
    const bool cmyk = j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK;
    j->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    /* 2 bytes per coefficient, up to 4 components, sides rounded up to whole blocks */
    j->mem->max_memory_to_use =
        MEMORY_FIXED + 8 * ((long)j->image_width + 32) * ((long)j->image_height + 32);
    jpeg_start_decompress(j);
    const size_t stride = r->image->width * 3;
    JSAMPARRAY inks = NULL;
    if (cmyk)
        inks = j->mem->alloc_sarray((j_common_ptr)j, JPOOL_IMAGE, j->output_width * 4, 1);
    while (j->output_scanline < j->output_height) {
        uint8_t *row = r->image->data + j->output_scanline * stride;
        jpeg_read_scanlines(j, inks ? inks : &row, 1);
        if (inks)
            cmyk_to_rgb(inks[0], r->image->width, j->saw_Adobe_marker, row);
    }
    jpeg_finish_decompress(j);
}

static enum luc_status guarded(struct reader *r, void (*work)(struct reader *))
{
    if (setjmp(r->failure.back))
        return r->failure.status;
    work(r);
    return LUC_OK;
}

static enum luc_status jpeg_run(const uint8_t *bytes, size_t size, void (*work)(struct reader *),
                                struct luc_image_info *info, struct luc_image *image,
                                struct luc_error *err)
{
    struct reader r = { .bytes = bytes, .size = size, .image = image, .info = *info };
    r.jpeg.err = init_failure(&r.failure, err);
    const enum luc_status st = guarded(&r, work);
    jpeg_destroy_decompress(&r.jpeg);
    if (!st)
        *info = r.info;
    return st;
}

static bool jpeg_match(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

static enum luc_status jpeg_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    return jpeg_run(bytes, size, read_header, info, NULL, err);
}

static enum luc_status jpeg_decode(const uint8_t *bytes, size_t size,
                                   const struct luc_image_info *info, struct luc_image *image,
                                   struct luc_error *err)
{
    struct luc_image_info seen = *info;
    return jpeg_run(bytes, size, read_pixels, &seen, image, err);
}

const struct luc_codec luc_codec_jpeg = {
    .media_type = "image/jpeg",
    .match = jpeg_match,
    .probe = jpeg_probe,
    .decode = jpeg_decode,
};

struct writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_destination_mgr to;
    struct failure failure;
    JOCTET block[OUT_BLOCK];
    const struct luc_image *image;
    int quality;
    struct luc_str *out;
};

static void to_start(j_compress_ptr j)
{
    struct writer *w = j->client_data;
    w->to.next_output_byte = w->block;
    w->to.free_in_buffer = OUT_BLOCK;
}

static boolean to_flush(j_compress_ptr j)
{
    struct writer *w = j->client_data;
    luc_str_put(w->out, w->block, OUT_BLOCK);
    to_start(j);
    return TRUE;
}

static void to_end(j_compress_ptr j)
{
    struct writer *w = j->client_data;
    luc_str_put(w->out, w->block, OUT_BLOCK - w->to.free_in_buffer);
}

static void write_pixels(struct writer *w)
{
    struct jpeg_compress_struct *j = &w->jpeg;
    jpeg_create_compress(j);
    j->client_data = w;
    j->dest = &w->to;
    w->to.init_destination = to_start;
    w->to.empty_output_buffer = to_flush;
    w->to.term_destination = to_end;
    j->image_width = (JDIMENSION)w->image->width;
    j->image_height = (JDIMENSION)w->image->height;
    j->input_components = (int)w->image->channels;
    j->in_color_space = w->image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(j);
    jpeg_set_quality(j, w->quality, TRUE);
    j->optimize_coding = TRUE;
    if (w->quality >= 90 && w->image->channels == 3)
        j->comp_info[0].h_samp_factor = j->comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(j, TRUE);
    const size_t stride = w->image->width * w->image->channels;
    while (j->next_scanline < j->image_height) {
        JSAMPROW row = w->image->data + j->next_scanline * stride;
        jpeg_write_scanlines(j, &row, 1);
    }
    jpeg_finish_compress(j);
}

static enum luc_status guarded_write(struct writer *w)
{
    if (setjmp(w->failure.back))
        return w->failure.status;
    write_pixels(w);
    return LUC_OK;
}

enum luc_status luc_image_encode_jpeg(const struct luc_image *image, int quality,
                                      struct luc_str *out, struct luc_error *err)
{
    if (image->channels != 1 && image->channels != 3)
        return luc_fail(err, LUC_INVALID, "JPEG holds 1 or 3 channels, not %zu", image->channels);
    if (quality < 1 || quality > 100)
        return luc_fail(err, LUC_RANGE, "JPEG quality %d is outside 1..100", quality);
    if (image->width < 1 || image->height < 1 || image->width > MAX_SIDE ||
        image->height > MAX_SIDE)
        return luc_fail(err, LUC_RANGE, "JPEG cannot hold %zu x %zu pixels", image->width,
                        image->height);
    struct writer w = { .image = image, .quality = quality, .out = out };
    w.jpeg.err = init_failure(&w.failure, err);
    const size_t before = out->len;
    enum luc_status st = guarded_write(&w);
    jpeg_destroy_compress(&w.jpeg);
    if (!st && out->failed)
        st = luc_fail_nomem(err, "JPEG file", out->len);
    if (st)
        out->len = before;
    return st;
}
