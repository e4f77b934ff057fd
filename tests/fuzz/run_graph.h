/* run_graph.h -- what a network out of a fuzzed file is put through once it was read. */
#ifndef TESTS_FUZZ_RUN_GRAPH_H
#define TESTS_FUZZ_RUN_GRAPH_H

#include "core/graph/exec.h"
#include "core/graph/optimise.h"

#define FUZZ_INPUTS 8
#define FUZZ_FLOPS  1e7 /* what takes longer only slows the search down */
#define FUZZ_BYTES  ((size_t)1 << 24)

/* Sizes that are left open become small ones. False when an input is too large to be worth it. */
static inline bool fuzz_inputs(const struct luc_graph *g, struct luc_shape *shapes)
{
    size_t total = 1;
    if (g->n_inputs > FUZZ_INPUTS)
        return false;
    for (size_t i = 0; i < g->n_inputs; i++) {
        shapes[i] = g->values[g->inputs[i]].decl;
        for (size_t k = 0; k < shapes[i].rank; k++)
            if (shapes[i].dim[k] == 0)
                shapes[i].dim[k] = k == 0 ? 1 : 6;
        if (luc_shape_check(&shapes[i], "input", NULL) != LUC_OK)
            return false;
        total += luc_numel(&shapes[i]);
    }
    return total < 4096;
}

static inline void fuzz_forward(const struct luc_graph *g, const struct luc_shape *inputs,
                                struct luc_arena *arena)
{
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    const struct luc_plan_spec spec = {
        .graph = g, .inputs = inputs, .taps = g->outputs, .n_taps = g->n_outputs
    };
    if (luc_plan_create(&spec, arena, &plan, NULL) != LUC_OK || luc_plan_flops(plan) > FUZZ_FLOPS ||
        luc_plan_bytes(plan) > FUZZ_BYTES || luc_exec_create(plan, arena, NULL, &x, NULL) != LUC_OK)
        return;
    for (size_t i = 0; i < g->n_inputs; i++) {
        struct luc_tensor *t = luc_exec_input(x, i);
        for (size_t k = 0; k < luc_numel(&t->shape); k++)
            t->data[k] = (float)(k % 7) - 3;
    }
    luc_exec_forward(x);
}

static inline void fuzz_run_graph(struct luc_graph *g)
{
    struct luc_shape inputs[FUZZ_INPUTS];
    struct luc_arena *arena = luc_arena_create((size_t)64 << 20);
    if (arena && luc_graph_finish(g, NULL) == LUC_OK && fuzz_inputs(g, inputs)) {
        struct luc_shape *shapes = luc_arena_alloc(arena, g->n_values, sizeof(*shapes));
        if (shapes && luc_graph_shapes(g, inputs, arena, shapes, NULL) == LUC_OK)
            fuzz_forward(g, inputs, arena);
        if (luc_graph_optimise(g, LUC_OPTIMISE_ALL, NULL) == LUC_OK)
            fuzz_forward(g, inputs, arena);
    }
    luc_arena_destroy(arena);
}

#endif
