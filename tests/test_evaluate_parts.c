/* What evaluations are made of: agreement of maps, imputation, networks with random weights, words. */
#include "core/graph/rebind.h"
#include "core/judge/agree.h"
#include "core/judge/impute.h"
#include "core/judge/randomise.h"
#include "core/tensor/label.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = luc_arena_create((size_t)64 << 20);
    return 0;
}

static int teardown(void **state)
{
    luc_arena_destroy(*state);
    return 0;
}

static struct luc_agreement agree(struct luc_arena *arena, const float *a, const float *b,
                                  size_t height, size_t width)
{
    struct luc_agreement out = { 0 };
    const size_t before = luc_arena_used(arena);
    assert_int_equal(luc_agree(a, b, height, width, arena, &out, NULL), LUC_OK);
    assert_int_equal(luc_arena_used(arena), before);
    return out;
}

static void agree__ranks_share_ties_and_ignore_the_scale(void **state)
{
    /* Ranks 0, 1.5, 1.5, 3, 4 and 3, 1, 0, 2, 4: by hand -> 3.0 / sqrt(9.5 * 10). */
    const float a[] = { -1, 0, 0, 2, 5 }, b[] = { 7, 3, 2, 6, 80 };
    const struct luc_agreement got = agree(*state, a, b, 1, 5);
    const double ra[] = { 0, 1.5, 1.5, 3, 4 }, rb[] = { 3, 1, 0, 2, 4 };
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < 5; i++) {
        ab += (ra[i] - 2) * (rb[i] - 2);
        aa += (ra[i] - 2) * (ra[i] - 2);
        bb += (rb[i] - 2) * (rb[i] - 2);
    }
    assert_true(fabs(got.spearman - ab / sqrt(aa * bb)) < 1e-12);
    const float cubed[] = { -1, 0, 0, 8, 125 }, turned[] = { 1, 0, 0, -2, -5 };
    assert_true(fabs(agree(*state, a, cubed, 1, 5).spearman - 1) < 1e-12);
    assert_true(fabs(agree(*state, a, turned, 1, 5).spearman + 1) < 1e-12);
    assert_true(fabs(agree(*state, a, turned, 1, 5).spearman_abs - 1) < 1e-12);
}

static void agree__a_flat_map_agrees_with_nothing(void **state)
{
    const float flat[64] = { 0 };
    float map[64];
    for (size_t i = 0; i < 64; i++)
        map[i] = (float)i;
    const struct luc_agreement got = agree(*state, flat, map, 8, 8);
    assert_true(got.spearman == 0 && got.spearman_abs == 0 && got.ssim == 0);
    assert_true(fabs(agree(*state, map, map, 8, 8).ssim - 1) < 1e-12);
}

/* One window of 7 x 7, against the formula. */
static void agree__ssim_is_the_formula(void **state)
{
    float a[49], b[49];
    double ma = 0, mb = 0, va = 0, vb = 0, cov = 0;
    for (size_t i = 0; i < 49; i++) {
        a[i] = (float)(i % 10) / 9;
        b[i] = (float)(i % 7) / 6;
        ma += (double)a[i] / 49;
        mb += (double)b[i] / 49;
    }
    for (size_t i = 0; i < 49; i++) {
        va += ((double)a[i] - ma) * ((double)a[i] - ma) / 49;
        vb += ((double)b[i] - mb) * ((double)b[i] - mb) / 49;
        cov += ((double)a[i] - ma) * ((double)b[i] - mb) / 49;
    }
    const double want =
        (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4));
    assert_true(fabs(agree(*state, a, b, 7, 7).ssim - want) < 1e-6);
}

#define SIDE ((size_t)12)

/* The system as a dense matrix, solved by elimination. */
static void solve_plainly(const bool *missing, double *v)
{
    const size_t n = SIDE * SIDE;
    double(*a)[SIDE * SIDE + 1] = calloc(n, sizeof(*a));
    for (size_t i = 0; i < n; i++) {
        a[i][i] = 1;
        a[i][n] = v[i];
        if (!missing[i])
            continue;
        double total = 0;
        a[i][n] = 0;
        for (size_t j = 0; j < n; j++) {
            const long dy = (long)(i / SIDE) - (long)(j / SIDE);
            const long dx = (long)(i % SIDE) - (long)(j % SIDE);
            if (i != j && labs(dy) <= 1 && labs(dx) <= 1) {
                a[i][j] = -(dy && dx ? 1.0 / 12 : 1.0 / 6);
                total -= a[i][j];
            }
        }
        a[i][i] = total;
    }
    for (size_t k = 0; k < n; k++) /* diagonally dominant: no pivots needed */
        for (size_t i = 0; i < n; i++)
            for (size_t j = n + 1; i != k && a[i][k] != 0 && j-- > k;)
                a[i][j] -= a[k][j] * a[i][k] / a[k][k];
    for (size_t i = 0; i < n; i++)
        v[i] = a[i][n] / a[i][i];
    free(a);
}

static void impute__is_the_solution_of_the_linear_system(void **state)
{
    struct luc_impute m;
    struct luc_rng rng;
    luc_rng_seed(&rng, 3);
    assert_int_equal(luc_impute_open(SIDE, SIDE, *state, &m, NULL), LUC_OK);
    for (int turn = 0; turn < 4; turn++) { /* scattered, nearly all, a block */
        bool missing[SIDE * SIDE];
        float plane[SIDE * SIDE];
        double want[SIDE * SIDE];
        for (size_t i = 0; i < SIDE * SIDE; i++) {
            const size_t y = i / SIDE, x = i % SIDE;
            plane[i] = (float)luc_rng_normal(&rng);
            want[i] = (double)plane[i];
            missing[i] = turn == 3 ? y > 2 && x < 9
                                   : luc_rng_uniform(&rng) < (double[]){ 0.3, 0.7, 0.97 }[turn];
        }
        luc_impute_plane(&m, missing, plane);
        solve_plainly(missing, want);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            assert_true(fabs((double)plane[i] - want[i]) < 2e-3);
    }
}

static void impute__nothing_known_is_zero_and_nothing_missing_is_untouched(void **state)
{
    struct luc_impute m;
    bool missing[SIDE * SIDE] = { false };
    float plane[SIDE * SIDE];
    assert_int_equal(luc_impute_open(SIDE, SIDE, *state, &m, NULL), LUC_OK);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        plane[i] = (float)i;
    luc_impute_plane(&m, missing, plane);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_true(plane[i] == (float)i);
    memset(missing, true, sizeof(missing));
    luc_impute_plane(&m, missing, plane);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_true(plane[i] == 0);
}

/* Large enough for the packed weights of core/kernels/winograd.h to be used. */
#define WIDE    ((size_t)64)
#define PICTURE ((size_t)32)

struct random_net {
    struct net net;
    struct luc_model model;
    struct luc_run run;
};

/* Three layers with weights, on 3x3 convolutions that are packed late. */
static void open_net(struct random_net *r, struct luc_arena *arena)
{
    *r = (struct random_net){ .model = { .name = "net" } };
    net_init(&r->net);
    net_input(&r->net, PICTURE, PICTURE);
    net_conv(&r->net, "x", "a", 3, WIDE, 3, "pads=1,1,1,1");
    net_node(&r->net, "Relu", "a", "ra", "");
    net_conv(&r->net, "ra", "b", WIDE, WIDE, 3, "pads=1,1,1,1");
    net_node(&r->net, "GlobalAveragePool", "b", "p", "");
    net_node(&r->net, "Flatten", "p", "f", "");
    net_weights(&r->net, "w", (struct luc_shape){ 2, { WIDE, 5 } }, 1);
    net_weights(&r->net, "bias", (struct luc_shape){ 1, { 5 } }, 1);
    net_node(&r->net, "Gemm", "f w bias", "logits", "");
    assert_int_equal(luc_graph_add_output(r->net.g, net_value(&r->net, "logits"), NULL), LUC_OK);
    net_finish(&r->net);
    r->model.graph = r->net.g;
    r->model.logits = net_value(&r->net, "logits");
    r->run = (struct luc_run){ .model = &r->model, .arena = arena };
}

static const float *data(const struct luc_graph *g, const char *name)
{
    return g->values[luc_graph_find(g, name)].constant.data;
}

static void logits_of(const struct random_net *r, const struct luc_model *model, float out[5])
{
    struct luc_run run = r->run;
    struct luc_exec *x = NULL;
    static float picture[3 * PICTURE * PICTURE];
    for (size_t i = 0; i < 3 * PICTURE * PICTURE; i++)
        picture[i] = (float)(i % 17) / 17;
    const struct luc_tensor in = { .shape = luc_shape4(1, 3, PICTURE, PICTURE), .data = picture };
    run.model = model;
    assert_int_equal(
        luc_run_forward(&run, &in,
                        &(struct luc_ask){ .taps = &model->logits, .n_taps = 1, .fast = true }, &x,
                        NULL),
        LUC_OK);
    memcpy(out, luc_exec_value(x, model->logits)->data, 5 * sizeof(*out));
}

static void randomise__goes_from_the_top_down_and_leaves_the_model_alone(void **state)
{
    static const char *const names[] = { "w", "b.w", "a.w" }, *const outs[] = { "logits", "b",
                                                                                "a" };
    struct random_net r;
    struct luc_rng rng;
    float before[5], after[5], other[5];
    luc_rng_seed(&rng, 8);
    open_net(&r, *state);
    logits_of(&r, &r.model, before);
    assert_int_equal(luc_randomise_layers(&r.model), 3);
    struct luc_model *last = NULL;
    for (size_t n = 1; n <= 3; n++) {
        struct luc_model *copy = NULL;
        const char *first = "";
        assert_int_equal(luc_randomise(&r.run, n, &rng, &copy, &first, NULL), LUC_OK);
        assert_string_equal(first, outs[n - 1]);
        for (size_t k = 0; k < 3; k++)
            assert_true((data(copy->graph, names[k]) != data(r.net.g, names[k])) == (k < n));
        for (size_t k = 0; last && k + 1 < n; k++) /* the same new weights at each depth */
            assert_memory_equal(data(copy->graph, names[k]), data(last->graph, names[k]), 40 * 4);
        for (size_t i = 0; i < 5; i++)
            assert_true(data(copy->graph, "bias")[i] == 0);
        logits_of(&r, copy, other);
        assert_memory_not_equal(other, before, sizeof(before));
        last = copy;
    }
    double squares = 0;
    for (size_t i = 0; i < WIDE * WIDE * 9; i++)
        squares += (double)data(last->graph, "b.w")[i] * (double)data(last->graph, "b.w")[i];
    assert_true(fabs(squares / (WIDE * WIDE * 9) / (2.0 / (WIDE * 9)) - 1) < 0.05);
    logits_of(&r, &r.model, after);
    assert_memory_equal(after, before, sizeof(before));
    net_done(&r.net);
}

/* The new weights themselves decide, not what was packed of the old ones. */
static void rebind__computes_with_the_new_weights(void **state)
{
    struct random_net r;
    struct luc_graph *g = NULL;
    float zero[WIDE] = { 0 }, got[5];
    open_net(&r, *state);
    struct luc_model copy = r.model;
    float *none = luc_arena_alloc(*state, WIDE * WIDE * 9, sizeof(float));
    assert_int_equal(luc_graph_share(r.net.g, *state, &g, NULL), LUC_OK);
    luc_graph_rebind(g, luc_graph_find(g, "b.w"), none);
    luc_graph_rebind(g, luc_graph_find(g, "b.b"), zero);
    copy.graph = g;
    logits_of(&r, &copy, got);
    for (size_t i = 0; i < 5; i++)
        assert_true(got[i] == data(r.net.g, "bias")[i]);
    net_done(&r.net);
}

static void label__writes_inside_the_picture_only(void **state)
{
    (void)state;
    static const uint8_t black[3] = { 0, 0, 0 };
    struct luc_image image;
    size_t dark = 0;
    assert_int_equal(luc_image_create(20, 12, 3, &image, NULL), LUC_OK);
    memset(image.data, 255, 20 * 12 * 3);
    assert_int_equal(luc_label_width("I!", 1), 3 + 1 + 1);
    assert_int_equal(luc_label_width("I!", 3), 15);
    assert_int_equal(luc_label_fit("III", 2, 15), 2); /* 6 + 2 + 6 = 14, and 22 */
    luc_label_draw(&image, 1, 1, 1, black, "I\xff", 2);
    for (size_t i = 0; i < 20 * 12; i++)
        dark += image.data[3 * i] == 0;
    assert_int_equal(dark, 11 + 9); /* the strokes of I and of the '?' for what it cannot write */
    luc_label_draw(&image, 15, 8, 4, black, "MM", 2); /* cut at the border; the sanitizer watches */
    luc_image_done(&image);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(agree__ranks_share_ties_and_ignore_the_scale),
        T(agree__a_flat_map_agrees_with_nothing),
        T(agree__ssim_is_the_formula),
        T(impute__is_the_solution_of_the_linear_system),
        T(impute__nothing_known_is_zero_and_nothing_missing_is_untouched),
        T(randomise__goes_from_the_top_down_and_leaves_the_model_alone),
        T(rebind__computes_with_the_new_weights),
        T(label__writes_inside_the_picture_only),
    };
#undef T
    return cmocka_run_group_tests_name("evaluate_parts", tests, NULL, NULL);
}
