/* bench_gatys: steps of a style transfer, one per line on stdin, by the loop that the method runs.
 *
 *     bench_gatys resnet50|FILE.onnx SIDE pixel|fourier lbfgs|adam LAYERS THREADS
 *
 * LAYERS: which ReLUs, counted from 0: the style's, then the content's, such as 0,2,4,8,12,9. All
 * alike beside PyTorch's step (peer_gatys.py): pictures of fixed noise, total variation, no views.
 */
#include "core/generate/loop.h"
#include "tests/bench/bench_common.h"

#include <stdlib.h>
#include <string.h>

#define LAYERS_MAX 16
#define BETA       30.0
#define TV         1.0

struct bench {
    struct luc_threads threads;
    struct luc_model *model;
    struct luc_arena *arena;
    struct luc_paint paint;
    struct luc_loss losses[LAYERS_MAX];
    size_t n, layers[LAYERS_MAX];
    struct luc_loop *loop;
};

static void turn(void *ctx)
{
    struct bench *b = ctx;
    (void)luc_loop_step(b->loop);
}

static void check(enum luc_status st, const char *what, const struct luc_error *err)
{
    if (st)
        bench_die(what, err);
}

/* A picture of noise, its own for each seed. */
static float *noise(struct bench *b, size_t side, uint64_t seed)
{
    float *picture = luc_arena_raw(b->arena, 3 * side * side, sizeof(float));
    struct luc_rng rng;
    luc_rng_seed(&rng, seed);
    for (size_t i = 0; picture && i < 3 * side * side; i++)
        picture[i] = (float)(255 * luc_rng_uniform(&rng));
    return picture ? picture : (bench_die("memory", NULL), NULL);
}

static void read_layers(struct bench *b, char *text)
{
    for (char *at = strtok(text, ","); at && b->n < LAYERS_MAX; at = strtok(NULL, ","))
        b->layers[b->n++] = bench_output_of(b->model, "Relu", strtoul(at, NULL, 10));
}

static void set_targets(struct bench *b, size_t side)
{
    struct luc_error err = { 0 };
    struct luc_exec *style = NULL, *content = NULL;
    const size_t n_styles = b->n - 1, last = b->layers[n_styles];
    check(luc_features(b->model, &b->threads, noise(b, side, 1), side, side, b->layers, n_styles,
                       b->arena, &style, &err),
          "style", &err);
    for (size_t i = 0; i < n_styles; i++)
        check(luc_loss_gram(&b->losses[i], b->layers[i], BETA / (double)n_styles, &b->threads,
                            luc_exec_value(style, b->layers[i]), b->arena, &err),
              "style", &err);
    check(luc_features(b->model, &b->threads, noise(b, side, 2), side, side, &last, 1, b->arena,
                       &content, &err),
          "content", &err);
    luc_loss_feature(&b->losses[n_styles], last, 1.0, luc_exec_value(content, last));
}

static void start_loop(struct bench *b, size_t side, bool fourier, bool lbfgs)
{
    struct luc_error err = { 0 };
    check(luc_paint_init(&b->paint,
                         &(struct luc_paint_spec){ .kind = fourier ? LUC_FOURIER : LUC_PIXEL,
                                                   .height = side,
                                                   .width = side },
                         b->arena, &err),
          "picture", &err);
    luc_paint_set(&b->paint, noise(b, side, 3));
    const struct luc_loop_spec spec = {
        .model = b->model,
        .threads = &b->threads,
        .paint = &b->paint,
        .losses = b->losses,
        .n_losses = b->n,
        .optimiser = { .kind = lbfgs ? LUC_LBFGS : LUC_ADAM,
                       .rate = lbfgs     ? 1
                               : fourier ? 0.05
                                         : 3 },
        .regular = { .tv = TV },
    };
    check(luc_loop_create(&spec, b->arena, &b->loop, &err), "loop", &err);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        bench_die("usage: bench_gatys NETWORK SIDE pixel|fourier lbfgs|adam LAYERS THREADS", NULL);
    bench_settle(argv);
    const size_t side = strtoul(argv[2], NULL, 10);
    struct bench b = { .threads = bench_threads(strtoul(argv[6], NULL, 10)) };
    b.model = bench_load(argv[1]);
    b.arena = luc_arena_create(BENCH_LIMIT);
    read_layers(&b, argv[5]);
    if (b.n < 2)
        bench_die("LAYERS: a style's and a content's at least", NULL);
    set_targets(&b, side);
    start_loop(&b, side, !strcmp(argv[3], "fourier"), !strcmp(argv[4], "lbfgs"));
    bench_warm_up(turn, &b);
    bench_converse(turn, &b, 0);
    luc_arena_destroy(b.arena);
    luc_model_destroy(b.model);
    luc_pool_destroy(b.threads.pool);
    return 0;
}
