#include "core/show/show.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIDE  16
#define LIMIT ((size_t)16 << 20)

/* The cells of layer "y", made by one 3 -> 1 convolution of kernel k. */
static struct luc_box cells_of(size_t k, const char *settings, size_t side, float *enlarged)
{
    struct net net;
    net_init(&net);
    net_input(&net, SIDE, SIDE);
    net_conv(&net, "x", "y", 3, 1, k, settings);
    net_finish(&net);
    const struct luc_model m = { .name = "one",
                                 .graph = net.g,
                                 .in = { .width = SIDE, .height = SIDE },
                                 .input = net_value(&net, "x"),
                                 .logits = LUC_NONE };
    struct luc_run run = { .model = &m, .arena = luc_arena_create(LIMIT) };
    const struct luc_frame frame = { 0, 0, SIDE, SIDE, SIDE, SIDE };
    struct luc_tensor map = { .shape = luc_shape4(1, 1, side, side) };
    struct luc_box cells;
    map.data = luc_arena_alloc(run.arena, side * side, sizeof(float));
    map.data[0] = 1; /* the first cell alone */
    assert_int_equal(luc_layer_cells(&run, net_value(&net, "y"), &frame, &map.shape, &cells, NULL),
                     LUC_OK);
    assert_int_equal(luc_layer_enlarge(&run, net_value(&net, "y"), &frame, &map, enlarged, NULL),
                     LUC_OK);
    luc_arena_destroy(run.arena);
    net_done(&net);
    return cells;
}

static void layer_cells__are_centred_on_receptive_fields(void **state)
{
    (void)state;
    float large[SIDE * SIDE];
    /* windows side by side: cells are the windows */
    struct luc_box b = cells_of(4, "strides=4,4", 4, large);
    assert_true(b.x == 0 && b.y == 0 && b.width == 16 && b.height == 16);
    assert_true(large[0] == 1.0f && large[SIDE / 2] == 0.0f);
    /* one pixel of each 4 x 4: unit 0 sees pixel 0, so its cell is centred there */
    b = cells_of(1, "strides=4,4", 4, large);
    assert_true(b.x == -1.5 && b.y == -1.5 && b.width == 16 && b.height == 16);
    assert_true(large[0] == 1.0f);
    assert_true(fabsf(large[2] - 0.5f) < 1e-6f); /* half way to unit 1, which sees pixel 4 */
    assert_true(large[4] == 0.0f);
    /* same size, padded: as it was */
    b = cells_of(3, "pads=1,1,1,1", 16, large);
    assert_true(b.x == 0 && b.y == 0 && b.width == 16 && b.height == 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_cells__are_centred_on_receptive_fields),
    };
    return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
