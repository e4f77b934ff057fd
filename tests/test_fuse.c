/* Sums and ReLUs that join the convolution before them: the same answers, in fewer steps. */
#include "core/graph/exec.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)
#define SIZE  9 /* height and width of the picture */

/* A block with a convolution on either side of its sum, one that adds what it reads, and one whose
 * addend is made only after its convolution. 16 channels: wide enough for packed weights. */
static void build(struct net *n)
{
    net_init(n);
    net_input(n, SIZE, SIZE);
    net_conv(n, "x", "stem", 3, 16, 3, "pads=1,1,1,1");
    net_node(n, "Relu", "stem", "r0", "");
    net_conv(n, "r0", "a", 16, 24, 1, "");
    net_conv(n, "r0", "side", 16, 24, 1, "");
    net_node(n, "Add", "a side", "sum1", "");
    net_node(n, "Relu", "sum1", "r1", "");
    net_conv(n, "r1", "b", 24, 24, 3, "pads=1,1,1,1");
    net_node(n, "Add", "r1 b", "sum2", "");
    net_conv(n, "sum2", "c", 24, 24, 1, "");
    net_node(n, "Sigmoid", "sum2", "late", "");
    net_node(n, "Add", "c late", "sum3", "");
    net_node(n, "Relu", "sum3", "r3", "");
    net_conv(n, "r3", "d", 24, 4, 5, "pads=2,2,2,2");
    net_weights(n, "w4", luc_shape4(1, 4, SIZE, SIZE), 1.0);
    net_node(n, "Add", "d w4", "out", "");
    net_finish(n);
}

struct question {
    const char *tap, *wrt, *seed;
    enum luc_relu_rule rule;
    size_t steps; /* forward steps when fused */
};

struct answer {
    size_t steps;
    struct luc_tensor tap, grad;
};

static void count(void *ctx, const struct luc_timing *timing)
{
    *(size_t *)ctx += !timing->backward;
}

static struct answer ask(struct net *n, const struct question *q, bool no_fusion,
                         struct luc_arena *arena)
{
    struct answer a = { 0 };
    struct luc_error err = { 0 };
    const struct luc_shape shape = luc_shape4(2, 3, SIZE, SIZE);
    const size_t tap = net_value(n, q->tap), wrt = net_value(n, q->wrt);
    const size_t seed = net_value(n, q->seed);
    const struct luc_plan_spec spec = { .graph = n->g,
                                        .inputs = &shape,
                                        .taps = &tap,
                                        .n_taps = 1,
                                        .seeds = &seed,
                                        .n_seeds = 1,
                                        .wrt = &wrt,
                                        .n_wrt = 1,
                                        .no_fusion = no_fusion };
    const struct luc_probe probe = { .step = count, .ctx = &a.steps };
    struct luc_threads *threads = luc_arena_alloc(arena, 1, sizeof(*threads));
    *threads = (struct luc_threads){ .width = 1, .probe = &probe };
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    if (luc_plan_create(&spec, arena, &plan, &err) ||
        luc_exec_create(plan, arena, threads, &x, &err))
        fail_msg("%s", err.text);
    struct luc_tensor *in = luc_exec_input(x, 0), *dy;
    for (size_t i = 0; i < luc_numel(&in->shape); i++)
        in->data[i] = sinf((float)(i * i % 1009));
    luc_exec_forward(x);
    a.tap = *luc_exec_value(x, tap);
    dy = luc_exec_seed(x, seed);
    for (size_t i = 0; i < luc_numel(&dy->shape); i++)
        dy->data[i] = cosf((float)(i * i % 883));
    luc_exec_backward(x, q->rule);
    a.grad = *luc_exec_grad(x, wrt);
    return a;
}

static void compare(struct net *n, const struct question *q)
{
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const struct answer plain = ask(n, q, true, arena), fused = ask(n, q, false, arena);
    double off = 0, most = 0;
    if (fused.steps != q->steps)
        fail_msg("tap %s: %zu steps instead of %zu", q->tap, fused.steps, q->steps);
    assert_memory_equal(fused.tap.data, plain.tap.data,
                        luc_numel(&plain.tap.shape) * sizeof(float));
    for (size_t i = 0; i < luc_numel(&plain.grad.shape); i++) {
        off = fmax(off, fabs((double)fused.grad.data[i] - (double)plain.grad.data[i]));
        most = fmax(most, fabs((double)plain.grad.data[i]));
    }
    if (!(most > 1e-3 && off <= 1e-6 * most))
        fail_msg("tap %s, gradient to %s: off by %g of %g", q->tap, q->wrt, off, most);
    luc_arena_destroy(arena);
}

/* Of 14 nodes, all that may join: r0, sum1 with r1, sum2. sum3's addend is late, so sum3 and r3
 * stay; the last sum repeats one addend for each picture. What is asked for stays as well. */
static void fuse__answers_are_those_of_separate_nodes(void **state)
{
    (void)state;
    static const struct question questions[] = {
        { "out", "x", "out", LUC_RELU_PLAIN, 10 },
        { "out", "x", "out", LUC_RELU_GUIDED, 10 },
        { "out", "x", "out", LUC_RELU_DECONV, 10 },
        { "sum1", "x", "out", LUC_RELU_PLAIN, 11 },
        { "a", "x", "out", LUC_RELU_PLAIN, 10 },
        { "side", "x", "out", LUC_RELU_PLAIN, 12 },
        { "r1", "x", "sum2", LUC_RELU_PLAIN, 4 },
        { "out", "r1", "out", LUC_RELU_PLAIN, 11 },
        { "out", "sum2", "out", LUC_RELU_PLAIN, 10 },
        { "out", "sum1", "out", LUC_RELU_PLAIN, 11 },
        { "out", "w4", "out", LUC_RELU_PLAIN, 10 },
        { "out", "side.b", "out", LUC_RELU_PLAIN, 10 },
        { "out", "a.w", "out", LUC_RELU_PLAIN, 10 },
    };
    struct net n;
    build(&n);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        compare(&n, &questions[i]);
    net_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuse__answers_are_those_of_separate_nodes),
    };
    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
