#include "core/graph/exec.h"
#include "core/graph/memory.h"
#include "core/graph/optimise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

/* ---- three small operators, so that these tests rest on the graph alone ---- */

static int n_forwards; /* how many nodes ran */

static enum luc_status same_shape(struct luc_infer *x, struct luc_error *err)
{
    for (size_t i = 1; i < x->n_in; i++)
        if (!luc_shape_equal(&x->in[0]->shape, &x->in[i]->shape))
            return luc_fail(err, LUC_SHAPE, "inputs differ");
    x->out[0].shape = x->in[0]->shape;
    return LUC_OK;
}

static void square_forward(const struct luc_op_call *c)
{
    n_forwards++;
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++)
        c->out[0]->data[i] = c->in[0]->data[i] * c->in[0]->data[i];
}

static void square_backward(const struct luc_op_call *c)
{
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++)
        c->din[0]->data[i] += 2 * c->in[0]->data[i] * c->dout[0]->data[i];
}

static const struct luc_op square = { .name = "Square",
                                      .n_in_min = 1,
                                      .n_in_max = 1,
                                      .infer = same_shape,
                                      .forward = square_forward,
                                      .backward = square_backward };

static void product_forward(const struct luc_op_call *c)
{
    n_forwards++;
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++)
        c->out[0]->data[i] = c->in[0]->data[i] * c->in[1]->data[i];
}

static void product_backward(const struct luc_op_call *c)
{
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; c->din[k] && i < luc_numel(&c->out[0]->shape); i++) {
            const float d = c->in[1 - k]->data[i] * c->dout[0]->data[i];
            if (c->din_fresh[k])
                c->din[k]->data[i] = d;
            else
                c->din[k]->data[i] += d;
        }
}

static uint32_t product_reads(const void *attrs, uint32_t wanted)
{
    (void)attrs;
    return ((wanted & 1u) ? LUC_READS_IN(1) : 0) | ((wanted & 2u) ? LUC_READS_IN(0) : 0);
}

static const struct luc_op product = { .name = "Product",
                                       .n_in_min = 2,
                                       .n_in_max = 2,
                                       .flags = LUC_OP_SETS_DIN,
                                       .infer = same_shape,
                                       .reads = product_reads,
                                       .forward = product_forward,
                                       .backward = product_backward };

static void sum_forward(const struct luc_op_call *c)
{
    n_forwards++;
    for (size_t i = 0; i < luc_numel(&c->out[0]->shape); i++)
        c->out[0]->data[i] = c->in[0]->data[i] + c->in[1]->data[i];
}

static void sum_backward(const struct luc_op_call *c)
{
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; c->din[k] && i < luc_numel(&c->out[0]->shape); i++)
            c->din[k]->data[i] += c->dout[0]->data[i];
}

static uint32_t reads_nothing(const void *attrs, uint32_t wanted)
{
    (void)attrs, (void)wanted;
    return 0;
}

static const struct luc_op sum = { .name = "Sum2",
                                   .n_in_min = 2,
                                   .n_in_max = 2,
                                   .flags = LUC_OP_IN_PLACE,
                                   .infer = same_shape,
                                   .reads = reads_nothing,
                                   .forward = sum_forward,
                                   .backward = sum_backward };

/* ---- helpers ---- */

struct fixture {
    struct luc_graph *g;
    struct luc_arena *arena;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->g = luc_graph_create(LIMIT);
    f->arena = luc_arena_create(LIMIT);
    n_forwards = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    luc_graph_destroy(f->g);
    luc_arena_destroy(f->arena);
    free(f);
    return 0;
}

static size_t value(struct fixture *f, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(f->g, name, &v, NULL), LUC_OK);
    return v;
}

static void node(struct fixture *f, const struct luc_op *op, const char *a, const char *b,
                 const char *out)
{
    const size_t in[2] = { value(f, a), b ? value(f, b) : LUC_NONE }, o = value(f, out);
    assert_int_equal(luc_graph_add_node(f->g, op, out, in, b ? 2 : 1, &o, 1, NULL, NULL), LUC_OK);
}

static void input(struct fixture *f, const char *name, size_t n)
{
    const struct luc_shape decl = { 1, { n } };
    assert_int_equal(luc_graph_add_input(f->g, value(f, name), &decl, NULL), LUC_OK);
}

static void constant(struct fixture *f, const char *name, size_t n, float first)
{
    struct luc_tensor t = { .shape = { 1, { n } } };
    t.data = luc_arena_alloc(f->g->arena, n, sizeof(float));
    for (size_t i = 0; i < n; i++)
        t.data[i] = first + (float)i;
    assert_int_equal(luc_graph_set_constant(f->g, value(f, name), &t, NULL), LUC_OK);
}

static void finish(struct fixture *f)
{
    struct luc_error err = { 0 };
    if (luc_graph_finish(f->g, &err))
        fail_msg("%s", err.text);
}

static struct luc_exec *plan_and_make(struct fixture *f, struct luc_plan_spec spec, size_t n,
                                      const struct luc_plan **plan)
{
    struct luc_shape shapes[4] = { { 1, { n } }, { 1, { n } }, { 1, { n } }, { 1, { n } } };
    struct luc_error err = { 0 };
    struct luc_exec *x = NULL;
    spec.graph = f->g;
    spec.inputs = shapes;
    if (luc_plan_create(&spec, f->arena, plan, &err) ||
        luc_exec_create(*plan, f->arena, NULL, &x, &err))
        fail_msg("%s", err.text);
    return x;
}

/* ---- the graph ---- */

static void graph__nodes_are_sorted_whatever_their_order(void **state)
{
    struct fixture *f = *state;
    node(f, &sum, "c", "b", "d");
    node(f, &square, "b", NULL, "c");
    node(f, &square, "a", NULL, "b");
    input(f, "a", 2);
    finish(f);
    assert_string_equal(f->g->nodes[0].name, "b");
    assert_string_equal(f->g->nodes[1].name, "c");
    assert_string_equal(f->g->nodes[2].name, "d");
    assert_int_equal(f->g->values[value(f, "c")].producer, 1);
}

static void graph__a_cycle_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct luc_error err = { 0 };
    input(f, "a", 2);
    node(f, &sum, "a", "c", "b");
    node(f, &square, "b", NULL, "c");
    assert_int_equal(luc_graph_finish(f->g, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "depends on itself"));
}

static void graph__a_value_nothing_makes_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct luc_error err = { 0 };
    node(f, &square, "ghost", NULL, "b");
    assert_int_equal(luc_graph_finish(f->g, &err), LUC_FORMAT);
    assert_non_null(strstr(err.text, "ghost"));
}

static void graph__a_value_made_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    input(f, "a", 2);
    node(f, &square, "a", NULL, "b");
    const size_t in = value(f, "a"), out = value(f, "b");
    assert_int_equal(luc_graph_add_node(f->g, &square, "again", &in, 1, &out, 1, NULL, NULL),
                     LUC_FORMAT);
}

static void graph__a_thousand_names_are_found_again(void **state)
{
    struct fixture *f = *state;
    char name[16];
    for (size_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "v%zu", i);
        assert_int_equal(value(f, name), i);
    }
    for (size_t i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "v%zu", i);
        assert_int_equal(luc_graph_find(f->g, name), i);
    }
    assert_int_equal(luc_graph_find(f->g, "v1000"), LUC_NONE);
}

/* ---- memory ---- */

static void memory__buffers_alive_together_never_overlap(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 1;
    for (int turn = 0; turn < 50; turn++) {
        struct luc_buffer b[60];
        size_t total = 0, sum_bytes = 0;
        for (size_t i = 0; i < 60; i++) {
            seed = seed * 1664525u + 1013904223u;
            b[i] = (struct luc_buffer){ (seed >> 8) % 1000, (seed >> 20) % 40, 0, 0 };
            b[i].last = b[i].first + (seed >> 4) % 8;
            sum_bytes += b[i].bytes + LUC_ALIGN;
        }
        assert_int_equal(luc_place_buffers(b, 60, f->arena, &total, NULL), LUC_OK);
        assert_true(total < sum_bytes);
        for (size_t i = 0; i < 60; i++)
            for (size_t j = 0; j < i; j++) {
                const bool together = b[i].first <= b[j].last && b[j].first <= b[i].last;
                const bool apart = b[i].offset + b[i].bytes <= b[j].offset ||
                                   b[j].offset + b[j].bytes <= b[i].offset || !b[i].bytes ||
                                   !b[j].bytes;
                assert_true(!together || apart);
                assert_true(b[i].offset + b[i].bytes <= total);
            }
    }
}

/* ---- plans and runs ---- */

static void exec__only_what_a_tap_needs_runs(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 3);
    node(f, &square, "x", NULL, "a");
    node(f, &square, "a", NULL, "b");
    node(f, &square, "b", NULL, "c");
    finish(f);
    const size_t tap = value(f, "b");
    struct luc_exec *x =
        plan_and_make(f, (struct luc_plan_spec){ .taps = &tap, .n_taps = 1 }, 3, &plan);
    luc_exec_input(x, 0)->data[1] = 3;
    luc_exec_forward(x);
    assert_int_equal(n_forwards, 2);
    assert_true(luc_exec_value(x, tap)->data[1] == 81.0f);
    assert_true(luc_exec_input(x, 0)->data[1] == 3.0f);
}

static void plan__inference_reuses_buffers(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    char from[16] = "x", to[16];
    input(f, "x", 1024);
    for (int i = 0; i < 20; i++) {
        snprintf(to, sizeof(to), "v%d", i);
        node(f, &square, from, NULL, to);
        memcpy(from, to, sizeof(from));
    }
    finish(f);
    const size_t tap = value(f, "v19"), wrt = value(f, "x");
    plan_and_make(f, (struct luc_plan_spec){ .taps = &tap, .n_taps = 1 }, 1024, &plan);
    assert_int_equal(luc_plan_bytes(plan), 3 * 1024 * sizeof(float));
    plan_and_make(f, (struct luc_plan_spec){ .seeds = &tap, .n_seeds = 1, .wrt = &wrt, .n_wrt = 1 },
                  1024, &plan);
    assert_true(luc_plan_bytes(plan) >= 20 * 1024 * sizeof(float)); /* every input is kept */
}

/* L = sum of seeds * values at two places at once: y = (x*w)^2, z = y + x*w. */
static void exec__gradients_from_several_seeds_add_up(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 2);
    constant(f, "w", 2, 2.0f);
    node(f, &product, "x", "w", "p");
    node(f, &square, "p", NULL, "y");
    node(f, &sum, "y", "p", "z");
    finish(f);
    const size_t seeds[2] = { value(f, "z"), value(f, "p") };
    const size_t wrt[2] = { value(f, "x"), value(f, "w") };
    struct luc_exec *x = plan_and_make(
        f, (struct luc_plan_spec){ .seeds = seeds, .n_seeds = 2, .wrt = wrt, .n_wrt = 2 }, 2,
        &plan);
    for (int turn = 0; turn < 2; turn++) { /* twice: nothing may be left over */
        luc_exec_input(x, 0)->data[0] = 3;
        luc_exec_input(x, 0)->data[1] = -1;
        luc_exec_forward(x);
        for (size_t i = 0; i < 2; i++) {
            luc_exec_seed(x, seeds[0])->data[i] = 1;
            luc_exec_seed(x, seeds[1])->data[i] = 10;
        }
        luc_exec_backward(x, LUC_RELU_PLAIN);
        /* dL/dp = 10 + 1 + 2p; p = (6, -3); w = (2, 3) */
        assert_true(luc_exec_grad(x, wrt[0])->data[0] == 2 * (11 + 12.0f));
        assert_true(luc_exec_grad(x, wrt[0])->data[1] == 3 * (11 - 6.0f));
        assert_true(luc_exec_grad(x, wrt[1])->data[0] == 3 * (11 + 12.0f));
        assert_true(luc_exec_grad(x, wrt[1])->data[1] == -1 * (11 - 6.0f));
    }
    luc_exec_forward(
        x); /* a seed that nobody asks for is zero, one taken raw is what was written */
    for (size_t i = 0; i < 2; i++)
        luc_exec_seed_raw(x, seeds[1])->data[i] = 10;
    luc_exec_backward(x, LUC_RELU_PLAIN);
    assert_true(luc_exec_grad(x, wrt[0])->data[0] == 2 * 10.0f);
    luc_exec_forward(x);
    assert_true(luc_exec_seed(x, seeds[0])->data[1] == 0);
}

static void exec__the_same_value_twice_in_one_node_gets_both_gradients(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 1);
    node(f, &product, "x", "x", "y");
    finish(f);
    const size_t seed = value(f, "y"), wrt = value(f, "x");
    struct luc_exec *x = plan_and_make(
        f, (struct luc_plan_spec){ .seeds = &seed, .n_seeds = 1, .wrt = &wrt, .n_wrt = 1 }, 1,
        &plan);
    luc_exec_input(x, 0)->data[0] = 5;
    luc_exec_forward(x);
    luc_exec_seed(x, seed)->data[0] = 1;
    luc_exec_backward(x, LUC_RELU_PLAIN);
    assert_true(luc_exec_grad(x, wrt)->data[0] == 10.0f);
}

static void exec__backward_again_gives_each_seed_its_own_gradient(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 2);
    node(f, &square, "x", NULL, "a");
    node(f, &square, "a", NULL, "b");
    node(f, &square, "b", NULL, "c");
    finish(f);
    const size_t seed = value(f, "c"), wrt = value(f, "x");
    struct luc_exec *x = plan_and_make(
        f,
        (struct luc_plan_spec){
            .seeds = &seed, .n_seeds = 1, .wrt = &wrt, .n_wrt = 1, .backward_again = true },
        2, &plan);
    luc_exec_input(x, 0)->data[0] = luc_exec_input(x, 0)->data[1] = 2;
    luc_exec_forward(x);
    for (size_t which = 0; which < 2; which++) {
        luc_exec_seed(x, seed)->data[which] = 1;
        luc_exec_seed(x, seed)->data[1 - which] = 0;
        luc_exec_backward(x, LUC_RELU_PLAIN);
        assert_true(luc_exec_grad(x, wrt)->data[which] == 1024.0f); /* 8 x^7 */
        assert_true(luc_exec_grad(x, wrt)->data[1 - which] == 0.0f);
    }
}

static void exec__bound_data_replaces_a_constant(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 1);
    constant(f, "w", 1, 2.0f);
    node(f, &product, "x", "w", "y");
    finish(f);
    const size_t tap = value(f, "y");
    float other = 7;
    struct luc_exec *x =
        plan_and_make(f, (struct luc_plan_spec){ .taps = &tap, .n_taps = 1 }, 1, &plan);
    luc_exec_input(x, 0)->data[0] = 3;
    luc_exec_bind(x, value(f, "w"), &other);
    luc_exec_forward(x);
    assert_true(luc_exec_value(x, tap)->data[0] == 21.0f);
    luc_exec_bind(x, value(f, "w"), NULL);
    luc_exec_forward(x);
    assert_true(luc_exec_value(x, tap)->data[0] == 6.0f);
}

static void plan__a_gradient_that_cannot_arrive_is_refused(void **state)
{
    struct fixture *f = *state;
    struct luc_error err = { 0 };
    const struct luc_plan *plan = NULL;
    input(f, "x", 1);
    input(f, "unrelated", 1);
    node(f, &square, "x", NULL, "y");
    finish(f);
    const size_t seed = value(f, "y"), wrt = value(f, "unrelated");
    const struct luc_shape shapes[2] = { { 1, { 1 } }, { 1, { 1 } } };
    const struct luc_plan_spec spec = {
        .graph = f->g, .inputs = shapes, .seeds = &seed, .n_seeds = 1, .wrt = &wrt, .n_wrt = 1
    };
    assert_int_equal(luc_plan_create(&spec, f->arena, &plan, &err), LUC_INVALID);
    assert_non_null(strstr(err.text, "unrelated"));
}

static void plan__a_wrong_input_shape_is_refused_with_both_shapes(void **state)
{
    struct fixture *f = *state;
    struct luc_error err = { 0 };
    const struct luc_plan *plan = NULL;
    input(f, "x", 3);
    node(f, &square, "x", NULL, "y");
    finish(f);
    const size_t tap = value(f, "y");
    const struct luc_shape shape = { 1, { 4 } };
    const struct luc_plan_spec spec = {
        .graph = f->g, .inputs = &shape, .taps = &tap, .n_taps = 1
    };
    assert_int_equal(luc_plan_create(&spec, f->arena, &plan, &err), LUC_SHAPE);
    assert_non_null(strstr(err.text, "'x' is 4"));
}

static void exec__too_little_memory_says_how_much_is_needed(void **state)
{
    struct fixture *f = *state;
    struct luc_error err = { 0 };
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    input(f, "x", 0);
    node(f, &square, "x", NULL, "y");
    finish(f);
    const size_t tap = value(f, "y");
    const struct luc_shape shape = { 1, { LIMIT } };
    const struct luc_plan_spec spec = {
        .graph = f->g, .inputs = &shape, .taps = &tap, .n_taps = 1
    };
    assert_int_equal(luc_plan_create(&spec, f->arena, &plan, &err), LUC_OK);
    assert_int_equal(luc_exec_create(plan, f->arena, NULL, &x, &err), LUC_NOMEM);
    assert_non_null(strstr(err.text, "536870912 bytes"));
}

static void optimise__constant_nodes_fold_away(void **state)
{
    struct fixture *f = *state;
    const struct luc_plan *plan = NULL;
    input(f, "x", 2);
    constant(f, "w", 2, 3.0f);
    node(f, &square, "w", NULL, "w2");
    node(f, &product, "x", "w2", "y");
    finish(f);
    assert_int_equal(luc_graph_optimise(f->g, LUC_OPTIMISE_ALL, NULL), LUC_OK);
    assert_int_equal(f->g->n_nodes, 1);
    n_forwards = 0;
    const size_t tap = value(f, "y");
    struct luc_exec *x =
        plan_and_make(f, (struct luc_plan_spec){ .taps = &tap, .n_taps = 1 }, 2, &plan);
    luc_exec_input(x, 0)->data[1] = 2;
    luc_exec_forward(x);
    assert_int_equal(n_forwards, 1);
    assert_true(luc_exec_value(x, tap)->data[1] == 32.0f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(graph__nodes_are_sorted_whatever_their_order),
        T(graph__a_cycle_is_refused_by_name),
        T(graph__a_value_nothing_makes_is_refused_by_name),
        T(graph__a_value_made_twice_is_refused),
        T(graph__a_thousand_names_are_found_again),
        T(memory__buffers_alive_together_never_overlap),
        T(exec__only_what_a_tap_needs_runs),
        T(plan__inference_reuses_buffers),
        T(exec__gradients_from_several_seeds_add_up),
        T(exec__the_same_value_twice_in_one_node_gets_both_gradients),
        T(exec__backward_again_gives_each_seed_its_own_gradient),
        T(exec__bound_data_replaces_a_constant),
        T(plan__a_gradient_that_cannot_arrive_is_refused),
        T(plan__a_wrong_input_shape_is_refused_with_both_shapes),
        T(exec__too_little_memory_says_how_much_is_needed),
        T(optimise__constant_nodes_fold_away),
    };
#undef T
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
