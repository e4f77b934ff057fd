/* Which packed forms of its weights a network holds: those that its plans read, and no other. */
#include "core/graph/exec.h"
#include "core/graph/optimise.h"
#include "core/graph/rebind.h"
#include "core/kernels/winograd.h"
#include "tests/net_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT    ((size_t)64 << 20)
#define CHANNELS 32
#define LARGE    32 /* height and width of a picture that Winograd's way pays for */
#define SMALL    8  /* of one that it does not pay for */

/* One convolution that may be packed either way; the one before it has too few channels for any. */
static void build(struct net *n)
{
    net_init(n);
    net_input(n, 0, 0);
    net_conv(n, "x", "stem", 3, CHANNELS, 3, "pads=1,1,1,1");
    net_conv(n, "stem", "y", CHANNELS, CHANNELS, 3, "pads=1,1,1,1");
    net_finish(n);
}

/* The first numbers of y, of a plan of `g` at this size. */
static void ask(struct luc_graph *g, size_t y, size_t size, bool fast, float answer[SMALL])
{
    const struct luc_shape shape = luc_shape4(1, 3, size, size);
    const struct luc_plan_spec spec = {
        .graph = g, .inputs = &shape, .taps = &y, .n_taps = 1, .fast = fast
    };
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    struct luc_error err = { 0 };
    assert_int_equal(luc_plan_create(&spec, arena, &plan, &err), LUC_OK);
    assert_int_equal(luc_exec_create(plan, arena, NULL, &x, &err), LUC_OK);
    float *in = luc_exec_input(x, 0)->data;
    for (size_t i = 0; i < 3 * size * size; i++)
        in[i] = (float)(i * 7919 % 255) / 255.0f;
    luc_exec_forward(x);
    memcpy(answer, luc_exec_value(x, y)->data, SMALL * sizeof(*answer));
    luc_arena_destroy(arena);
}

/* By how many bytes the network grows for a plan. */
static size_t growth(struct net *n, size_t size, bool fast)
{
    float answer[SMALL];
    const size_t before = luc_graph_bytes(n->g);
    ask(n->g, net_value(n, "y"), size, fast, answer);
    return luc_graph_bytes(n->g) - before;
}

static void precision__overrules_what_a_plan_asks_for(void **state)
{
    (void)state;
    float strict[SMALL], fast[SMALL], answer[SMALL];
    struct net n;
    build(&n);
    const size_t y = net_value(&n, "y");
    ask(n.g, y, LARGE, false, strict);
    ask(n.g, y, LARGE, true, fast);
    assert_memory_not_equal(strict, fast, sizeof(strict));
    n.g->precision = LUC_PRECISION_STRICT;
    ask(n.g, y, LARGE, true, answer);
    assert_memory_equal(answer, strict, sizeof(strict));
    n.g->precision = LUC_PRECISION_FAST;
    ask(n.g, y, LARGE, false, answer);
    assert_memory_equal(answer, fast, sizeof(fast));
    net_done(&n);
}

static void packing__a_plan_packs_what_it_reads_once(void **state)
{
    (void)state;
    const size_t slack = 1024; /* bytes: what describes the tensors */
    const size_t winograd = luc_winograd_floats(CHANNELS, CHANNELS) * sizeof(float);
    const size_t direct = (size_t)CHANNELS * CHANNELS * 9 * sizeof(float);
    struct net n;
    build(&n);
    size_t more = growth(&n, LARGE, true);
    assert_true(more >= winograd && more < winograd + slack);
    assert_int_equal(growth(&n, LARGE, true), 0);
    more = growth(&n, SMALL, true);
    assert_true(more >= direct && more < direct + slack);
    assert_int_equal(growth(&n, LARGE, false), 0);
    net_done(&n);

    build(&n);
    more = growth(&n, LARGE, false);
    assert_true(more >= direct && more < direct + slack);
    net_done(&n);
}

/* What others have packed does not matter: a fast answer has the same bits before and after. */
static void packing__answers_do_not_depend_on_who_asked_before(void **state)
{
    (void)state;
    float first[SMALL], later[SMALL], strict[SMALL];
    struct net n;
    build(&n);
    ask(n.g, net_value(&n, "y"), LARGE, true, first);
    net_done(&n);
    build(&n);
    ask(n.g, net_value(&n, "y"), LARGE, false, strict);
    ask(n.g, net_value(&n, "y"), LARGE, true, later);
    assert_memory_equal(first, later, sizeof(first));
    assert_memory_not_equal(first, strict, sizeof(first));
    ask(n.g, net_value(&n, "y"), LARGE, false, later);
    assert_memory_equal(strict, later, sizeof(strict));
    net_done(&n);
}

/* A shared graph's plan packs in the original; a node with weights of its own does not. */
static void packing__a_shared_graph_takes_the_originals(void **state)
{
    (void)state;
    float mine[SMALL], shared_says[SMALL], other[SMALL];
    struct net n;
    struct luc_graph *shared = NULL;
    struct luc_arena *arena = luc_arena_create(LIMIT);
    build(&n);
    const size_t y = net_value(&n, "y"), before = luc_graph_bytes(n.g);
    assert_int_equal(luc_graph_share(n.g, arena, &shared, NULL), LUC_OK);
    assert_int_equal(luc_graph_bytes(n.g), before);
    ask(shared, y, LARGE, true, shared_says);
    const size_t packed = luc_graph_bytes(n.g);
    assert_true(packed > before);
    ask(n.g, y, LARGE, true, mine);
    assert_int_equal(luc_graph_bytes(n.g), packed);
    assert_memory_equal(mine, shared_says, sizeof(mine));

    const size_t w = n.g->nodes[n.g->n_nodes - 1].in[1];
    float *zero = luc_arena_alloc(arena, luc_numel(&n.g->values[w].constant.shape), sizeof(*zero));
    luc_graph_rebind(shared, w, zero);
    ask(shared, y, LARGE, true, other);
    for (size_t i = 1; i < SMALL; i++) /* the bias alone */
        assert_true(other[i] == other[0]);
    assert_int_equal(luc_graph_bytes(n.g), packed);
    ask(n.g, y, LARGE, true, other);
    assert_memory_equal(mine, other, sizeof(mine));
    luc_arena_destroy(arena);
    net_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precision__overrules_what_a_plan_asks_for),
        cmocka_unit_test(packing__a_plan_packs_what_it_reads_once),
        cmocka_unit_test(packing__answers_do_not_depend_on_who_asked_before),
        cmocka_unit_test(packing__a_shared_graph_takes_the_originals),
    };
    return cmocka_run_group_tests_name("packing", tests, NULL, NULL);
}
