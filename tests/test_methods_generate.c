#include "core/methods/method.h"
#include "tests/net_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)256 << 20)
#define LAYERS                                                                                     \
    { "style_layers", "a,b" },                                                                     \
    {                                                                                              \
        "content_layer", "b"                                                                       \
    }

extern const struct luc_method luc_method_style, luc_method_fast_style, luc_method_dream;

/* A network of two convolutions, two pictures, and one run's surroundings. */
struct bed {
    struct net net;
    struct luc_model model;
    struct luc_image images[2];
    struct luc_arena *arena;
    struct luc_result result;
    struct luc_input_params input;
    struct luc_run run;
    /* what the hooks saw */
    struct luc_run_hooks hooks;
    int ticks, previews, keep_after;
    size_t reported;
    struct luc_str checkpoint;
};

static void paint_image(struct luc_image *image, size_t width, size_t height, unsigned seed)
{
    assert_int_equal(luc_image_create(width, height, 3, image, NULL), LUC_OK);
    for (size_t i = 0; i < 3 * width * height; i++)
        image->data[i] = (uint8_t)((i * (seed + 3) / 3 + i / width * seed) % 256);
}

static void again(struct bed *b)
{
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    b->arena = luc_arena_create(LIMIT);
    luc_result_init(&b->result, b->arena);
    b->run = (struct luc_run){ .model = &b->model,
                               .pictures = luc_source_of(b->images),
                               .n_images = 2,
                               .input = &b->input,
                               .arena = b->arena,
                               .result = &b->result };
    luc_rng_seed(&b->run.rng, 5);
}

static int setup(void **state)
{
    struct bed *b = calloc(1, sizeof(*b));
    net_init(&b->net);
    net_input(&b->net, 0, 0);
    net_conv(&b->net, "x", "conv1", 3, 6, 3, "pads=1,1,1,1");
    net_node(&b->net, "Relu", "conv1", "a", "");
    net_conv(&b->net, "a", "conv2", 6, 8, 3, "pads=1,1,1,1 strides=2,2");
    net_node(&b->net, "Relu", "conv2", "b", "");
    net_conv(&b->net, "b", "back", 8, 3, 1, "");
    assert_int_equal(luc_graph_add_output(b->net.g, net_value(&b->net, "back"), NULL), LUC_OK);
    net_finish(&b->net);
    const struct luc_pixels px = { .channels = LUC_BGR,
                                   .mean = { 104, 117, 124 },
                                   .scale = { 0.02f, 0.02f, 0.02f },
                                   .fit = LUC_FIT_NATIVE };
    b->model = (struct luc_model){ .name = "two",
                                   .title = "Two layers",
                                   .licence = "",
                                   .hash = "",
                                   .task = LUC_TASK_FEATURES,
                                   .graph = b->net.g,
                                   .in = px,
                                   .out = px,
                                   .input = net_value(&b->net, "x"),
                                   .logits = LUC_NONE };
    paint_image(&b->images[0], 80, 64, 1);
    paint_image(&b->images[1], 50, 70, 7);
    luc_params_default(luc_input_rows, &b->input);
    again(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bed *b = *state;
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    luc_image_done(&b->images[0]);
    luc_image_done(&b->images[1]);
    luc_str_done(&b->checkpoint);
    net_done(&b->net);
    free(b);
    return 0;
}

static enum luc_status run(struct bed *b, const struct luc_method *method,
                           const char *const (*settings)[2], struct luc_error *err)
{
    void *params = calloc(1, method->params_size);
    luc_params_default(method->params, params);
    for (; (*settings)[0]; settings++)
        if (luc_param_set(method->params, (*settings)[0], (*settings)[1], params, err))
            fail_msg("%s=%s", (*settings)[0], (*settings)[1]);
    const enum luc_status st = luc_method_run(method, &b->run, params, err);
    free(params);
    return st;
}

/* The picture that these settings make; the caller frees it. */
static uint8_t *make(struct bed *b, const char *const (*settings)[2], size_t *size)
{
    struct luc_error err = { 0 };
    if (run(b, &luc_method_style, settings, &err))
        fail_msg("%s", err.text);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    *size = 3 * image->width * image->height;
    uint8_t *copy = malloc(*size);
    memcpy(copy, image->data, *size);
    return copy;
}

static bool count_tick(void *ctx, double progress)
{
    struct bed *b = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return b->keep_after < 0 || b->ticks++ < b->keep_after;
}

static void report(void *ctx, size_t step, size_t n_steps, double loss)
{
    struct bed *b = ctx;
    (void)loss;
    assert_true(step == b->reported + 1 && step <= n_steps);
    b->reported = step;
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void see_preview(void *ctx, const struct luc_image *picture)
{
    struct bed *b = ctx;
    assert_true(picture->width >= 32);
    b->previews++;
}

static void keep_checkpoint(void *ctx, const void *bytes, size_t size)
{
    struct bed *b = ctx;
    b->checkpoint.len = 0;
    luc_str_put(&b->checkpoint, bytes, size);
}

static void hook(struct bed *b)
{
    b->hooks = (struct luc_run_hooks){ .ctx = b,
                                       .report = report,
                                       .wants_preview = always,
                                       .preview = see_preview,
                                       .wants_checkpoint = always,
                                       .save = keep_checkpoint };
    b->run.hooks = &b->hooks;
    b->run.tick = count_tick;
    b->run.tick_ctx = b;
    b->ticks = 0;
    b->reported = 0;
}

static void style__lowers_its_losses_and_keeps_the_content_shape(void **state)
{
    struct bed *b = *state;
    const char *const one[][2] = { LAYERS, { "sizes", "64" }, { "steps", "1" }, { NULL, NULL } };
    const char *const many[][2] = { LAYERS, { "sizes", "64" }, { "steps", "40" }, { NULL, NULL } };
    size_t size = 0;
    free(make(b, one, &size));
    const double before = luc_result_find(&b->result, "losses")->table.cells[2].number;
    again(b);
    free(make(b, many, &size));
    const double after = luc_result_find(&b->result, "losses")->table.cells[2].number;
    assert_true(after < 0.5 * before);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 64);
    assert_int_equal(image->height, 51);
}

static void style__every_way_to_ask_gives_the_same_picture_twice(void **state)
{
    struct bed *b = *state;
    static const char *const ways[][2] = {
        { "parametrisation", "pixel" },
        { "parametrisation", "fourier" },
        { "optimiser", "lbfgs" },
        { "init", "noise" },
        { "init", "content" },
        { "preserve_color", "luminance" },
        { "preserve_color", "histogram" },
        { "style_scale", "0.5" },
        { "jitter", "0" },
        { "tv", "10" },
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32,48" },
                                       { "steps", "3" },
                                       { ways[i][0], ways[i][1] },
                                       { NULL, NULL } };
        size_t n = 0, m = 0;
        again(b);
        uint8_t *first = make(b, set, &n);
        again(b);
        uint8_t *second = make(b, set, &m);
        assert_int_equal(n, m);
        assert_memory_equal(first, second, n);
        free(first);
        free(second);
    }
}

/* Cancelled after any step and resumed from the checkpoint, it ends with the same bytes. */
static void style__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    struct bed *b = *state;
    static const char *const optimisers[] = { "adam", "lbfgs" };
    for (size_t k = 0; k < 2; k++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32,48" },
                                       { "steps", "4,3" },
                                       { "init", "noise" },
                                       { "optimiser", optimisers[k] },
                                       { NULL, NULL } };
        size_t n = 0, m = 0;
        again(b);
        b->keep_after = -1;
        hook(b);
        uint8_t *whole = make(b, set, &n);
        assert_int_equal(b->reported, 7);
        assert_int_equal(b->previews, 7);
        b->previews = 0;
        for (int stop = 1; stop < 7; stop++) {
            again(b);
            hook(b);
            b->keep_after = stop; /* luc_method_run() itself ticks once */
            assert_int_equal(run(b, &luc_method_style, set, NULL), LUC_CANCELLED);
            const size_t done = b->reported;
            again(b);
            hook(b);
            b->keep_after = -1;
            b->reported = done;
            struct luc_str from = b->checkpoint;
            b->checkpoint = (struct luc_str){ 0 };
            b->hooks.checkpoint = from.data;
            b->hooks.checkpoint_size = from.len;
            uint8_t *resumed = make(b, set, &m);
            assert_int_equal(b->reported, 7);
            assert_int_equal(n, m);
            assert_memory_equal(whole, resumed, n);
            free(resumed);
            luc_str_done(&from);
        }
        b->previews = 0;
        free(whole);
    }
}

static void style__a_foreign_checkpoint_is_left_alone(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { LAYERS, { "sizes", "32" }, { "steps", "2" }, { NULL, NULL } };
    size_t n = 0, m = 0;
    uint8_t *plain = make(b, set, &n);
    unsigned char junk[4096];
    for (size_t i = 0; i < sizeof(junk); i++)
        junk[i] = (unsigned char)(i * 37);
    for (size_t size = 0; size < sizeof(junk); size += 819) {
        again(b);
        hook(b);
        b->keep_after = -1;
        b->hooks.checkpoint = junk;
        b->hooks.checkpoint_size = size;
        uint8_t *other = make(b, set, &m);
        assert_memory_equal(plain, other, n);
        free(other);
    }
    free(plain);
}

static void style__what_does_not_fit_is_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][3] = {
        { "style_layers", "a,nowhere", "style_layers" },
        { "content_layer", "nowhere", "content_layer" },
        { "style_layers", "auto", "style_layers" },
        { "layer_weights", "1,2,3", "layer_weights" },
        { "style_weights", "1,2", "style_weights" },
        { "sizes", "32,33,34,35,36", "sizes" },
        { "steps", "1,2,3", "steps" },
        { "style_layers", ",", "style_layers" },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *const set[][2] = { LAYERS,
                                       { "sizes", "32" },
                                       { "steps", "1" },
                                       { wrong[i][0], wrong[i][1] },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        again(b);
        assert_int_not_equal(run(b, &luc_method_style, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][2]);
        assert_null(luc_result_find(&b->result, "picture"));
    }
}

static void fast_style__strength_blends_from_the_picture_to_the_network(void **state)
{
    struct bed *b = *state;
    const char *const none[][2] = { { "strength", "0" }, { NULL, NULL } };
    b->model.task = LUC_TASK_STYLE;
    b->run.n_images = 1;
    assert_int_equal(run(b, &luc_method_fast_style, none, NULL), LUC_OK);
    const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
    assert_int_equal(image->width, 80); /* the network halves; the answer does not */
    assert_memory_equal(image->data, b->images[0].data, 3 * 80 * 64);
    const char *const all[][2] = { { "strength", "1" }, { NULL, NULL } };
    again(b);
    b->run.n_images = 1;
    assert_int_equal(run(b, &luc_method_fast_style, all, NULL), LUC_OK);
    image = &luc_result_find(&b->result, "picture")->picture;
    assert_memory_not_equal(image->data, b->images[0].data, 3 * 80 * 64);
}

static void fast_style__a_network_that_makes_no_pictures_is_refused(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { NULL, NULL } };
    struct luc_error err = { 0 };
    b->run.n_images = 1;
    assert_int_equal(run(b, &luc_method_fast_style, set, &err), LUC_INVALID);
    assert_string_equal(err.param, "model");
}

static void dream__raises_what_the_layer_answers_and_repeats(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = { { "layers", "b" }, { "size", "64" },  { "octaves", "2" },
                                   { "steps", "6" },  { "jitter", "4" }, { "octave_scale", "1.5" },
                                   { NULL, NULL } };
    const char *const once[][2] = { { "layers", "b" }, { "size", "64" },  { "octaves", "1" },
                                    { "steps", "1" },  { "jitter", "4" }, { NULL, NULL } };
    uint8_t *first = NULL;
    b->run.n_images = 1;
    assert_int_equal(run(b, &luc_method_dream, once, NULL), LUC_OK);
    const double before = luc_result_find(&b->result, "octaves")->table.cells[1].number;
    for (int turn = 0; turn < 2; turn++) {
        again(b);
        b->run.n_images = 1;
        assert_int_equal(run(b, &luc_method_dream, set, NULL), LUC_OK);
        const struct luc_image *image = &luc_result_find(&b->result, "picture")->picture;
        const struct luc_table *t = &luc_result_find(&b->result, "octaves")->table;
        assert_int_equal(image->width, 64);
        assert_true(t->cells[0].number == 64); /* 43 is too small: one octave is left */
        assert_true(t->cells[1].number < before);
        if (first)
            assert_memory_equal(first, image->data, 3 * image->width * image->height);
        else {
            first = malloc(3 * image->width * image->height);
            memcpy(first, image->data, 3 * image->width * image->height);
        }
    }
    free(first);
}

static void dream__layers_and_weights_that_do_not_fit_are_refused_by_name(void **state)
{
    struct bed *b = *state;
    static const char *const wrong[][4] = { { "layers", "nowhere", "size", "layers" },
                                            { "layers", ",", "size", "layers" },
                                            { "layers", "a,b", "layer_weights", "layer_weights" } };
    for (size_t i = 0; i < 3; i++) {
        const char *const set[][2] = { { wrong[i][0], wrong[i][1] },
                                       { wrong[i][2], i < 2 ? "64" : "1,2,3" },
                                       { NULL, NULL } };
        struct luc_error err = { 0 };
        again(b);
        b->run.n_images = 1;
        assert_int_not_equal(run(b, &luc_method_dream, set, &err), LUC_OK);
        assert_string_equal(err.param, wrong[i][3]);
    }
}

static void dream__is_cancelled_at_any_step(void **state)
{
    struct bed *b = *state;
    const char *const set[][2] = {
        { "layers", "a" }, { "size", "96" }, { "octaves", "2" }, { "steps", "2" }, { NULL, NULL }
    };
    for (int stop = 0; stop < 5; stop++) {
        again(b);
        b->run.n_images = 1;
        b->run.tick = count_tick;
        b->run.tick_ctx = b;
        b->ticks = 0;
        b->keep_after = stop;
        assert_int_equal(run(b, &luc_method_dream, set, NULL), LUC_CANCELLED);
        assert_null(luc_result_find(&b->result, "picture"));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(style__lowers_its_losses_and_keeps_the_content_shape),
        T(style__every_way_to_ask_gives_the_same_picture_twice),
        T(style__goes_on_from_any_checkpoint_bit_for_bit),
        T(style__a_foreign_checkpoint_is_left_alone),
        T(style__what_does_not_fit_is_refused_by_name),
        T(fast_style__strength_blends_from_the_picture_to_the_network),
        T(fast_style__a_network_that_makes_no_pictures_is_refused),
        T(dream__raises_what_the_layer_answers_and_repeats),
        T(dream__layers_and_weights_that_do_not_fit_are_refused_by_name),
        T(dream__is_cancelled_at_any_step),
    };
#undef T
    return cmocka_run_group_tests_name("methods_generate", tests, NULL, NULL);
}
