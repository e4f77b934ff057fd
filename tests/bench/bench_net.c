/* bench_net: one network run again and again, one turn per line on stdin, for bench.py to interleave
 * with its peers.
 *
 *     bench_net resnet50|FILE.onnx HEIGHT WIDTH BATCH forward|gradient strict|fast THREADS
 *
 * Prints "ready" and a JSON object once loaded and warm, then milliseconds per line read, and the
 * process's peak memory at the end. A gradient is one forward, one backward to the picture from one
 * logit (features: from all ones).
 */
#include "core/base/parallel.h"
#include "core/graph/exec.h"
#include "core/model/model.h"
#include "core/tensor/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT ((size_t)8 << 30) /* bytes */

/* What the network expects of pictures does not matter here: it gets numbers. */
#define RESNET50                                                                                   \
    "{\"name\":\"resnet50\",\"title\":\"ResNet-50\",\"task\":\"classify\",\"licence\":\"ISC\","    \
    "\"format\":\"tfjs\",\"file\":\"resnet50/model.json\",\"input\":{\"channels\":\"BGR\","        \
    "\"mean\":[103.939,116.779,123.68],\"scale\":1,\"size\":[224,224],\"fit\":\"resize\"}}"
#define ANY                                                                                        \
    "{\"name\":\"bench\",\"title\":\"bench\",\"task\":\"features\",\"licence\":\"-\","             \
    "\"format\":\"onnx\",\"file\":\"%s\",\"input\":{\"channels\":\"RGB\",\"mean\":[0,0,0],"        \
    "\"scale\":1,\"size\":null,\"fit\":\"native\"}}"

static void die(const char *what, const struct luc_error *err)
{
    fprintf(stderr, "bench_net: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && !kib && fgets(line, sizeof(line), f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

/* The kernels that OpenBLAS chose may be far too old: start again with the right ones, as the
 * server does. */
static void settle_blas(char **argv)
{
    const char *core = luc_blas_advise();
    if (core && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv("/proc/self/exe", argv);
    luc_blas_init();
}

static struct luc_model *load(const char *network)
{
    const bool is_file = strstr(network, ".onnx") != NULL;
    const char *slash = strrchr(network, '/'), *models = getenv("LUCIDA_TEST_MODELS");
    char json[1024], dir[1024];
    struct luc_error err = { 0 };
    struct luc_model *m = NULL;
    snprintf(json, sizeof(json), ANY, slash ? slash + 1 : network);
    snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - network) : 1, slash ? network : ".");
    if (luc_model_load(is_file  ? dir
                       : models ? models
                                : "build/models",
                       is_file ? json : RESNET50, LIMIT, &m, &err))
        die(network, &err);
    return m;
}

struct bench {
    struct luc_exec *exec;
    size_t seed, seed_n, input;
    bool gradient, one_hot;
};

static double turn(const struct bench *b)
{
    const double start = now_ms();
    luc_exec_forward(b->exec);
    if (b->gradient) {
        float *s = luc_exec_seed(b->exec, b->seed)->data;
        for (size_t i = 0; i < b->seed_n; i++)
            s[i] = b->one_hot ? (i % 1000 == 285 ? 1.0f : 0.0f) : 1.0f;
        luc_exec_backward(b->exec, LUC_RELU_PLAIN);
    }
    return now_ms() - start;
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
        die("plan", &err);
    b->seed_n = luc_numel(luc_plan_shape(plan, b->seed));
    b->one_hot = luc_plan_shape(plan, b->seed)->rank == 2;
    struct luc_tensor *x = luc_exec_input(b->exec, 0);
    for (size_t i = 0; i < luc_numel(&x->shape); i++)
        x->data[i] = (float)((i * 7919) % 255) - 127.0f;
    return luc_plan_flops(plan) / 1e9;
}

int main(int argc, char **argv)
{
    char line[16];
    size_t n[4]; /* height, width, batch, threads */
    if (argc != 8)
        die("usage: bench_net NETWORK HEIGHT WIDTH BATCH forward|gradient strict|fast THREADS",
            NULL);
    settle_blas(argv);
    for (size_t i = 0; i < 4; i++)
        n[i] = strtoul(argv[i < 3 ? 2 + i : 7], NULL, 10);
    const struct luc_shape shape = luc_shape4(n[2], 3, n[0], n[1]);
    struct luc_threads threads = { .pool = luc_pool_create(n[3] - 1), .width = n[3] };
    struct bench b = { .gradient = !strcmp(argv[5], "gradient") };
    struct luc_model *m = load(argv[1]);
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const double gflop = set_up(m, &shape, !strcmp(argv[6], "fast"), &threads, arena, &b);
    for (int i = 0; i < 3; i++)
        turn(&b);
    printf("ready {\"gflop\": %.6g, \"version\": \"OpenBLAS %s\"}\n", gflop, luc_blas_corename());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        printf("%.4f\n", turn(&b));
        fflush(stdout);
    }
    printf("peak %ld\n", peak_kib());
    luc_arena_destroy(arena);
    luc_model_destroy(m);
    luc_pool_destroy(threads.pool);
    return 0;
}
