#include "core/graph/region.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)256 << 20)
#define SIDE  47
#define BATCH 5

struct bed {
    struct net net;
    struct luc_arena *arena;
    float *picture; /* [3, SIDE, SIDE] */
};

static int setup(void **state)
{
    struct bed *n = calloc(1, sizeof(*n));
    net_init(&n->net);
    n->arena = luc_arena_create(LIMIT);
    n->picture = calloc(3 * SIDE * SIDE, sizeof(float));
    for (size_t i = 0; i < 3 * SIDE * SIDE; i++)
        n->picture[i] = (float)luc_rng_normal(&n->net.rng);
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    struct bed *n = *state;
    net_done(&n->net);
    luc_arena_destroy(n->arena);
    free(n->picture);
    free(n);
    return 0;
}

/* The answer for one covered picture, the plain way. */
static void brute(struct bed *n, size_t out, const float *picture, float *answer)
{
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const struct luc_shape shape = luc_shape4(1, 3, SIDE, SIDE);
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    const struct luc_plan_spec ask = {
        .graph = n->net.g, .inputs = &shape, .taps = &out, .n_taps = 1
    };
    assert_int_equal(luc_plan_create(&ask, arena, &plan, NULL), LUC_OK);
    assert_int_equal(luc_exec_create(plan, arena, NULL, &x, NULL), LUC_OK);
    memcpy(luc_exec_input(x, 0)->data, picture, 3 * SIDE * SIDE * sizeof(float));
    luc_exec_forward(x);
    const struct luc_tensor *y = luc_exec_value(x, out);
    memcpy(answer, y->data, luc_numel(&y->shape) * sizeof(float));
    luc_arena_destroy(arena);
}

static void cover(float *picture, size_t y0, size_t x0, size_t h, size_t w, const float *patch)
{
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++)
                picture[(c * SIDE + y0 + y) * SIDE + x0 + x] = patch[(c * h + y) * w + x];
}

/* Every position of a grid, regional against brute force; returns the share of the work. */
static double compare(struct bed *n, const char *name, size_t ph, size_t pw, size_t step)
{
    struct luc_error err = { 0 };
    size_t ys[SIDE], xs[SIDE], n_ys = 0, n_xs = 0;
    net_finish(&n->net);
    for (size_t y = 0; y + ph <= SIDE; y += step)
        ys[n_ys++] = y;
    for (size_t x = 0; x + pw <= SIDE; x += step)
        xs[n_xs++] = x;
    ys[n_ys - 1] = SIDE - ph; /* flush with the border */
    const size_t out = net_value(&n->net, name);
    const struct luc_tensor in = { luc_shape4(1, 3, SIDE, SIDE), LUC_F32, n->picture };
    struct luc_region *r = NULL;
    const struct luc_region_spec spec = { .graph = n->net.g,
                                          .input = &in,
                                          .values = &out,
                                          .n_values = 1,
                                          .patch_h = ph,
                                          .patch_w = pw,
                                          .ys = ys,
                                          .xs = xs,
                                          .n_ys = n_ys,
                                          .n_xs = n_xs,
                                          .batch = BATCH };
    if (luc_region_create(&spec, n->arena, &r, &err))
        fail_msg("%s", err.text);
    float *patches = luc_region_patches(r), *covered = malloc(3 * SIDE * SIDE * sizeof(float));
    float *answer = malloc(LIMIT / 64);
    for (size_t i = 0; i < BATCH * 3 * ph * pw; i++)
        patches[i] = (float)(3 * luc_rng_normal(&n->net.rng));
    for (size_t at = 0; at < n_ys * n_xs; at += BATCH) {
        for (size_t slot = 0; slot < BATCH && at + slot < n_ys * n_xs; slot++)
            luc_region_place(r, slot, (at + slot) / n_xs, (at + slot) % n_xs);
        luc_region_run(r);
        const struct luc_tensor *y = luc_region_value(r, out);
        const size_t per = luc_numel(&y->shape) / BATCH;
        for (size_t slot = 0; slot < BATCH && at + slot < n_ys * n_xs; slot++) {
            memcpy(covered, n->picture, 3 * SIDE * SIDE * sizeof(float));
            cover(covered, ys[(at + slot) / n_xs], xs[(at + slot) % n_xs], ph, pw,
                  patches + slot * 3 * ph * pw);
            brute(n, out, covered, answer);
            for (size_t i = 0; i < per; i++)
                assert_true(fabsf(answer[i] - y->data[slot * per + i]) <
                            1e-5f * (1 + fabsf(answer[i])));
        }
    }
    const double share = luc_region_share(r);
    luc_region_done(r);
    free(answer);
    free(covered);
    return share;
}

static void region__a_chain_of_convolutions_is_exact(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 6, 3, "pads=1,1,1,1");
    net_node(&n->net, "Relu", "a", "b", "");
    net_conv(&n->net, "b", "c", 6, 5, 5, "strides=2,2 pads=2,1,2,1");
    net_node(&n->net, "Relu", "c", "d", "");
    net_conv(&n->net, "d", "e", 5, 4, 3, "pads=2,2,2,2 dilations=2,2");
    assert_true(compare(n, "e", 7, 5, 4) < 0.5);
}

static void region__strided_even_kernels_and_same_padding_are_exact(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 4, 4, "strides=3,2 auto_pad=SAME_UPPER");
    net_node(&n->net, "LeakyRelu", "a", "b", "alpha=0.2");
    net_conv(&n->net, "b", "c", 4, 4, 2, "strides=1,2 auto_pad=SAME_LOWER");
    compare(n, "c", 6, 9, 5);
}

static void region__branches_of_different_reach_are_joined_exactly(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 4, 3, "strides=2,2");
    net_node(&n->net, "Relu", "a", "b", "");
    net_conv(&n->net, "b", "c", 4, 4, 5, "pads=2,2,2,2");
    net_conv(&n->net, "b", "d", 4, 4, 1, "");
    net_node(&n->net, "Add", "c d", "e", "");
    net_node(&n->net, "Relu", "e", "f", "");
    net_node(&n->net, "Concat", "f b", "g", "axis=1");
    net_weights(&n->net, "k", luc_shape4(1, 8, 1, 1), 1);
    net_node(&n->net, "Mul", "g k", "h", "");
    assert_true(compare(n, "h", 5, 5, 3) < 0.6);
}

static void region__padding_nodes_only_move_the_window(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    struct luc_tensor pads = { .shape = { 1, { 8 } }, .dtype = LUC_I64 };
    pads.data = luc_arena_alloc(n->net.g->arena, 8, sizeof(float));
    pads.data[2] = 3, pads.data[3] = 2, pads.data[6] = 1, pads.data[7] = 4;
    assert_int_equal(luc_graph_set_constant(n->net.g, net_value(&n->net, "pads"), &pads, NULL),
                     LUC_OK);
    net_node(&n->net, "Pad", "x pads", "a", "");
    net_conv(&n->net, "a", "b", 3, 4, 7, "strides=2,2");
    assert_true(compare(n, "b", 4, 4, 3) < 0.7);
}

static void region__a_layer_that_sees_everything_runs_whole(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 4, 3, "");
    net_node(&n->net, "Relu", "a", "b", "");
    net_node(&n->net, "Flatten", "b", "c", "");
    net_node(&n->net, "Softmax", "c", "d", "");
    compare(n, "d", 5, 5, 9);
}

static void region__a_patch_of_the_whole_picture_is_the_whole_work(void **state)
{
    struct bed *n = *state;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 4, 3, "");
    assert_true(compare(n, "a", SIDE, SIDE, 1) > 0.99);
}

/* One patch of 5 x 5 at `at`; *answer, of the picture's size and 4 channels, and the share. */
static double answer_limited(struct bed *n, double most, const size_t *at, const float *patch,
                             float *answer)
{
    const size_t out = net_value(&n->net, "c");
    const struct luc_tensor in = { luc_shape4(1, 3, SIDE, SIDE), LUC_F32, n->picture };
    struct luc_region *r = NULL;
    const struct luc_region_spec spec = { .graph = n->net.g,
                                          .input = &in,
                                          .values = &out,
                                          .n_values = 1,
                                          .patch_h = 5,
                                          .patch_w = 5,
                                          .ys = at,
                                          .xs = at,
                                          .n_ys = 1,
                                          .n_xs = 1,
                                          .batch = 1,
                                          .most_side = most };
    assert_int_equal(luc_region_create(&spec, n->arena, &r, NULL), LUC_OK);
    memcpy(luc_region_patches(r), patch, 75 * sizeof(*patch));
    luc_region_place(r, 0, 0, 0);
    luc_region_run(r);
    memcpy(answer, luc_region_value(r, out)->data, 4 * SIDE * SIDE * sizeof(*answer));
    const double share = luc_region_share(r);
    luc_region_done(r);
    return share;
}

/* The second layer's window would be 9 wide and may be 8: what is computed is right, what is beyond
 * stays as it was. */
static void region__limited_windows_leave_what_is_beyond_as_it_was(void **state)
{
    enum { N = 4 * SIDE * SIDE };
    struct bed *n = *state;
    const size_t at = 20;
    float *exact = malloc(N * sizeof(float)), *same = malloc(N * sizeof(float));
    float *some = malloc(N * sizeof(float)), *was = malloc(N * sizeof(float)), patch[75];
    size_t changed = 0;
    net_input(&n->net, SIDE, SIDE);
    net_conv(&n->net, "x", "a", 3, 6, 3, "pads=1,1,1,1");
    net_node(&n->net, "Relu", "a", "b", "");
    net_conv(&n->net, "b", "c", 6, 4, 3, "pads=1,1,1,1");
    net_finish(&n->net);
    for (size_t i = 0; i < 75; i++)
        patch[i] = (float)(3 * luc_rng_normal(&n->net.rng));
    brute(n, net_value(&n->net, "c"), n->picture, was);
    const double whole = answer_limited(n, 0, &at, patch, exact);
    const double limited = answer_limited(n, 0.15, &at, patch, some);
    assert_true(answer_limited(n, 1, &at, patch, same) == whole);
    assert_memory_equal(same, exact, N * sizeof(float));
    for (size_t i = 0; i < N; i++) {
        const size_t y = i / SIDE % SIDE, x = i % SIDE;
        const bool inside = y >= 18 && y < 26 && x >= 18 && x < 26;
        const float want = inside ? exact[i] : was[i];
        assert_true(fabsf(some[i] - want) < 1e-5f * (1 + fabsf(want)));
        changed += fabsf(some[i] - was[i]) > 1e-3f;
    }
    assert_true(limited < whole && changed > N / SIDE / SIDE * 60);
    free(exact);
    free(same);
    free(some);
    free(was);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(region__a_chain_of_convolutions_is_exact),
        T(region__strided_even_kernels_and_same_padding_are_exact),
        T(region__branches_of_different_reach_are_joined_exactly),
        T(region__padding_nodes_only_move_the_window),
        T(region__a_layer_that_sees_everything_runs_whole),
        T(region__a_patch_of_the_whole_picture_is_the_whole_work),
        T(region__limited_windows_leave_what_is_beyond_as_it_was),
    };
#undef T
    return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
