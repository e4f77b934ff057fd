#include "core/tensor/resize.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BICUBIC_A   (-0.5)
#define BOX_SLACK   1e-6 /* pixels by which a box may leave its picture: rounding of the caller's */
#define FLOATS_MAX  (SIZE_MAX / 64)
#define SUPPORT_LIN 1.0
#define SUPPORT_CUB 2.0
#define WEIGHT_ONE  4194304.0 /* Pillow weighs bytes with 22-bit fixed-point weights */

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys, "Cubic convolution interpolation for digital image processing", 1981. */
static double cubic(double x)
{
    const double a = BICUBIC_A;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

/* A weight as Pillow's fixed point has it; float holds it exactly. */
static float quantise(double w)
{
    return (float)(trunc(w * WEIGHT_ONE + (w < 0 ? -0.5 : 0.5)) / WEIGHT_ONE);
}

/* For each of n output positions, the source positions first .. first + count that it reads and
 * their weights, which sum to 1. */
struct axis {
    size_t n, room; /* room: weights kept per position */
    size_t *first, *count;
    float *weight;
};

static void axis_done(struct axis *axis)
{
    free(axis->first);
    free(axis->count);
    free(axis->weight);
}

static size_t clamp_index(double v, size_t low, size_t high)
{
    return v <= (double)low ? low : v >= (double)high ? high : (size_t)v;
}

static void fill_position(struct axis *axis, size_t i, double center, double support,
                          double narrowing, size_t size, double (*kernel)(double), bool fixed)
{
    const size_t first = clamp_index(center - support + 0.5, 0, size - 1);
    const size_t end = clamp_index(center + support + 0.5, first + 1, size);
    const size_t count = end - first < axis->room ? end - first : axis->room;
    float *weight = axis->weight + i * axis->room;
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += kernel(((double)(first + k) - center + 0.5) * narrowing);
    for (size_t k = 0; k < count; k++) {
        const double w = sum > 0
                             ? kernel(((double)(first + k) - center + 0.5) * narrowing) * (1 / sum)
                             : (k == 0 ? 1.0 : 0.0); /* wholly outside: the rim */
        weight[k] = fixed ? quantise(w) : (float)w;
    }
    axis->first[i] = first;
    axis->count[i] = count;
}

/* `size` source pixels, of which [from, from + extent) become n. */
static enum luc_status axis_init(struct axis *axis, size_t size, double from, double extent,
                                 size_t n, enum luc_filter filter, bool fixed,
                                 struct luc_error *err)
{
    const double scale = extent / (double)n, widening = scale > 1 ? scale : 1;
    const double support = (filter == LUC_BICUBIC ? SUPPORT_CUB : SUPPORT_LIN) * widening;
    const double wanted = ceil(support) * 2 + 1;
    axis->n = n;
    axis->room = wanted < (double)size ? (size_t)wanted : size;
    if (n > FLOATS_MAX / axis->room)
        return luc_fail(err, LUC_TOO_LARGE, "resizing to %zu pixels is too large", n);
    axis->first = calloc(n, sizeof(*axis->first));
    axis->count = calloc(n, sizeof(*axis->count));
    axis->weight = calloc(n * axis->room, sizeof(*axis->weight));
    if (!axis->first || !axis->count || !axis->weight)
        return luc_fail_nomem(err, "resizing", n * axis->room * sizeof(float));
    for (size_t i = 0; i < n; i++)
        fill_position(axis, i, from + ((double)i + 0.5) * scale, support, 1 / widening, size,
                      filter == LUC_BICUBIC ? cubic : triangle, fixed);
    return LUC_OK;
}

/* What is resized and where it goes; exactly one source and one destination is set. */
struct resize {
    const uint8_t *bytes;
    const float *floats;
    size_t width, height, channels;
    struct luc_box box;
    size_t out_width, out_height;
    enum luc_filter filter;
    struct luc_image *image; /* out, interleaved */
    float *planes;           /* out, plane after plane */
    /* work */
    struct axis x, y;
    size_t y0, rows; /* source rows that are read at all */
    float *line;     /* one source row */
    float *mid;      /* [rows][out_width * channels], resized across */
    double *sum;     /* one output row; double holds sums of fixed-point weights exactly */
};

static double clamp_byte(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static const float *source_row(const struct resize *r, size_t y)
{
    const size_t n = r->width * r->channels;
    if (r->floats)
        return r->floats + y * n;
    const uint8_t *from = r->bytes + y * n;
    assert(r->bytes);
    for (size_t i = 0; i < n; i++)
        r->line[i] = from[i];
    return r->line;
}

/* sum[c] = the weighted sum of n pixels' channel c. RGB has its own loop: it is nearly every call. */
static void weigh(const float *weight, const float *from, size_t n, size_t channels, double *sum)
{
    if (channels == 3) {
        double r = 0, g = 0, b = 0;
        for (size_t k = 0; k < n; k++, from += 3) {
            const double w = (double)weight[k];
            r += w * (double)from[0];
            g += w * (double)from[1];
            b += w * (double)from[2];
        }
        sum[0] = r, sum[1] = g, sum[2] = b;
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        sum[c] = 0;
        for (size_t k = 0; k < n; k++)
            sum[c] += (double)weight[k] * (double)from[k * channels + c];
    }
}

/* Between the passes Pillow rounds to bytes; planes keep the fraction. */
static void across(const struct resize *r, const float *row, float *out)
{
    const size_t channels = r->channels, n = r->out_width * channels;
    for (size_t i = 0; i < r->out_width; i++)
        weigh(r->x.weight + i * r->x.room, row + r->x.first[i] * channels, r->x.count[i], channels,
              r->sum + i * channels);
    for (size_t i = 0; i < n; i++) {
        const double v = r->bytes ? clamp_byte(r->sum[i]) : r->sum[i];
        out[i] = (float)(r->image ? floor(v + 0.5) : v);
    }
}

static void put_row(const struct resize *r, size_t y)
{
    const size_t n = r->out_width * r->channels, plane = r->out_width * r->out_height;
    if (r->image) {
        for (size_t i = 0; i < n; i++)
            r->image->data[y * n + i] = (uint8_t)(clamp_byte(r->sum[i]) + 0.5);
        return;
    }
    for (size_t c = 0; c < r->channels; c++)
        for (size_t x = 0; x < r->out_width; x++) {
            const double v = r->sum[x * r->channels + c];
            r->planes[c * plane + y * r->out_width + x] = (float)(r->bytes ? clamp_byte(v) : v);
        }
}

static void down(const struct resize *r)
{
    const size_t n = r->out_width * r->channels;
    for (size_t y = 0; y < r->out_height; y++) {
        const float *weight = r->y.weight + y * r->y.room;
        const float *from = r->mid + (r->y.first[y] - r->y0) * n;
        memset(r->sum, 0, n * sizeof(*r->sum));
        for (size_t k = 0; k < r->y.count[y]; k++)
            for (size_t i = 0; i < n; i++)
                r->sum[i] += (double)weight[k] * (double)from[k * n + i];
        put_row(r, y);
    }
}

static enum luc_status allocate(struct resize *r, struct luc_error *err)
{
    assert(r->y.first && r->y.count && r->channels > 0); /* axis_init succeeded */
    r->y0 = r->y.first[0];
    size_t end = 0;
    for (size_t y = 0; y < r->out_height; y++)
        end = r->y.first[y] + r->y.count[y] > end ? r->y.first[y] + r->y.count[y] : end;
    r->rows = end - r->y0;
    assert(r->rows > 0);
    if (r->out_width > FLOATS_MAX / r->channels / r->rows)
        return luc_fail(err, LUC_TOO_LARGE, "resizing to %zu x %zu pixels is too large",
                        r->out_width, r->out_height);
    const size_t n = r->out_width * r->channels;
    r->line = malloc(r->width * r->channels * sizeof(float));
    r->mid = malloc(r->rows * n * sizeof(float));
    r->sum = malloc(n * sizeof(double));
    if (!r->line || !r->mid || !r->sum)
        return luc_fail_nomem(err, "resizing", r->rows * n * sizeof(float));
    return LUC_OK;
}

static enum luc_status run(struct resize *r, struct luc_error *err)
{
    enum luc_status st = axis_init(&r->x, r->width, r->box.x, r->box.width, r->out_width, r->filter,
                                   r->image != NULL, err);
    if (!st)
        st = axis_init(&r->y, r->height, r->box.y, r->box.height, r->out_height, r->filter,
                       r->image != NULL, err);
    if (!st)
        st = allocate(r, err);
    if (!st) {
        for (size_t y = 0; y < r->rows; y++)
            across(r, source_row(r, r->y0 + y), r->mid + y * r->out_width * r->channels);
        down(r);
    }
    axis_done(&r->x);
    axis_done(&r->y);
    free(r->line);
    free(r->mid);
    free(r->sum);
    return st;
}

static bool box_is_sound(const struct luc_box *b)
{
    return isfinite(b->x) && isfinite(b->y) && isfinite(b->width) && isfinite(b->height) &&
           b->width > 0 && b->height > 0;
}

static enum luc_status check(const struct resize *r, bool inside, struct luc_error *err)
{
    if (r->width == 0 || r->height == 0 || r->channels == 0 || r->out_width == 0 ||
        r->out_height == 0)
        return luc_fail(err, LUC_RANGE, "cannot resize %zu x %zu to %zu x %zu pixels", r->width,
                        r->height, r->out_width, r->out_height);
    const struct luc_box *b = &r->box;
    if (!box_is_sound(b) || (inside && (b->x < -BOX_SLACK || b->y < -BOX_SLACK ||
                                        b->x + b->width > (double)r->width + BOX_SLACK ||
                                        b->y + b->height > (double)r->height + BOX_SLACK)))
        return luc_fail(err, LUC_RANGE, "the box %gx%g at %g,%g does not fit in %zu x %zu pixels",
                        b->width, b->height, b->x, b->y, r->width, r->height);
    return LUC_OK;
}

static struct luc_box box_or_all(const struct luc_box *box, size_t width, size_t height)
{
    return box ? *box : (struct luc_box){ 0, 0, (double)width, (double)height };
}

enum luc_status luc_image_resize(const struct luc_image *src, const struct luc_box *box,
                                 size_t width, size_t height, enum luc_filter filter,
                                 struct luc_image *out, struct luc_error *err)
{
    struct luc_image made = { 0 };
    struct resize r = {
        .bytes = src->data,
        .width = src->width,
        .height = src->height,
        .channels = src->channels,
        .box = box_or_all(box, src->width, src->height),
        .out_width = width,
        .out_height = height,
        .filter = filter,
        .image = &made,
    };
    enum luc_status st = check(&r, true, err);
    if (!st)
        st = luc_image_create(width, height, src->channels, &made, err);
    if (!st)
        st = run(&r, err);
    if (st) {
        luc_image_done(&made);
        return st;
    }
    *out = made;
    return LUC_OK;
}

enum luc_status luc_image_resize_planar(const struct luc_image *src, const struct luc_box *box,
                                        size_t width, size_t height, enum luc_filter filter,
                                        float *out, struct luc_error *err)
{
    struct resize r = {
        .bytes = src->data,
        .width = src->width,
        .height = src->height,
        .channels = src->channels,
        .box = box_or_all(box, src->width, src->height),
        .out_width = width,
        .out_height = height,
        .filter = filter,
        .planes = out,
    };
    const enum luc_status st = check(&r, true, err);
    return st ? st : run(&r, err);
}

static enum luc_status map_resize(const float *map, size_t width, size_t height,
                                  const struct luc_box *box, size_t out_width, size_t out_height,
                                  enum luc_filter filter, float *out, struct luc_error *err)
{
    struct resize r = {
        .floats = map,
        .width = width,
        .height = height,
        .channels = 1,
        .box = box_or_all(box, width, height),
        .out_width = out_width,
        .out_height = out_height,
        .filter = filter,
        .planes = out,
    };
    const enum luc_status st = check(&r, false, err);
    return st ? st : run(&r, err);
}

enum luc_status luc_map_resize(const float *map, size_t width, size_t height,
                               const struct luc_box *box, size_t out_width, size_t out_height,
                               float *out, struct luc_error *err)
{
    return map_resize(map, width, height, box, out_width, out_height, LUC_BILINEAR, out, err);
}

enum luc_status luc_map_resize_smooth(const float *map, size_t width, size_t height,
                                      const struct luc_box *box, size_t out_width,
                                      size_t out_height, float *out, struct luc_error *err)
{
    const enum luc_status st =
        map_resize(map, width, height, box, out_width, out_height, LUC_BICUBIC, out, err);
    if (st)
        return st;
    float low = map[0], high = map[0];
    for (size_t i = 0; i < width * height; i++) {
        low = map[i] < low ? map[i] : low;
        high = map[i] > high ? map[i] : high;
    }
    for (size_t i = 0; i < out_width * out_height; i++)
        out[i] = out[i] < low ? low : out[i] > high ? high : out[i];
    return LUC_OK;
}

enum luc_status luc_image_crop(const struct luc_image *src, size_t x, size_t y, size_t width,
                               size_t height, struct luc_image *out, struct luc_error *err)
{
    if (width == 0 || height == 0 || x > src->width || width > src->width - x || y > src->height ||
        height > src->height - y)
        return luc_fail(err, LUC_RANGE, "%zu x %zu pixels at %zu,%zu do not fit in %zu x %zu",
                        width, height, x, y, src->width, src->height);
    struct luc_image made = { 0 };
    const enum luc_status st = luc_image_create(width, height, src->channels, &made, err);
    if (st)
        return st;
    for (size_t row = 0; row < height; row++)
        memcpy(made.data + row * width * src->channels,
               src->data + ((y + row) * src->width + x) * src->channels, width * src->channels);
    *out = made;
    return LUC_OK;
}

void luc_image_paste(struct luc_image *dst, const struct luc_image *src, size_t x, size_t y)
{
    if (x >= dst->width || y >= dst->height || dst->channels != src->channels)
        return;
    const size_t width = src->width < dst->width - x ? src->width : dst->width - x;
    const size_t height = src->height < dst->height - y ? src->height : dst->height - y;
    for (size_t row = 0; row < height; row++)
        memcpy(dst->data + ((y + row) * dst->width + x) * dst->channels,
               src->data + row * src->width * src->channels, width * src->channels);
}
