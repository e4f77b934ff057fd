/* The two feed-forward style networks beside PyTorch: pictures, taps, gradients. */
#include "tests/golden_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char paths[2][512];
static struct golden gold;
static struct luc_graph *net;
static struct luc_tensor input;
static const char *path;

static const struct golden_pixels pixels = { false, { 0 }, { 1, 1, 1 } };

static struct luc_graph *load(unsigned passes)
{
    return load_onnx(path, passes);
}

static void open_net(int i)
{
    path = paths[i];
    golden_open(&gold, i ? "style_mosaic" : "style_candy");
    golden_input(&gold, &pixels, gold.arena, &input);
    net = load(LUC_OPTIMISE_ALL);
}

static int candy(void **state)
{
    (void)state;
    open_net(0);
    return 0;
}

static int mosaic(void **state)
{
    (void)state;
    open_net(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net = luc_graph_destroy(net);
    golden_done(&gold);
    return 0;
}

static const struct question weighted = {
    .taps = { "stylized" },
    .seeds = { { SEED_WEIGHTED, "stylized", 21 } },
    .wrt = { "@input" },
    .golden = { "grad weighted" },
};

static void style__pictures_and_taps_match_pytorch(void **state)
{
    (void)state;
    const struct question q = { .taps = { "stylized", "/res3/Add_output_0", "/Relu_4_output_0" } };
    golden_ask(&gold, net, &q, &input, &(struct how){ 0 }, 1e-3);
}

static void style__input_and_parameter_gradients_match_pytorch(void **state)
{
    (void)state;
    const struct question q = {
        .seeds = { { SEED_WEIGHTED, "stylized", 21 } },
        .wrt = { "@input", "in1.weight", "res5.in2.weight", "deconv3.conv2d.weight" },
        .golden = { "grad weighted", "grad in1.weight", "grad res5.in2.weight",
                    "grad deconv3.conv2d.weight" },
    };
    golden_ask(&gold, net, &q, &input, &(struct how){ 0 }, 1e-3);
}

static void style__optimisations_leave_the_answer_alone(void **state)
{
    (void)state;
    check_optimisations(load, &weighted, &input, 1e-4);
}

static void style__any_thread_width_gives_the_same_bits(void **state)
{
    (void)state;
    check_widths(net, &weighted, &input);
}

/* In tiles that divide nothing evenly; the whole picture's answer is compared with PyTorch's above. */
static void style__tiles_equal_the_whole(void **state)
{
    (void)state;
    check_tiles(net, "stylized", &input, 2e-5);
}

#define ON(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    shared_file("models/style_candy.onnx", paths[0], sizeof(paths[0]));
    shared_file("models/style_mosaic.onnx", paths[1], sizeof(paths[1]));
    const struct CMUnitTest tests[] = {
        ON(style__pictures_and_taps_match_pytorch, candy),
        ON(style__input_and_parameter_gradients_match_pytorch, candy),
        ON(style__optimisations_leave_the_answer_alone, candy),
        ON(style__any_thread_width_gives_the_same_bits, candy),
        ON(style__tiles_equal_the_whole, candy),
        ON(style__pictures_and_taps_match_pytorch, mosaic),
        ON(style__input_and_parameter_gradients_match_pytorch, mosaic),
    };
    return cmocka_run_group_tests_name("golden_style", tests, NULL, NULL);
}
