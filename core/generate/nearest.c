#include "core/generate/nearest.h"

#include "core/kernels/clones.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LANES      16 /* neighbourhoods side by side */
#define PART       12 /* dimensions after which a block may be left: four pixels */
#define CHUNK      64 /* blocks to one work item */
#define MOST_PARTS 4096
#define DIMS_MAX   (3 * (15 * 15 / 2 + 5 * 5))

/* The k-th pixel of the surroundings: near ones first, so that hopeless candidates go early. */
struct offset {
    int dy, dx;
    bool before; /* at the size before */
};

static size_t list_ring(int ring, struct offset *list)
{
    size_t count = 0;
    for (int dy = -ring; dy <= 0; dy++)
        for (int dx = -ring; dx <= ring && (dy < 0 || dx < 0); dx++)
            if (-dy == ring || dx == ring || dx == -ring)
                list[count++] = (struct offset){ dy, dx, false };
    return count;
}

static size_t list_offsets(size_t n, bool before, struct offset *list)
{
    const int half = (int)(n / 2), coarse = n < 9 ? 1 : 2;
    size_t count = list_ring(1, list);
    for (int dy = -coarse; before && dy <= coarse; dy++)
        for (int dx = -coarse; dx <= coarse; dx++)
            list[count++] = (struct offset){ dy, dx, true };
    for (int ring = 2; ring <= half; ring++)
        count += list_ring(ring, list + count);
    return count;
}

static size_t wrap(ptrdiff_t i, size_t n)
{
    const ptrdiff_t at = i % (ptrdiff_t)n;
    return (size_t)(at < 0 ? at + (ptrdiff_t)n : at);
}

/* The surroundings of (y, x) in a picture and the one of half its size, as numbers. */
static void gather(const struct luc_nearest *n, const struct luc_canvas *now,
                   const struct luc_canvas *before, size_t y, size_t x, float *to)
{
    struct offset list[DIMS_MAX / 3];
    const size_t count = list_offsets(n->neighbourhood, before->data != NULL, list);
    for (size_t k = 0; k < count; k++) {
        const struct luc_canvas *c = list[k].before ? before : now;
        assert(c->data);
        const size_t cy = list[k].before ? y * c->height / now->height : y;
        const size_t cx = list[k].before ? x * c->width / now->width : x;
        const size_t at = wrap((ptrdiff_t)cy + list[k].dy, c->height) * c->width +
                          wrap((ptrdiff_t)cx + list[k].dx, c->width);
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

static size_t n_blocks(const struct luc_nearest *n)
{
    return (n->candidates + LANES - 1) / LANES;
}

enum luc_status luc_nearest_begin(struct luc_nearest *n, struct luc_arena *arena,
                                  struct luc_error *err)
{
    struct offset list[DIMS_MAX / 3];
    const size_t half = n->neighbourhood / 2;
    const struct luc_canvas *s = n->sample;
    if (s->height < n->neighbourhood || s->width < n->neighbourhood)
        return luc_fail_param(err, LUC_INVALID, "neighbourhood",
                              "neighbourhood: %zu, but the sample at this size is %zu x %zu: take "
                              "fewer levels",
                              n->neighbourhood, s->width, s->height);
    n->rows = s->height - 2 * half;
    n->columns = s->width - 2 * half;
    n->candidates = n->rows * n->columns;
    n->dims = 3 * list_offsets(n->neighbourhood, n->to_before->data != NULL, list);
    n->blocks = luc_arena_raw(arena, n_blocks(n) * LANES, n->dims * sizeof(float));
    n->source = luc_arena_alloc(arena, luc_canvas_pixels(n->to), sizeof(*n->source));
    if (!n->blocks || !n->source)
        return luc_fail_nomem(err, "neighbourhoods", n_blocks(n) * LANES * n->dims * sizeof(float));
    for (size_t i = 0; i < n_blocks(n) * LANES && !luc_arena_is_dry(arena); i++) {
        float v[DIMS_MAX];
        const size_t at = place_of(n, i < n->candidates ? i : 0);
        float *block = n->blocks + i / LANES * LANES * n->dims + i % LANES;
        gather(n, s, n->sample_before, at / s->width, at % s->width, v);
        for (size_t k = 0; k < n->dims; k++)
            block[k * LANES] = v[k];
    }
    return LUC_OK;
}

static void copy_pixel(struct luc_nearest *n, size_t from, size_t to)
{
    n->source[to] = from;
    for (size_t p = 0; p < 3; p++)
        n->to->data[p * luc_canvas_pixels(n->to) + to] =
            n->sample->data[p * luc_canvas_pixels(n->sample) + from];
}

void luc_nearest_scatter(struct luc_nearest *n, struct luc_rng *rng)
{
    for (size_t i = 0; i < luc_canvas_pixels(n->to); i++)
        copy_pixel(n, place_of(n, (size_t)luc_rng_below(rng, n->candidates)), i);
}

/* ---- the search ---- */

struct best {
    float distance;
    size_t candidate;
};

/* sum[i] += squared distance of neighbourhood i of a block, over some dimensions; the least sum. */
static inline float add_part(const float *block, const float *wanted, size_t from, size_t to,
                             float sum[LANES])
{
    float lane[LANES], least;
    for (size_t i = 0; i < LANES; i++)
        lane[i] = sum[i];
    for (size_t k = from; k < to; k++)
        for (size_t i = 0; i < LANES; i++) {
            const float d = wanted[k] - block[k * LANES + i];
            lane[i] += d * d;
        }
    least = lane[0];
    for (size_t i = 0; i < LANES; i++) {
        sum[i] = lane[i];
        least = lane[i] < least ? lane[i] : least;
    }
    return least;
}

/* The nearest of a range of blocks; of equal ones the first. */
LUC_CLONES static struct best search(const float *blocks, size_t dims, size_t from, size_t to,
                                     const float *wanted, struct best best)
{
    for (size_t b = from; b < to; b++) {
        const float *block = blocks + b * LANES * dims;
        float sum[LANES] = { 0 }, least = 0;
        for (size_t k = 0; k < dims && least < best.distance; k += PART)
            least = add_part(block, wanted, k, k + PART < dims ? k + PART : dims, sum);
        for (size_t i = 0; i < LANES && least < best.distance; i++)
            if (sum[i] < best.distance)
                best = (struct best){ sum[i], b * LANES + i };
    }
    return best;
}

struct job {
    const struct luc_nearest *n;
    const float *wanted;
    struct best start, *found; /* found: one for each work item */
    size_t chunk;              /* blocks to an item */
};

static void search_chunk(void *ctx, size_t item, size_t lane)
{
    const struct job *j = ctx;
    const size_t from = item * j->chunk, all = n_blocks(j->n);
    const size_t to = from + j->chunk < all ? from + j->chunk : all;
    (void)lane;
    j->found[item] = search(j->n->blocks, j->n->dims, from, to, j->wanted, j->start);
}

static float distance_to(const struct luc_nearest *n, const float *wanted, size_t candidate)
{
    const float *block = n->blocks + candidate / LANES * LANES * n->dims + candidate % LANES;
    float sum = 0;
    for (size_t k = 0; k < n->dims; k++) {
        const float d = wanted[k] - block[k * LANES];
        sum += d * d;
    }
    return sum;
}

/* Where the neighbours came from, moved by as much as they are away: a good bound to begin with. */
static struct best coherent(const struct luc_nearest *n, const float *wanted, size_t y, size_t x)
{
    static const int around[4][2] = { { 0, -1 }, { -1, 0 }, { -1, -1 }, { -1, 1 } };
    const size_t half = n->neighbourhood / 2, width = n->sample->width;
    struct best best = { INFINITY, 0 };
    for (size_t k = 0; k < 4; k++) {
        const size_t from =
            n->source[wrap((ptrdiff_t)y + around[k][0], n->to->height) * n->to->width +
                      wrap((ptrdiff_t)x + around[k][1], n->to->width)];
        const ptrdiff_t sy = (ptrdiff_t)(from / width) - around[k][0] - (ptrdiff_t)half;
        const ptrdiff_t sx = (ptrdiff_t)(from % width) - around[k][1] - (ptrdiff_t)half;
        if (sy < 0 || sx < 0 || (size_t)sy >= n->rows || (size_t)sx >= n->columns)
            continue;
        const size_t candidate = (size_t)sy * n->columns + (size_t)sx;
        const float d = distance_to(n, wanted, candidate);
        if (d < best.distance)
            best = (struct best){ d, candidate };
    }
    return best;
}

void luc_nearest_row(struct luc_nearest *n, size_t y)
{
    struct best found[MOST_PARTS];
    float wanted[DIMS_MAX] = { 0 };
    struct job j = { .n = n, .wanted = wanted, .found = found, .chunk = CHUNK };
    while ((n_blocks(n) - 1) / j.chunk >= MOST_PARTS)
        j.chunk *= 2;
    const size_t items = (n_blocks(n) - 1) / j.chunk + 1;
    for (size_t x = 0; x < n->to->width; x++) {
        gather(n, n->to, n->to_before, y, x, wanted);
        j.start = coherent(n, wanted, y, x);
        luc_parallel_for(n->threads, items, search_chunk, &j);
        struct best best = j.start;
        for (size_t i = 0; i < items; i++)
            if (found[i].distance < best.distance)
                best = found[i];
        copy_pixel(n, place_of(n, best.candidate), y * n->to->width + x);
    }
}
