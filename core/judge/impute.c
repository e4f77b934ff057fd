#include "core/judge/impute.h"

#include <math.h>
#include <string.h>

#define BESIDE    (1.0f / 6)
#define DIAGONAL  (1.0f / 12)
#define TURNS_MAX 2000
#define RESIDUAL  1e-4 /* of the first, in the norm */

enum luc_status luc_impute_open(size_t height, size_t width, struct luc_arena *arena,
                                struct luc_impute *m, struct luc_error *err)
{
    const size_t n = height * width;
    struct luc_impute made = { .height = height, .width = width };
    float **const all[] = { &made.diagonal, &made.rest, &made.ahead, &made.image, &made.start };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        *all[i] = luc_arena_alloc(arena, 2 * n, sizeof(float));
        if (!*all[i])
            return luc_fail_nomem(err, "imputation", 2 * n * sizeof(float));
    }
    *m = made;
    return LUC_OK;
}

/* sum_j w_ij v_j over the neighbours that exist, and sum_j w_ij. */
static float around(const float *v, size_t height, size_t width, size_t y, size_t x, float *weight)
{
    float sum = 0, total = 0;
    const size_t y0 = y ? y - 1 : 0, y1 = y + 1 < height ? y + 1 : y;
    const size_t x0 = x ? x - 1 : 0, x1 = x + 1 < width ? x + 1 : x;
    for (size_t v_y = y0; v_y <= y1; v_y++)
        for (size_t v_x = x0; v_x <= x1; v_x++) {
            if (v_y == y && v_x == x)
                continue;
            const float w = v_y == y || v_x == x ? BESIDE : DIAGONAL;
            sum += w * v[v_y * width + v_x];
            total += w;
        }
    *weight = total;
    return sum;
}

/* A square of the guess: the rows y0..y1 and columns x0..x1. */
struct square {
    size_t y0, y1, x0, x1;
};

/* The mean of what is known in it, to those that miss and have no guess yet; how many they are. */
static size_t guess_square(struct luc_impute *m, const struct square *s, const bool *missing,
                           float *plane)
{
    double sum = 0, known = 0;
    size_t given = 0;
    for (size_t y = s->y0; y < s->y1; y++)
        for (size_t i = y * m->width + s->x0; i < y * m->width + s->x1; i++) {
            sum += missing[i] ? 0 : (double)plane[i];
            known += !missing[i];
        }
    for (size_t y = s->y0; known > 0 && y < s->y1; y++)
        for (size_t i = y * m->width + s->x0; i < y * m->width + s->x1; i++) {
            if (!missing[i] || m->start[i] != 0)
                continue;
            plane[i] = (float)(sum / known);
            m->start[i] = 1; /* has its guess */
            given++;
        }
    return given;
}

/* A first guess: each missing pixel takes the mean of what is known in the smallest square of side
 * 2, 4, 8, ... (on a fixed grid) that knows something. */
static void guess(struct luc_impute *m, const bool *missing, float *plane)
{
    const size_t h = m->height, w = m->width;
    size_t left = 0;
    for (size_t i = 0; i < h * w; i++)
        left += missing[i];
    memset(m->start, 0, h * w * sizeof(*m->start));
    for (size_t side = 2; left > 0 && left < h * w && side < 2 * (h + w); side *= 2)
        for (size_t y = 0; y < h; y += side)
            for (size_t x = 0; x < w; x += side) {
                const struct square s = { y, y + side < h ? y + side : h, x,
                                          x + side < w ? x + side : w };
                left -= guess_square(m, &s, missing, plane);
            }
}

/* out = A v for the missing pixels, zero elsewhere; v is zero where nothing is missing. */
static void apply(const struct luc_impute *m, const bool *missing, const float *v, float *out)
{
    for (size_t y = 0, i = 0; y < m->height; y++)
        for (size_t x = 0; x < m->width; x++, i++) {
            float total = 0;
            out[i] = 0;
            if (missing[i]) {
                const float sum = around(v, m->height, m->width, y, x, &total);
                out[i] = total * v[i] - sum;
            }
        }
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The system times sum_j w_ij is symmetric and positive definite once something is known. */
void luc_impute_plane(struct luc_impute *m, const bool *missing, float *plane)
{
    const size_t n = m->height * m->width;
    float *r = m->rest, *p = m->ahead, *q = m->image, *z = m->start, *d = m->diagonal;
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any = any || !missing[i];
    guess(m, missing, plane);
    for (size_t y = 0, i = 0; y < m->height; y++)
        for (size_t x = 0; x < m->width; x++, i++) {
            const float sum = around(plane, m->height, m->width, y, x, &d[i]);
            r[i] = missing[i] && any ? sum - d[i] * plane[i] : 0;
            if (!any)
                plane[i] = 0;
            p[i] = z[i] = r[i] / d[i];
        }
    const double first = dot(r, r, n);
    double rz = dot(r, z, n);
    for (int turn = 0; turn < TURNS_MAX && dot(r, r, n) > RESIDUAL * RESIDUAL * first; turn++) {
        apply(m, missing, p, q);
        const double step = rz / dot(p, q, n);
        for (size_t i = 0; i < n; i++) {
            plane[i] += (float)step * p[i];
            r[i] -= (float)step * q[i];
            z[i] = r[i] / d[i];
        }
        const double next = dot(r, z, n);
        for (size_t i = 0; i < n; i++)
            p[i] = z[i] + (float)(next / rz) * p[i];
        rz = next;
    }
}
