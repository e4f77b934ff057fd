#include "core/judge/agree.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW ((size_t)7)

struct entry {
    float value;
    unsigned index;
};

static int by_value(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Ranks from 0; equal values share the middle of theirs. */
static void rank(const float *v, size_t n, bool magnitude, struct entry *sorted, double *out)
{
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct entry){ magnitude ? fabsf(v[i]) : v[i], (unsigned)i };
    qsort(sorted, n, sizeof(*sorted), by_value);
    for (size_t i = 0, end = 0; i < n; i = end) {
        while (end < n && sorted[end].value == sorted[i].value)
            end++;
        for (size_t k = i; k < end; k++)
            out[sorted[k].index] = ((double)i + (double)end - 1) / 2;
    }
}

static double correlation(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ma += a[i] / (double)n;
        mb += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - ma) * (b[i] - mb);
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static double peak_of(const float *v, size_t n)
{
    double peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fmax(peak, fabs((double)v[i]));
    return peak;
}

/* One window's similarity; a and b are read from `at` on. */
static double similar(const float *a, const float *b, size_t width, const size_t side[2],
                      const double peak[2])
{
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03, n = (double)(side[0] * side[1]);
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t y = 0; y < side[0]; y++)
        for (size_t x = 0; x < side[1]; x++) {
            const double u = fabs((double)a[y * width + x]) / peak[0];
            const double v = fabs((double)b[y * width + x]) / peak[1];
            sa += u;
            sb += v;
            saa += u * u;
            sbb += v * v;
            sab += u * v;
        }
    const double ma = sa / n, mb = sb / n;
    const double va = saa / n - ma * ma, vb = sbb / n - mb * mb, cov = sab / n - ma * mb;
    return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

static double ssim(const float *a, const float *b, size_t height, size_t width)
{
    const size_t side[2] = { height < WINDOW ? height : WINDOW, width < WINDOW ? width : WINDOW };
    const double peak[2] = { peak_of(a, height * width), peak_of(b, height * width) };
    double sum = 0;
    if (!(peak[0] > 0) || !(peak[1] > 0))
        return 0;
    for (size_t y = 0; y + side[0] <= height; y++)
        for (size_t x = 0; x + side[1] <= width; x++)
            sum += similar(a + y * width + x, b + y * width + x, width, side, peak);
    return sum / (double)((height - side[0] + 1) * (width - side[1] + 1));
}

enum luc_status luc_agree(const float *a, const float *b, size_t height, size_t width,
                          struct luc_arena *arena, struct luc_agreement *out, struct luc_error *err)
{
    const size_t n = height * width;
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct entry *sorted = luc_arena_raw(arena, n, sizeof(*sorted));
    double *ra = luc_arena_raw(arena, n, sizeof(*ra)), *rb = luc_arena_raw(arena, n, sizeof(*rb));
    if (!sorted || !ra || !rb) {
        luc_arena_release(arena, mark);
        return luc_fail_nomem(err, "comparing maps", n * (sizeof(*sorted) + 2 * sizeof(*ra)));
    }
    *out = (struct luc_agreement){ 0 };
    for (int magnitude = 0; magnitude < 2 && !luc_arena_is_dry(arena); magnitude++) {
        rank(a, n, magnitude != 0, sorted, ra);
        rank(b, n, magnitude != 0, sorted, rb);
        *(magnitude ? &out->spearman_abs : &out->spearman) = correlation(ra, rb, n);
    }
    out->ssim = luc_arena_is_dry(arena) ? 0 : ssim(a, b, height, width);
    luc_arena_release(arena, mark);
    return LUC_OK;
}
