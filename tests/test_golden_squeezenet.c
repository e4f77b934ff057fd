/* SqueezeNet 1.1 beside PyTorch: outputs, taps, gradients under each ReLU rule. */
#include "tests/golden_util.h"

#include "core/base/file.h"
#include "core/tensor/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FOUR "/features/features.7/Concat_output_0"

static char path[512];
static struct golden_net net;

static const struct golden_pixels pixels = { false,
                                             { 123.675f, 116.28f, 103.53f },
                                             { 1 / 58.395f, 1 / 57.12f, 1 / 57.375f } };

static struct luc_graph *load(unsigned passes)
{
    return load_onnx(path, passes);
}

static int setup(void **state)
{
    (void)state;
    golden_net_open(&net, "squeezenet1_1", &pixels, load);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    golden_net_done(&net);
    return 0;
}

static void squeezenet__published_output_within_1e_3(void **state)
{
    (void)state;
    char name[512];
    struct luc_tensor t[2];
    for (int i = 0; i < 2; i++) {
        char *bytes = NULL;
        size_t size = 0;
        struct luc_error err = { 0 };
        shared_file(i ? "golden/squeezenet1_1/output_0.npy" : "golden/squeezenet1_1/input_0.npy",
                    name, sizeof(name));
        if (luc_file_read(name, 1 << 24, &bytes, &size, &err) ||
            luc_npy_read(bytes, size, net.gold.arena, &t[i], &err))
            fail_msg("%s", err.text);
        free(bytes);
    }
    struct answer a;
    graph_ask(net.graph, &(struct question){ .taps = { "logits" } }, &t[0], &(struct how){ 0 },
              net.gold.arena, &a);
    const double d = relative_l2(&a.taps[0], &t[1]);
    printf("  published output: %.1e\n", d);
    assert_true(d <= 1e-3);
}

static void squeezenet__outputs_and_taps_match_pytorch(void **state)
{
    (void)state;
    const struct question q = { .taps = { "logits", "/features/features.0/Conv_output_0",
                                          "/features/features.3/Concat_output_0", FOUR,
                                          "/features/features.12/Concat_output_0" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void squeezenet__input_gradients_match_pytorch_under_each_rule(void **state)
{
    (void)state;
    check_relu_rules(&net, 1e-3);
}

static void squeezenet__gradient_of_a_weighted_layer_matches_pytorch(void **state)
{
    (void)state;
    const struct question q = { .seeds = { { SEED_WEIGHTED, FOUR, 7 } },
                                .wrt = { "@input" },
                                .golden = { "grad weighted" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void squeezenet__parameter_gradients_match_pytorch(void **state)
{
    (void)state;
    const struct question q = {
        .seeds = { { SEED_CLASS, "logits", net.gold.target } },
        .wrt = { "features.0.weight", "features.3.squeeze.weight", "features.12.expand3x3.bias" },
        .golden = { "grad features.0.weight", "grad features.3.squeeze.weight",
                    "grad features.12.expand3x3.bias" },
    };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void squeezenet__optimisations_leave_the_answer_alone(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_optimisations(load, &q, &net.input, 1e-4);
}

static void squeezenet__batch_of_two_equals_two_single_runs(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_batch(net.graph, &q, &net.input, 1e-5);
}

static void squeezenet__any_thread_width_gives_the_same_bits(void **state)
{
    (void)state;
    const struct question q = top_logit(&net.gold, LUC_RELU_PLAIN, "grad plain");
    check_widths(net.graph, &q, &net.input);
}

int main(void)
{
    shared_file("models/squeezenet1_1.onnx", path, sizeof(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squeezenet__published_output_within_1e_3),
        cmocka_unit_test(squeezenet__outputs_and_taps_match_pytorch),
        cmocka_unit_test(squeezenet__input_gradients_match_pytorch_under_each_rule),
        cmocka_unit_test(squeezenet__gradient_of_a_weighted_layer_matches_pytorch),
        cmocka_unit_test(squeezenet__parameter_gradients_match_pytorch),
        cmocka_unit_test(squeezenet__optimisations_leave_the_answer_alone),
        cmocka_unit_test(squeezenet__batch_of_two_equals_two_single_runs),
        cmocka_unit_test(squeezenet__any_thread_width_gives_the_same_bits),
    };
    return cmocka_run_group_tests_name("golden_squeezenet", tests, setup, teardown);
}
