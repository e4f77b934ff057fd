/* bench_occlusion: whole maps of the method, one per line on stdin.
 *
 *     bench_occlusion resnet50|FILE.onnx SIDE PATCH STRIDE THREADS [KEY=TEXT...]
 *
 * KEY=TEXT: other parameters of the method. A network without classes is asked about the neuron of
 * its last layer that answers most.
 */
#include "core/run/method.h"
#include "tests/bench/bench_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct luc_method luc_method_occlusion;

struct bench {
    struct luc_threads threads;
    struct luc_model *model;
    struct luc_image picture;
    void *params;
};

static void turn(void *ctx)
{
    const struct bench *b = ctx;
    struct luc_error err = { 0 };
    struct luc_input_params input;
    struct luc_result result;
    struct luc_arena *arena = luc_arena_create(BENCH_LIMIT);
    luc_params_default(luc_input_rows, &input);
    luc_result_init(&result, arena);
    struct luc_run run = { .model = b->model,
                           .pictures = luc_source_of(&b->picture),
                           .n_images = 1,
                           .input = &input,
                           .arena = arena,
                           .threads = &b->threads,
                           .result = &result };
    if (luc_method_run(&luc_method_occlusion, &run, b->params, &err))
        bench_die("occlusion", &err);
    luc_result_done(&result);
    luc_arena_destroy(arena);
}

static void set(struct bench *b, const char *key, const char *text)
{
    struct luc_error err = { 0 };
    if (luc_param_set(luc_method_occlusion.params, key, text, b->params, &err))
        bench_die(key, &err);
}

static void set_more(struct bench *b, char **from, char **to)
{
    for (; from < to; from++) {
        char *text = strchr(*from, '=');
        if (!text)
            bench_die("KEY=TEXT expected", NULL);
        *text = '\0';
        set(b, *from, text + 1);
    }
}

/* A few positions, so that weights are packed and the clock is up. */
static void warm_up(struct bench *b, const char *stride)
{
    set(b, "stride", "96");
    turn(b);
    set(b, "stride", stride);
}

int main(int argc, char **argv)
{
    struct luc_error err = { 0 };
    if (argc < 6)
        bench_die("usage: bench_occlusion NETWORK SIDE PATCH STRIDE THREADS [KEY=TEXT...]", NULL);
    bench_settle(argv);
    const size_t side = strtoul(argv[2], NULL, 10);
    struct bench b = { .threads = bench_threads(strtoul(argv[5], NULL, 10)) };
    b.model = bench_load(argv[1]);
    b.params = calloc(1, luc_method_occlusion.params_size);
    if (!b.params || luc_image_create(side, side, 3, &b.picture, &err))
        bench_die("memory", &err);
    for (size_t i = 0; i < 3 * side * side; i++)
        b.picture.data[i] = (uint8_t)(i * 7919 % 255);
    luc_params_default(luc_method_occlusion.params, b.params);
    set(&b, "patch", argv[3]);
    if (b.model->logits == LUC_NONE)
        set(&b, "layer", b.model->graph->values[b.model->graph->outputs[0]].name);
    set_more(&b, argv + 6, argv + argc);
    warm_up(&b, argv[4]);
    bench_converse(turn, &b, 0);
    free(b.params);
    luc_image_done(&b.picture);
    luc_model_destroy(b.model);
    luc_pool_destroy(b.threads.pool);
    return 0;
}
