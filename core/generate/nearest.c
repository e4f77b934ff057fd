#include "core/generate/nearest.h"

#include <assert.h>
#include <math.h>

#define DIMS_MAX (3 * (15 * 15 / 2 + 5 * 5))

/* The k-th pixel of the surroundings, near ones first. */
struct luc_nearest_offset {
    int dy, dx;
    bool before; /* at the size before */
};

static size_t list_ring(int ring, struct luc_nearest_offset *list)
{
    size_t count = 0;
    for (int dy = -ring; dy <= 0; dy++)
        for (int dx = -ring; dx <= ring && (dy < 0 || dx < 0); dx++)
            if (-dy == ring || dx == ring || dx == -ring)
                list[count++] = (struct luc_nearest_offset){ dy, dx, false };
    return count;
}

static size_t list_offsets(size_t n, bool before, struct luc_nearest_offset *list)
{
    const int half = (int)(n / 2), coarse = n < 9 ? 1 : 2;
    size_t count = list_ring(1, list);
    for (int dy = -coarse; before && dy <= coarse; dy++)
        for (int dx = -coarse; dx <= coarse; dx++)
            list[count++] = (struct luc_nearest_offset){ dy, dx, true };
    for (int ring = 2; ring <= half; ring++)
        count += list_ring(ring, list + count);
    return count;
}

static size_t wrap(ptrdiff_t i, size_t n)
{
    if (i >= 0 && (size_t)i < n)
        return (size_t)i;
    const ptrdiff_t at = i % (ptrdiff_t)n;
    return (size_t)(at < 0 ? at + (ptrdiff_t)n : at);
}

/* The surroundings of (y, x) in a picture and the one of half its size, as numbers. */
static void gather(const struct luc_nearest *n, const struct luc_canvas *now,
                   const struct luc_canvas *before, size_t y, size_t x, float *to)
{
    for (size_t k = 0; k < n->closest.dims / 3; k++) {
        const struct luc_nearest_offset *o = &n->offsets[k];
        const struct luc_canvas *c = o->before ? before : now;
        assert(c->data);
        const size_t cy = o->before ? y * c->height / now->height : y;
        const size_t cx = o->before ? x * c->width / now->width : x;
        const size_t at = wrap((ptrdiff_t)cy + o->dy, c->height) * c->width +
                          wrap((ptrdiff_t)cx + o->dx, c->width);
        for (size_t p = 0; p < 3; p++)
            to[3 * k + p] = c->data[p * luc_canvas_pixels(c) + at];
    }
}

/* Candidate i's place in the sample: those whose surroundings lie within it. */
static size_t place_of(const struct luc_nearest *n, size_t i)
{
    const size_t half = n->neighbourhood / 2;
    return (half + i / n->columns) * n->sample->width + half + i % n->columns;
}

static void gather_candidate(void *ctx, size_t i, size_t lane)
{
    const struct luc_nearest *n = ctx;
    const size_t at = place_of(n, i), width = n->sample->width;
    (void)lane;
    gather(n, n->sample, n->sample_before, at / width, at % width,
           n->vectors + i * n->closest.dims);
}

enum luc_status luc_nearest_begin(struct luc_nearest *n, struct luc_arena *arena,
                                  struct luc_error *err)
{
    const size_t half = n->neighbourhood / 2;
    const struct luc_canvas *s = n->sample;
    if (s->height < n->neighbourhood || s->width < n->neighbourhood)
        return luc_fail_param(err, LUC_INVALID, "neighbourhood",
                              "neighbourhood: %zu, but the sample at this size is %zu x %zu: take "
                              "fewer levels",
                              n->neighbourhood, s->width, s->height);
    n->rows = s->height - 2 * half;
    n->columns = s->width - 2 * half;
    n->closest.n = n->rows * n->columns;
    n->offsets = luc_arena_alloc(arena, DIMS_MAX / 3, sizeof(*n->offsets));
    if (!n->offsets)
        return luc_fail_nomem(err, "neighbourhoods", DIMS_MAX * sizeof(*n->offsets));
    n->closest.dims = 3 * list_offsets(n->neighbourhood, n->to_before->data != NULL, n->offsets);
    n->vectors = luc_arena_raw(arena, n->closest.n, n->closest.dims * sizeof(float));
    if (!n->vectors)
        return luc_fail_nomem(err, "neighbourhoods",
                              n->closest.n * n->closest.dims * sizeof(float));
    n->closest.vectors = n->vectors;
    if (!luc_arena_is_dry(arena))
        luc_parallel_for(n->threads, n->closest.n, gather_candidate, n);
    return luc_closest_build(&n->closest, n->threads, arena, err);
}

static void copy_pixel(struct luc_nearest *n, size_t from, size_t to)
{
    n->source[to] = (uint32_t)from;
    for (size_t p = 0; p < 3; p++)
        n->to->data[p * luc_canvas_pixels(n->to) + to] =
            n->sample->data[p * luc_canvas_pixels(n->sample) + from];
}

void luc_nearest_scatter(struct luc_nearest *n, struct luc_rng *rng)
{
    for (size_t i = 0; i < luc_canvas_pixels(n->to); i++)
        copy_pixel(n, place_of(n, (size_t)luc_rng_below(rng, n->closest.n)), i);
}

bool luc_nearest_restore(struct luc_nearest *n)
{
    for (size_t i = 0; i < luc_canvas_pixels(n->to); i++)
        if (n->source[i] >= luc_canvas_pixels(n->sample))
            return false;
    for (size_t i = 0; i < luc_canvas_pixels(n->to); i++)
        copy_pixel(n, n->source[i], i);
    return true;
}

/* Where the neighbours came from, moved by as much as they are away: a good bound to begin with. */
static struct luc_found coherent(const struct luc_nearest *n, const float *wanted, size_t y,
                                 size_t x)
{
    static const int around[4][2] = { { 0, -1 }, { -1, 0 }, { -1, -1 }, { -1, 1 } };
    const size_t half = n->neighbourhood / 2, width = n->sample->width;
    struct luc_found best = { INFINITY, 0 };
    for (size_t k = 0; k < 4; k++) {
        const size_t from =
            n->source[wrap((ptrdiff_t)y + around[k][0], n->to->height) * n->to->width +
                      wrap((ptrdiff_t)x + around[k][1], n->to->width)];
        const ptrdiff_t sy = (ptrdiff_t)(from / width) - around[k][0] - (ptrdiff_t)half;
        const ptrdiff_t sx = (ptrdiff_t)(from % width) - around[k][1] - (ptrdiff_t)half;
        if (sy < 0 || sx < 0 || (size_t)sy >= n->rows || (size_t)sx >= n->columns)
            continue;
        const size_t candidate = (size_t)sy * n->columns + (size_t)sx;
        const float d = luc_closest_distance(&n->closest, wanted, candidate);
        if (d < best.distance)
            best = (struct luc_found){ d, (uint32_t)candidate };
    }
    return best;
}

void luc_nearest_row(struct luc_nearest *n, size_t y)
{
    float wanted[DIMS_MAX] = { 0 };
    for (size_t x = 0; x < n->to->width; x++) {
        gather(n, n->to, n->to_before, y, x, wanted);
        const struct luc_found found =
            luc_closest_find(&n->closest, wanted, coherent(n, wanted, y, x));
        copy_pixel(n, place_of(n, found.index), y * n->to->width + x);
    }
}
