/* JPEG through libjpeg-turbo.
 *
 * libjpeg reports an error by calling error_exit, which must not return: it jumps back to the
 * setjmp in guarded(). Everything that has to be freed lives in a struct owned by guarded()'s
 * caller, so that no local variable is read after the jump.
 */
#include "core/tensor/codec_formats.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
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
    bool ended_early; /* the file ended where a marker should have been */
    unsigned seen;    /* bit i: component i was in a scan */
    enum luc_status status;
    struct luc_error *err;
};

static struct failure *failure_of(j_common_ptr cinfo)
{
    return (struct failure *)(void *)cinfo->err;
}

static void give_up(struct failure *f)
{
    f->status = luc_fail(f->err, LUC_FORMAT, "the JPEG file is truncated: send it again");
    longjmp(f->back, 1);
}

static void on_error(j_common_ptr cinfo)
{
    struct failure *f = failure_of(cinfo);
    char text[JMSG_LENGTH_MAX];
    f->mgr.format_message(cinfo, text);
    if (f->ended_early)
        give_up(f);
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

static bool is_arithmetic(j_common_ptr cinfo)
{
    return cinfo->is_decompressor && ((j_decompress_ptr)(void *)cinfo)->arith_code;
}

/* libjpeg would go on and paint the missing part gray; a part of a picture is not a picture. What
 * loses no pixel stays harmless: stray bytes between markers and SOS parameters of zero, which
 * cameras write, and an end without its marker, if nothing was missing before it (check_components()). */
static void on_message(j_common_ptr cinfo, int level)
{
    if (level >= 0)
        return;
    struct failure *f = failure_of(cinfo);
    switch (f->mgr.msg_code) {
    case JWRN_JPEG_EOF: f->ended_early = true; break;
    case JWRN_HIT_MARKER: give_up(f); break;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION: on_error(cinfo); break;
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_NOT_SEQUENTIAL: break;
    default: /* jerror.h hides the name of what a damaged arithmetic code says */
        if (is_arithmetic(cinfo))
            on_error(cinfo);
        break;
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
    const struct jpeg_decompress_struct *j = (j_decompress_ptr)(void *)cinfo;
    for (int i = 0; i < j->comps_in_scan; i++)
        f->seen |= 1u << j->cur_comp_info[i]->component_index;
    if (j->input_scan_number <= MAX_SCANS)
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
    const struct luc_decoding *decoding;
    JOCTET *icc; /* libjpeg's malloc */
    struct luc_profile *profile;
};

static int marker_orientation(const struct jpeg_marker_struct *list)
{
    for (const struct jpeg_marker_struct *m = list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return luc_exif_orientation(m->data, m->data_length);
    return 1;
}

static bool has_profile(const struct jpeg_marker_struct *list)
{
    for (const struct jpeg_marker_struct *m = list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 2 && m->data_length > 14 &&
            memcmp(m->data, "ICC_PROFILE", 12) == 0)
            return true;
    return false;
}

/* Files of several scans keep all coefficients until the last one was read, 2 bytes each. */
static size_t coefficient_bytes(struct jpeg_decompress_struct *j)
{
    size_t blocks = 0;
    if (!jpeg_has_multiple_scans(j))
        return 0;
    for (int i = 0; i < j->num_components; i++) {
        const jpeg_component_info *c = &j->comp_info[i];
        blocks += ((size_t)c->width_in_blocks + (size_t)c->h_samp_factor) *
                  ((size_t)c->height_in_blocks + (size_t)c->v_samp_factor);
    }
    return blocks * DCTSIZE2 * sizeof(JCOEF);
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
    jpeg_save_markers(j, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(j, TRUE);
    r->info.width = j->image_width;
    r->info.height = j->image_height;
    r->info.orientation = marker_orientation(j->marker_list);
    r->info.has_profile = has_profile(j->marker_list);
    r->info.working_bytes = coefficient_bytes(j);
}

/* In files by Adobe's programs, which say so in a marker, 255 means no ink. */
static void cmyk_to_rgb(const uint8_t *from, size_t n, bool inverted, uint8_t *to)
{
    const unsigned flip = inverted ? 0 : 255;
    for (size_t i = 0; i < n; i++, from += 4, to += 3)
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)(((from[c] ^ flip) * (from[3] ^ flip) + 127) / 255);
}

static void find_profile(struct reader *r, bool cmyk)
{
    unsigned n = 0;
    if (r->decoding->ignore_profile || !jpeg_read_icc_profile(&r->jpeg, &r->icc, &n))
        return;
    r->profile = luc_profile_open(r->icc, n,
                                  !cmyk                      ? LUC_SAMPLES_RGB
                                  : r->jpeg.saw_Adobe_marker ? LUC_SAMPLES_CMYK_INVERTED
                                                             : LUC_SAMPLES_CMYK);
}

/* A file that ended without its marker is whole when every component was there ... */
static void check_components(struct reader *r)
{
    if (!r->failure.ended_early)
        return;
    if (r->jpeg.arith_code) /* these go on with zeros, and do not say so */
        give_up(&r->failure);
    for (int c = 0; c < r->jpeg.num_components; c++)
        if (!(r->failure.seen & 1u << c))
            give_up(&r->failure);
}

/* ... and, where they come bit by bit, to the last bit. Before libjpeg finishes: it forgets. */
static void check_bits(struct reader *r)
{
    const struct jpeg_decompress_struct *j = &r->jpeg;
    for (int c = 0; r->failure.ended_early && j->coef_bits && c < j->num_components; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (j->coef_bits[c][k] != 0)
                give_up(&r->failure);
}

static void read_pixels(struct reader *r)
{
    struct jpeg_decompress_struct *j = &r->jpeg;
    struct luc_image *image = r->decoding->image;
    read_header(r);
    const bool cmyk = j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK;
    find_profile(r, cmyk);
    j->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    j->scale_num = r->decoding->reduction.num;
    j->scale_denom = r->decoding->reduction.den;
    j->mem->max_memory_to_use = MEMORY_FIXED + (long)r->info.working_bytes;
    jpeg_start_decompress(j);
    if (j->output_width != image->width || j->output_height != image->height)
        ERREXIT(j, JERR_BAD_STATE); /* reduce() rounds as libjpeg does */
    const size_t stride = image->width * 3;
    JSAMPARRAY inks = NULL;
    if (cmyk)
        inks = j->mem->alloc_sarray((j_common_ptr)j, JPOOL_IMAGE, j->output_width * 4, 1);
    while (j->output_scanline < j->output_height) {
        uint8_t *row = image->data + j->output_scanline * stride;
        jpeg_read_scanlines(j, inks ? inks : &row, 1);
        if (r->profile)
            luc_profile_apply(r->profile, inks ? inks[0] : row, image->width, row);
        else if (inks)
            cmyk_to_rgb(inks[0], image->width, j->saw_Adobe_marker, row);
    }
    check_bits(r);
    jpeg_finish_decompress(j);
    check_components(r);
}

static enum luc_status guarded(struct reader *r, void (*work)(struct reader *))
{
    if (setjmp(r->failure.back))
        return r->failure.status;
    work(r);
    return LUC_OK;
}

static enum luc_status jpeg_run(struct reader *r, void (*work)(struct reader *),
                                struct luc_error *err)
{
    r->jpeg.err = init_failure(&r->failure, err);
    const enum luc_status st = guarded(r, work);
    jpeg_destroy_decompress(&r->jpeg);
    luc_profile_close(r->profile);
    free(r->icc);
    return st;
}

static bool jpeg_match(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

static enum luc_status jpeg_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                  struct luc_error *err)
{
    struct reader r = { .bytes = bytes, .size = size, .info = *info };
    const enum luc_status st = jpeg_run(&r, read_header, err);
    if (!st)
        *info = r.info;
    return st;
}

/* libjpeg leaves out frequencies: a picture of an eighth costs an eighth. */
static struct luc_reduction jpeg_reduce(const struct luc_image_info *info, size_t max_side)
{
    const size_t longer = info->width > info->height ? info->width : info->height;
    unsigned eighths = 1;
    while (eighths < 8 && (longer * eighths + 7) / 8 < max_side)
        eighths++;
    return (struct luc_reduction){ eighths, 8 };
}

static enum luc_status jpeg_decode(const struct luc_decoding *d, struct luc_error *err)
{
    struct reader r = { .bytes = d->bytes, .size = d->size, .info = *d->info, .decoding = d };
    return jpeg_run(&r, read_pixels, err);
}

const struct luc_codec luc_codec_jpeg = {
    .media_type = "image/jpeg",
    .match = jpeg_match,
    .probe = jpeg_probe,
    .reduce = jpeg_reduce,
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
