#include "core/tensor/draw.h"
#include "core/tensor/colormap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_VIEWS 6
#define GAP     8 /* pixels between the pictures of side-by-side */

static const char *const view_names[] = { "overlay", "heatmap",      "gray", "signed",
                                          "mask",    "side-by-side", NULL };

const struct luc_param luc_view_rows[] = {
    LUC_CHOICE(struct luc_view_params, view, LUC_VIEW_OVERLAY, N_VIEWS, view_names,
               "How the map is drawn: over the photograph, alone, as a mask, or beside it"),
    LUC_CHOICE(struct luc_view_params, colormap, LUC_INFERNO, LUC_N_COLORMAPS, luc_colormap_names,
               "Colours of the map; signed maps always use coolwarm"),
    LUC_REAL(struct luc_view_params, alpha, 0.8, 0, 1, "",
             "How strongly an overlay's colours cover the photograph, or a mask darkens it"),
    LUC_REAL(struct luc_view_params, clip_percentile, 99, 50, 100, "%",
             "Percentile of the map's magnitudes that gets the strongest colour"),
    LUC_REAL(struct luc_view_params, gamma, 1, 0.1, 10, "",
             "Exponent on the scaled map: below 1 lifts faint parts, above 1 hides them"),
    LUC_PARAM_END,
};

static float finite_or_zero(float v)
{
    return isfinite(v) ? v : 0;
}

/* The k-th smallest of v[0..n), by partitioning around a middle; reorders v. */
static float select_kth(float *v, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const float pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;; i++, j--) {
            while (i < high && v[i] < pivot)
                i++;
            while (j > low && pivot < v[j])
                j--;
            if (i >= j)
                break;
            const float t = v[i];
            v[i] = v[j];
            v[j] = t;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

struct scale {
    double low, top; /* drawn as 0 and as 1 */
};

/* Of the magnitudes of map[0..n), all finite; work holds n floats. */
static struct scale find_scale(const float *map, size_t n, bool is_signed, double percentile,
                               float *work)
{
    float low = map[0], high = map[0];
    for (size_t i = 0; i < n; i++) {
        low = map[i] < low ? map[i] : low;
        high = map[i] > high ? map[i] : high;
        work[i] = is_signed ? fabsf(map[i]) : map[i];
    }
    if (low == high)
        return (struct scale){ 0, 0 };
    struct scale s = { is_signed ? 0 : (double)low, 0 };
    s.top = (double)select_kth(work, n, (size_t)(percentile / 100 * (double)(n - 1)));
    if (s.top <= s.low) /* nearly all of the map is the same: show the rest */
        s.top = is_signed ? fmax((double)high, -(double)low) : (double)high;
    return s;
}

static float scaled(float v, const struct scale *s, double gamma)
{
    if (s->top <= s->low)
        return 0;
    const double t = ((double)v - s->low) / (s->top - s->low);
    const double size = fmin(fabs(t), 1);
    return (float)copysign(gamma == 1 ? size : pow(size, gamma), t);
}

/* The map's scaled values: unsigned 0..1, signed -1..1. NULL when out of memory. */
static float *scaled_map(const float *map, size_t n, bool is_signed,
                         const struct luc_view_params *view)
{
    float *t = malloc(n * sizeof(*t)), *work = malloc(n * sizeof(*work));
    if (t && work) {
        for (size_t i = 0; i < n; i++)
            t[i] = finite_or_zero(map[i]);
        const struct scale s = find_scale(t, n, is_signed, view->clip_percentile, work);
        for (size_t i = 0; i < n; i++)
            t[i] = scaled(t[i], &s, view->gamma);
    } else {
        free(t);
        t = NULL;
    }
    free(work);
    return t;
}

/* Whole photo pixels whose middle is covered along one side of `size` pixels. */
static void covered(double from, double extent, size_t size, size_t *first, size_t *count)
{
    const double end = fmin(fmax(floor(from + extent + 0.5), 0), (double)size);
    const double start = fmin(fmax(floor(from + 0.5), 0), end);
    *first = (size_t)start;
    *count = (size_t)(end - start);
}

/* Brings t[height][width] to the photo's pixels; 0 outside of its place. */
static enum luc_status spread(const float *t, size_t width, size_t height,
                              const struct luc_image *photo, const struct luc_placing *place,
                              float *field, struct luc_error *err)
{
    size_t x, y, w, h;
    covered(place->seen.x, place->seen.width, photo->width, &x, &w);
    covered(place->seen.y, place->seen.height, photo->height, &y, &h);
    if (w == 0 || h == 0)
        return LUC_OK;
    const struct luc_box *cells = &place->map;
    const double sx = (double)width / cells->width, sy = (double)height / cells->height;
    const struct luc_box seen = { ((double)x - cells->x) * sx, ((double)y - cells->y) * sy,
                                  (double)w * sx, (double)h * sy };
    float *part = malloc(w * h * sizeof(*part));
    if (!part)
        return luc_fail_nomem(err, "drawing", w * h * sizeof(*part));
    const enum luc_status st = luc_map_resize_smooth(t, width, height, &seen, w, h, part, err);
    for (size_t row = 0; !st && row < h; row++)
        memcpy(field + (y + row) * photo->width + x, part + row * w, w * sizeof(*part));
    free(part);
    return st;
}

struct brush {
    const struct luc_colormap *colours;
    bool is_signed;
    float alpha;
};

static uint8_t to_byte(float v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)lroundf(v);
}

static float luma(const uint8_t rgb[3])
{
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}

static void paint_heat(const struct brush *b, const uint8_t *photo, float t, uint8_t *out)
{
    (void)photo;
    float rgb[3];
    luc_colormap_at(b->colours, b->is_signed ? 0.5f + 0.5f * t : t, rgb);
    for (int c = 0; c < 3; c++)
        out[c] = to_byte(rgb[c]);
}

static void paint_gray(const struct brush *b, const uint8_t *photo, float t, uint8_t *out)
{
    (void)photo;
    memset(out, to_byte(255 * (b->is_signed ? 0.5f + 0.5f * t : t)), 3);
}

/* The photograph, dimmed and nearly gray, stays legible; colour rises out of it with the map and
 * keeps some of the photograph's light and shade. The colormap's faintest quarter is left out: on a
 * photograph it would only look like dirt. */
static void paint_overlay(const struct brush *b, const uint8_t *photo, float t, uint8_t *out)
{
    const float desaturate = 0.8f, dim = 0.6f, shade = 0.25f, faintest = 0.25f;
    const float y = luma(photo), size = fabsf(t), cover = b->alpha * size * (1.6f - 0.6f * size);
    const float strength = faintest + (1 - faintest) * size;
    float rgb[3];
    luc_colormap_at(b->colours, b->is_signed ? 0.5f + copysignf(0.5f, t) * strength : strength,
                    rgb);
    for (int c = 0; c < 3; c++) {
        const float plain = (1 - b->alpha) * photo[c] +
                            b->alpha * dim * (desaturate * y + (1 - desaturate) * photo[c]);
        const float colour = rgb[c] * (1 - shade + shade * y / 255);
        out[c] = to_byte((1 - cover) * plain + cover * colour);
    }
}

static void paint_mask(const struct brush *b, const uint8_t *photo, float t, uint8_t *out)
{
    const float light = 1 - b->alpha * (1 - fabsf(t));
    for (int c = 0; c < 3; c++)
        out[c] = to_byte(light * photo[c]);
}

typedef void paint_fn(const struct brush *b, const uint8_t *photo, float t, uint8_t *out);

static paint_fn *const painters[N_VIEWS] = {
    [LUC_VIEW_OVERLAY] = paint_overlay, [LUC_VIEW_HEATMAP] = paint_heat,
    [LUC_VIEW_GRAY] = paint_gray,       [LUC_VIEW_SIGNED] = paint_heat,
    [LUC_VIEW_MASK] = paint_mask,       [LUC_VIEW_SIDE] = paint_heat,
};

static enum luc_status paint(const float *field, const struct luc_image *photo, bool is_signed,
                             const struct luc_view_params *view, struct luc_image *out,
                             struct luc_error *err)
{
    const bool side = view->view == LUC_VIEW_SIDE,
               diverging = is_signed || view->view == LUC_VIEW_SIGNED;
    const size_t left = side ? photo->width + GAP : 0;
    struct luc_image made = { 0 };
    const enum luc_status st = luc_image_create(left + photo->width, photo->height, 3, &made, err);
    if (st)
        return st;
    const struct brush brush = { luc_colormap_get(diverging ? LUC_COOLWARM
                                                            : (enum luc_colormap_id)view->colormap),
                                 diverging, (float)view->alpha };
    if (side) {
        memset(made.data, 255, made.width * made.height * 3);
        luc_image_paste(&made, photo, 0, 0);
    }
    for (size_t y = 0; y < photo->height; y++) {
        const size_t row = y * photo->width;
        uint8_t *to = made.data + (y * made.width + left) * 3;
        for (size_t x = 0; x < photo->width; x++)
            painters[view->view](&brush, photo->data + (row + x) * 3, field[row + x], to + x * 3);
    }
    *out = made;
    return LUC_OK;
}

static bool is_box(const struct luc_box *b)
{
    return isfinite(b->x) && isfinite(b->y) && isfinite(b->width) && isfinite(b->height) &&
           b->width > 0 && b->height > 0;
}

static enum luc_status check(size_t width, size_t height, const struct luc_image *photo,
                             const struct luc_placing *place, const struct luc_view_params *view,
                             struct luc_error *err)
{
    if (width == 0 || height == 0 || width > SIZE_MAX / sizeof(float) / height)
        return luc_fail(err, LUC_INVALID, "a map of %zu x %zu cannot be drawn", width, height);
    if (photo->channels != 3 || photo->width == 0 || photo->height == 0)
        return luc_fail(err, LUC_INVALID, "maps are drawn on RGB pictures");
    if (photo->width > SIZE_MAX / 64 / photo->height)
        return luc_fail(err, LUC_TOO_LARGE, "the photograph is too large to draw on");
    if (!is_box(&place->map) || !is_box(&place->seen))
        return luc_fail(err, LUC_INVALID, "the map has no place in the photograph");
    if (view->view < 0 || view->view >= N_VIEWS || view->colormap < 0 ||
        view->colormap >= LUC_N_COLORMAPS)
        return luc_fail(err, LUC_INVALID, "no such view or colormap");
    return LUC_OK;
}

enum luc_status luc_draw_map(const float *map, size_t width, size_t height, bool is_signed,
                             const struct luc_image *photo, const struct luc_placing *place,
                             const struct luc_view_params *view, struct luc_image *out,
                             struct luc_error *err)
{
    const struct luc_box all = { 0, 0, (double)photo->width, (double)photo->height };
    const struct luc_placing whole = { all, all };
    place = place ? place : &whole;
    enum luc_status st = check(width, height, photo, place, view, err);
    if (st)
        return st;
    float *t = scaled_map(map, width * height, is_signed, view);
    float *field = calloc(photo->width * photo->height, sizeof(*field));
    if (!t || !field)
        st = luc_fail_nomem(err, "drawing", photo->width * photo->height * sizeof(*field));
    if (!st && t && field)
        st = spread(t, width, height, photo, place, field, err);
    if (!st && field)
        st = paint(field, photo, is_signed, view, out, err);
    free(t);
    free(field);
    return st;
}
