/* Tiled runs beside whole ones: small networks with everything that style networks are made of. */
#include "core/graph/exec.h"
#include "core/graph/tiles.h"
#include "tests/net_build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT  ((size_t)256 << 20)
#define HEIGHT 45
#define WIDTH  62

struct bed {
    struct net net;
    struct luc_arena *arena;
    float *picture; /* [3, HEIGHT, WIDTH] */
};

static int setup(void **state)
{
    struct bed *b = calloc(1, sizeof(*b));
    net_init(&b->net);
    net_input(&b->net, 0, 0);
    b->arena = luc_arena_create(LIMIT);
    b->picture = calloc(3 * HEIGHT * WIDTH, sizeof(float));
    for (size_t i = 0; i < 3 * HEIGHT * WIDTH; i++)
        b->picture[i] = (float)luc_rng_normal(&b->net.rng);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bed *b = *state;
    net_done(&b->net);
    luc_arena_destroy(b->arena);
    free(b->picture);
    free(b);
    return 0;
}

/* The whole picture, the plain way. */
static struct luc_tensor whole(struct bed *b, size_t out)
{
    struct luc_error err = { 0 };
    const struct luc_shape shape = luc_shape4(1, 3, HEIGHT, WIDTH);
    const struct luc_plan *plan = NULL;
    struct luc_exec *x = NULL;
    const struct luc_plan_spec ask = {
        .graph = b->net.g, .inputs = &shape, .taps = &out, .n_taps = 1
    };
    if (luc_plan_create(&ask, b->arena, &plan, &err) ||
        luc_exec_create(plan, b->arena, NULL, &x, &err))
        fail_msg("%s", err.text);
    memcpy(luc_exec_input(x, 0)->data, b->picture, 3 * HEIGHT * WIDTH * sizeof(float));
    luc_exec_forward(x);
    return *luc_exec_value(x, out);
}

static struct luc_tiles_spec ask_for(struct bed *b, size_t out, size_t tile, size_t keep)
{
    return (struct luc_tiles_spec){ .graph = b->net.g,
                                    .input = luc_shape4(1, 3, HEIGHT, WIDTH),
                                    .output = out,
                                    .tile = tile,
                                    .keep_bytes = keep,
                                    .limit_bytes = LIMIT };
}

/* The largest difference, relative to the largest answer. */
static double difference(const struct luc_tensor *a, const float *b)
{
    double most = 0, largest = 0;
    for (size_t i = 0; i < luc_numel(&a->shape); i++) {
        most = fmax(most, fabs((double)a->data[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)a->data[i]));
    }
    return most / largest;
}

static const size_t sides[] = { 7, 16, 23, 64 };

/* Every tile size, with everything kept and with nothing. */
static void compare(struct bed *b, const char *name)
{
    struct luc_error err = { 0 };
    net_finish(&b->net);
    const size_t out = net_value(&b->net, name);
    const struct luc_tensor y = whole(b, out);
    float *tiled = calloc(luc_numel(&y.shape), sizeof(float));
    for (size_t i = 0; i < 8; i++) {
        const size_t keep = i % 2 ? 0 : SIZE_MAX, tile = sides[i / 2];
        const struct luc_tiles_spec spec = ask_for(b, out, tile, keep);
        const struct luc_arena_mark mark = luc_arena_mark(b->arena);
        struct luc_tiles *t = NULL;
        struct luc_tiles_info info;
        if (luc_tiles_create(&spec, b->arena, &t, &info, &err))
            fail_msg("%s", err.text);
        assert_true(luc_shape_equal(&info.output, &y.shape));
        assert_int_equal(info.kept_bytes == 0, keep == 0);
        memset(tiled, 0x7f, luc_numel(&y.shape) * sizeof(float));
        assert_int_equal(luc_tiles_run(t, b->picture, tiled, NULL, NULL, NULL, &err), LUC_OK);
        const double apart = difference(&y, tiled);
        if (!(apart < 2e-5))
            fail_msg("tiles of %zu, %s kept: %g apart", tile, keep ? "all" : "nothing", apart);
        luc_arena_release(b->arena, mark);
    }
    free(tiled);
}

static void norm(struct net *n, const char *in, const char *out, size_t channels)
{
    char scale[32], shift[32], ins[100];
    snprintf(scale, sizeof(scale), "%s.scale", out);
    snprintf(shift, sizeof(shift), "%s.shift", out);
    snprintf(ins, sizeof(ins), "%s %s %s", in, scale, shift);
    net_weights(n, scale, (struct luc_shape){ 1, { channels } }, 1.0);
    net_weights(n, shift, (struct luc_shape){ 1, { channels } }, 0.5);
    net_node(n, "InstanceNormalization", ins, out, "");
}

static void numbers(struct net *n, const char *name, const float *v, size_t count)
{
    struct luc_tensor t = { .shape = { 1, { count } } };
    t.data = luc_arena_alloc(n->g->arena, count, sizeof(float));
    if (count)
        memcpy(t.data, v, count * sizeof(float));
    assert_int_equal(luc_graph_set_constant(n->g, net_value(n, name), &t, NULL), LUC_OK);
}

static void pad(struct net *n, const char *in, const char *out, int by, const char *mode)
{
    char pads[32], ins[80], settings[32];
    const float v[8] = { 0, 0, (float)by, (float)by, 0, 0, (float)by, (float)by };
    snprintf(pads, sizeof(pads), "%s.pads", out);
    snprintf(ins, sizeof(ins), "%s %s", in, pads);
    snprintf(settings, sizeof(settings), "mode=%s", mode);
    numbers(n, pads, v, 8);
    net_node(n, "Pad", ins, out, settings);
}

static void transpose(struct net *n, const char *in, const char *out, size_t from, size_t to,
                      const char *settings)
{
    char w[32], b[32], ins[100];
    snprintf(w, sizeof(w), "%s.w", out);
    snprintf(b, sizeof(b), "%s.b", out);
    snprintf(ins, sizeof(ins), "%s %s %s", in, w, b);
    net_weights(n, w, luc_shape4(from, to, 3, 3), 0.2);
    net_weights(n, b, (struct luc_shape){ 1, { to } }, 0.3);
    net_node(n, "ConvTranspose", ins, out, settings);
}

/* A small Johnson network: mirrored borders, strides, residuals, nearest and linear enlargement. */
static void johnson(struct net *n, const char *mode)
{
    static const float twice[4] = { 1, 1, 2, 2 };
    pad(n, "x", "p1", 4, "reflect");
    net_conv(n, "p1", "c1", 3, 6, 9, "");
    norm(n, "c1", "n1", 6);
    net_node(n, "Relu", "n1", "r1", "");
    pad(n, "r1", "p2", 1, "reflect");
    net_conv(n, "p2", "c2", 6, 8, 3, "strides=2,2");
    norm(n, "c2", "n2", 8);
    net_node(n, "Relu", "n2", "r2", "");
    pad(n, "r2", "p3", 1, "edge");
    net_conv(n, "p3", "c3", 8, 8, 3, "");
    norm(n, "c3", "n3", 8);
    net_node(n, "Relu", "n3", "r3", "");
    net_conv(n, "r3", "c4", 8, 8, 3, "pads=1,1,1,1");
    norm(n, "c4", "n4", 8);
    net_node(n, "Add", "n4 r2", "a4", "");
    numbers(n, "none", NULL, 0);
    numbers(n, "twice", twice, 4);
    net_node(n, "Resize", "a4 none twice", "up", mode);
    pad(n, "up", "p5", 1, "reflect");
    net_conv(n, "p5", "c5", 8, 3, 3, "");
    norm(n, "c5", "n5", 3);
    net_node(n, "Tanh", "n5", "y", "");
}

static void tiles__nearest_enlargement_equals_the_whole(void **state)
{
    johnson(&((struct bed *)*state)->net,
            "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor");
    compare(*state, "y");
}

static void tiles__linear_enlargement_equals_the_whole(void **state)
{
    johnson(&((struct bed *)*state)->net, "mode=linear");
    compare(*state, "y");
}

static void tiles__cubic_enlargement_equals_the_whole(void **state)
{
    johnson(&((struct bed *)*state)->net, "mode=cubic");
    compare(*state, "y");
}

static void tiles__transposed_convolutions_equal_the_whole(void **state)
{
    struct net *n = &((struct bed *)*state)->net;
    static const float from[2] = { 1, 0 }, to[2] = { 1000, -1 }, axes[2] = { 2, 3 };
    net_conv(n, "x", "c1", 3, 6, 3, "pads=1,1,1,1 strides=2,2");
    norm(n, "c1", "n1", 6);
    net_node(n, "Relu", "n1", "r1", "");
    transpose(n, "r1", "t1", 6, 5, "strides=2,2 pads=1,1,1,1 output_padding=1,1");
    norm(n, "t1", "n2", 5);
    transpose(n, "n2", "t2", 5, 4, "strides=2,2"); /* as TensorFlow: whole, then cut */
    numbers(n, "from", from, 2);
    numbers(n, "to", to, 2);
    numbers(n, "axes", axes, 2);
    net_node(n, "Slice", "t2 from to axes", "s", "");
    norm(n, "s", "n3", 4);
    transpose(n, "n3", "y", 4, 3, "strides=4,4"); /* gaps between the kernels: bias alone */
    compare(*state, "y");
}

/* Instance normalisation as exporters without the operator write it. */
static void tiles__means_and_variances_spelled_out_equal_the_whole(void **state)
{
    struct net *n = &((struct bed *)*state)->net;
    static const float tiny = 1e-3f, two = 2;
    numbers(n, "epsilon", &tiny, 1);
    numbers(n, "two", &two, 1);
    net_conv(n, "x", "c1", 3, 6, 5, "pads=2,2,2,2");
    net_node(n, "ReduceMean", "c1", "mean", "axes=2,3 keepdims=1");
    net_node(n, "Sub", "c1 mean", "d", "");
    net_node(n, "Mul", "d d", "dd", "");
    net_node(n, "GlobalAveragePool", "dd", "var", "");
    net_node(n, "Add", "var epsilon", "ve", "");
    net_node(n, "Sqrt", "ve", "deviation", "");
    net_node(n, "Div", "d deviation", "h", "");
    net_weights(n, "gamma", (struct luc_shape){ 3, { 6, 1, 1 } }, 1.0);
    net_node(n, "Mul", "h gamma", "g", "");
    net_node(n, "Relu", "g", "r", "");
    net_node(n, "MaxPool", "r", "m", "kernel_shape=3,3 strides=2,2 pads=1,1,1,1");
    net_conv(n, "m", "y", 6, 3, 3, "pads=1,1,1,1");
    compare(*state, "y");
}

static enum luc_status stop_at_half(void *ctx, double done, struct luc_error *err)
{
    double *last = ctx;
    assert_true(done > *last && done <= 1.0);
    *last = done;
    return done > 0.5 ? luc_fail(err, LUC_CANCELLED, "enough") : LUC_OK;
}

static void tiles__a_tick_that_fails_ends_the_run(void **state)
{
    struct bed *b = *state;
    johnson(&b->net, "mode=nearest");
    net_finish(&b->net);
    struct luc_tiles *t = NULL;
    struct luc_tiles_info info;
    const struct luc_tiles_spec spec = ask_for(b, net_value(&b->net, "y"), 16, SIZE_MAX);
    double last = 0;
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &info, NULL), LUC_OK);
    float *out = calloc(luc_numel(&info.output), sizeof(float));
    assert_int_equal(luc_tiles_run(t, b->picture, out, NULL, stop_at_half, &last, NULL),
                     LUC_CANCELLED);
    assert_true(last > 0.5 && last < 0.6);
    free(out);
}

/* Less memory: what is largest is computed again instead of kept; then it does not go at all. */
static void tiles__memory_limits_are_kept_or_refused(void **state)
{
    struct bed *b = *state;
    struct net *n = &b->net;
    struct luc_error err = { 0 };
    struct luc_tiles *t = NULL;
    struct luc_tiles_info roomy, tight, info;
    net_conv(n, "x", "c1", 3, 16, 3, "pads=1,1,1,1");
    norm(n, "c1", "n1", 16);
    net_conv(n, "n1", "c2", 16, 4, 3, "strides=3,3");
    norm(n, "c2", "y", 4);
    net_finish(n);
    struct luc_tiles_spec spec = ask_for(b, net_value(n, "y"), 8, SIZE_MAX);
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &roomy, NULL), LUC_OK);
    assert_true(roomy.kept_bytes > 16 * HEIGHT * WIDTH * sizeof(float));
    spec.limit_bytes = roomy.kept_bytes + roomy.work_bytes - 1;
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &tight, NULL), LUC_OK);
    assert_in_range(tight.kept_bytes, 16 * HEIGHT * WIDTH * sizeof(float), roomy.kept_bytes - 1);
    spec.limit_bytes = 16 * HEIGHT * WIDTH * sizeof(float); /* c1 alone, and no room for a tile */
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &tight, NULL), LUC_OK);
    assert_in_range(tight.kept_bytes, 1, 4 * HEIGHT * WIDTH / 9 * sizeof(float) + 256);
    assert_true(tight.kept_bytes + tight.work_bytes <= spec.limit_bytes);
    assert_true(tight.flops > roomy.flops);
    spec.limit_bytes = 5000;
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &info, &err), LUC_NOMEM);
    assert_non_null(strstr(err.text, "smaller tiles"));
}

static void tiles__what_cannot_be_cut_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    struct luc_error err = { 0 };
    struct luc_tiles *t = NULL;
    struct luc_tiles_info info;
    net_node(&b->net, "Softmax", "x", "y", "axis=3");
    net_finish(&b->net);
    const struct luc_tiles_spec spec = ask_for(b, net_value(&b->net, "y"), 16, SIZE_MAX);
    assert_int_equal(luc_tiles_create(&spec, b->arena, &t, &info, &err), LUC_UNSUPPORTED);
    assert_non_null(strstr(err.text, "Softmax"));
}

#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(tiles__nearest_enlargement_equals_the_whole),
        ON(tiles__linear_enlargement_equals_the_whole),
        ON(tiles__cubic_enlargement_equals_the_whole),
        ON(tiles__transposed_convolutions_equal_the_whole),
        ON(tiles__means_and_variances_spelled_out_equal_the_whole),
        ON(tiles__a_tick_that_fails_ends_the_run),
        ON(tiles__memory_limits_are_kept_or_refused),
        ON(tiles__what_cannot_be_cut_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("tiles", tests, NULL, NULL);
}
