#include "core/segment/seeds.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHARE 200 /* one pixel in so many, on either side */

struct plane {
    uint8_t *seeds, *work;
    size_t width, height, n, least;
    struct luc_seeding_report *report;
};

static void tell(struct plane *p, const char *fmt, ...) LUC_PRINTF(2, 3);

static void tell(struct plane *p, const char *fmt, ...)
{
    va_list args;
    char *text = p->report->text;
    const size_t used = strlen(text);
    va_start(args, fmt);
    if (used > 0 && used + 2 < LUC_SEEDING_TEXT)
        memcpy(text + used, "; ", 3);
    vsnprintf(text + strlen(text), LUC_SEEDING_TEXT - strlen(text), fmt, args);
    va_end(args);
}

static size_t count(const struct plane *p, uint8_t seed)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->seeds[i] == seed;
    return n;
}

static int by_value(const void *pa, const void *pb)
{
    const float a = *(const float *)pa, b = *(const float *)pb;
    return a < b ? -1 : a > b;
}

/* Distance in pixels from the picture's edge. */
static size_t depth(const struct plane *p, size_t i)
{
    const size_t x = i % p->width, y = i / p->width;
    const size_t across = x < p->width - 1 - x ? x : p->width - 1 - x;
    const size_t down = y < p->height - 1 - y ? y : p->height - 1 - y;
    return across < down ? across : down;
}

/* Nothing is known: objects tend to be in the middle. */
static void seed_middle(struct plane *p)
{
    const double cx = (double)(p->width - 1) / 2, cy = (double)(p->height - 1) / 2;
    for (size_t i = 0; i < p->n; i++) {
        const size_t x = i % p->width, y = i / p->width;
        const double u = ((double)x - cx) / (cx > 0 ? cx : 1);
        const double v = ((double)y - cy) / (cy > 0 ? cy : 1);
        const double r2 = u * u + v * v;
        p->seeds[i] = r2 <= 0.25 ? LUC_SEED_FORE : r2 > 1 ? LUC_SEED_BACK : LUC_SEED_OPEN;
    }
    p->seeds[p->height / 2 * p->width + p->width / 2] =
        LUC_SEED_FORE; /* in the smallest pictures */
    tell(p,
         "the map is the same everywhere, so the middle of the picture was taken for foreground");
}

static void seed_percentiles(struct plane *p, const float *map, const float *sorted,
                             const struct luc_seeding *how)
{
    const double last = (double)(p->n - 1);
    float fore = sorted[(size_t)(how->fore_percentile / 100 * last)];
    const float back = sorted[(size_t)(how->back_percentile / 100 * last)];
    if (fore == sorted[0]) {
        size_t i = 0;
        while (sorted[i] == sorted[0])
            i++;
        fore = sorted[i];
        tell(p, "most of the map has its least value, so all above it was taken for foreground");
    } else if (back >= fore) {
        tell(p, "most of the map has its greatest value, so all below it was taken for background");
    }
    for (size_t i = 0; i < p->n; i++)
        p->seeds[i] = map[i] >= fore                     ? LUC_SEED_FORE
                      : map[i] <= back || !(back < fore) ? LUC_SEED_BACK
                                                         : LUC_SEED_OPEN;
}

/* The foreground and every pixel beside it. */
static void grow_once(struct plane *p)
{
    memcpy(p->work, p->seeds, p->n);
    for (size_t i = 0; i < p->n; i++) {
        if (p->work[i] != LUC_SEED_FORE)
            continue;
        const size_t x = i % p->width, y = i / p->width;
        for (size_t v = y > 0 ? y - 1 : 0; v <= y + 1 && v < p->height; v++)
            for (size_t u = x > 0 ? x - 1 : 0; u <= x + 1 && u < p->width; u++)
                p->seeds[v * p->width + u] = LUC_SEED_FORE;
    }
}

static void widen_fore(struct plane *p)
{
    const size_t before = count(p, LUC_SEED_FORE);
    size_t radius = 0;
    for (; count(p, LUC_SEED_FORE) < p->least; radius++)
        grow_once(p);
    if (radius > 0)
        tell(p, "%zu pixels are too few for the foreground, so they were widened by %zu", before,
             radius);
}

/* The picture's edge becomes background: what is open at first, then what was foreground. */
static void widen_back(struct plane *p)
{
    const size_t before = count(p, LUC_SEED_BACK);
    if (before >= p->least)
        return;
    for (int over = 0; over < 2; over++)
        for (size_t d = 0; d <= (p->width < p->height ? p->width : p->height) / 4; d++) {
            if (count(p, LUC_SEED_BACK) >= p->least)
                break;
            for (size_t i = 0; i < p->n; i++)
                if (depth(p, i) <= d && (over || p->seeds[i] == LUC_SEED_OPEN))
                    p->seeds[i] = LUC_SEED_BACK;
        }
    tell(p, "%zu pixels are too few for the background, so the picture's edge was taken for it",
         before);
}

static void set_firmness(struct plane *p, const struct luc_seeding *how)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->seeds[i] == LUC_SEED_FORE && !how->fore_stays)
            p->seeds[i] = LUC_SEED_MAYBE_FORE;
        else if (p->seeds[i] == LUC_SEED_BACK && !how->back_stays)
            p->seeds[i] = LUC_SEED_MAYBE_BACK;
}

enum luc_status luc_seeds_from_map(const float *map, size_t width, size_t height,
                                   const struct luc_seeding *how, uint8_t *seeds,
                                   struct luc_arena *arena, struct luc_seeding_report *report,
                                   struct luc_error *err)
{
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    const size_t n = width * height;
    struct plane p = { seeds, NULL, width, height, n, (n + LEAST_SHARE - 1) / LEAST_SHARE, report };
    float *sorted = luc_arena_raw(arena, n, sizeof(*sorted));
    p.work = luc_arena_raw(arena, n, 1);
    *report = (struct luc_seeding_report){ 0 };
    if (!sorted || !p.work)
        return luc_fail_nomem(err, "seeds", n * sizeof(*sorted));
    if (!luc_arena_is_dry(arena)) {
        memcpy(sorted, map, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_value);
        if (sorted[0] == sorted[n - 1])
            seed_middle(&p);
        else
            seed_percentiles(&p, map, sorted, how);
        widen_fore(&p);
        widen_back(&p);
        report->fore = count(&p, LUC_SEED_FORE);
        report->back = count(&p, LUC_SEED_BACK);
        set_firmness(&p, how);
    }
    luc_arena_release(arena, mark);
    return LUC_OK;
}
