/* A CartoonGAN network (TensorFlow.js graph model, 8-bit weights) beside PyTorch. */
#include "tests/golden_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LAST "generator_hayao/Tanh"

static char path[512];
static struct golden_net net;

static const struct golden_pixels pixels = { false,
                                             { 127.5f, 127.5f, 127.5f },
                                             { 1 / 127.5f, 1 / 127.5f, 1 / 127.5f } };

static struct luc_graph *load(unsigned passes)
{
    return load_tfjs(path, passes);
}

static int setup(void **state)
{
    (void)state;
    golden_net_open(&net, "cartoon_hayao", &pixels, load);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    golden_net_done(&net);
    return 0;
}

static const struct question weighted = {
    .taps = { LAST },
    .seeds = { { SEED_WEIGHTED, LAST, 31 } },
    .wrt = { "@input" },
    .golden = { "grad weighted" },
};

static void cartoon__picture_and_taps_match_pytorch(void **state)
{
    (void)state;
    const struct question q = { .taps = { LAST, "generator_hayao/Relu_1", "generator_hayao/add_7",
                                          "generator_hayao/deconv01_1/BiasAdd" } };
    golden_ask(&net.gold, net.graph, &q, &net.input, &(struct how){ 0 }, 1e-3);
}

static void cartoon__input_gradient_matches_pytorch(void **state)
{
    (void)state;
    golden_ask(&net.gold, net.graph, &weighted, &net.input, &(struct how){ 0 }, 1e-3);
}

static void cartoon__optimisations_leave_the_answer_alone(void **state)
{
    (void)state;
    check_optimisations(load, &weighted, &net.input, 1e-4);
}

static void cartoon__batch_of_two_equals_two_single_runs(void **state)
{
    (void)state;
    check_batch(net.graph, &weighted, &net.input, 1e-5);
}

/* In tiles that divide nothing evenly; the whole picture's answer is compared with PyTorch's above. */
static void cartoon__tiles_equal_the_whole(void **state)
{
    (void)state;
    check_tiles(net.graph, LAST, &net.input, 2e-5);
}

int main(void)
{
    pulled_file("cartoon_hayao/model.json", path, sizeof(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cartoon__picture_and_taps_match_pytorch),
        cmocka_unit_test(cartoon__input_gradient_matches_pytorch),
        cmocka_unit_test(cartoon__optimisations_leave_the_answer_alone),
        cmocka_unit_test(cartoon__batch_of_two_equals_two_single_runs),
        cmocka_unit_test(cartoon__tiles_equal_the_whole),
    };
    return cmocka_run_group_tests_name("golden_cartoon", tests, setup, teardown);
}
