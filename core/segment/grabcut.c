#include "core/segment/grabcut.h"

#include "core/segment/maxflow.h"

#include <assert.h>
#include <math.h>

#define N_PAIRS 4 /* each pair of neighbours is looked at from one end: these ways */

static const enum luc_way pair_way[N_PAIRS] = { LUC_EAST, LUC_SOUTH_EAST, LUC_SOUTH,
                                                LUC_SOUTH_WEST };
static const int pair_dx[N_PAIRS] = { 1, 1, 0, -1 }, pair_dy[N_PAIRS] = { 0, 1, 1, 1 };

struct work {
    const struct luc_grabcut_spec *spec;
    struct luc_grabcut *found;
    uint8_t *seeds, *side, *held;
    float *cost;    /* [height * width][2]: of being background, foreground */
    float *weight;  /* [height * width][N_PAIRS]: of the link with a neighbour; 0 past the edge */
    double *of_row; /* [height] */
    struct luc_cut *cut;
};

size_t luc_seeds_count(const uint8_t *seeds, size_t n, unsigned side)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += seeds[i] != LUC_SEED_OPEN && LUC_SIDE(seeds[i]) == side;
    return count;
}

static size_t n_pixels(const struct luc_grabcut_spec *s)
{
    return s->width * s->height;
}

/* The neighbour of pixel i = y * width + x, or SIZE_MAX past the edge. */
static size_t neighbour(const struct luc_grabcut_spec *s, size_t x, size_t y, int pair)
{
    if ((pair_dx[pair] < 0 && x == 0) || (pair_dx[pair] > 0 && x + 1 == s->width) ||
        (pair_dy[pair] > 0 && y + 1 == s->height))
        return SIZE_MAX;
    return (y + (size_t)pair_dy[pair]) * s->width + (size_t)((ptrdiff_t)x + pair_dx[pair]);
}

static double difference2(const uint8_t *a, const uint8_t *b)
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        const double d = a[i] - b[i];
        sum += d * d;
    }
    return sum;
}

/* Squared differences into `weight` at first, -1 past the edge. */
static void measure_row(void *ctx, size_t y, size_t lane)
{
    struct work *w = ctx;
    const struct luc_grabcut_spec *s = w->spec;
    (void)lane;
    for (size_t x = 0; x < s->width; x++)
        for (int k = 0; k < N_PAIRS; k++) {
            const size_t i = y * s->width + x, j = neighbour(s, x, y, k);
            w->weight[i * N_PAIRS + (size_t)k] =
                j == SIZE_MAX ? -1.0f : (float)difference2(s->rgb + 3 * i, s->rgb + 3 * j);
        }
}

static void weigh_links(struct work *w)
{
    const struct luc_grabcut_spec *s = w->spec;
    double sum = 0, count = 0;
    luc_parallel_for(s->threads, s->height, measure_row, w);
    for (size_t i = 0; i < n_pixels(s) * N_PAIRS; i++)
        if (w->weight[i] >= 0) {
            sum += (double)w->weight[i];
            count++;
        }
    const double beta = sum > 0 ? count / (2 * sum) : 0;
    for (size_t i = 0; i < n_pixels(s) * N_PAIRS; i++) {
        const bool diagonal = pair_dx[i % N_PAIRS] && pair_dy[i % N_PAIRS];
        w->weight[i] = w->weight[i] < 0 ? 0
                                        : (float)(s->gamma / (diagonal ? sqrt(2.0) : 1) *
                                                  exp(-beta * (double)w->weight[i]));
    }
    w->found->beta = beta;
}

static struct luc_colours colours_of(const struct work *w, unsigned side)
{
    return (struct luc_colours){ w->spec->rgb, w->side, (uint8_t)side, n_pixels(w->spec) };
}

static void copy_sides(struct work *w)
{
    for (size_t i = 0; i < n_pixels(w->spec); i++)
        w->side[i] = LUC_SIDE(w->seeds[i]);
}

static void hold_row(void *ctx, size_t y, size_t lane)
{
    struct work *w = ctx;
    (void)lane;
    for (size_t i = y * w->spec->width; i < (y + 1) * w->spec->width; i++)
        (void)luc_mixture_cost(&w->found->side[w->side[i]], w->spec->rgb + 3 * i, &w->held[i]);
}

static void learn(struct work *w, bool first)
{
    struct luc_rng rng = w->spec->rng;
    copy_sides(w);
    for (unsigned side = 0; side < 2 && first; side++) {
        const struct luc_colours c = colours_of(w, side);
        luc_mixture_start(&w->found->side[side], w->spec->components, &c, &rng, w->held);
    }
    luc_parallel_for(w->spec->threads, w->spec->height, hold_row, w);
    for (unsigned side = 0; side < 2; side++) {
        const struct luc_colours c = colours_of(w, side);
        luc_mixture_learn(&w->found->side[side], &c, w->held);
    }
}

static void price_row(void *ctx, size_t y, size_t lane)
{
    struct work *w = ctx;
    (void)lane;
    for (size_t i = y * w->spec->width; i < (y + 1) * w->spec->width; i++)
        for (unsigned side = 0; side < 2; side++)
            w->cost[2 * i + side] =
                (float)luc_mixture_cost(&w->found->side[side], w->spec->rgb + 3 * i, NULL);
}

/* A pixel on the source's side is foreground. Pixels that may not change get a link that no cut can
 * afford: it costs more than all their links with neighbours. */
static void link_pixel(struct work *w, size_t x, size_t y, float never)
{
    const size_t i = y * w->spec->width + x;
    const float least = fminf(w->cost[2 * i], w->cost[2 * i + 1]);
    if (w->seeds[i] == LUC_SEED_BACK)
        luc_cut_terminals(w->cut, x, y, 0, never);
    else if (w->seeds[i] == LUC_SEED_FORE)
        luc_cut_terminals(w->cut, x, y, never, 0);
    else
        luc_cut_terminals(w->cut, x, y, w->cost[2 * i] - least, w->cost[2 * i + 1] - least);
    for (size_t k = 0; k < N_PAIRS; k++) {
        const float c = w->weight[i * N_PAIRS + k];
        if (c > 0)
            luc_cut_link(w->cut, x, y, pair_way[k], c, c);
    }
}

/* Whether any pixel changed sides. */
static bool cut(struct work *w)
{
    const struct luc_grabcut_spec *s = w->spec;
    const float never = (float)(LUC_N_WAYS * s->gamma + 1);
    bool changed = false;
    luc_cut_clear(w->cut);
    luc_parallel_for(s->threads, s->height, price_row, w);
    for (size_t y = 0; y < s->height; y++)
        for (size_t x = 0; x < s->width; x++)
            link_pixel(w, x, y, never);
    (void)luc_cut_solve(w->cut);
    for (size_t i = 0; i < n_pixels(s); i++) {
        uint8_t *seed = &w->seeds[i];
        const bool fore = luc_cut_on_source_side(w->cut, i % s->width, i / s->width);
        if (*seed == LUC_SEED_BACK || *seed == LUC_SEED_FORE) {
            assert(fore == (*seed == LUC_SEED_FORE));
            continue;
        }
        const uint8_t now = fore ? LUC_SEED_MAYBE_FORE : LUC_SEED_MAYBE_BACK;
        changed |= now != *seed;
        *seed = now;
    }
    return changed;
}

static void sum_row(void *ctx, size_t y, size_t lane)
{
    struct work *w = ctx;
    double sum = 0;
    (void)lane;
    for (size_t x = 0; x < w->spec->width; x++) {
        const size_t i = y * w->spec->width + x;
        sum += (double)w->cost[2 * i + LUC_SIDE(w->seeds[i])];
        for (int k = 0; k < N_PAIRS; k++) {
            const size_t j = neighbour(w->spec, x, y, k);
            if (j != SIZE_MAX && LUC_SIDE(w->seeds[i]) != LUC_SIDE(w->seeds[j]))
                sum += (double)w->weight[i * N_PAIRS + (size_t)k];
        }
    }
    w->of_row[y] = sum;
}

static double energy(struct work *w)
{
    double sum = 0;
    luc_parallel_for(w->spec->threads, w->spec->height, sum_row, w);
    for (size_t y = 0; y < w->spec->height; y++)
        sum += w->of_row[y];
    return sum;
}

static enum luc_status prepare(struct work *w, struct luc_arena *arena, struct luc_error *err)
{
    const size_t n = n_pixels(w->spec);
    const enum luc_status st = luc_cut_create(w->spec->width, w->spec->height, arena, &w->cut, err);
    if (st)
        return st;
    w->side = luc_arena_raw(arena, n, 1);
    w->held = luc_arena_alloc(arena, n, 1);
    w->cost = luc_arena_raw(arena, n, 2 * sizeof(float));
    w->weight = luc_arena_raw(arena, n, N_PAIRS * sizeof(float));
    w->of_row = luc_arena_raw(arena, w->spec->height, sizeof(double));
    if (!w->side || !w->held || !w->cost || !w->weight || !w->of_row)
        return luc_fail_nomem(err, "cutting a picture", n * (2 + N_PAIRS) * sizeof(float));
    if (!luc_arena_is_dry(arena))
        weigh_links(w);
    return LUC_OK;
}

enum luc_status luc_grabcut_guess(const struct luc_grabcut_spec *spec, uint8_t *seeds,
                                  struct luc_arena *arena, struct luc_error *err)
{
    const size_t n = n_pixels(spec);
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct luc_rng rng = spec->rng;
    struct luc_mixture side[2] = { 0 };
    uint8_t *known = luc_arena_raw(arena, n, 1), *held = luc_arena_raw(arena, n, 1);
    if (!known || !held)
        return luc_fail_nomem(err, "seeds", 2 * n);
    for (size_t i = 0; i < n && !luc_arena_is_dry(arena); i++)
        known[i] = seeds[i] == LUC_SEED_OPEN ? UINT8_MAX : LUC_SIDE(seeds[i]);
    for (unsigned k = 0; k < 2 && !luc_arena_is_dry(arena); k++) {
        const struct luc_colours c = { spec->rgb, known, (uint8_t)k, n };
        luc_mixture_start(&side[k], spec->components, &c, &rng, held);
    }
    for (size_t i = 0; i < n && !luc_arena_is_dry(arena); i++)
        if (seeds[i] == LUC_SEED_OPEN) {
            const double back = luc_mixture_cost(&side[0], spec->rgb + 3 * i, NULL);
            const double fore = luc_mixture_cost(&side[1], spec->rgb + 3 * i, NULL);
            seeds[i] = fore < back ? LUC_SEED_MAYBE_FORE : LUC_SEED_MAYBE_BACK;
        }
    luc_arena_release(arena, mark);
    return LUC_OK;
}

enum luc_status luc_grabcut_run(const struct luc_grabcut_spec *spec, uint8_t *seeds,
                                struct luc_arena *arena, struct luc_grabcut *found,
                                struct luc_error *err)
{
    const size_t n = n_pixels(spec);
    const struct luc_arena_mark mark = luc_arena_mark(arena);
    struct luc_grabcut made = { 0 };
    struct work w = { .spec = spec, .found = &made, .seeds = seeds };
    const bool dry = luc_arena_is_dry(arena);
    enum luc_status st = prepare(&w, arena, err);
    assert(dry || (luc_seeds_count(seeds, n, 0) && luc_seeds_count(seeds, n, 1)));
    while (!st && !dry && !made.at_rest && made.iterations < spec->iterations) {
        learn(&w, made.iterations == 0);
        made.at_rest = !cut(&w);
        made.energy = energy(&w);
        made.iterations++;
        if (spec->tick)
            st = spec->tick(spec->tick_ctx, made.iterations, err);
        if (!luc_seeds_count(seeds, n, 0) || !luc_seeds_count(seeds, n, 1))
            break;
    }
    luc_arena_release(arena, mark);
    if (!st)
        *found = made;
    return st;
}
