/* A run takes nothing from the heap: the program's allocator is wrapped and counted. */
#include "core/graph/exec.h"
#include "tests/net_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIDE  32
#define LIMIT ((size_t)64 << 20)

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static atomic_size_t n_asked;

void *__wrap_malloc(size_t size)
{
    atomic_fetch_add(&n_asked, 1);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    atomic_fetch_add(&n_asked, 1);
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    atomic_fetch_add(&n_asked, 1);
    return __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&n_asked, 1);
    return __real_aligned_alloc(alignment, size);
}

/* Convolutions of every kind, pools, normalisations and products, with branches. */
static void build(struct net *n)
{
    net_init(n);
    net_input(n, SIDE, SIDE);
    net_weights(n, "scale", (struct luc_shape){ 1, { 64 } }, 1);
    net_weights(n, "shift", (struct luc_shape){ 1, { 64 } }, 1);
    net_weights(n, "w", (struct luc_shape){ 2, { 64, 10 } }, 1);
    net_weights(n, "b", (struct luc_shape){ 1, { 10 } }, 1);
    net_conv(n, "x", "c1", 3, 16, 3, "pads=1,1,1,1");
    net_node(n, "Relu", "c1", "r1", "");
    net_node(n, "LRN", "r1", "n1", "size=5");
    net_node(n, "MaxPool", "n1", "p1", "kernel_shape=3,3 strides=2,2");
    net_conv(n, "p1", "c2", 16, 32, 1, "");
    net_conv(n, "p1", "c3", 16, 32, 3, "pads=1,1,1,1");
    net_node(n, "Concat", "c2 c3", "cat", "axis=1");
    net_node(n, "InstanceNormalization", "cat scale shift", "norm", "");
    net_node(n, "Add", "norm cat", "sum", "");
    net_node(n, "AveragePool", "sum", "p2", "kernel_shape=2,2 strides=2,2");
    net_node(n, "GlobalAveragePool", "p2", "mean", "");
    net_node(n, "Flatten", "mean", "flat", "");
    net_node(n, "Gemm", "flat w b", "y", "");
    net_finish(n);
}

static void once(struct luc_exec *x, size_t out)
{
    luc_exec_forward(x);
    struct luc_tensor *seed = luc_exec_seed(x, out);
    for (size_t i = 0; i < luc_numel(&seed->shape); i++)
        seed->data[i] = 1.0f;
    luc_exec_backward(x, LUC_RELU_PLAIN);
}

static void exec__a_second_run_takes_nothing_from_the_heap(void **state)
{
    (void)state;
    struct net n;
    build(&n);
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_pool *pool = luc_pool_create(1);
    const struct luc_threads threads = { .pool = pool, .width = 2 };
    const size_t out = net_value(&n, "y"), in = net_value(&n, "x");
    const struct luc_shape shape = luc_shape4(2, 3, SIDE, SIDE);
    for (int fast = 0; fast < 2; fast++) {
        const struct luc_plan *plan = NULL;
        struct luc_exec *x = NULL;
        const struct luc_plan_spec ask = { .graph = n.g,
                                           .inputs = &shape,
                                           .taps = &out,
                                           .n_taps = 1,
                                           .seeds = &out,
                                           .n_seeds = 1,
                                           .wrt = &in,
                                           .n_wrt = 1,
                                           .lanes = 2,
                                           .fast = fast > 0 };
        struct luc_error err = { 0 };
        if (luc_plan_create(&ask, arena, &plan, &err) ||
            luc_exec_create(plan, arena, &threads, &x, &err))
            fail_msg("%s", err.text);
        once(x, out);
        const size_t before = atomic_load(&n_asked);
        once(x, out);
        assert_int_equal(atomic_load(&n_asked), before);
    }
    assert_true(atomic_load(&n_asked) > 0); /* the counter counts */
    luc_arena_destroy(arena);
    luc_pool_destroy(pool);
    net_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exec__a_second_run_takes_nothing_from_the_heap),
    };
    return cmocka_run_group_tests_name("exec_heap", tests, NULL, NULL);
}
