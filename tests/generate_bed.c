#include "tests/generate_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)256 << 20)

void bed_paint(struct luc_image *image, size_t width, size_t height, unsigned seed)
{
    assert_int_equal(luc_image_create(width, height, 3, image, NULL), LUC_OK);
    for (size_t i = 0; i < 3 * width * height; i++)
        image->data[i] = (uint8_t)((i * (seed + 3) / 3 + i / width * seed) % 256);
}

void bed_again(struct bed *b)
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

int bed_setup(void **state)
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
    bed_paint(&b->images[0], 80, 64, 1);
    bed_paint(&b->images[1], 50, 70, 7);
    luc_params_default(luc_input_rows, &b->input);
    bed_again(b);
    *state = b;
    return 0;
}

int bed_teardown(void **state)
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

enum luc_status bed_run(struct bed *b, const struct luc_method *method,
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

uint8_t *bed_make(struct bed *b, const struct luc_method *method, const char *const (*settings)[2],
                  size_t *size)
{
    struct luc_error err = { 0 };
    if (bed_run(b, method, settings, &err))
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

static double look_at_clock(void *ctx)
{
    struct bed *b = ctx;
    return b->clock_s += b->tick_s;
}

static void see_preview(void *ctx, const struct luc_image *picture)
{
    struct bed *b = ctx;
    assert_true(picture->width >= 24);
    b->previews++;
}

static void keep_checkpoint(void *ctx, const void *bytes, size_t size)
{
    struct bed *b = ctx;
    b->checkpoint.len = 0;
    luc_str_put(&b->checkpoint, bytes, size);
}

void bed_hook(struct bed *b)
{
    b->hooks = (struct luc_run_hooks){ .ctx = b,
                                       .now = look_at_clock,
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

static void hook_again(struct bed *b, size_t n_images, int keep_after)
{
    bed_again(b);
    bed_hook(b);
    b->run.n_images = n_images;
    b->keep_after = keep_after;
}

void bed_resume_after(struct bed *b, const struct luc_method *method,
                      const char *const (*settings)[2], size_t n_images, int stop,
                      const uint8_t *whole, size_t size)
{
    size_t n = 0;
    hook_again(b, n_images, stop); /* luc_method_run() itself ticks once */
    assert_int_equal(bed_run(b, method, settings, NULL), LUC_CANCELLED);
    const size_t done = b->reported;
    struct luc_str from = b->checkpoint;
    b->checkpoint = (struct luc_str){ 0 };
    hook_again(b, n_images, -1);
    b->reported = done;
    b->hooks.checkpoint = from.data;
    b->hooks.checkpoint_size = from.len;
    uint8_t *resumed = bed_make(b, method, settings, &n);
    assert_int_equal(n, size);
    assert_memory_equal(whole, resumed, n);
    free(resumed);
    luc_str_done(&from);
}

void bed_check_resume(struct bed *b, const struct luc_method *method,
                      const char *const (*settings)[2], size_t n_images, int steps)
{
    size_t n = 0;
    b->previews = 0;
    hook_again(b, n_images, -1);
    uint8_t *whole = bed_make(b, method, settings, &n);
    assert_int_equal(b->reported, steps);
    assert_int_equal(b->previews, steps);
    for (int stop = 1; stop < steps; stop++) {
        bed_resume_after(b, method, settings, n_images, stop, whole, n);
        assert_int_equal(b->reported, steps);
    }
    free(whole);
}
