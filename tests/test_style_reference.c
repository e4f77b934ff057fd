/* Style losses and the optimiser's path beside reference values that PyTorch computed for the same
 * pictures (../shared/golden/style_256) and networks. */
#include "core/base/file.h"
#include "core/generate/loop.h"
#include "core/tensor/codec.h"
#include "tests/golden_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT   ((size_t)4 << 30)
#define STEPS   21
#define SKIPPED 77

struct reference {
    const char *layers[6], *content;
    enum luc_paint_kind paint;
    double rate, beta, l1, l2;
    double total[STEPS]; /* before step i; 0: not known */
};

static const struct reference resnet_pixel = {
    { "conv1", "res2c", "res3d", "res4f" },
    "res4f",
    LUC_PIXEL,
    3.0,
    100,
    56.0306,
    0.386265,
    { [0] = 42.2108, 26.0203, 19.9358, 15.8498, [5] = 11.3226, [10] = 7.46881, [20] = 4.94329 },
};

static const struct reference resnet_fourier = {
    { "conv1", "res2c", "res3d", "res4f" },
    "res4f",
    LUC_FOURIER,
    0.05,
    20,
    1098.33,
    10.2292,
    { [0] = 8.44211, 6.78019, 6.02461, 5.44317, [5] = 4.54739, [10] = 3.29745, [20] = 2.24325 },
};

static const struct reference vgg_pixel = {
    { "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1" },
    "relu4_2",
    LUC_PIXEL,
    3.0,
    100,
    3.29065,
    0.0120648,
    { [0] = 53.859, 44.8494, 35.7202, 28.1293, [5] = 18.0494, [10] = 11.5919 },
};

struct picture {
    float *data;
    size_t height, width;
};

static struct picture load(struct luc_arena *arena, const char *name)
{
    char path[256], full[1024], *bytes = NULL;
    size_t size = 0;
    struct luc_image image = { 0 };
    struct picture p;
    snprintf(path, sizeof(path), "golden/style_256/%s", name);
    assert_int_equal(
        luc_file_read(shared_file(path, full, sizeof(full)), (size_t)1 << 24, &bytes, &size, NULL),
        LUC_OK);
    assert_int_equal(luc_image_decode(bytes, size, &(struct luc_decode){ 0 }, &image, NULL),
                     LUC_OK);
    p.height = image.height;
    p.width = image.width;
    p.data = luc_arena_alloc(arena, 3 * p.height * p.width, sizeof(float));
    for (size_t i = 0; i < p.height * p.width; i++)
        for (size_t c = 0; c < 3; c++)
            p.data[c * p.height * p.width + i] = (float)image.data[3 * i + c];
    luc_image_done(&image);
    free(bytes);
    return p;
}

static size_t layer(const struct luc_model *m, const char *name)
{
    size_t value = LUC_NONE;
    assert_int_equal(luc_model_layer(m, name, &value, NULL), LUC_OK);
    return value;
}

static size_t add_losses(const struct luc_model *m, const struct reference *ref,
                         const struct picture *content, const struct picture *style,
                         struct luc_loss *losses, struct luc_arena *arena)
{
    size_t layers[6], n = 0;
    const size_t at = layer(m, ref->content);
    struct luc_exec *x = NULL;
    for (; ref->layers[n]; n++)
        layers[n] = layer(m, ref->layers[n]);
    assert_int_equal(
        luc_features(m, NULL, style->data, style->height, style->width, layers, n, arena, &x, NULL),
        LUC_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(luc_loss_gram(&losses[i], layers[i], ref->beta / (double)n, NULL,
                                       luc_exec_value(x, layers[i]), arena, NULL),
                         LUC_OK);
    assert_int_equal(luc_features(m, NULL, content->data, content->height, content->width, &at, 1,
                                  arena, &x, NULL),
                     LUC_OK);
    luc_loss_feature(&losses[n], at, 1.0, luc_exec_value(x, at));
    return n + 1;
}

static void follow(const struct luc_model *m, const struct reference *ref)
{
    struct luc_arena *arena = luc_arena_create(LIMIT);
    const struct picture content = load(arena, "tubingen_256.png");
    const struct picture style = load(arena, "starry_night_256.png");
    struct luc_loss losses[7];
    struct luc_paint paint;
    struct luc_loop *loop = NULL;
    double l1, l2;
    const size_t n = add_losses(m, ref, &content, &style, losses, arena);
    assert_int_equal(luc_paint_init(&paint,
                                    &(struct luc_paint_spec){ .kind = ref->paint,
                                                              .height = content.height,
                                                              .width = content.width },
                                    arena, NULL),
                     LUC_OK);
    luc_paint_set(&paint, content.data);
    const struct luc_loop_spec spec = { .model = m,
                                        .paint = &paint,
                                        .losses = losses,
                                        .n_losses = n,
                                        .optimiser = { .kind = LUC_ADAM, .rate = ref->rate } };
    assert_int_equal(luc_loop_create(&spec, arena, &loop, NULL), LUC_OK);
    for (size_t i = 0; i < STEPS; i++) {
        const double total = luc_loop_step(loop), want = ref->total[i];
        if (i == 0) {
            luc_loop_gradient_norms(loop, &l1, &l2);
            printf("  |g|_1 %.6g (%.6g)  |g|_2 %.6g (%.6g)\n", l1, ref->l1, l2, ref->l2);
            assert_true(fabs(l1 / ref->l1 - 1) < 1e-3);
            assert_true(fabs(l2 / ref->l2 - 1) < 1e-3);
        }
        if (want <= 0)
            continue;
        printf("  step %2zu: %.6g, PyTorch %.6g: %+.1e\n", i, total, want, total / want - 1);
        assert_true(fabs(total / want - 1) < (i == 0 ? 1e-3 : 1e-2));
    }
    luc_arena_destroy(arena);
}

static void resnet50__style_losses_and_pixel_path_match_pytorch(void **state)
{
    follow(*state, &resnet_pixel);
}

static void resnet50__fourier_path_matches_pytorch(void **state)
{
    follow(*state, &resnet_fourier);
}

static void vgg19__style_losses_and_pixel_path_match_pytorch(void **state)
{
    follow(*state, &vgg_pixel);
}

static struct luc_model *model; /* what this process was started for */

static int open_model(const char *dir, const char *name)
{
    char path[1024], *json = NULL;
    struct luc_error err = { 0 };
    snprintf(path, sizeof(path), "%s/%s.json", dir, name);
    enum luc_status st = luc_file_read(path, (size_t)1 << 20, &json, NULL, &err);
    if (st == LUC_OK)
        st = luc_model_load(dir, json, LIMIT, &model, &err);
    free(json);
    if (st)
        printf("skipped: needs %s in %s (%s)\n", name, dir, err.text);
    return st ? SKIPPED : 0;
}

static int give_model(void **state)
{
    *state = model;
    return 0;
}

/* usage: test_style_reference [vgg19 MODELS] */
int main(int argc, char **argv)
{
    const struct CMUnitTest resnet[] = {
        cmocka_unit_test_setup(resnet50__style_losses_and_pixel_path_match_pytorch, give_model),
        cmocka_unit_test_setup(resnet50__fourier_path_matches_pytorch, give_model),
    };
    const struct CMUnitTest vgg[] = {
        cmocka_unit_test_setup(vgg19__style_losses_and_pixel_path_match_pytorch, give_model),
    };
    char full[1024];
    shared_file("golden/style_256/tubingen_256.png", full, sizeof(full));
    const bool is_vgg = argc == 3 && strcmp(argv[1], "vgg19") == 0;
    const char *models = getenv("LUCIDA_TEST_MODELS");
    int failed = is_vgg ? open_model(argv[2], "vgg19_features")
                        : open_model(models ? models : "build/models", "resnet50");
    if (!failed)
        failed = is_vgg ? cmocka_run_group_tests_name("style on VGG-19", vgg, NULL, NULL)
                        : cmocka_run_group_tests_name("style on ResNet-50", resnet, NULL, NULL);
    luc_model_destroy(model);
    return failed;
}
