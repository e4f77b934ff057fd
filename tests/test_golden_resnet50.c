/* ResNet-50 (TensorFlow.js) beside PyTorch: outputs, taps, gradients under each ReLU rule. */
#include "tests/golden_util.h"

#include "core/run/method.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_saliency;

static char path[512];
static struct golden_net net;

static const struct golden_pixels pixels = { true, { 103.939f, 116.779f, 123.68f }, { 1, 1, 1 } };

static struct luc_graph *load(unsigned passes)
{
    return load_tfjs(path, passes);
}

static int setup(void **state)
{
    (void)state;
    golden_net_open(&net, "resnet50", &pixels, load);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    golden_net_done(&net);
    return 0;
}

static void resnet50__outputs_and_taps_match_pytorch(void **state)
{
    (void)state;
    const struct question q = { .taps = { "logits", "fc1000", "bn_conv1", "max_pooling2d",
                                          "activation_9", "add_7", "activation_48", "avg_pool" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void resnet50__the_cat_is_an_egyptian_cat(void **state)
{
    (void)state;
    struct answer a;
    graph_ask(net.graph, &(struct question){ .taps = { "fc1000" } }, &net.input, &(struct how){ 0 },
              net.gold.arena, &a);
    const double p = (double)a.taps[0].data[285];
    assert_int_equal(net.gold.target, 285);
    assert_true(fabs(p - net.gold.probability) < 1e-4);
}

static void resnet50__input_gradients_match_pytorch_under_each_rule(void **state)
{
    (void)state;
    check_relu_rules(&net, 1e-3);
}

static void resnet50__optimisations_leave_the_answer_alone(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_optimisations(load, &q, &net.input, 1e-4);
}

static void resnet50__batch_of_two_equals_two_single_runs(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_batch(net.graph, &q, &net.input, 1e-5);
}

static void resnet50__any_thread_width_gives_the_same_bits(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_widths(net.graph, &q, &net.input);
}

static const char description[] =
    "{\"name\":\"resnet50\",\"title\":\"ResNet-50\",\"task\":\"classify\",\"licence\":\"ISC\","
    "\"format\":\"tfjs\",\"file\":\"model.json\",\"input\":{\"channels\":\"BGR\","
    "\"mean\":[103.939,116.779,123.68],\"scale\":1,\"size\":[224,224],\"fit\":\"resize\"}}";

static struct luc_model *load_model(void)
{
    char dir[sizeof(path)];
    struct luc_model *m = NULL;
    struct luc_error err = { 0 };
    memcpy(dir, path, sizeof(dir));
    *strrchr(dir, '/') = '\0';
    if (luc_model_load(dir, description, (size_t)1 << 30, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static void saliency__as_the_method_gives_it_matches_pytorch(void **state)
{
    (void)state;
    struct luc_error err = { 0 };
    struct luc_result result;
    struct luc_image photo = { 0 };
    struct luc_input_params in = { 0 };
    struct luc_arena *arena = luc_arena_create((size_t)1 << 30);
    struct luc_model *m = load_model();
    void *params = calloc(1, luc_method_saliency.params_size);
    luc_params_default(luc_method_saliency.params, params);
    luc_params_default(luc_input_rows, &in);
    if (luc_image_create(net.gold.width, net.gold.height, 3, &photo, &err))
        fail_msg("%s", err.text);
    golden_picture(&net.gold, photo.data);
    luc_result_init(&result, arena);
    struct luc_run run = { .model = m,
                           .pictures = luc_source_of(&photo),
                           .n_images = 1,
                           .input = &in,
                           .arena = arena,
                           .result = &result };
    if (luc_method_run(&luc_method_saliency, &run, params, &err))
        fail_msg("%s", err.text);
    assert_true(luc_result_find(&result, "class_index")->number == (double)net.gold.target);
    golden_check(&net.gold, "saliency", &luc_result_first(&result, LUC_ITEM_MAP)->map, 1e-3);

    struct luc_frame frame;
    struct luc_tensor got;
    assert_int_equal(luc_run_input(&run, 0, &frame, &got, &err), LUC_OK);
    assert_memory_equal(got.data, net.input.data, luc_numel(&net.input.shape) * sizeof(float));

    luc_result_done(&result);
    luc_image_done(&photo);
    free(params);
    luc_model_destroy(m);
    luc_arena_destroy(arena);
}

int main(void)
{
    pulled_file("resnet50/model.json", path, sizeof(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet50__outputs_and_taps_match_pytorch),
        cmocka_unit_test(resnet50__the_cat_is_an_egyptian_cat),
        cmocka_unit_test(resnet50__input_gradients_match_pytorch_under_each_rule),
        cmocka_unit_test(saliency__as_the_method_gives_it_matches_pytorch),
        cmocka_unit_test(resnet50__optimisations_leave_the_answer_alone),
        cmocka_unit_test(resnet50__batch_of_two_equals_two_single_runs),
        cmocka_unit_test(resnet50__any_thread_width_gives_the_same_bits),
    };
    return cmocka_run_group_tests_name("golden_resnet50", tests, setup, teardown);
}
