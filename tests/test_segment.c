#include "core/segment/grabcut.h"
#include "core/segment/maxflow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

/* ---- the flow, by the plainest way there is: any path that is left, until none is ----------------- */

#define NODES_MAX 80

struct dense {
    size_t n; /* nodes; the last two are source and sink */
    double room[NODES_MAX][NODES_MAX];
};

static bool find_path(const struct dense *g, size_t from[NODES_MAX])
{
    size_t queue[NODES_MAX], head = 0, tail = 0;
    bool seen[NODES_MAX] = { false };
    queue[tail++] = g->n - 2;
    seen[g->n - 2] = true;
    while (head < tail) {
        const size_t p = queue[head++];
        for (size_t q = 0; q < g->n; q++)
            if (!seen[q] && g->room[p][q] > 0) {
                seen[q] = true;
                from[q] = p;
                queue[tail++] = q;
            }
    }
    return seen[g->n - 1];
}

static double flow_ref(struct dense *g)
{
    double flow = 0;
    size_t from[NODES_MAX];
    while (find_path(g, from)) {
        double room = HUGE_VAL;
        for (size_t q = g->n - 1; q != g->n - 2; q = from[q])
            room = fmin(room, g->room[from[q]][q]);
        for (size_t q = g->n - 1; q != g->n - 2; q = from[q]) {
            g->room[from[q]][q] -= room;
            g->room[q][from[q]] += room;
        }
        flow += room;
    }
    return flow;
}

static const int dx[LUC_N_WAYS] = { 1, 1, 0, -1, -1, -1, 0, 1 };
static const int dy[LUC_N_WAYS] = { 0, 1, 1, 1, 0, -1, -1, -1 };

/* The same random links in both; whole numbers, so that sums are exact. */
static void make_graph(struct luc_cut *cut, struct dense *g, int width, int height,
                       struct luc_rng *rng)
{
    memset(g, 0, sizeof(*g));
    g->n = (size_t)(width * height) + 2;
    luc_cut_clear(cut);
    const uint64_t many = 1 + luc_rng_below(rng, 60);
    for (int i = 0; i < width * height; i++) {
        const int x = i % width, y = i / width;
        const double a = (double)luc_rng_below(rng, many), b = (double)luc_rng_below(rng, many);
        if (luc_rng_below(rng, 4) != 0) {
            luc_cut_terminals(cut, (size_t)x, (size_t)y, (float)a, (float)b);
            g->room[g->n - 2][i] = a;
            g->room[i][g->n - 1] = b;
        }
        for (unsigned way = 0; way < 4; way++) {
            const int u = x + dx[way], v = y + dy[way];
            if (u < 0 || u >= width || v >= height || luc_rng_below(rng, 5) == 0)
                continue;
            const double there = (double)luc_rng_below(rng, 20);
            const double back = (double)luc_rng_below(rng, 20);
            luc_cut_link(cut, (size_t)x, (size_t)y, way, (float)there, (float)back);
            g->room[i][v * width + u] = there;
            g->room[v * width + u][i] = back;
        }
    }
}

static double cost_of_cut(const struct luc_cut *cut, const struct dense *g, int width)
{
    bool source[NODES_MAX];
    double cost = 0;
    for (size_t i = 0; i < g->n - 2; i++)
        source[i] = luc_cut_on_source_side(cut, i % (size_t)width, i / (size_t)width);
    source[g->n - 2] = true;
    source[g->n - 1] = false;
    for (size_t p = 0; p < g->n; p++)
        for (size_t q = 0; q < g->n; q++)
            cost += source[p] && !source[q] ? g->room[p][q] : 0;
    return cost;
}

static void cut__costs_the_greatest_flow_on_random_grids(void **state)
{
    (void)state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    struct dense *g = malloc(sizeof(*g));
    for (int i = 0; i < 600; i++) {
        const int width = 1 + (int)luc_rng_below(&rng, 9), height = 1 + (int)luc_rng_below(&rng, 8);
        struct luc_arena *arena = luc_arena_create(LIMIT);
        struct luc_cut *cut = NULL;
        assert_int_equal(luc_cut_create((size_t)width, (size_t)height, arena, &cut, NULL), LUC_OK);
        make_graph(cut, g, width, height, &rng);
        const double flow = luc_cut_solve(cut);
        assert_true(flow == cost_of_cut(cut, g, width));
        assert_true(flow == flow_ref(g));
        luc_arena_destroy(arena);
    }
    free(g);
}

static void cut__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct luc_arena *arena = luc_arena_create(4096);
    struct luc_cut *cut = NULL;
    assert_int_equal(luc_cut_create(100, 100, arena, &cut, NULL), LUC_NOMEM);
    assert_int_equal(luc_cut_create(0, 5, arena, &cut, NULL), LUC_TOO_LARGE);
    assert_int_equal(luc_cut_create(1 << 20, 1 << 20, arena, &cut, NULL), LUC_TOO_LARGE);
    assert_null(cut);
    luc_arena_destroy(arena);
}

/* ---- mixtures ------------------------------------------------------------------------------------- */

static uint8_t to_byte(double v)
{
    return (uint8_t)fmin(fmax(nearbyint(v), 0), 255);
}

#define N_DRAWN 20000

static const double cloud_mean[2][3] = { { 60, 90, 120 }, { 180, 150, 70 } };
static const double cloud_root[3][3] = { { 9, 0, 0 }, { 4, 6, 0 }, { -3, 2, 5 } };

struct clouds {
    uint8_t rgb[3 * N_DRAWN], chosen[N_DRAWN], held[N_DRAWN];
    struct luc_mixture m;
};

/* Two clouds of known mean and covariance, 1 : 3, and pixels that do not count; learned. */
static struct clouds *draw_clouds(void)
{
    struct clouds *all = calloc(1, sizeof(*all));
    struct luc_rng rng;
    luc_rng_seed(&rng, 8);
    for (size_t i = 0; i < N_DRAWN; i++) {
        double e[3];
        for (int j = 0; j < 3; j++)
            e[j] = luc_rng_normal(&rng);
        for (size_t j = 0; j < 3; j++)
            all->rgb[3 * i + j] = to_byte(cloud_mean[i % 4 != 0][j] + cloud_root[j][0] * e[0] +
                                          cloud_root[j][1] * e[1] + cloud_root[j][2] * e[2]);
        all->chosen[i] = i % 5 != 0;
    }
    const struct luc_colours c = { all->rgb, all->chosen, 1, N_DRAWN };
    luc_mixture_start(&all->m, 2, &c, &rng, all->held);
    assert_int_equal(all->m.n, 2);
    return all;
}

/* Which component is the first cloud. */
static size_t first_cloud(const struct clouds *all)
{
    return all->m.part[0].mean[0] < 120 ? 0 : 1;
}

/* inverse times the true covariance, at a, b */
static double product(const struct luc_gaussian *g, int a, int b)
{
    double sum = 0;
    for (int j = 0; j < 3; j++)
        for (int r = 0; r < 3; r++)
            sum += g->inverse[a][j] * cloud_root[j][r] * cloud_root[b][r];
    return sum;
}

static void mixture__finds_the_clouds_that_were_drawn(void **state)
{
    (void)state;
    struct clouds *all = draw_clouds();
    for (size_t k = 0; k < 2; k++) {
        const struct luc_gaussian *g = &all->m.part[k ^ first_cloud(all)];
        assert_true(fabs((double)g->n / (0.8 * N_DRAWN) - (k ? 0.75 : 0.25)) < 0.01);
        for (int a = 0; a < 3; a++) {
            assert_true(fabs(g->mean[a] - cloud_mean[k][a]) < 0.5);
            for (int b = 0; b < 3; b++)
                assert_true(fabs(product(g, a, b) - (a == b)) < 0.06);
        }
    }
    free(all);
}

/* D from its definition, for one colour. */
static void mixture__costs_what_its_formula_says(void **state)
{
    (void)state;
    struct clouds *all = draw_clouds();
    const struct luc_gaussian *g = &all->m.part[first_cloud(all)];
    const uint8_t z[3] = { 70, 95, 118 };
    const double det = 9.0 * 6 * 5 * 9 * 6 * 5;
    uint8_t which = 9;
    double q = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            q += (z[a] - g->mean[a]) * g->inverse[a][b] * (z[b] - g->mean[b]);
    assert_true(
        fabs(luc_mixture_cost(&all->m, z, &which) - (0.5 * q - log(0.25) + 0.5 * log(det))) < 0.1);
    assert_int_equal(which, first_cloud(all));
    free(all);
}

static void mixture__of_one_colour_is_finite(void **state)
{
    (void)state;
    uint8_t rgb[30], chosen[10] = { 0 }, held[10];
    struct luc_rng rng;
    luc_rng_seed(&rng, 1);
    memset(rgb, 200, sizeof(rgb));
    struct luc_mixture m = { 0 };
    const struct luc_colours c = { rgb, chosen, 0, 10 };
    luc_mixture_start(&m, 5, &c, &rng, held);
    assert_int_equal(m.n, 1);
    assert_true(isfinite(luc_mixture_cost(&m, rgb, NULL)));
    const uint8_t other[3] = { 0, 255, 0 };
    assert_true(luc_mixture_cost(&m, other, NULL) > luc_mixture_cost(&m, rgb, NULL));
}

/* ---- GrabCut -------------------------------------------------------------------------------------- */

#define SIDE 64

struct scene {
    uint8_t rgb[SIDE * SIDE * 3], truth[SIDE * SIDE], seeds[SIDE * SIDE];
};

/* A disc of two noisy colours on a ground of two others; seeds: a small square inside and the rim. */
static void paint_scene(struct scene *s)
{
    static const double colour[4][3] = {
        { 40, 90, 40 }, { 80, 130, 60 }, { 200, 60, 50 }, { 240, 200, 80 }
    };
    struct luc_rng rng;
    luc_rng_seed(&rng, 11);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int x = i % SIDE, y = i / SIDE;
        s->truth[i] = (x - 30) * (x - 30) + (y - 34) * (y - 34) < 18 * 18;
        const double *c = colour[2 * s->truth[i] + ((x / 6 + y / 9) % 2)];
        for (int j = 0; j < 3; j++)
            s->rgb[3 * i + j] = to_byte(c[j] + 14 * luc_rng_normal(&rng));
        s->seeds[i] = x < 2 || y < 2 || x >= SIDE - 2 || y >= SIDE - 2 ? LUC_SEED_BACK
                      : x >= 22 && x < 38 && y >= 26 && y < 42         ? LUC_SEED_MAYBE_FORE
                                                                       : LUC_SEED_MAYBE_BACK;
    }
}

static struct luc_grabcut cut_scene(struct scene *s, size_t iterations,
                                    const struct luc_threads *threads)
{
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_grabcut found = { 0 };
    struct luc_grabcut_spec spec = { .rgb = s->rgb,
                                     .width = SIDE,
                                     .height = SIDE,
                                     .components = 3,
                                     .iterations = iterations,
                                     .gamma = LUC_GAMMA,
                                     .threads = threads };
    luc_rng_seed(&spec.rng, 0);
    assert_int_equal(luc_grabcut_run(&spec, s->seeds, arena, &found, NULL), LUC_OK);
    luc_arena_destroy(arena);
    return found;
}

static void grabcut__finds_the_disc(void **state)
{
    (void)state;
    struct scene s;
    size_t wrong = 0;
    paint_scene(&s);
    cut_scene(&s, 8, NULL);
    for (int i = 0; i < SIDE * SIDE; i++)
        wrong += LUC_SIDE(s.seeds[i]) != s.truth[i];
    assert_true(wrong <= 8);
}

static void grabcut__never_raises_its_energy(void **state)
{
    (void)state;
    double before = HUGE_VAL;
    for (size_t n = 1; n <= 6; n++) {
        struct scene s;
        paint_scene(&s);
        const struct luc_grabcut found = cut_scene(&s, n, NULL);
        assert_true(found.energy <= before * (1 + 1e-6));
        before = found.energy;
    }
}

/* E written out from the definition, for the mixtures found. */
static void grabcut__tells_the_energy_of_its_result(void **state)
{
    (void)state;
    struct scene s;
    paint_scene(&s);
    const struct luc_grabcut found = cut_scene(&s, 3, NULL);
    double sum = 0, differences = 0, pairs = 0, links = 0;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < SIDE * SIDE; i++) {
            const int x = i % SIDE, y = i / SIDE;
            for (int way = 0; way < 4; way++) {
                const int u = x + dx[way], v = y + dy[way], j = v * SIDE + u;
                if (u < 0 || u >= SIDE || v >= SIDE)
                    continue;
                double d = 0;
                for (int c = 0; c < 3; c++)
                    d += pow(s.rgb[3 * i + c] - s.rgb[3 * j + c], 2);
                if (round == 0) {
                    differences += d;
                    pairs++;
                } else if (LUC_SIDE(s.seeds[i]) != LUC_SIDE(s.seeds[j])) {
                    links += 50 * exp(-d * pairs / (2 * differences)) / hypot(dx[way], dy[way]);
                }
            }
            if (round == 0)
                sum += luc_mixture_cost(&found.side[LUC_SIDE(s.seeds[i])], s.rgb + 3 * i, NULL);
        }
    assert_true(fabs(found.beta - pairs / (2 * differences)) < 1e-9);
    assert_true(fabs(found.energy - sum - links) < 1e-4 * fabs(sum + links));
}

static void grabcut__keeps_what_is_known(void **state)
{
    (void)state;
    struct scene s;
    paint_scene(&s);
    s.seeds[5 * SIDE + 50] = LUC_SEED_FORE; /* against all appearance */
    s.seeds[34 * SIDE + 30] = LUC_SEED_BACK;
    cut_scene(&s, 4, NULL);
    assert_int_equal(s.seeds[5 * SIDE + 50], LUC_SEED_FORE);
    assert_int_equal(s.seeds[34 * SIDE + 30], LUC_SEED_BACK);
    assert_int_equal(s.seeds[0], LUC_SEED_BACK);
}

static void grabcut__gives_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    struct scene a, b;
    struct luc_pool *pool = luc_pool_create(2);
    paint_scene(&a);
    paint_scene(&b);
    const struct luc_grabcut one = cut_scene(&a, 4, NULL);
    const struct luc_grabcut three =
        cut_scene(&b, 4, &(struct luc_threads){ .pool = pool, .width = 3 });
    assert_memory_equal(a.seeds, b.seeds, sizeof(a.seeds));
    assert_true(one.energy == three.energy);
    luc_pool_destroy(pool);
}

static void grabcut__survives_a_picture_without_contrast(void **state)
{
    (void)state;
    struct scene s;
    paint_scene(&s);
    memset(s.rgb, 77, sizeof(s.rgb));
    const struct luc_grabcut found = cut_scene(&s, 4, NULL);
    assert_true(isfinite(found.energy));
}

static enum luc_status stop(void *ctx, size_t iterations, struct luc_error *err)
{
    *(size_t *)ctx = iterations;
    return luc_fail(err, LUC_CANCELLED, "stop");
}

static void grabcut__can_be_stopped_and_runs_out_of_memory_cleanly(void **state)
{
    (void)state;
    struct scene s;
    size_t seen = 0;
    paint_scene(&s);
    struct luc_grabcut found = { 0 };
    struct luc_grabcut_spec spec = { .rgb = s.rgb,
                                     .width = SIDE,
                                     .height = SIDE,
                                     .components = 3,
                                     .iterations = 5,
                                     .gamma = LUC_GAMMA,
                                     .tick = stop,
                                     .tick_ctx = &seen };
    luc_rng_seed(&spec.rng, 0);
    struct luc_arena *arena = luc_arena_create(LIMIT);
    assert_int_equal(luc_grabcut_run(&spec, s.seeds, arena, &found, NULL), LUC_CANCELLED);
    assert_int_equal(seen, 1);
    assert_int_equal(found.iterations, 0);
    luc_arena_destroy(arena);
    spec.tick = NULL;
    enum luc_status st = LUC_NOMEM;
    size_t limit = 1024;
    for (; st == LUC_NOMEM; limit += 16384) {
        arena = luc_arena_create(limit);
        st = luc_grabcut_run(&spec, s.seeds, arena, &found, NULL);
        luc_arena_destroy(arena);
    }
    assert_int_equal(st, LUC_OK);
    assert_true(limit > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut__costs_the_greatest_flow_on_random_grids),
        cmocka_unit_test(cut__refuses_what_does_not_fit),
        cmocka_unit_test(mixture__finds_the_clouds_that_were_drawn),
        cmocka_unit_test(mixture__costs_what_its_formula_says),
        cmocka_unit_test(mixture__of_one_colour_is_finite),
        cmocka_unit_test(grabcut__finds_the_disc),
        cmocka_unit_test(grabcut__never_raises_its_energy),
        cmocka_unit_test(grabcut__tells_the_energy_of_its_result),
        cmocka_unit_test(grabcut__keeps_what_is_known),
        cmocka_unit_test(grabcut__gives_the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(grabcut__survives_a_picture_without_contrast),
        cmocka_unit_test(grabcut__can_be_stopped_and_runs_out_of_memory_cleanly),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
