#include "core/generate/regular.h"

#include "core/kernels/clones.h"
#include "core/tensor/blur.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHITE 255.0
#define REACH 128.0 /* of R_alpha: half the range of a pixel */
#define FLAT  1e-8  /* added to squared differences, so that powers below 2 have a slope at 0 */

/* weight * mean |(p - c) / unit|^power */
static double distance(double weight, double power, double unit, const struct luc_regular *r,
                       const float *p, size_t pixels, float *g)
{
    const double n = 3.0 * (double)pixels;
    double sum = 0;
    if (weight == 0)
        return 0;
    for (size_t i = 0; i < 3 * pixels; i++) {
        const double t = ((double)p[i] - (double)r->centre[i / pixels]) / unit, size = fabs(t);
        /* |t|^(power - 1), which the powers in use are spared pow() for */
        const double lower = power == 1 ? 1 : power == 2 ? size : pow(size, power - 1);
        sum += lower * size;
        g[i] += (float)(weight * power * copysign(lower, t) / (n * unit) * (t != 0));
    }
    return weight * sum / n;
}

#define LANES 8

/* d = q - p for n neighbours: adds scale * d to gq, takes it from gp; the sum of d^2. */
LUC_CLONES
static double variation_line(const float *p, const float *q, float scale, float *gp, float *gq,
                             size_t n)
{
    double lane[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        float d[LANES];
        for (size_t k = 0; k < LANES; k++) {
            d[k] = q[i + k] - p[i + k];
            lane[k] += (double)d[k] * (double)d[k];
        }
        for (size_t k = 0; k < LANES; k++)
            gp[i + k] -= scale * d[k];
        for (size_t k = 0; k < LANES; k++)
            gq[i + k] += scale * d[k];
    }
    for (; i < n; i++) {
        const float d = q[i] - p[i];
        sum += (double)d * (double)d;
        gp[i] -= scale * d;
        gq[i] += scale * d;
    }
    for (size_t k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

/* One direction: neighbours are `step` apart; `count` of them in rows of `row`, `lines` rows. */
static double variation(double weight, const float *p, size_t lines, size_t row, size_t count,
                        size_t step, float *g)
{
    double sum = 0;
    const double n = 3.0 * (double)lines * (double)count;
    const float scale = n > 0 ? (float)(weight * 2.0 / (n * WHITE * WHITE)) : 0;
    for (size_t at = 0; at < 3 * lines * row; at += row)
        sum += variation_line(p + at, p + at + step, scale, g + at, g + at + step, count);
    return n > 0 ? weight * sum / (n * WHITE * WHITE) : 0;
}

double luc_total_variation(double weight, const float *picture, size_t height, size_t width,
                           float *gradient)
{
    if (weight == 0)
        return 0;
    return variation(weight, picture, height, width, width - 1, 1, gradient) +
           variation(weight, picture, 1, height * width, (height - 1) * width, width, gradient);
}

/* weight * mean (dx^2 + dy^2)^(beta / 2); differences across the last row and column are 0. */
static double beta_variation(const struct luc_regular *r, const float *p, size_t height,
                             size_t width, float *g)
{
    const double n = 3.0 * (double)height * (double)width, half = r->beta / 2;
    double sum = 0;
    if (r->beta_tv_weight == 0)
        return 0;
    for (size_t at = 0; at < 3 * height * width; at++) {
        const size_t line = at / width, x = at - line * width, y = line % height;
        const size_t right = x + 1 < width ? at + 1 : at, below = y + 1 < height ? at + width : at;
        const double dx = ((double)p[right] - (double)p[at]) / WHITE;
        const double dy = ((double)p[below] - (double)p[at]) / WHITE;
        const double squares = dx * dx + dy * dy + FLAT;
        const double power = half == 1 ? squares : pow(squares, half);
        const double slope = r->beta_tv_weight * r->beta * power / squares / (n * WHITE);
        sum += power;
        g[right] += (float)(slope * dx);
        g[below] += (float)(slope * dy);
        g[at] -= (float)(slope * (dx + dy));
    }
    return r->beta_tv_weight * sum / n;
}

double luc_regular_loss(const struct luc_regular *r, const float *picture, size_t height,
                        size_t width, float *gradient)
{
    const size_t pixels = height * width;
    assert(height > 0 && width > 0);
    return distance(r->l2, 2, WHITE, r, picture, pixels, gradient) +
           distance(r->l1, 1, WHITE, r, picture, pixels, gradient) +
           distance(r->alpha_weight, r->alpha, REACH, r, picture, pixels, gradient) +
           luc_total_variation(r->tv, picture, height, width, gradient) +
           beta_variation(r, picture, height, width, gradient);
}

/* ---- projections ---- */

static bool blurs(const struct luc_regular *r, uint64_t step)
{
    return r->blur > 0 && r->blur_every > 0 && step % r->blur_every == 0;
}

bool luc_regular_projects(const struct luc_regular *r, uint64_t step)
{
    return blurs(r, step) || r->small_pixels > 0 || r->small_contributions > 0;
}

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The `percent` of the pixels with the smallest score become c; of equal ones, all or none. */
static void clip_smallest(const struct luc_regular *r, double percent, const float *score,
                          float *sorted, float *picture, size_t pixels)
{
    const size_t n = (size_t)(percent / 100 * (double)pixels);
    memcpy(sorted, score, pixels * sizeof(*sorted));
    qsort(sorted, pixels, sizeof(*sorted), by_size);
    const float limit = sorted[n < pixels ? n : pixels - 1];
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < pixels; i++)
            if (score[i] < limit)
                picture[c * pixels + i] = r->centre[c];
}

/* score = |p - c|^2 at each pixel, or |sum over colours of (p - c) d|. */
static void score_pixels(const struct luc_regular *r, const float *picture, const float *d,
                         size_t pixels, float *score)
{
    memset(score, 0, pixels * sizeof(*score));
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < pixels; i++) {
            const float v = picture[c * pixels + i] - r->centre[c];
            score[i] += v * (d ? d[c * pixels + i] : v);
        }
    for (size_t i = 0; i < pixels; i++)
        score[i] = fabsf(score[i]);
}

void luc_regular_project(const struct luc_regular *r, uint64_t step, float *picture, size_t height,
                         size_t width, const float *d_loss, float *scratch)
{
    const size_t pixels = height * width;
    float *score = scratch, *sorted = scratch + pixels;
    if (blurs(r, step))
        for (size_t c = 0; c < 3; c++)
            luc_blur(picture + c * pixels, height, width, r->blur, scratch);
    if (r->small_pixels > 0) {
        score_pixels(r, picture, NULL, pixels, score);
        clip_smallest(r, r->small_pixels, score, sorted, picture, pixels);
    }
    if (r->small_contributions > 0) {
        score_pixels(r, picture, d_loss, pixels, score);
        clip_smallest(r, r->small_contributions, score, sorted, picture, pixels);
    }
}
