#include "core/generate/nearest.h"
#include "tests/generate_bed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_texture;
#define METHOD &luc_method_texture

static void texture__gram_lowers_its_losses(void **state)
{
    struct bed *b = *state;
    static const char *const ways[][2] = {
        { "optimiser", "lbfgs" },
        { "parametrisation", "pixel" },
        { "tile", "false" },
        { "layer_weights", "1,3" },
    };
    for (size_t i = 0; i < 4; i++) {
        double loss[2];
        for (int k = 0; k < 2; k++) {
            const char *const set[][2] = { { "layers", "a,b" },         { "size", "40" },
                                           { "sample_size", "32" },     { ways[i][0], ways[i][1] },
                                           { "steps", k ? "40" : "1" }, { NULL, NULL } };
            bed_again(b);
            b->run.n_images = 1;
            assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_OK);
            const struct luc_table *t = &luc_result_find(&b->result, "layers")->table;
            loss[k] = t->cells[1].number + t->cells[3].number;
        }
        assert_true(loss[1] < 0.5 * loss[0]);
    }
}

static void texture__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    const char *const set[][2] = {
        { "layers", "a,b" }, { "size", "40" }, { "steps", "5" }, { NULL, NULL }
    };
    bed_check_resume(*state, METHOD, set, 1, 5);
}

static void texture__nearest_goes_on_from_any_row_bit_for_bit(void **state)
{
    const char *const set[][2] = { { "method", "nearest" },  { "size", "48" },
                                   { "sample_size", "24" },  { "levels", "2" },
                                   { "neighbourhood", "5" }, { NULL, NULL } };
    bed_check_resume(*state, METHOD, set, 1, 24 + 48);
}

static void texture__comparison_goes_on_bit_for_bit(void **state)
{
    const char *const set[][2] = { { "layers", "a" }, { "size", "40" },      { "steps", "4" },
                                   { "levels", "1" }, { "compare", "true" }, { NULL, NULL } };
    struct bed *b = *state;
    size_t n = 0;
    bed_hook(b);
    b->run.n_images = 1;
    b->keep_after = -1;
    uint8_t *whole = bed_make(b, METHOD, set, &n);
    for (int stop = 2; stop < 44; stop += 6) /* 40 rows, then 4 steps */
        bed_resume_after(b, METHOD, set, 1, stop, whole, n);
    free(whole);
}

static void texture__comparison_shows_all_three(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { "layers", "a" }, { "size", "48" },
                                   { "steps", "2" },  { "sample_size", "40" },
                                   { "levels", "2" }, { "compare", "true" },
                                   { NULL, NULL } };
    b->run.n_images = 1;
    assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_OK);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 40 + 2 * (8 + 48));
    assert_int_equal(image->height, 48);
}

static void texture__what_does_not_fit_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][4] = {
        { "layers", "nowhere", "method", "gram" },
        { "layer_weights", "1,2", "layers", "a" },
        { "jitter", "3", "optimiser", "lbfgs" },
        { "neighbourhood", "4", "method", "nearest" },
        { "neighbourhood", "15", "method", "nearest" }, /* of 8 pixels at the coarsest */
    };
    for (size_t i = 0; i < 5; i++) {
        const char *const set[][2] = { { "steps", "1" },
                                       { "size", "32" },
                                       { "sample_size", "64" },
                                       { wrong[i][0], wrong[i][1] },
                                       { wrong[i][2], wrong[i][3] },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        bed_again(b);
        b->run.n_images = 1;
        assert_int_not_equal(bed_run(b, METHOD, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][0]);
    }
}

static void texture__is_cancelled_at_any_row(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { "method", "nearest" },  { "size", "32" },
                                   { "sample_size", "32" },  { "levels", "1" },
                                   { "neighbourhood", "3" }, { NULL, NULL } };
    for (int stop = 0; stop < 33; stop += 8) {
        bed_again(b);
        bed_hook(b);
        b->run.n_images = 1;
        b->keep_after = stop;
        assert_int_equal(bed_run(b, METHOD, set, NULL), LUC_CANCELLED);
    }
}

/* ---- the search, beside the plain definition ---- */

#define S 13 /* side of the sample */
#define T 11 /* of what is made */
#define N 5

static float at(const struct luc_canvas *c, int p, int y, int x)
{
    const int h = (int)c->height, w = (int)c->width;
    return c->data[(p * h + (y + 4 * h) % h) * w + (x + 4 * w) % w];
}

/* Squared distance of the surroundings of (ay, ax) in a and (by, bx) in b. */
static double plain_distance(const struct luc_canvas *a, const struct luc_canvas *a_before, int ay,
                             int ax, const struct luc_canvas *b, const struct luc_canvas *b_before,
                             int by, int bx)
{
    double sum = 0;
    for (int p = 0; p < 3; p++) {
        for (int dy = -N / 2; dy <= 0; dy++)
            for (int dx = -N / 2; dx <= N / 2 && (dy < 0 || dx < 0); dx++)
                sum += pow((double)(at(a, p, ay + dy, ax + dx) - at(b, p, by + dy, bx + dx)), 2);
        for (int dy = -1; a_before->data && dy <= 1; dy++)
            for (int dx = -1; dx <= 1; dx++) {
                const int cy = ay * (int)a_before->height / (int)a->height;
                const int cx = ax * (int)a_before->width / (int)a->width;
                const int ey = by * (int)b_before->height / (int)b->height;
                const int ex = bx * (int)b_before->width / (int)b->width;
                sum += pow(
                    (double)(at(a_before, p, cy + dy, cx + dx) - at(b_before, p, ey + dy, ex + dx)),
                    2);
            }
    }
    return sum;
}

static void random_canvas(struct luc_canvas *c, size_t side, struct luc_arena *arena,
                          struct luc_rng *rng)
{
    assert_int_equal(luc_canvas_create(c, side, side, arena, NULL), LUC_OK);
    for (size_t i = 0; i < 3 * side * side; i++)
        c->data[i] = (float)(255 * luc_rng_uniform(rng));
}

static void check_search(struct luc_arena *arena, const struct luc_threads *threads, bool before)
{
    static const struct luc_canvas none = { 0 };
    struct luc_canvas sample, sample_before, to, to_before, plain;
    struct luc_rng rng;
    luc_rng_seed(&rng, 8);
    random_canvas(&sample, S, arena, &rng);
    random_canvas(&sample_before, S / 2, arena, &rng);
    random_canvas(&to, T, arena, &rng);
    random_canvas(&to_before, T / 2, arena, &rng);
    random_canvas(&plain, T, arena, &rng);
    uint32_t source[T * T];
    struct luc_nearest n = { .threads = threads,
                             .source = source,
                             .neighbourhood = N,
                             .sample = &sample,
                             .sample_before = before ? &sample_before : &none,
                             .to = &to,
                             .to_before = before ? &to_before : &none };
    assert_int_equal(luc_nearest_begin(&n, arena, NULL), LUC_OK);
    luc_nearest_scatter(&n, &rng);
    memcpy(plain.data, to.data, 3 * luc_canvas_pixels(&to) * sizeof(float));
    for (int y = 0; y < T; y++) {
        luc_nearest_row(&n, (size_t)y);
        for (int x = 0; x < T; x++) {
            double best = HUGE_VAL;
            int by = 0, bx = 0;
            for (int sy = N / 2; sy < S - N / 2; sy++)
                for (int sx = N / 2; sx < S - N / 2; sx++) {
                    const double d =
                        plain_distance(&plain, n.to_before, y, x, &sample, n.sample_before, sy, sx);
                    if (d < best)
                        best = d, by = sy, bx = sx;
                }
            for (int p = 0; p < 3; p++)
                plain.data[(p * T + y) * T + x] = at(&sample, p, by, bx);
        }
        assert_memory_equal(plain.data + y * T, to.data + y * T, T * sizeof(float));
    }
    assert_memory_equal(plain.data, to.data, 3 * luc_canvas_pixels(&to) * sizeof(float));
}

static void nearest__finds_what_a_plain_search_finds(void **state)
{
    struct bed *b = *state;
    struct luc_pool *pool = luc_pool_create(3);
    const struct luc_threads threads = { .pool = pool, .width = 4 };
    for (int before = 0; before < 2; before++) {
        check_search(b->arena, NULL, before);
        check_search(b->arena, &threads, before);
    }
    luc_pool_destroy(pool);
}

/* With some vectors twice: of equal ones the first is found, but the start where none is closer. */
static void closest__finds_what_a_plain_search_finds(void **state)
{
    enum { VECTORS = 700, DIMS = 33 };
    struct bed *b = *state;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    float *v = luc_arena_raw(b->arena, (VECTORS + 1) * DIMS, sizeof(float));
    float *wanted = v + VECTORS * DIMS;
    for (size_t i = 0; i < VECTORS * DIMS; i++) /* more along some axes than along others */
        v[i] = (float)(luc_rng_normal(&rng) * (double)(i % DIMS) * (double)(i % 5));
    memcpy(v + 600 * DIMS, v + 100 * DIMS, 100 * DIMS * sizeof(float));
    struct luc_closest c = { .n = VECTORS, .dims = DIMS, .vectors = v };
    assert_int_equal(luc_closest_build(&c, NULL, b->arena, NULL), LUC_OK);
    for (size_t turn = 0; turn < 300; turn++) {
        const size_t near = (size_t)luc_rng_below(&rng, VECTORS);
        struct luc_found best = { INFINITY, 0 }, start = best;
        for (size_t d = 0; d < DIMS; d++)
            wanted[d] = v[near * DIMS + d] + (turn % 3 ? (float)(30 * luc_rng_normal(&rng)) : 0);
        for (uint32_t i = 0; i < VECTORS; i++) {
            const float d = luc_closest_distance(&c, wanted, i);
            best = d < best.distance ? (struct luc_found){ d, i } : best;
        }
        if (turn % 2) /* it may be one of two equal ones */
            start = (struct luc_found){ luc_closest_distance(&c, wanted, near), (uint32_t)near };
        const struct luc_found found = luc_closest_find(&c, wanted, start);
        assert_true(found.distance <= best.distance && found.distance >= best.distance);
        assert_int_equal(found.index, best.distance < start.distance ? best.index : start.index);
    }
}

int main(void)
{
#define B(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
    const struct CMUnitTest tests[] = {
        B(texture__nearest_goes_on_from_any_row_bit_for_bit),
        B(texture__comparison_goes_on_bit_for_bit),
        B(closest__finds_what_a_plain_search_finds),
        B(texture__gram_lowers_its_losses),
        B(texture__goes_on_from_any_checkpoint_bit_for_bit),
        B(texture__comparison_shows_all_three),
        B(texture__what_does_not_fit_is_refused_by_name),
        B(texture__is_cancelled_at_any_row),
        B(nearest__finds_what_a_plain_search_finds),
    };
    return cmocka_run_group_tests_name("method_texture", tests, NULL, NULL);
}
