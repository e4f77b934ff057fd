/* PNG through libpng.
 *
 * As in codec_jpeg.c, libpng's errors jump back to a setjmp whose caller owns everything.
 */
#include "core/tensor/codec_formats.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#define MAX_SIDE     1000000
#define CHUNK_BYTES  ((png_alloc_size_t)8 << 20) /* largest chunk whose content is kept */
#define CHUNK_COUNT  64
#define SRGB_GAMMA   (1 / 2.2)
#define GAMMA_CLOSE  0.02
#define KEY_MAX      79
#define FIXED_TO_ONE 1e-5 /* libpng's fixed-point unit */

struct job {
    png_structp png;
    png_infop info;
    jmp_buf back;
    enum luc_status status;
    struct luc_error *err;
    /* reading */
    const uint8_t *bytes;
    size_t size, at;
    bool complete; /* every pixel was read */
    bool cut;      /* the file ended before its end mark */
    struct luc_image_info found;
    const struct luc_decoding *decoding;
    struct luc_profile *profile;
    uint8_t *row;   /* one stored row, where rows are averaged */
    uint64_t *sums; /* of the block's rows so far: [image->width][4] */
    /* writing */
    const struct luc_image *source;
    const struct luc_png_options *options;
    struct luc_str *out;
};

/* Once every pixel was read, only damage in the pixels' own chunks is damage. */
static bool is_harmless(const struct job *job, png_const_charp text)
{
    return job->complete && (job->cut || strncmp(text, "IDAT", 4) != 0);
}

static void on_error(png_structp png, png_const_charp text)
{
    struct job *job = png_get_error_ptr(png);
    if (!job->status && !is_harmless(job, text)) {
        const bool memory = strstr(text, "emory") != NULL; /* libpng has no error codes */
        job->status = memory ? luc_fail(job->err, LUC_NOMEM, "PNG: %s", text)
                             : luc_fail(job->err, LUC_FORMAT, "the PNG file is damaged: %s", text);
    }
    longjmp(job->back, 1);
}

/* Nothing is printed. Chunks with a wrong checksum are left out, which costs nothing but with those
 * that decide what the pixels mean. */
static void on_warning(png_structp png, png_const_charp text)
{
    static const char decisive[][5] = { "tRNS", "gAMA", "iCCP", "sRGB" };
    if (!strstr(text, "CRC"))
        return;
    for (size_t i = 0; i < sizeof(decisive) / sizeof(*decisive); i++)
        if (strncmp(text, decisive[i], 4) == 0)
            png_error(png, text);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct job *job = png_get_io_ptr(png);
    if (n > job->size - job->at) {
        job->cut = true;
        if (!job->complete)
            job->status =
                luc_fail(job->err, LUC_FORMAT, "the PNG file is truncated: send it again");
        png_error(png, "truncated");
    }
    memcpy(to, job->bytes + job->at, n);
    job->at += n;
}

/* Chunks that would be decompressed or kept without any use here. */
static void skip_chunks(png_structp png)
{
    static const png_byte names[] = "iTXt\0tEXt\0zTXt\0sPLT\0hIST\0pCAL\0sCAL";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, sizeof(names) / 5);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
}

/* An APNG says so, with the number of its frames, before its pixels; libpng does not read it. */
static bool is_animated(const uint8_t *bytes, size_t size)
{
    size_t at = 8;
    while (at + 12 <= size && memcmp(bytes + at + 4, "IDAT", 4) != 0) {
        const uint8_t *chunk = bytes + at;
        const size_t length = (size_t)png_get_uint_32(chunk);
        if (memcmp(chunk + 4, "acTL", 4) == 0)
            return png_get_uint_32(chunk + 8) > 1;
        if (length > size - at - 12)
            return false;
        at += length + 12;
    }
    return false;
}

static void read_header(struct job *job)
{
    png_structp png = job->png;
    png_set_read_fn(png, job, on_read);
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    png_set_chunk_malloc_max(png, CHUNK_BYTES);
    png_set_chunk_cache_max(png, CHUNK_COUNT);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    skip_chunks(png);
    png_read_info(png, job->info);
    struct luc_image_info *found = &job->found;
    found->width = png_get_image_width(png, job->info);
    found->height = png_get_image_height(png, job->info);
    found->has_alpha = (png_get_color_type(png, job->info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                       png_get_valid(png, job->info, PNG_INFO_tRNS) != 0;
    found->has_profile = png_get_valid(png, job->info, PNG_INFO_iCCP) != 0;
    found->interlaced = png_get_interlace_type(png, job->info) != PNG_INTERLACE_NONE;
    found->animated = is_animated(job->bytes, job->size);
    png_uint_32 n = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(png, job->info, &n, &exif))
        found->orientation = luc_exif_orientation(exif, n);
}

/* Samples are sRGB unless the file states another gamma. */
static void set_gamma(struct job *job)
{
    double gamma = 0;
    if (png_get_valid(job->png, job->info, PNG_INFO_sRGB) ||
        !png_get_gAMA(job->png, job->info, &gamma))
        return;
    if (gamma > FIXED_TO_ONE && fabs(gamma - SRGB_GAMMA) > GAMMA_CLOSE)
        png_set_gamma(job->png, PNG_DEFAULT_sRGB, gamma);
}

/* A profile says more than a gamma. */
static void set_colours(struct job *job)
{
    png_charp name = NULL;
    png_bytep profile = NULL;
    png_uint_32 size = 0;
    int compression = 0;
    if (!job->decoding->ignore_profile &&
        png_get_iCCP(job->png, job->info, &name, &compression, &profile, &size))
        job->profile = luc_profile_open(profile, size,
                                        job->found.has_alpha ? LUC_SAMPLES_RGBA : LUC_SAMPLES_RGB);
    if (!job->profile)
        set_gamma(job);
}

static void read_all(struct job *job, int passes)
{
    struct luc_image *image = job->decoding->image;
    const size_t stride = image->width * image->channels;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < image->height; y++) {
            uint8_t *row = image->data + y * stride;
            png_read_row(job->png, row, NULL);
            if (job->profile && pass == passes - 1)
                luc_profile_apply(job->profile, row, image->width, row);
        }
}

/* Colours count by their alpha: sums[x] is { sum of a * colour, sum of a }. */
static void add_row(struct job *job, size_t factor)
{
    const size_t channels = job->decoding->image->channels;
    const uint8_t *from = job->row;
    for (size_t x = 0; x < job->found.width; x++, from += channels) {
        uint64_t *sum = job->sums + x / factor * 4;
        const unsigned weight = channels == 4 ? from[3] : 255;
        for (size_t c = 0; c < 3; c++)
            sum[c] += weight * (unsigned)from[c];
        sum[3] += weight;
    }
}

static void put_mean_row(struct job *job, size_t y, size_t factor, size_t rows)
{
    const struct luc_image *image = job->decoding->image;
    uint8_t *to = image->data + y * image->width * image->channels;
    for (size_t x = 0; x < image->width; x++, to += image->channels) {
        uint64_t *sum = job->sums + x * 4;
        const size_t left = job->found.width - x * factor;
        const uint64_t n = rows * (left < factor ? left : factor);
        for (size_t c = 0; c < 3; c++)
            to[c] = (uint8_t)(sum[3] ? (sum[c] + sum[3] / 2) / sum[3] : 0);
        if (image->channels == 4)
            to[3] = (uint8_t)((sum[3] + n / 2) / n);
        memset(sum, 0, 4 * sizeof(*sum));
    }
}

/* Never holds more than a row of what is stored: each block of factor x factor pixels becomes one. */
static void read_means(struct job *job, size_t factor)
{
    const struct luc_image *image = job->decoding->image;
    job->row = malloc(job->found.width * image->channels);
    job->sums = calloc(image->width * 4, sizeof(*job->sums));
    if (!job->row || !job->sums)
        png_error(job->png, "out of memory");
    size_t rows = 0;
    for (size_t y = 0; y < job->found.height; y++) {
        png_read_row(job->png, job->row, NULL);
        if (job->profile)
            luc_profile_apply(job->profile, job->row, job->found.width, job->row);
        add_row(job, factor);
        if (++rows < factor && y + 1 < job->found.height)
            continue;
        put_mean_row(job, y / factor, factor, rows);
        rows = 0;
    }
}

static void read_pixels(struct job *job)
{
    png_structp png = job->png;
    read_header(job);
    png_set_expand(png); /* palette, 1/2/4-bit gray and tRNS become 8-bit samples */
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    set_colours(job);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, job->info);
    if (png_get_rowbytes(png, job->info) != job->found.width * job->decoding->image->channels)
        png_error(png, "unexpected row size");
    if (job->decoding->reduction.den > 1)
        read_means(job, job->decoding->reduction.den);
    else
        read_all(job, passes);
    job->complete = true;
    png_read_end(png, NULL);
}

static enum luc_status guarded(struct job *job, void (*work)(struct job *))
{
    if (setjmp(job->back))
        return job->status;
    work(job);
    return LUC_OK;
}

/* guarded() with a reader; frees everything. */
static enum luc_status run_read(struct job *job, void (*work)(struct job *))
{
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    job->info = job->png ? png_create_info_struct(job->png) : NULL;
    const enum luc_status st =
        job->info ? guarded(job, work) : luc_fail(job->err, LUC_NOMEM, "PNG: out of memory");
    png_destroy_read_struct(&job->png, &job->info, NULL);
    luc_profile_close(job->profile);
    free(job->row);
    free(job->sums);
    return st;
}

static bool png_match(const uint8_t *bytes, size_t size)
{
    static const uint8_t signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    return size >= sizeof(signature) && memcmp(bytes, signature, sizeof(signature)) == 0;
}

static enum luc_status png_probe(const uint8_t *bytes, size_t size, struct luc_image_info *info,
                                 struct luc_error *err)
{
    struct job job = { .bytes = bytes, .size = size, .found = *info, .err = err };
    const enum luc_status st = run_read(&job, read_header);
    if (!st)
        *info = job.found;
    return st;
}

static struct luc_reduction png_reduce(const struct luc_image_info *info, size_t max_side)
{
    const size_t longer = info->width > info->height ? info->width : info->height;
    return (struct luc_reduction){ 1, info->interlaced ? 1 : (unsigned)(longer / max_side) };
}

static enum luc_status png_decode(const struct luc_decoding *d, struct luc_error *err)
{
    struct job job = {
        .bytes = d->bytes, .size = d->size, .found = *d->info, .decoding = d, .err = err
    };
    return run_read(&job, read_pixels);
}

const struct luc_codec luc_codec_png = {
    .media_type = "image/png",
    .match = png_match,
    .probe = png_probe,
    .reduce = png_reduce,
    .decode = png_decode,
};

static void on_write(png_structp png, png_bytep from, size_t n)
{
    struct job *job = png_get_io_ptr(png);
    luc_str_put(job->out, from, n);
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void write_texts(struct job *job)
{
    for (size_t i = 0; i < job->options->n_texts; i++) {
        const struct luc_image_text *t = &job->options->texts[i];
        char key[KEY_MAX + 1], none[1] = "";
        memcpy(key, t->key, strlen(t->key) + 1); /* length checked by the caller */
        union {
            const char *in;
            char *out;
        } value = { t->value }; /* libpng reads it only */
        png_text text = { .compression = PNG_ITXT_COMPRESSION_NONE,
                          .key = key,
                          .text = value.out,
                          .itxt_length = strlen(t->value),
                          .lang = none,
                          .lang_key = none };
        png_set_text(job->png, job->info, &text, 1);
    }
}

/* zlib's level and libpng's filters, by measurement on drawn maps (768 x 576): 20 ms and 813 KB, 23 ms
 * and 775 KB, 152 ms and 710 KB. Levels above 6 cost twice that for half a percent. */
static const struct {
    int level, filters;
} efforts[] = {
    [LUC_PNG_DEFAULT] = { 1, PNG_FILTER_PAETH },
    [LUC_PNG_FAST] = { 1, PNG_FILTER_SUB },
    [LUC_PNG_SMALL] = { 6, PNG_ALL_FILTERS },
};

static void write_pixels(struct job *job)
{
    static const int types[] = { 0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB,
                                 PNG_COLOR_TYPE_RGB_ALPHA };
    const struct luc_image *im = job->source;
    png_structp png = job->png;
    png_set_write_fn(png, job, on_write, on_flush);
    png_set_IHDR(png, job->info, (png_uint_32)im->width, (png_uint_32)im->height, 8,
                 types[im->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, efforts[job->options->effort].level);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, efforts[job->options->effort].filters);
    write_texts(job);
    png_write_info(png, job->info);
    for (size_t y = 0; y < im->height; y++)
        png_write_row(png, im->data + y * im->width * im->channels);
    png_write_end(png, NULL);
}

static enum luc_status check_picture(const struct luc_image *im,
                                     const struct luc_png_options *options, struct luc_error *err)
{
    if (im->channels != 1 && im->channels != 3 && im->channels != 4)
        return luc_fail(err, LUC_INVALID, "PNG holds 1, 3 or 4 channels, not %zu", im->channels);
    if (im->width < 1 || im->height < 1 || im->width > MAX_SIDE || im->height > MAX_SIDE)
        return luc_fail(err, LUC_INVALID, "PNG: %zu x %zu pixels cannot be written", im->width,
                        im->height);
    for (size_t i = 0; i < options->n_texts; i++) {
        const char *key = options->texts[i].key;
        const size_t len = strlen(key);
        bool plain = len >= 1 && len <= KEY_MAX;
        for (size_t k = 0; plain && k < len; k++)
            plain = key[k] >= ' ' && key[k] <= '~';
        if (!plain)
            return luc_fail(err, LUC_INVALID, "PNG: a text key must be 1 to %d ASCII characters",
                            KEY_MAX);
    }
    return LUC_OK;
}

enum luc_status luc_image_encode_png(const struct luc_image *image,
                                     const struct luc_png_options *options, struct luc_str *out,
                                     struct luc_error *err)
{
    static const struct luc_png_options defaults = { 0 };
    struct job job = {
        .source = image, .options = options ? options : &defaults, .out = out, .err = err
    };
    enum luc_status st = check_picture(image, job.options, err);
    if (st)
        return st;
    const size_t before = out->len;
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = job.png ? png_create_info_struct(job.png) : NULL;
    st = job.info ? guarded(&job, write_pixels) : luc_fail(err, LUC_NOMEM, "PNG: out of memory");
    png_destroy_write_struct(&job.png, &job.info);
    if (!st && out->failed)
        st = luc_fail_nomem(err, "PNG file", out->len);
    if (st)
        out->len = before;
    return st;
}
