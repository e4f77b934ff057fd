#include "tests/golden_util.h"

#include "core/graph/tiles.h"

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/formats/onnx.h"
#include "core/formats/tfjs.h"
#include "core/tensor/blas.h"
#include "core/tensor/npy.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_LIMIT   ((size_t)1 << 30)
#define MEMORY_LIMIT ((size_t)2 << 30)
#define SAMPLES      2048

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct luc_error err_ = { 0 };                                                             \
        struct luc_error *err = &err_;                                                             \
        if ((call) != LUC_OK)                                                                      \
            fail_msg("%s", err_.text);                                                             \
    } while (0)

/* ---- golden files ---- */

static double real(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static size_t whole(const json_t *o, const char *key)
{
    return (size_t)json_integer_value(json_object_get(o, key));
}

static void read_array(const json_t *o, struct golden_array *a)
{
    snprintf(a->name, sizeof(a->name), "%s", json_string_value(json_object_get(o, "name")));
    const json_t *shape = json_object_get(o, "shape");
    a->shape.rank = json_array_size(shape);
    assert_true(a->shape.rank <= LUC_MAX_RANK);
    for (size_t i = 0; i < a->shape.rank; i++)
        a->shape.dim[i] = (size_t)json_integer_value(json_array_get(shape, i));
    a->sampled = json_is_true(json_object_get(o, "sampled"));
    a->at = whole(o, "at");
    a->count = whole(o, "count");
    a->norm = real(o, "norm");
    a->torch = real(o, "torch_float32");
    assert_true(a->count == (a->sampled ? SAMPLES : luc_numel(&a->shape)));
}

void golden_open(struct golden *g, const char *net)
{
    char path[256], *bytes = NULL;
    size_t size = 0;
    memset(g, 0, sizeof(*g));
    luc_blas_init();
    snprintf(g->net, sizeof(g->net), "%s", net);
    g->arena = luc_arena_create(MEMORY_LIMIT);
    snprintf(path, sizeof(path), "tests/golden/%s.npy", net);
    struct luc_tensor data;
    MUST(luc_file_read(path, FILE_LIMIT, &bytes, &size, err));
    MUST(luc_npy_read(bytes, size, g->arena, &data, err));
    free(bytes);
    g->data = data.data;

    snprintf(path, sizeof(path), "tests/golden/%s.json", net);
    json_t *doc = json_load_file(path, 0, NULL);
    assert_non_null(doc);
    g->height = whole(doc, "height");
    g->width = whole(doc, "width");
    g->dim = whole(doc, "dim");
    g->target = whole(doc, "target");
    g->probability = real(doc, "probability");
    const json_t *arrays = json_object_get(doc, "arrays");
    g->n_arrays = json_array_size(arrays);
    assert_in_range(g->n_arrays, 1, GOLDEN_ARRAYS);
    for (size_t i = 0; i < g->n_arrays; i++) {
        read_array(json_array_get(arrays, i), &g->arrays[i]);
        assert_true(g->arrays[i].at + g->arrays[i].count <= luc_numel(&data.shape));
    }
    json_decref(doc);
}

void golden_done(struct golden *g)
{
    g->arena = luc_arena_destroy(g->arena);
}

static const struct golden_array *find(const struct golden *g, const char *name)
{
    for (size_t i = 0; i < g->n_arrays; i++)
        if (!strcmp(g->arrays[i].name, name))
            return &g->arrays[i];
    fail_msg("tests/golden/%s.json has no array '%s'", g->net, name);
    return NULL;
}

double golden_distance(const struct golden *g, const char *name, const struct luc_tensor *got)
{
    const struct golden_array *a = find(g, name);
    const size_t n = luc_numel(&a->shape);
    if (luc_numel(&got->shape) != n) {
        char have[LUC_SHAPE_TEXT], want[LUC_SHAPE_TEXT];
        fail_msg("%s: %s is %s, PyTorch says %s", g->net, name, luc_shape_print(&got->shape, have),
                 luc_shape_print(&a->shape, want));
    }
    double diff = 0, norm = 0;
    struct luc_rng rng;
    luc_rng_seed(&rng, 1);
    for (size_t i = 0; i < a->count; i++) {
        const size_t at = a->sampled ? (size_t)(luc_rng_uniform(&rng) * (double)n) : i;
        const double want = (double)g->data[a->at + i], d = (double)got->data[at] - want;
        diff += d * d;
        norm += want * want;
    }
    return sqrt(diff / norm);
}

void golden_check(const struct golden *g, const char *name, const struct luc_tensor *got,
                  double tol)
{
    const struct golden_array *a = find(g, name);
    const double distance = golden_distance(g, name, got);
    double sum = 0;
    for (size_t i = 0; i < luc_numel(&got->shape); i++)
        sum += (double)got->data[i] * (double)got->data[i];
    const double norm = fabs(sqrt(sum) / a->norm - 1);
    printf("  %-16s %-42s %.1e  norm %.1e  (PyTorch float32 %.1e)\n", g->net, name, distance, norm,
           a->torch);
    if (!(distance <= tol) || !(norm <= tol))
        fail_msg("%s %s: relative L2 distance %g, norms %g apart, more than %g", g->net, name,
                 distance, norm, tol);
}

double relative_l2(const struct luc_tensor *a, const struct luc_tensor *b)
{
    double diff = 0, norm = 0;
    assert_true(luc_shape_equal(&a->shape, &b->shape));
    for (size_t i = 0; i < luc_numel(&a->shape); i++) {
        const double d = (double)a->data[i] - (double)b->data[i];
        diff += d * d;
        norm += (double)b->data[i] * (double)b->data[i];
    }
    return sqrt(diff / norm);
}

/* ---- the picture ---- */

/* Position of pixel i of n on the axis of the 64-pixel original: whole part and 1/256. */
static size_t place(size_t i, size_t n, size_t *next, uint64_t *fraction)
{
    const size_t p = i * (63 * 256) / (n - 1), at = p >> 8;
    *next = at < 63 ? at + 1 : 63;
    *fraction = p & 255;
    return at;
}

void golden_picture(const struct golden *g, unsigned char *out)
{
    char *bytes = NULL;
    size_t size = 0;
    struct luc_tensor cat;
    MUST(luc_file_read("tests/golden/cat_64.npy", FILE_LIMIT, &bytes, &size, err));
    MUST(luc_npy_read(bytes, size, g->arena, &cat, err));
    free(bytes);
    for (size_t y = 0; y < g->height; y++) {
        uint64_t fy, fx;
        size_t y1, x1;
        const size_t y0 = place(y, g->height, &y1, &fy);
        for (size_t x = 0; x < g->width; x++) {
            const size_t x0 = place(x, g->width, &x1, &fx);
            for (size_t c = 0; c < 3; c++) {
#define AT(row, col) (uint64_t) cat.data[((row)*64 + (col)) * 3 + c]
                const uint64_t top = AT(y0, x0) * (256 - fx) + AT(y0, x1) * fx;
                const uint64_t low = AT(y1, x0) * (256 - fx) + AT(y1, x1) * fx;
#undef AT
                const uint64_t v = (top * (256 - fy) + low * fy) * (256 - g->dim);
                out[(y * g->width + x) * 3 + c] = (unsigned char)((v + (1u << 23)) >> 24);
            }
        }
    }
}

void golden_input(const struct golden *g, const struct golden_pixels *px, struct luc_arena *arena,
                  struct luc_tensor *input)
{
    const size_t n = g->height * g->width;
    unsigned char *rgb = luc_arena_raw(arena, n, 3);
    float *x = luc_arena_raw(arena, n * 3, sizeof(float));
    assert_true(rgb && x);
    golden_picture(g, rgb);
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++)
            x[c * n + i] = ((float)rgb[i * 3 + (px->bgr ? 2 - c : c)] - px->mean[c]) * px->scale[c];
    *input = (struct luc_tensor){ luc_shape4(1, 3, g->height, g->width), .data = x };
}

/* ---- questions ---- */

size_t graph_value(const struct luc_graph *g, const char *name)
{
    if (!strcmp(name, "@input"))
        return g->inputs[0];
    if (!strcmp(name, "logits")) {
        const size_t producer = g->values[g->outputs[0]].producer;
        const struct luc_node *last = producer == LUC_NONE ? NULL : &g->nodes[producer];
        return last && !strcmp(last->op->name, "Softmax") ? last->in[0] : g->outputs[0];
    }
    const size_t v = luc_graph_find(g, name);
    if (v == LUC_NONE)
        fail_msg("the network has no value '%s'", name);
    return v;
}

/* Weights in [-1, 1), the same for every picture of a batch. */
static void fill_seed(struct luc_tensor *t, enum seed_kind kind, size_t number)
{
    const size_t batch = t->shape.dim[0], n = luc_numel(&t->shape) / batch;
    memset(t->data, 0, batch * n * sizeof(float));
    for (size_t b = 0; b < batch; b++) {
        struct luc_rng rng;
        luc_rng_seed(&rng, number);
        if (kind == SEED_CLASS)
            t->data[b * n + number] = 1;
        for (size_t i = 0; kind == SEED_WEIGHTED && i < n; i++)
            t->data[b * n + i] = (float)(2.0 * luc_rng_uniform(&rng) - 1.0);
    }
}

static size_t values_of(const struct luc_graph *g, const char *const *names, size_t *out)
{
    size_t n = 0;
    for (; n < ASK_MAX && names[n]; n++)
        out[n] = graph_value(g, names[n]);
    return n;
}

static void keep(struct luc_arena *arena, const struct luc_tensor *t, struct luc_tensor *out)
{
    const size_t n = luc_numel(&t->shape);
    *out = *t;
    out->data = luc_arena_raw(arena, n, sizeof(float));
    assert_non_null(out->data);
    memcpy(out->data, t->data, n * sizeof(float));
}

/* Runs forward, and backward when there are seeds, and copies out what was asked for. */
static void answer(struct luc_exec *x, const struct question *q, const struct luc_plan_spec *spec,
                   const struct luc_tensor *input, struct luc_arena *arena, struct answer *a)
{
    memcpy(luc_exec_input(x, 0)->data, input->data, luc_numel(&input->shape) * sizeof(float));
    luc_exec_forward(x);
    *a = (struct answer){ .n_taps = spec->n_taps, .n_wrt = spec->n_wrt };
    for (size_t i = 0; i < spec->n_taps; i++)
        keep(arena, luc_exec_value(x, spec->taps[i]), &a->taps[i]);
    for (size_t i = 0; i < spec->n_seeds; i++)
        fill_seed(luc_exec_seed(x, spec->seeds[i]), q->seeds[i].kind, q->seeds[i].number);
    if (spec->n_seeds)
        luc_exec_backward(x, q->rule);
    for (size_t i = 0; i < spec->n_wrt; i++)
        keep(arena, luc_exec_grad(x, spec->wrt[i]), &a->grads[i]);
}

void graph_ask(const struct luc_graph *g, const struct question *q, const struct luc_tensor *input,
               const struct how *how, struct luc_arena *arena, struct answer *a)
{
    struct luc_arena *mem = luc_arena_create(MEMORY_LIMIT);
    size_t taps[ASK_MAX], seeds[4], wrt[ASK_MAX], n_seeds = 0;
    for (; n_seeds < 4 && q->seeds[n_seeds].kind; n_seeds++)
        seeds[n_seeds] = graph_value(g, q->seeds[n_seeds].value);
    const struct luc_plan_spec spec = {
        .graph = g,
        .inputs = &input->shape,
        .taps = taps,
        .n_taps = values_of(g, q->taps, taps),
        .seeds = seeds,
        .n_seeds = n_seeds,
        .wrt = wrt,
        .n_wrt = values_of(g, q->wrt, wrt),
        .lanes = how->width,
        .no_fusion = how->no_fusion,
    };
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    struct luc_threads threads = { .pool = NULL, .width = 1 };
    if (how->width > 1)
        threads =
            (struct luc_threads){ .pool = luc_pool_create(how->width - 1), .width = how->width };
    MUST(luc_plan_create(&spec, mem, &plan, err));
    MUST(luc_exec_create(plan, mem, &threads, &x, err));
    answer(x, q, &spec, input, arena, a);
    luc_pool_destroy(threads.pool);
    luc_arena_destroy(mem);
}

void golden_ask(const struct golden *g, const struct luc_graph *graph, const struct question *q,
                const struct luc_tensor *input, const struct how *how, double tol)
{
    struct luc_arena *arena = luc_arena_create(MEMORY_LIMIT);
    struct answer a;
    graph_ask(graph, q, input, how, arena, &a);
    for (size_t i = 0; i < a.n_taps; i++)
        golden_check(g, q->taps[i], &a.taps[i], tol);
    for (size_t i = 0; i < a.n_wrt; i++)
        golden_check(g, q->golden[i], &a.grads[i], tol);
    luc_arena_destroy(arena);
}

/* ---- a group's network ---- */

void golden_net_open(struct golden_net *t, const char *name, const struct golden_pixels *px,
                     load_graph *load)
{
    golden_open(&t->gold, name);
    golden_input(&t->gold, px, t->gold.arena, &t->input);
    t->graph = load(LUC_OPTIMISE_ALL);
}

void golden_net_done(struct golden_net *t)
{
    t->graph = luc_graph_destroy(t->graph);
    golden_done(&t->gold);
}

struct question top_logit(const struct golden *g, enum luc_relu_rule rule, const char *name)
{
    return (struct question){ .taps = { "logits" },
                              .seeds = { { SEED_CLASS, "logits", g->target } },
                              .wrt = { "@input" },
                              .golden = { name },
                              .rule = rule };
}

void check_relu_rules(const struct golden_net *t, double tol)
{
    static const char *const names[] = { [LUC_RELU_PLAIN] = "grad plain",
                                         [LUC_RELU_GUIDED] = "grad guided",
                                         [LUC_RELU_DECONV] = "grad deconv" };
    for (size_t rule = 0; rule < sizeof(names) / sizeof(names[0]); rule++) {
        const struct question q = top_logit(&t->gold, (enum luc_relu_rule)rule, names[rule]);
        golden_ask(&t->gold, t->graph, &q, &t->input, &(struct how){ 0 }, tol);
    }
}

/* ---- properties ---- */

/* Largest distance between two answers. */
static double answers_apart(const struct answer *a, const struct answer *b)
{
    double worst = 0;
    for (size_t i = 0; i < a->n_taps; i++)
        worst = fmax(worst, relative_l2(&a->taps[i], &b->taps[i]));
    for (size_t i = 0; i < a->n_wrt; i++)
        worst = fmax(worst, relative_l2(&a->grads[i], &b->grads[i]));
    return worst;
}

void check_optimisations(load_graph *load, const struct question *q, const struct luc_tensor *input,
                         double tol)
{
    static const struct {
        const char *without;
        unsigned passes;
        bool no_fusion;
    } cases[] = {
        { "constant folding", LUC_OPTIMISE_ALL & ~(unsigned)LUC_FOLD_CONSTANTS, false },
        { "batch-norm folding", LUC_OPTIMISE_ALL & ~(unsigned)LUC_FOLD_BATCH_NORM, false },
        { "packed weights", LUC_OPTIMISE_ALL & ~(unsigned)LUC_PREPARE, false },
        { "fusion", LUC_OPTIMISE_ALL, true },
        { "all of them", 0, true },
    };
    struct luc_arena *arena = luc_arena_create(MEMORY_LIMIT);
    struct answer whole_answer, a;
    struct luc_graph *g = load(LUC_OPTIMISE_ALL);
    graph_ask(g, q, input, &(struct how){ 0 }, arena, &whole_answer);
    luc_graph_destroy(g);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        g = load(cases[i].passes);
        graph_ask(g, q, input, &(struct how){ .no_fusion = cases[i].no_fusion }, arena, &a);
        luc_graph_destroy(g);
        const double d = answers_apart(&a, &whole_answer);
        printf("  without %-20s %.1e\n", cases[i].without, d);
        if (!(d <= tol))
            fail_msg("without %s the answer moves by %g", cases[i].without, d);
    }
    luc_arena_destroy(arena);
}

/* Row b of a batch as a tensor of batch 1. */
static struct luc_tensor row(const struct luc_tensor *t, size_t b)
{
    struct luc_tensor r = *t;
    r.shape.dim[0] = 1;
    r.data += b * luc_numel(&r.shape);
    return r;
}

/* Picture b of the batch `both` beside itself alone. */
static void check_row(const struct answer *both, size_t b, bool grads, const struct answer *alone,
                      double tol)
{
    struct answer half = *both;
    half.n_wrt = grads ? both->n_wrt : 0;
    for (size_t i = 0; i < half.n_taps; i++)
        half.taps[i] = row(&both->taps[i], b);
    for (size_t i = 0; i < half.n_wrt; i++)
        half.grads[i] = row(&both->grads[i], b);
    const double d = answers_apart(&half, alone);
    printf("  picture %zu of a batch beside itself alone: %.1e\n", b, d);
    if (!(d <= tol))
        fail_msg("picture %zu of a batch of 2 differs by %g from itself alone", b, d);
}

void check_batch(const struct luc_graph *graph, const struct question *q,
                 const struct luc_tensor *input, double tol)
{
    struct luc_arena *arena = luc_arena_create(MEMORY_LIMIT);
    struct luc_tensor two = *input;
    const size_t n = luc_numel(&input->shape), w = input->shape.dim[3];
    struct answer both, alone, other;
    two.shape.dim[0] = 2;
    two.data = luc_arena_raw(arena, 2 * n, sizeof(float));
    assert_non_null(two.data);
    graph_ask(graph, q, input, &(struct how){ 0 }, arena, &alone);
    for (size_t b = 0; b < 2; b++) {
        float *mirrored = two.data + (1 - b) * n;
        memcpy(two.data + b * n, input->data, n * sizeof(float));
        for (size_t i = 0; i < n; i++)
            mirrored[i] = input->data[i / w * w + (w - 1 - i % w)];
        const struct luc_tensor x = row(&two, 1 - b);
        graph_ask(graph, q, &two, &(struct how){ 0 }, arena, &both);
        graph_ask(graph, q, &x, &(struct how){ 0 }, arena, &other);
        check_row(&both, b, true, &alone, tol);
        check_row(&both, 1 - b, false, &other, tol); /* nobody keeps the mirror image off kinks */
    }
    luc_arena_destroy(arena);
}

void check_widths(const struct luc_graph *graph, const struct question *q,
                  const struct luc_tensor *input)
{
    static const size_t widths[] = { 1, 2, 3, 7 };
    struct luc_arena *arena = luc_arena_create(MEMORY_LIMIT);
    struct answer first, a;
    graph_ask(graph, q, input, &(struct how){ .width = widths[0] }, arena, &first);
    for (size_t k = 1; k < 4; k++) {
        graph_ask(graph, q, input, &(struct how){ .width = widths[k] }, arena, &a);
        for (size_t i = 0; i < a.n_taps; i++)
            assert_memory_equal(a.taps[i].data, first.taps[i].data,
                                luc_numel(&a.taps[i].shape) * sizeof(float));
        for (size_t i = 0; i < a.n_wrt; i++)
            assert_memory_equal(a.grads[i].data, first.grads[i].data,
                                luc_numel(&a.grads[i].shape) * sizeof(float));
    }
    luc_arena_destroy(arena);
}

/* One tiled run, in `arena`. */
static float *run_tiles(const struct luc_tiles_spec *spec, const float *input,
                        const struct luc_threads *threads, struct luc_arena *arena)
{
    struct luc_error err = { 0 };
    struct luc_tiles *t = NULL;
    struct luc_tiles_info info;
    if (luc_tiles_create(spec, arena, &t, &info, &err))
        fail_msg("%s", err.text);
    float *out = luc_arena_alloc(arena, luc_numel(&info.output), sizeof(float));
    assert_non_null(out);
    assert_int_equal(luc_tiles_run(t, input, out, threads, NULL, NULL, NULL), LUC_OK);
    return out;
}

void check_tiles(const struct luc_graph *graph, const char *value, const struct luc_tensor *input,
                 double tol)
{
    struct luc_arena *arena = luc_arena_create(MEMORY_LIMIT);
    struct luc_pool *pool = luc_pool_create(2);
    const struct question q = { .taps = { value } };
    const size_t side = input->shape.dim[2];
    struct answer whole;
    struct luc_tiles_spec spec = { .graph = graph,
                                   .input = input->shape,
                                   .output = graph_value(graph, value),
                                   .limit_bytes = MEMORY_LIMIT,
                                   .lanes = 3 };
    graph_ask(graph, &q, input, &(struct how){ 0 }, arena, &whole);
    const struct luc_tensor *y = &whole.taps[0];
    for (int i = 0; i < 2; i++) {
        const struct luc_arena_mark mark = luc_arena_mark(arena);
        double apart = 0, largest = 0;
        spec.tile = i ? side * 2 / 3 : side * 2 / 5;
        spec.keep_bytes = i ? (size_t)1 << 20 : SIZE_MAX; /* with none, it takes a minute */
        const float *one = run_tiles(&spec, input->data, NULL, arena);
        const float *three =
            run_tiles(&spec, input->data, &(struct luc_threads){ .pool = pool, .width = 3 }, arena);
        assert_memory_equal(one, three, luc_numel(&y->shape) * sizeof(float));
        for (size_t k = 0; k < luc_numel(&y->shape); k++) {
            apart = fmax(apart, fabs((double)y->data[k] - (double)one[k]));
            largest = fmax(largest, fabs((double)y->data[k]));
        }
        printf("tiles of %zu: %.2g apart\n", spec.tile, apart / largest);
        assert_true(apart <= tol * largest);
        luc_arena_release(arena, mark);
    }
    luc_pool_destroy(pool);
    luc_arena_destroy(arena);
}

/* ---- files from outside ---- */

static const char *outside_file(const char *variable, const char *fallback, const char *name,
                                char *buf, size_t size)
{
    const char *dir = getenv(variable);
    snprintf(buf, size, "%s/%s", dir && *dir ? dir : fallback, name);
    FILE *f = fopen(buf, "rb");
    if (!f) {
        printf("skipped: needs %s/%s (%s)\n", fallback, name, variable);
        exit(77);
    }
    fclose(f);
    return buf;
}

const char *shared_file(const char *name, char *buf, size_t size)
{
    return outside_file("LUCIDA_SHARED", "../shared", name, buf, size);
}

const char *pulled_file(const char *name, char *buf, size_t size)
{
    return outside_file("LUCIDA_TEST_MODELS", "build/models", name, buf, size);
}

static struct luc_graph *finish(struct luc_graph *g, unsigned passes)
{
    MUST(luc_graph_finish(g, err));
    MUST(luc_graph_optimise(g, passes, err));
    return g;
}

struct luc_graph *load_onnx(const char *path, unsigned passes)
{
    struct luc_file f;
    struct luc_graph *g = luc_graph_create(MEMORY_LIMIT);
    MUST(luc_file_map(path, FILE_LIMIT, &f, err));
    MUST(luc_onnx_read(f.bytes, f.size, g, err));
    luc_file_unmap(&f);
    return finish(g, passes);
}

struct luc_graph *load_tfjs(const char *path, unsigned passes)
{
    char dir[512];
    struct luc_graph *g = luc_graph_create(MEMORY_LIMIT);
    snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    assert_non_null(slash);
    *slash = '\0';
    MUST(luc_tfjs_read(dir, slash + 1, g, err));
    return finish(g, passes);
}
