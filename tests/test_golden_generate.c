/* Pictures made by gradients on SqueezeNet 1.1 beside PyTorch: losses and gradients at the start,
 * and the losses on the way of 50 steps (tests/golden/make_generate.py). */
#include "core/generate/loop.h"
#include "tests/golden_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT     ((size_t)1 << 30)
#define STEPS     50
#define START_TOL 1e-3 /* gradient and first loss, relative */
#define EARLY     6    /* losses before any maximum has two winners within rounding */
#define EARLY_TOL 2e-5 /* of these; relative L2 */

struct bench {
    struct golden gold;
    struct luc_model *model;
    struct luc_arena *arena;
    float *sample, *start; /* [3, H, W] */
};

/* What a case of the maker's is here. */
struct subject {
    const char *name;
    struct luc_paint_spec paint;
    double rate, softplus;
    struct luc_regular regular;
    double path_tol; /* of the 50 losses, relative L2; PyTorch's farthest float32 run beside */
};

static size_t layer(const struct bench *b, const char *name)
{
    size_t value = LUC_NONE;
    assert_int_equal(luc_model_layer(b->model, name, &value, NULL), LUC_OK);
    return value;
}

static size_t add_losses(struct bench *b, const struct subject *s, struct luc_loss *losses)
{
    const size_t h = b->gold.height, w = b->gold.width;
    struct luc_exec *x = NULL;
    if (strcmp(s->name, "visualize") == 0) {
        losses[0] = (struct luc_loss){ .kind = LUC_LOSS_CLASS,
                                       .value = b->model->logits,
                                       .weight = 1,
                                       .index = b->gold.target,
                                       .sharpen = 4 };
        return 1;
    }
    const bool grams = strcmp(s->name, "texture") == 0;
    const size_t layers[3] = { layer(b, grams ? "conv1" : "fire5"), layer(b, "fire3"),
                               layer(b, "fire5") };
    const size_t n = grams ? 3 : 1;
    assert_int_equal(luc_features(b->model, NULL, b->sample, h, w, layers, n, b->arena, &x, NULL),
                     LUC_OK);
    for (size_t i = 0; grams && i < n; i++)
        assert_int_equal(luc_loss_gram(&losses[i], layers[i], 1.0 / 3, NULL,
                                       luc_exec_value(x, layers[i]), b->arena, NULL),
                         LUC_OK);
    if (!grams)
        luc_loss_feature(&losses[0], layers[0], 1, luc_exec_value(x, layers[0]));
    return n;
}

static struct luc_loop *begin(struct bench *b, const struct subject *s,
                              const struct luc_optimiser_spec *optimiser, struct luc_loss *losses,
                              struct luc_paint *paint)
{
    struct luc_loop *loop = NULL;
    struct luc_paint_spec kind = s->paint;
    kind.height = b->gold.height;
    kind.width = b->gold.width;
    assert_int_equal(luc_paint_init(paint, &kind, b->arena, NULL), LUC_OK);
    luc_paint_set(paint, b->start);
    const struct luc_loop_spec spec = { .model = b->model,
                                        .paint = paint,
                                        .losses = losses,
                                        .n_losses = add_losses(b, s, losses),
                                        .optimiser = *optimiser,
                                        .regular = s->regular,
                                        .softplus = s->softplus };
    assert_int_equal(luc_loop_create(&spec, b->arena, &loop, NULL), LUC_OK);
    return loop;
}

static struct luc_tensor tensor_of(struct bench *b, const char *array, float *data)
{
    struct luc_tensor t = { .data = data };
    for (size_t i = 0; i < b->gold.n_arrays; i++)
        if (strcmp(b->gold.arrays[i].name, array) == 0)
            t.shape = b->gold.arrays[i].shape;
    return t;
}

/* The gradient, from a step along it: x - x' = rate * g / mean |g|. */
static void check_gradient(struct bench *b, const struct subject *s)
{
    const struct luc_optimiser_spec ascent = { .kind = LUC_ASCENT, .rate = 1 };
    struct luc_loss losses[3];
    struct luc_paint paint;
    double l1, l2;
    char name[64];
    struct luc_loop *loop = begin(b, s, &ascent, losses, &paint);
    float *g = luc_arena_alloc(b->arena, paint.n, sizeof(*g));
    memcpy(g, paint.variable, paint.n * sizeof(*g));
    luc_loop_step(loop);
    luc_loop_gradient_norms(loop, &l1, &l2);
    for (size_t i = 0; i < paint.n; i++)
        g[i] = (float)(((double)g[i] - (double)paint.variable[i]) * l1 / (double)paint.n);
    snprintf(name, sizeof(name), "gradient %s", s->name);
    const struct luc_tensor got = tensor_of(b, name, g);
    golden_check(&b->gold, name, &got, START_TOL);
}

static void check_path(struct bench *b, const struct subject *s)
{
    const struct luc_optimiser_spec adam = { .kind = LUC_ADAM, .rate = s->rate };
    struct luc_loss losses[3];
    struct luc_paint paint;
    float path[STEPS];
    char name[64];
    struct luc_loop *loop = begin(b, s, &adam, losses, &paint);
    for (size_t i = 0; i < STEPS; i++)
        path[i] = (float)luc_loop_step(loop);
    snprintf(name, sizeof(name), "path %s", s->name);
    const struct luc_tensor got = tensor_of(b, name, path);
    golden_check(&b->gold, name, &got, s->path_tol);
    for (size_t i = 0; i < b->gold.n_arrays; i++)
        if (strcmp(b->gold.arrays[i].name, name) == 0) {
            const float *want = b->gold.data + b->gold.arrays[i].at;
            float theirs[EARLY];
            memcpy(theirs, want, sizeof(theirs));
            const struct luc_tensor few = { .shape = { 1, { EARLY } }, .data = path };
            const struct luc_tensor same = { .shape = few.shape, .data = theirs };
            const double early = relative_l2(&few, &same);
            const double last = (double)path[STEPS - 1] / (double)want[STEPS - 1] - 1;
            printf("  %s: first %d losses %.1e, after %d steps %+.1e\n", s->name, EARLY, early,
                   STEPS, last);
            assert_true(early < EARLY_TOL);
        }
}

static void visualize__gradient_and_path_match_pytorch(void **state)
{
    const struct subject s = { .name = "visualize",
                               .paint = { .kind = LUC_FOURIER },
                               .rate = 0.05,
                               .softplus = 3,
                               .regular = { .l2 = 5, .tv = 100 },
                               .path_tol = 2e-2 };
    check_gradient(*state, &s);
    check_path(*state, &s);
}

static void invert__gradient_and_path_match_pytorch(void **state)
{
    const struct subject s = {
        .name = "invert",
        .paint = { .kind = LUC_PIXEL },
        .rate = 3,
        .regular = { .alpha_weight = 1, .alpha = 6, .beta_tv_weight = 1, .beta = 1.5 },
        .path_tol = 1e-3
    };
    check_gradient(*state, &s);
    check_path(*state, &s);
}

static void texture__gradient_and_path_match_pytorch(void **state)
{
    const struct subject s = {
        .name = "texture", .paint = { .kind = LUC_FOURIER }, .rate = 0.05, .path_tol = 1e-3
    };
    check_gradient(*state, &s);
    check_path(*state, &s);
}

static int setup(void **state)
{
    static struct bench b;
    static const char *const description =
        "{\"name\": \"squeezenet1_1\", \"file\": \"squeezenet1_1.onnx\", \"input\": {"
        "\"channels\": \"RGB\", \"mean\": [123.675, 116.28, 103.53], \"scale\": "
        "[0.0171247538317, 0.0175070028011, 0.0174291938998], \"size\": [224, 224]}, \"aliases\": {"
        "\"conv1\": {\"op\": \"Relu\", \"nth\": 0}, \"fire3\": {\"op\": \"Concat\", \"nth\": 1}, "
        "\"fire5\": {\"op\": \"Concat\", \"nth\": 3}}}";
    struct luc_error err = { 0 };
    unsigned char *rgb;
    char dir[512];
    shared_file("models/squeezenet1_1.onnx", dir, sizeof(dir));
    *strrchr(dir, '/') = '\0';
    golden_open(&b.gold, "squeezenet_generate");
    if (luc_model_load(dir, description, LIMIT, &b.model, &err))
        fail_msg("%s", err.text);
    b.arena = luc_arena_create(LIMIT);
    const size_t h = b.gold.height, w = b.gold.width, n = h * w;
    rgb = luc_arena_alloc(b.arena, 3 * n, 1);
    golden_picture(&b.gold, rgb);
    b.sample = luc_arena_alloc(b.arena, 3 * n, sizeof(float));
    b.start = luc_arena_alloc(b.arena, 3 * n, sizeof(float));
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++)
            b.sample[c * n + i] = (float)rgb[3 * i + c];
    /* upside down, half the contrast, and a pattern, so that no two neighbours are alike: maxima of
     * equals are anybody's choice */
    for (size_t i = 0; i < 3 * n; i++) {
        const size_t plane = i / n, y = i % n / w, pattern = i * 7919 % 1009;
        const size_t from = plane * n + (h - 1 - y) * w + i % w;
        b.start[i] = 64 + 0.5f * b.sample[from] + (float)pattern / 126;
    }
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    luc_arena_destroy(b->arena);
    luc_model_destroy(b->model);
    golden_done(&b->gold);
    return 0;
}

int main(void)
{
    char path[512];
    shared_file("models/squeezenet1_1.onnx", path, sizeof(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visualize__gradient_and_path_match_pytorch),
        cmocka_unit_test(invert__gradient_and_path_match_pytorch),
        cmocka_unit_test(texture__gradient_and_path_match_pytorch),
    };
    return cmocka_run_group_tests_name("golden_generate", tests, setup, teardown);
}
