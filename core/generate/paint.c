#include "core/generate/paint.h"

#include <math.h>
#include <string.h>

#define WHITE 255.0f
#define TONE  4.0f  /* what the planes are divided by before the sigmoid */
#define LEAST 0.02f /* darkest and (1 -) brightest tone that a spectrum is asked to reproduce */

/* Colour covariance of ImageNet, square root, as the Lucid library publishes it; rows are RGB,
 * columns the decorrelated planes; divided by the largest column norm below. */
static const double colour[3][3] = { { 0.26, 0.09, 0.02 },
                                     { 0.27, 0.00, -0.05 },
                                     { 0.27, -0.09, 0.03 } };

static void colour_matrix(bool plain, double m[3][3])
{
    double largest = 0;
    if (plain) {
        for (size_t i = 0; i < 9; i++)
            m[i / 3][i % 3] = i % 4 == 0;
        return;
    }
    for (size_t c = 0; c < 3; c++) {
        double squares = 0;
        for (size_t r = 0; r < 3; r++)
            squares += colour[r][c] * colour[r][c];
        largest = fmax(largest, sqrt(squares));
    }
    for (size_t r = 0; r < 3; r++)
        for (size_t c = 0; c < 3; c++)
            m[r][c] = colour[r][c] / largest;
}

static void invert3(double m[3][3], double inv[3][3])
{
    double det = 0;
    for (size_t c = 0; c < 3; c++)
        det += m[0][c] *
               (m[1][(c + 1) % 3] * m[2][(c + 2) % 3] - m[1][(c + 2) % 3] * m[2][(c + 1) % 3]);
    for (size_t r = 0; r < 3; r++)
        for (size_t c = 0; c < 3; c++)
            inv[c][r] = (m[(r + 1) % 3][(c + 1) % 3] * m[(r + 2) % 3][(c + 2) % 3] -
                         m[(r + 1) % 3][(c + 2) % 3] * m[(r + 2) % 3][(c + 1) % 3]) /
                        det;
}

static size_t spectrum_size(const struct luc_paint *p)
{
    return p->height * luc_fft_columns(p->width);
}

static void fill_scale(struct luc_paint *p)
{
    const size_t h = p->height, w = p->width, columns = luc_fft_columns(w);
    const double least = 1.0 / p->coarsest;
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < columns; x++) {
            const double fy = (double)(y <= (h - 1) / 2 ? y : h - y) / (double)h;
            const double fx = (double)x / (double)w;
            const double f = fmax(sqrt(fy * fy + fx * fx), least);
            p->scale[y * columns + x] = (float)(sqrt((double)(h * w)) / pow(f, p->decay));
        }
}

enum luc_status luc_paint_init(struct luc_paint *p, const struct luc_paint_spec *spec,
                               struct luc_arena *arena, struct luc_error *err)
{
    struct luc_paint fresh = { .kind = spec->kind,
                               .height = spec->height,
                               .width = spec->width,
                               .count = spec->count ? spec->count : 1,
                               .dry = luc_arena_is_dry(arena),
                               .decay = spec->decay > 0 ? spec->decay : 1,
                               .coarsest = spec->coarsest };
    if (fresh.coarsest <= 0)
        fresh.coarsest = (double)(fresh.height > fresh.width ? fresh.height : fresh.width);
    const size_t pixels = fresh.height * fresh.width, bins = spectrum_size(&fresh);
    fresh.each = fresh.kind == LUC_PIXEL ? 3 * pixels : 3 * 2 * bins;
    fresh.n = fresh.count * fresh.each;
    fresh.variable = luc_arena_alloc(arena, fresh.n, sizeof(float));
    if (!fresh.variable)
        return luc_fail_nomem(err, "picture", fresh.n * sizeof(float));
    if (fresh.kind == LUC_FOURIER) {
        fresh.scale = luc_arena_alloc(arena, bins, sizeof(float));
        fresh.planes = luc_arena_alloc(arena, 3 * pixels, sizeof(float));
        fresh.spectrum = luc_arena_alloc(arena, 2 * bins, sizeof(float));
        if (!fresh.scale || !fresh.planes || !fresh.spectrum)
            return luc_fail_nomem(err, "picture", 3 * pixels * sizeof(float));
        colour_matrix(spec->plain_colours, fresh.colour);
        if (!fresh.dry)
            fill_scale(&fresh);
        const enum luc_status st =
            luc_fft_create(fresh.height, fresh.width, arena, &fresh.fft, err);
        if (st)
            return st;
    }
    *p = fresh;
    return LUC_OK;
}

static void scale_spectrum(const struct luc_paint *p, const float *from, float *to, bool divide)
{
    for (size_t i = 0; i < spectrum_size(p); i++) {
        const float s = divide ? 1.0f / p->scale[i] : p->scale[i];
        to[2 * i] = from[2 * i] * s;
        to[2 * i + 1] = from[2 * i + 1] * s;
    }
}

static float logit(float pixel)
{
    const float t = fminf(fmaxf(pixel / WHITE, LEAST), 1 - LEAST);
    return logf(t / (1 - t));
}

static void set_spectrum(struct luc_paint *p, const float *picture, float *variable)
{
    const size_t pixels = p->height * p->width, bins = spectrum_size(p);
    double inv[3][3];
    invert3(p->colour, inv);
    for (size_t i = 0; i < pixels; i++) {
        const float rgb[3] = { logit(picture[i]), logit(picture[pixels + i]),
                               logit(picture[2 * pixels + i]) };
        for (size_t c = 0; c < 3; c++)
            p->planes[c * pixels + i] =
                TONE * (float)(inv[c][0] * (double)rgb[0] + inv[c][1] * (double)rgb[1] +
                               inv[c][2] * (double)rgb[2]);
    }
    for (size_t c = 0; c < 3; c++) {
        luc_fft_forward(p->fft, p->planes + c * pixels, p->spectrum);
        scale_spectrum(p, p->spectrum, variable + 2 * c * bins, true);
    }
}

void luc_paint_set(struct luc_paint *p, const float *pictures)
{
    const size_t n = 3 * p->height * p->width;
    for (size_t i = 0; i < p->count && !p->dry; i++)
        if (p->kind == LUC_PIXEL)
            memcpy(p->variable + i * n, pictures + i * n, n * sizeof(float));
        else
            set_spectrum(p, pictures + i * n, p->variable + i * p->each);
}

void luc_paint_noise(struct luc_paint *p, double deviation, struct luc_rng *rng)
{
    for (size_t i = 0; i < p->n && !p->dry; i++) {
        const double v = deviation * luc_rng_normal(rng);
        p->variable[i] = p->kind == LUC_PIXEL ? WHITE * (float)(0.5 + v) : (float)v;
    }
    luc_paint_clamp(p);
}

static void get_picture(struct luc_paint *p, const float *variable, float *picture)
{
    const size_t pixels = p->height * p->width, bins = spectrum_size(p);
    for (size_t c = 0; c < 3; c++) {
        scale_spectrum(p, variable + 2 * c * bins, p->spectrum, false);
        luc_fft_inverse(p->fft, p->spectrum, p->planes + c * pixels);
    }
    for (size_t r = 0; r < 3; r++) {
        const float a = (float)p->colour[r][0] / TONE, b = (float)p->colour[r][1] / TONE,
                    c = (float)p->colour[r][2] / TONE;
        for (size_t i = 0; i < pixels; i++) {
            const float tone =
                a * p->planes[i] + b * p->planes[pixels + i] + c * p->planes[2 * pixels + i];
            picture[r * pixels + i] = WHITE / (1.0f + expf(-tone));
        }
    }
}

void luc_paint_get(struct luc_paint *p, float *pictures)
{
    const size_t n = 3 * p->height * p->width;
    for (size_t i = 0; i < p->count && !p->dry; i++)
        if (p->kind == LUC_PIXEL)
            memcpy(pictures + i * n, p->variable + i * n, n * sizeof(float));
        else
            get_picture(p, p->variable + i * p->each, pictures + i * n);
}

/* Through sigmoid and colour matrix: planes receives dL/d(planes). */
static void planes_backward(struct luc_paint *p, const float *picture, const float *d_picture)
{
    const size_t pixels = p->height * p->width;
    memset(p->planes, 0, 3 * pixels * sizeof(float));
    for (size_t r = 0; r < 3; r++)
        for (size_t i = 0; i < pixels; i++) {
            const float v = picture[r * pixels + i];
            const float d = d_picture[r * pixels + i] * v * (1.0f - v / WHITE) / TONE;
            for (size_t c = 0; c < 3; c++)
                p->planes[c * pixels + i] += (float)p->colour[r][c] * d;
        }
}

static void spectrum_backward(struct luc_paint *p, const float *picture, const float *d_picture,
                              float *d_variable)
{
    const size_t w = p->width, pixels = p->height * w, columns = luc_fft_columns(w);
    planes_backward(p, picture, d_picture);
    for (size_t c = 0; c < 3; c++) {
        float *d = d_variable + 2 * c * spectrum_size(p);
        luc_fft_forward(p->fft, p->planes + c * pixels, p->spectrum);
        for (size_t i = 0; i < spectrum_size(p); i++) {
            const size_t x = i % columns;
            /* every column but the first and, when W is even, the last stands for two */
            const float times = x == 0 || 2 * x == w ? 1.0f : 2.0f;
            const float s = times * p->scale[i] / (float)pixels;
            d[2 * i] = p->spectrum[2 * i] * s;
            d[2 * i + 1] = p->spectrum[2 * i + 1] * s;
        }
    }
}

void luc_paint_backward(struct luc_paint *p, const float *pictures, const float *d_pictures,
                        float *d_variable)
{
    const size_t n = 3 * p->height * p->width;
    for (size_t i = 0; i < p->count; i++)
        if (p->kind == LUC_PIXEL)
            memcpy(d_variable + i * n, d_pictures + i * n, n * sizeof(float));
        else
            spectrum_backward(p, pictures + i * n, d_pictures + i * n, d_variable + i * p->each);
}

void luc_paint_clamp(struct luc_paint *p)
{
    for (size_t i = 0; p->kind == LUC_PIXEL && i < p->n; i++)
        p->variable[i] = fminf(fmaxf(p->variable[i], 0.0f), WHITE);
}
