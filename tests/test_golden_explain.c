/* Explanations of SqueezeNet 1.1 and ResNet-50 beside PyTorch, method by method. */
#include "core/run/method.h"
#include "tests/golden_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define METHODS(X)                                                                                 \
    X(saliency)                                                                                    \
    X(guided_backprop)                                                                             \
    X(deconvnet)                                                                                   \
    X(occlusion) X(grad_cam) X(cam) X(integrated_gradients) X(smoothgrad) X(score_cam) X(rise)
#define X(name) extern const struct luc_method luc_method_##name;
METHODS(X)
#undef X

#define LIMIT ((size_t)2 << 30)

struct bench {
    struct golden gold;
    struct luc_model *model;
    struct luc_image photo;
    struct luc_arena *arena;
    struct luc_result result;
    uint64_t seed, path_seed; /* those of make_explain.py */
    const char *inner;        /* a layer of neurons to explain */
};

typedef const char *const settings[][2];
#define SETTINGS(...) ((settings){ __VA_ARGS__, { NULL, NULL } })
#define VS            SETTINGS({ "vs", "281" })
#define NEURON        SETTINGS({ "layer", b->inner })
#define PATH                                                                                       \
    { "steps", "3" },                                                                              \
    {                                                                                              \
        "baseline", "noise"                                                                        \
    }
#define PATCHES                                                                                    \
    { "patch", "96" },                                                                             \
    {                                                                                              \
        "stride", "64"                                                                             \
    }

static void explain(struct bench *b, const struct luc_method *method, const char *const (*set)[2])
{
    static const struct luc_input_params input = { .model = "", .background = "white" };
    struct luc_error err = { 0 };
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    b->arena = luc_arena_create(LIMIT);
    luc_result_init(&b->result, b->arena);
    struct luc_run run = { .model = b->model,
                           .pictures = luc_source_of(&b->photo),
                           .n_images = 1,
                           .input = &input,
                           .arena = b->arena,
                           .result = &b->result };
    luc_rng_seed(&run.rng, method == &luc_method_integrated_gradients ? b->path_seed : b->seed);
    void *params = calloc(1, method->params_size);
    luc_params_default(method->params, params);
    for (; set && (*set)[0]; set++)
        assert_int_equal(luc_param_set(method->params, (*set)[0], (*set)[1], params, NULL), LUC_OK);
    if (luc_method_run(method, &run, params, &err))
        fail_msg("%s", err.text);
    free(params);
    const struct luc_item *class = luc_result_find(&b->result, "class_index");
    assert_true(!class || (size_t) class->number == b->gold.target);
}

static const struct luc_tensor *map_of(const struct bench *b)
{
    return &luc_result_first(&b->result, LUC_ITEM_MAP)->map;
}

static double number(const struct bench *b, const char *key)
{
    const struct luc_item *it = luc_result_find(&b->result, key);
    assert_non_null(it);
    return it->number;
}

static void check_all(struct bench *b)
{
    const struct {
        const char *golden;
        const struct luc_method *method;
        const char *const (*set)[2];
    } all[] = {
        { "saliency", &luc_method_saliency, NULL },
        { "saliency vs", &luc_method_saliency, VS },
        { "saliency neuron", &luc_method_saliency, SETTINGS({ "of_layer", b->inner }) },
        { "guided", &luc_method_guided_backprop, NULL },
        { "guided vs", &luc_method_guided_backprop, VS },
        { "guided neuron", &luc_method_guided_backprop, NEURON },
        { "deconv", &luc_method_deconvnet, NULL },
        { "deconv neuron", &luc_method_deconvnet, NEURON },
        { "cam", &luc_method_cam, NULL },
        { "grad_cam plain", &luc_method_grad_cam, NULL },
        { "grad_cam vs", &luc_method_grad_cam, VS },
        { "grad_cam plusplus", &luc_method_grad_cam, SETTINGS({ "variant", "plusplus" }) },
        { "grad_cam layercam", &luc_method_grad_cam, SETTINGS({ "variant", "layercam" }) },
        { "grad_cam hirescam", &luc_method_grad_cam, SETTINGS({ "variant", "hirescam" }) },
        { "grad_cam guided", &luc_method_grad_cam, SETTINGS({ "variant", "guided" }) },
        { "integrated_gradients", &luc_method_integrated_gradients, SETTINGS(PATH) },
        { "integrated_gradients vs", &luc_method_integrated_gradients,
          SETTINGS(PATH, { "vs", "281" }) },
        { "integrated_gradients neuron", &luc_method_integrated_gradients,
          SETTINGS(PATH, { "layer", b->inner }) },
        { "smoothgrad", &luc_method_smoothgrad, SETTINGS({ "samples", "2" }) },
        { "smoothgrad squared", &luc_method_smoothgrad,
          SETTINGS({ "samples", "2" }, { "variant", "squared" }) },
        { "smoothgrad variance", &luc_method_smoothgrad,
          SETTINGS({ "samples", "2" }, { "variant", "variance" }) },
        { "smoothgrad over ig", &luc_method_smoothgrad,
          SETTINGS({ "samples", "2" }, { "over", "integrated-gradients" }, { "steps", "3" },
                   { "layer", b->inner }) },
        { "score_cam", &luc_method_score_cam, SETTINGS({ "channels", "6" }) },
        { "score_cam increase", &luc_method_score_cam,
          SETTINGS({ "channels", "6" }, { "weights", "increase" }, { "score", "probability" }) },
        { "rise", &luc_method_rise, SETTINGS({ "masks", "6" }) },
        { "occlusion", &luc_method_occlusion, SETTINGS(PATCHES) },
        { "occlusion vs", &luc_method_occlusion,
          SETTINGS(PATCHES, { "score", "logit" }, { "vs", "281" }) },
        { "occlusion neuron", &luc_method_occlusion, SETTINGS(PATCHES, { "layer", b->inner }) },
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        explain(b, all[i].method, all[i].set);
        golden_check(&b->gold, all[i].golden, map_of(b), 1e-3);
    }
}

static void explain__every_map_matches_pytorch(void **state)
{
    check_all(*state);
}

static void cam__mean_plus_bias_is_the_logit(void **state)
{
    struct bench *b = *state;
    explain(b, &luc_method_cam, NULL);
    const double logit = number(b, "logit");
    printf("  gap %.1e of %.4g\n", number(b, "gap"), logit);
    assert_true(fabs(number(b, "mean") + number(b, "bias") - logit) <= 1e-4 * fabs(logit));
}

static void grad_cam__on_a_cam_network_is_cam_up_to_scale(void **state)
{
    struct bench *b = *state;
    double ab = 0, aa = 0, bb = 0;
    float cam[4096];
    explain(b, &luc_method_cam, NULL);
    const size_t n = luc_numel(&map_of(b)->shape);
    assert_in_range(n, 1, 4096);
    memcpy(cam, map_of(b)->data, n * sizeof(float));
    explain(b, &luc_method_grad_cam, SETTINGS({ "signed", "true" }));
    for (size_t i = 0; i < n; i++) {
        const double u = (double)cam[i], v = (double)map_of(b)->data[i];
        ab += u * v;
        aa += u * u;
        bb += v * v;
    }
    printf("  cosine %.7f\n", ab / sqrt(aa * bb));
    assert_true(ab / sqrt(aa * bb) > 0.999);
}

/* From black, as anyone asks. */
static void integrated_gradients__are_complete_to_a_hundredth_at_200_steps(void **state)
{
    struct bench *b = *state;
    explain(b, &luc_method_integrated_gradients, SETTINGS({ "steps", "200" }));
    printf("  gap %.2e of %.4g\n", number(b, "completeness_gap"),
           number(b, "score") - number(b, "baseline_score"));
    assert_true(number(b, "completeness_gap") < 0.01);
}

static void set_up(struct bench *b, const char *net, const char *path, const char *description)
{
    struct luc_error err = { 0 };
    char dir[512];
    snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    assert_non_null(slash);
    *slash = '\0';
    golden_open(&b->gold, net);
    if (luc_model_load(dir, description, LIMIT, &b->model, &err))
        fail_msg("%s", err.text);
    assert_int_equal(luc_image_create(b->gold.width, b->gold.height, 3, &b->photo, NULL), LUC_OK);
    golden_picture(&b->gold, b->photo.data);
}

static int squeezenet(void **state)
{
    static struct bench b = { .seed = 23,
                              .path_seed = 31,
                              .inner = "/features/features.9/Concat_output_0" };
    char path[512];
    set_up(&b, "squeezenet_explain", shared_file("models/squeezenet1_1.onnx", path, sizeof(path)),
           "{\"name\": \"squeezenet1_1\", \"file\": \"squeezenet1_1.onnx\", \"input\": {"
           "\"channels\": \"RGB\", \"mean\": [123.675, 116.28, 103.53], \"scale\": "
           "[0.0171247538317, 0.0175070028011, 0.0174291938998], \"size\": [224, 224]}}");
    *state = &b;
    return 0;
}

static int resnet50(void **state)
{
    static struct bench b = { .seed = 8, .path_seed = 2, .inner = "activation_39" };
    char path[512];
    set_up(&b, "resnet50_explain", pulled_file("resnet50/model.json", path, sizeof(path)),
           "{\"name\": \"resnet50\", \"format\": \"tfjs\", \"file\": \"model.json\", \"input\": {"
           "\"channels\": \"BGR\", \"mean\": [103.939, 116.779, 123.68], \"scale\": 1, \"size\": "
           "[224, 224]}}");
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    luc_image_done(&b->photo);
    luc_model_destroy(b->model);
    golden_done(&b->gold);
    return 0;
}

/* usage: test_golden_explain [resnet50|complete]   SqueezeNet, unless resnet50 is asked for */
int main(int argc, char **argv)
{
    char path[512];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain__every_map_matches_pytorch),
        cmocka_unit_test(cam__mean_plus_bias_is_the_logit),
        cmocka_unit_test(grad_cam__on_a_cam_network_is_cam_up_to_scale),
    };
    if (argc > 1 && strcmp(argv[1], "resnet50") == 0) {
        pulled_file("resnet50/model.json", path, sizeof(path)); /* skips when it is not there */
        return cmocka_run_group_tests_name("explain resnet50", tests, resnet50, teardown);
    }
    const struct CMUnitTest slow[] = {
        cmocka_unit_test(integrated_gradients__are_complete_to_a_hundredth_at_200_steps),
    };
    shared_file("models/squeezenet1_1.onnx", path, sizeof(path));
    if (argc > 1 && strcmp(argv[1], "complete") == 0)
        return cmocka_run_group_tests_name("explain completely", slow, squeezenet, teardown);
    return cmocka_run_group_tests_name("explain squeezenet", tests, squeezenet, teardown);
}
