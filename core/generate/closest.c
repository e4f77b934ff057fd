#include "core/generate/closest.h"

#include "core/kernels/clones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LANES  16
#define K      (LANES - 1) /* directions; the last coordinate is what is left over */
#define BOX    6           /* coordinates that a leaf's box has */
#define SPLITS 3           /* of them, those that vectors are sorted by */
#define LOOKED 2048        /* vectors that the directions follow from, at most */
#define TURNS  8           /* of the subspace iteration: any directions are right, good ones fast */
/* What rounding may add to a distance between projections. */
#define SLACK(best) ((best)*1.001f + 0.01f)

static size_t padded(const struct luc_closest *c)
{
    return (c->n_leaves + LANES - 1) / LANES * LANES;
}

/* ---- directions ---- */

static size_t looked_at(const struct luc_closest *c, size_t i)
{
    return c->n <= LOOKED ? i : i * (c->n / LOOKED);
}

static size_t n_looked(const struct luc_closest *c)
{
    return c->n < LOOKED ? c->n : LOOKED;
}

static void find_mean(struct luc_closest *c)
{
    for (size_t d = 0; d < c->dims; d++) {
        double sum = 0;
        for (size_t i = 0; i < n_looked(c); i++)
            sum += (double)c->vectors[looked_at(c, i) * c->dims + d];
        c->mean[d] = (float)(sum / (double)n_looked(c));
    }
}

struct spread {
    const struct luc_closest *c;
    double *of; /* [dims][dims] */
};

static void spread_row(void *ctx, size_t a, size_t lane)
{
    const struct spread *s = ctx;
    const struct luc_closest *c = s->c;
    double *row = s->of + a * c->dims;
    (void)lane;
    memset(row, 0, c->dims * sizeof(*row));
    for (size_t i = 0; i < n_looked(c); i++) {
        const float *v = c->vectors + looked_at(c, i) * c->dims;
        const double va = (double)(v[a] - c->mean[a]);
        for (size_t b = 0; b < c->dims; b++)
            row[b] += va * (double)(v[b] - c->mean[b]);
    }
}

/* v minus its parts along the first k rows of q, then of length 1; a null vector stays one. */
static void make_orthonormal(double *v, const double *q, size_t k, size_t dims)
{
    double length = 0;
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < k; i++) {
            double along = 0;
            for (size_t d = 0; d < dims; d++)
                along += v[d] * q[i * dims + d];
            for (size_t d = 0; d < dims; d++)
                v[d] -= along * q[i * dims + d];
        }
    for (size_t d = 0; d < dims; d++)
        length += v[d] * v[d];
    length = sqrt(length);
    for (size_t d = 0; d < dims; d++)
        v[d] = length > 1e-12 ? v[d] / length : 0;
}

/* Subspace iteration from the axes: q's rows become the directions of greatest spread. */
static void find_directions(struct luc_closest *c, const double *spread, double *q, double *next)
{
    const size_t n = c->dims, k_max = n < K ? n : K;
    memset(q, 0, K * n * sizeof(*q));
    for (size_t k = 0; k < k_max; k++)
        q[k * n + k * (n / k_max)] = 1;
    for (int turn = 0; turn < TURNS; turn++) {
        for (size_t k = 0; k < k_max; k++)
            for (size_t d = 0; d < n; d++) {
                double sum = 0;
                for (size_t e = 0; e < n; e++)
                    sum += spread[d * n + e] * q[k * n + e];
                next[k * n + d] = sum;
            }
        for (size_t k = 0; k < k_max; k++)
            make_orthonormal(next + k * n, next, k, n);
        memcpy(q, next, k_max * n * sizeof(*q));
    }
    for (size_t d = 0; d < n; d++)
        for (size_t k = 0; k < LANES; k++)
            c->basis[d * LANES + k] = k < K ? (float)q[k * n + d] : 0;
}

/* to[LANES]: v along the directions, then the length of the rest. */
LUC_CLONES static void project(const struct luc_closest *c, const float *v, float *to)
{
    float sum[LANES] = { 0 }, rest = 0;
    for (size_t d = 0; d < c->dims; d++) {
        const float x = v[d] - c->mean[d];
        for (size_t k = 0; k < LANES; k++)
            sum[k] += x * c->basis[d * LANES + k];
    }
    for (size_t d = 0; d < c->dims; d++) {
        float part[LANES], x = v[d] - c->mean[d];
        for (size_t k = 0; k < LANES; k++)
            part[k] = sum[k] * c->basis[d * LANES + k];
        for (size_t half = LANES / 2; half > 0; half /= 2)
            for (size_t k = 0; k < half; k++)
                part[k] += part[k + half];
        x -= part[0];
        rest += x * x;
    }
    memcpy(to, sum, sizeof(sum));
    to[K] = sqrtf(rest);
}

/* ---- leaves ---- */

struct entry {
    float key;
    uint32_t index;
};

static int by_key(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    if (a->key < b->key || a->key > b->key)
        return a->key < b->key ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Sorts by one coordinate, cuts into parts of whole leaves, and each by the next coordinate. */
static void sort_parts(struct entry *e, size_t n, const float *flat, size_t by)
{
    const size_t leaves = (n + LANES - 1) / LANES;
    const double root = pow((double)leaves, 1.0 / (double)(SPLITS - by));
    const size_t part = (size_t)ceil((double)leaves / ceil(root - 1e-9)) * LANES;
    for (size_t i = 0; i < n; i++)
        e[i].key = flat[(size_t)e[i].index * LANES + by];
    qsort(e, n, sizeof(*e), by_key);
    for (size_t at = 0; by + 1 < SPLITS && at < n; at += part)
        sort_parts(e + at, at + part < n ? part : n - at, flat, by + 1);
}

static void fill_leaf(struct luc_closest *c, size_t leaf, const float *flat)
{
    float *coords = c->coords + leaf * LANES * LANES;
    for (size_t k = 0; k < LANES; k++) {
        float low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < LANES; i++) {
            const float x = flat[(size_t)c->order[leaf * LANES + i] * LANES + k];
            coords[k * LANES + i] = x;
            low = fminf(low, x);
            high = fmaxf(high, x);
        }
        if (k < BOX) {
            c->low[k * padded(c) + leaf] = low;
            c->high[k * padded(c) + leaf] = high;
        }
    }
}

struct flatten {
    const struct luc_closest *c;
    float *flat;
};

static void flatten_one(void *ctx, size_t leaf, size_t lane)
{
    const struct flatten *f = ctx;
    (void)lane;
    for (size_t i = leaf * LANES; i < (leaf + 1) * LANES && i < f->c->n; i++)
        project(f->c, f->c->vectors + i * f->c->dims, f->flat + i * LANES);
}

static void build(struct luc_closest *c, const struct luc_threads *threads, struct entry *entries,
                  float *flat, double *scratch)
{
    const size_t n = c->dims;
    struct spread spread = { c, scratch + 2 * K * n };
    struct flatten flatten = { c, flat };
    find_mean(c);
    luc_parallel_for(threads, n, spread_row, &spread);
    find_directions(c, spread.of, scratch, scratch + K * n);
    luc_parallel_for(threads, c->n_leaves, flatten_one, &flatten);
    for (size_t i = 0; i < c->n; i++)
        entries[i].index = (uint32_t)i;
    sort_parts(entries, c->n, flat, 0);
    for (size_t i = 0; i < c->n_leaves * LANES; i++) /* the last leaf repeats its last vector */
        c->order[i] = entries[i < c->n ? i : c->n - 1].index;
    for (size_t i = 0; i < BOX * padded(c); i++)
        c->low[i] = c->high[i] = INFINITY;
    for (size_t leaf = 0; leaf < c->n_leaves; leaf++)
        fill_leaf(c, leaf, flat);
}

enum luc_status luc_closest_build(struct luc_closest *c, const struct luc_threads *threads,
                                  struct luc_arena *arena, struct luc_error *err)
{
    c->n_leaves = (c->n + LANES - 1) / LANES;
    const size_t scratch_n = (2 * K + c->dims) * c->dims;
    c->mean = luc_arena_raw(arena, c->dims, sizeof(float));
    c->basis = luc_arena_raw(arena, c->dims, LANES * sizeof(float));
    c->coords = luc_arena_raw(arena, c->n_leaves, LANES * LANES * sizeof(float));
    c->low = luc_arena_raw(arena, padded(c), BOX * sizeof(float));
    c->high = luc_arena_raw(arena, padded(c), BOX * sizeof(float));
    c->bounds = luc_arena_raw(arena, padded(c), sizeof(float));
    c->order = luc_arena_raw(arena, c->n_leaves, LANES * sizeof(*c->order));
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct entry *entries = luc_arena_raw(arena, c->n, sizeof(*entries));
    float *flat = luc_arena_raw(arena, c->n, LANES * sizeof(float));
    double *scratch = luc_arena_raw(arena, scratch_n, sizeof(double));
    if (!c->mean || !c->basis || !c->coords || !c->low || !c->high || !c->bounds || !c->order ||
        !entries || !flat || !scratch)
        return luc_fail_nomem(err, "neighbourhoods", c->n * 2 * LANES * sizeof(float));
    if (!luc_arena_is_dry(arena))
        build(c, threads, entries, flat, scratch);
    luc_arena_release(arena, mark);
    return LUC_OK;
}

/* ---- the search ---- */

LUC_CLONES static float measure(const float *v, const float *wanted, size_t dims)
{
    float sum[LANES] = { 0 };
    size_t d = 0;
    for (; d + LANES <= dims; d += LANES)
        for (size_t i = 0; i < LANES; i++) {
            const float x = wanted[d + i] - v[d + i];
            sum[i] += x * x;
        }
    for (; d < dims; d++) {
        const float x = wanted[d] - v[d];
        sum[0] += x * x;
    }
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

float luc_closest_distance(const struct luc_closest *c, const float *wanted, size_t index)
{
    return measure(c->vectors + index * c->dims, wanted, c->dims);
}

/* bounds[leaf]: how far its box is away; the nearest leaf. */
LUC_CLONES static size_t bound_leaves(const struct luc_closest *c, const float *at, float *bounds)
{
    const size_t n = padded(c);
    size_t nearest = 0;
    for (size_t leaf = 0; leaf < n; leaf += LANES) {
        float sum[LANES] = { 0 };
        for (size_t k = 0; k < BOX; k++)
            for (size_t i = 0; i < LANES; i++) {
                const float under = c->low[k * n + leaf + i] - at[k];
                const float over = at[k] - c->high[k * n + leaf + i];
                float out = under > over ? under : over;
                out = out > 0 ? out : 0;
                sum[i] += out * out;
            }
        memcpy(bounds + leaf, sum, sizeof(sum));
    }
    for (size_t leaf = 1; leaf < c->n_leaves; leaf++)
        nearest = bounds[leaf] < bounds[nearest] ? leaf : nearest;
    return nearest;
}

LUC_CLONES static void project_distances(const float *coords, const float *at, float *to)
{
    float sum[LANES] = { 0 };
    for (size_t k = 0; k < LANES; k++)
        for (size_t i = 0; i < LANES; i++) {
            const float x = at[k] - coords[k * LANES + i];
            sum[i] += x * x;
        }
    memcpy(to, sum, sizeof(sum));
}

static struct luc_found search_leaf(const struct luc_closest *c, size_t leaf, const float *wanted,
                                    const float *at, float start, struct luc_found best)
{
    float bound[LANES];
    project_distances(c->coords + leaf * LANES * LANES, at, bound);
    for (size_t i = 0; i < LANES; i++) {
        if (bound[i] > SLACK(best.distance))
            continue;
        const uint32_t index = c->order[leaf * LANES + i];
        const float d = luc_closest_distance(c, wanted, index);
        if (d < best.distance || (d < start && d <= best.distance && index < best.index))
            best = (struct luc_found){ d, index };
    }
    return best;
}

struct luc_found luc_closest_find(const struct luc_closest *c, const float *wanted,
                                  struct luc_found start)
{
    float at[LANES];
    project(c, wanted, at);
    const size_t nearest = bound_leaves(c, at, c->bounds);
    struct luc_found best = search_leaf(c, nearest, wanted, at, start.distance, start);
    for (size_t leaf = 0; leaf < c->n_leaves; leaf++)
        if (leaf != nearest && c->bounds[leaf] <= SLACK(best.distance))
            best = search_leaf(c, leaf, wanted, at, start.distance, best);
    return best;
}
