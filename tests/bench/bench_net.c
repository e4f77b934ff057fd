/* bench_net: one network run again and again, one turn per line on stdin, for bench.py to interleave
 * with its peers.
 *
 *     bench_net resnet50|FILE.onnx HEIGHT WIDTH BATCH forward|gradient strict|fast THREADS
 *
 * A gradient is one forward, one backward to the picture from one logit (features: from all ones).
 */
#include "core/graph/exec.h"
#include "tests/bench/bench_common.h"

#include <stdlib.h>
#include <string.h>

struct bench {
    struct luc_exec *exec;
    size_t seed, seed_n, input;
    bool gradient, one_hot;
};

static void turn(void *ctx)
{
    const struct bench *b = ctx;
    luc_exec_forward(b->exec);
    if (!b->gradient)
        return;
    float *s = luc_exec_seed(b->exec, b->seed)->data;
    for (size_t i = 0; i < b->seed_n; i++)
        s[i] = b->one_hot ? (i % 1000 == 285 ? 1.0f : 0.0f) : 1.0f;
    luc_exec_backward(b->exec, LUC_RELU_PLAIN);
}

static double set_up(const struct luc_model *m, const struct luc_shape *shape, bool fast,
                     struct luc_threads *threads, struct luc_arena *arena, struct bench *b)
{
    const struct luc_plan *plan = NULL;
    struct luc_error err = { 0 };
    b->seed = m->logits != LUC_NONE ? m->logits : m->graph->outputs[0];
    b->input = m->input;
    const struct luc_plan_spec spec = {
        .graph = m->graph,
        .inputs = shape,
        .taps = &b->seed,
        .n_taps = 1,
        .seeds = &b->seed,
        .n_seeds = b->gradient ? 1 : 0,
        .wrt = &b->input,
        .n_wrt = b->gradient ? 1 : 0,
        .lanes = threads->width,
        .fast = fast,
    };
    if (luc_plan_create(&spec, arena, &plan, &err) ||
        luc_exec_create(plan, arena, threads, &b->exec, &err))
        bench_die("plan", &err);
    b->seed_n = luc_numel(luc_plan_shape(plan, b->seed));
    b->one_hot = luc_plan_shape(plan, b->seed)->rank == 2;
    struct luc_tensor *x = luc_exec_input(b->exec, 0);
    for (size_t i = 0; i < luc_numel(&x->shape); i++)
        x->data[i] = (float)((i * 7919) % 255) - 127.0f;
    return luc_plan_flops(plan) / 1e9;
}

int main(int argc, char **argv)
{
    size_t n[4]; /* height, width, batch, threads */
    if (argc != 8)
        bench_die("usage: bench_net NETWORK HEIGHT WIDTH BATCH forward|gradient strict|fast "
                  "THREADS",
                  NULL);
    bench_settle(argv);
    for (size_t i = 0; i < 4; i++)
        n[i] = strtoul(argv[i < 3 ? 2 + i : 7], NULL, 10);
    const struct luc_shape shape = luc_shape4(n[2], 3, n[0], n[1]);
    struct luc_threads threads = bench_threads(n[3]);
    struct bench b = { .gradient = !strcmp(argv[5], "gradient") };
    struct luc_model *m = bench_load(argv[1]);
    struct luc_arena *arena = luc_arena_create(BENCH_LIMIT);
    const double gflop = set_up(m, &shape, !strcmp(argv[6], "fast"), &threads, arena, &b);
    bench_warm_up(turn, &b);
    bench_converse(turn, &b, b.gradient ? 2 * gflop : gflop);
    luc_arena_destroy(arena);
    luc_model_destroy(m);
    luc_pool_destroy(threads.pool);
    return 0;
}
