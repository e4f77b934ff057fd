#include "tests/bench/bench_common.h"

#include "core/tensor/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the network expects of pictures does not matter here: it gets numbers. */
#define RESNET50                                                                                   \
    "{\"name\":\"resnet50\",\"title\":\"ResNet-50\",\"task\":\"classify\",\"licence\":\"ISC\","    \
    "\"format\":\"tfjs\",\"file\":\"resnet50/model.json\",\"input\":{\"channels\":\"BGR\","        \
    "\"mean\":[103.939,116.779,123.68],\"scale\":1,\"size\":[224,224],\"fit\":\"resize\"}}"
#define ANY                                                                                        \
    "{\"name\":\"bench\",\"title\":\"bench\",\"task\":\"%s\",\"licence\":\"-\","                   \
    "\"format\":\"onnx\",\"file\":\"%s\",\"input\":{\"channels\":\"RGB\",\"mean\":[0,0,0],"        \
    "\"scale\":1,\"size\":null,\"fit\":\"native\"}}"
#define WARM_UP 3

_Noreturn void bench_die(const char *what, const struct luc_error *err)
{
    fprintf(stderr, "%s%s%s\n", what, err ? ": " : "", err ? err->text : "");
    exit(1);
}

double bench_now_ms(void)
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

void bench_settle(char **argv)
{
    const char *core = luc_blas_advise();
    if (core && !getenv("OPENBLAS_CORETYPE") && setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv("/proc/self/exe", argv);
    luc_blas_init();
}

struct luc_model *bench_load(const char *network)
{
    const bool is_file = strstr(network, ".onnx") != NULL;
    const char *slash = strrchr(network, '/'), *models = getenv("LUCIDA_TEST_MODELS");
    const bool classifies = strstr(network, "squeezenet") != NULL;
    char json[1024], dir[1024];
    struct luc_error err = { 0 };
    struct luc_model *m = NULL;
    snprintf(json, sizeof(json), ANY, classifies ? "classify" : "features",
             slash ? slash + 1 : network);
    snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - network) : 1, slash ? network : ".");
    if (luc_model_load(is_file  ? dir
                       : models ? models
                                : "build/models",
                       is_file ? json : RESNET50, BENCH_LIMIT, &m, &err))
        bench_die(network, &err);
    return m;
}

struct luc_threads bench_threads(size_t width)
{
    return (struct luc_threads){ .pool = luc_pool_create(width - 1), .width = width };
}

size_t bench_output_of(const struct luc_model *m, const char *op, size_t nth)
{
    for (size_t i = 0; i < m->graph->n_nodes; i++)
        if (strcmp(m->graph->nodes[i].op->name, op) == 0 && nth-- == 0)
            return m->graph->nodes[i].out[0];
    bench_die("the network has too few layers", NULL);
}

void bench_warm_up(void (*turn)(void *ctx), void *ctx)
{
    for (int i = 0; i < WARM_UP; i++)
        turn(ctx);
}

void bench_converse(void (*turn)(void *ctx), void *ctx, double gflop)
{
    char line[16];
    printf("ready {\"gflop\": %.6g, \"version\": \"OpenBLAS %s\"}\n", gflop, luc_blas_corename());
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        const double start = bench_now_ms();
        turn(ctx);
        printf("%.4f\n", bench_now_ms() - start);
        fflush(stdout);
    }
    printf("peak %ld\n", peak_kib());
}
