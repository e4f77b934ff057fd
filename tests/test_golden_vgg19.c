/* VGG-19's convolutions beside PyTorch: taps, and gradients of several weighted layers at once. */
#include "tests/golden_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char path[512];
static struct golden_net net;

static const struct golden_pixels pixels = { false, { 123.68f, 116.779f, 103.939f }, { 1, 1, 1 } };

static struct luc_graph *load(unsigned passes)
{
    return load_onnx(path, passes);
}

static int setup(void **state)
{
    (void)state;
    golden_net_open(&net, "vgg19_features", &pixels, load);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    golden_net_done(&net);
    return 0;
}

static const struct question three_seeds = {
    .taps = { "pool5" },
    .seeds = { { SEED_WEIGHTED, "/6/Relu_output_0", 12 },
               { SEED_WEIGHTED, "/20/Relu_output_0", 13 },
               { SEED_WEIGHTED, "/28/Conv_output_0", 14 } },
    .wrt = { "@input" },
    .golden = { "grad three seeds" },
};

static void vgg19__taps_match_pytorch(void **state)
{
    (void)state;
    const struct question q = { .taps = { "/1/Relu_output_0", "/21/Conv_output_0",
                                          "/29/Relu_output_0", "pool5" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void vgg19__gradient_of_pool5_matches_pytorch(void **state)
{
    (void)state;
    const struct question q = { .seeds = { { SEED_WEIGHTED, "pool5", 11 } },
                                .wrt = { "@input" },
                                .golden = { "grad pool5" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void vgg19__three_seeds_in_one_backward_match_pytorch(void **state)
{
    (void)state;
    golden_ask(&net.gold, net.graph, &three_seeds, &net.input, &(struct how){ 0 }, 1e-3);
}

static void vgg19__optimisations_leave_the_answer_alone(void **state)
{
    (void)state;
    check_optimisations(load, &three_seeds, &net.input, 1e-4);
}

static void vgg19__batch_of_two_equals_two_single_runs(void **state)
{
    (void)state;
    check_batch(net.graph, &three_seeds, &net.input, 1e-5);
}

int main(void)
{
    shared_file("models/vgg19_features.onnx", path, sizeof(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vgg19__taps_match_pytorch),
        cmocka_unit_test(vgg19__gradient_of_pool5_matches_pytorch),
        cmocka_unit_test(vgg19__three_seeds_in_one_backward_match_pytorch),
        cmocka_unit_test(vgg19__optimisations_leave_the_answer_alone),
        cmocka_unit_test(vgg19__batch_of_two_equals_two_single_runs),
    };
    return cmocka_run_group_tests_name("golden_vgg19", tests, setup, teardown);
}
