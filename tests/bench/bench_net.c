/* bench_net: one network run again and again, one turn per line on stdin, for bench.py to interleave
 * with its peers.
 *
 *     bench_net resnet50|vgg19_features|squeezenet1_1 SIZE forward|gradient THREADS
 *
 * Prints "ready" with the plan's bytes once loaded and warm, then milliseconds per line read, and
 * the process's peak memory at the end. A gradient is one forward, one backward to the picture from
 * one logit (features: from all ones). With LUCIDA_PROFILE set, times per operator of the last turn
 * go to stderr.
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

struct subject {
    const char *name, *variable, *fallback, *json;
};

/* clang-format off */
static const struct subject subjects[] = {
    { "resnet50", "LUCIDA_TEST_MODELS", "build/models",
      "{\"name\":\"resnet50\",\"title\":\"ResNet-50\",\"task\":\"classify\",\"licence\":\"ISC\","
      "\"format\":\"tfjs\",\"file\":\"resnet50/model.json\",\"input\":{\"channels\":\"BGR\","
      "\"mean\":[103.939,116.779,123.68],\"scale\":1,\"size\":[224,224],\"fit\":\"resize\"}}" },
    { "vgg19_features", "LUCIDA_SHARED", "../shared",
      "{\"name\":\"vgg19_features\",\"title\":\"VGG-19\",\"task\":\"features\",\"licence\":\"-\","
      "\"format\":\"onnx\",\"file\":\"models/vgg19_features.onnx\",\"input\":{\"channels\":\"RGB\","
      "\"mean\":[123.68,116.779,103.939],\"scale\":1,\"size\":null,\"fit\":\"native\"}}" },
    { "squeezenet1_1", "LUCIDA_SHARED", "../shared",
      "{\"name\":\"squeezenet1_1\",\"title\":\"SqueezeNet\",\"task\":\"classify\",\"licence\":\"-\","
      "\"format\":\"onnx\",\"file\":\"models/squeezenet1_1.onnx\",\"input\":{\"channels\":\"RGB\","
      "\"mean\":[123.675,116.28,103.53],\"scale\":[0.017125,0.017507,0.017429],"
      "\"size\":[224,224],\"fit\":\"resize\"}}" },
};
/* clang-format on */

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

static struct luc_model *load(const char *name)
{
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        const struct subject *s = &subjects[i];
        struct luc_error err = { 0 };
        struct luc_model *m = NULL;
        if (strcmp(s->name, name))
            continue;
        const char *dir = getenv(s->variable);
        if (luc_model_load(dir && *dir ? dir : s->fallback, s->json, LIMIT, &m, &err))
            die(name, &err);
        return m;
    }
    die("there is no such network here", NULL);
    return NULL;
}

static void profile(void *ctx, const struct luc_node *node, bool backward, double ms, double flops)
{
    (void)ctx;
    fprintf(stderr, "%-8s %-24s %-40s %8.3f ms %8.1f GFLOP/s\n", backward ? "backward" : "forward",
            node->op->name, node->name, ms, ms > 0 ? flops / ms / 1e6 : 0);
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
            s[i] = b->one_hot ? (i == 285 ? 1.0f : 0.0f) : 1.0f;
        luc_exec_backward(b->exec, LUC_RELU_PLAIN);
    }
    return now_ms() - start;
}

static size_t set_up(const struct luc_model *m, size_t size, struct luc_threads *threads,
                     struct luc_arena *arena, struct bench *b)
{
    const struct luc_plan *plan = NULL;
    struct luc_error err = { 0 };
    const struct luc_shape shape = luc_shape4(1, 3, size, size);
    b->one_hot = m->logits != LUC_NONE;
    b->seed = b->one_hot ? m->logits : m->graph->outputs[0];
    b->input = m->input;
    const struct luc_plan_spec spec = {
        .graph = m->graph,
        .inputs = &shape,
        .taps = &b->seed,
        .n_taps = 1,
        .seeds = &b->seed,
        .n_seeds = b->gradient ? 1 : 0,
        .wrt = &b->input,
        .n_wrt = b->gradient ? 1 : 0,
        .lanes = threads->width,
        .fast = getenv("LUCIDA_FAST") != NULL, /* Winograd */
    };
    if (luc_plan_create(&spec, arena, &plan, &err) ||
        luc_exec_create(plan, arena, threads, &b->exec, &err))
        die("plan", &err);
    b->seed_n = luc_numel(luc_plan_shape(plan, b->seed));
    struct luc_tensor *x = luc_exec_input(b->exec, 0);
    for (size_t i = 0; i < luc_numel(&x->shape); i++)
        x->data[i] = (float)((i * 7919) % 255) - 127.0f;
    return luc_plan_bytes(plan);
}

int main(int argc, char **argv)
{
    char line[16];
    if (argc != 5)
        die("usage: bench_net NETWORK SIZE forward|gradient THREADS", NULL);
    settle_blas(argv);
    const size_t size = strtoul(argv[2], NULL, 10), width = strtoul(argv[4], NULL, 10);
    struct luc_threads threads = { luc_pool_create(width - 1), width };
    struct bench b = { .gradient = !strcmp(argv[3], "gradient") };
    struct luc_model *m = load(argv[1]);
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const size_t bytes = set_up(m, size, &threads, arena, &b);
    turn(&b);
    printf("ready plan %.1f MiB, weights %.1f MiB, OpenBLAS %s\n", (double)bytes / 1048576,
           (double)m->bytes / 1048576, luc_blas_corename());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        printf("%.4f\n", turn(&b));
        fflush(stdout);
    }
    if (getenv("LUCIDA_PROFILE")) {
        luc_exec_set_probe(b.exec, profile, NULL);
        turn(&b);
    }
    printf("peak %ld\n", peak_kib());
    luc_arena_destroy(arena);
    luc_model_destroy(m);
    luc_pool_destroy(threads.pool);
    return 0;
}
