/* A dry run allocates what the real one does: for every method of the table, on the tiny network and,
 * where it is there, on SqueezeNet. */
#include "api/params.h"
#include "core/model/model.h"
#include "tests/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIDE  96
#define LIMIT ((size_t)1 << 30)

/* What makes a run short, and what networks without the usual layers need to be told. Several sizes,
 * batches that do not come out even: the ways in which turns may differ. */
static const struct {
    const char *method, *key, *text;
} settings[] = {
    { "style", "sizes", "48,64" },
    { "style", "steps", "2" },
    { "style", "style_layers", "conv1" },
    { "style", "content_layer", "conv1" },
    { "style", "beta", "20" },
    { "dream", "size", "96" },
    { "dream", "octaves", "2" },
    { "dream", "steps", "3" },
    { "dream", "layers", "conv1" },
    { "visualize", "steps", "3" },
    { "visualize", "count", "2" },
    { "visualize", "layer", "conv1" },
    { "visualize", "channel", "0-2" },
    { "invert", "steps", "2" },
    { "texture", "size", "48" },
    { "texture", "sample_size", "64" },
    { "texture", "levels", "3" },
    { "texture", "neighbourhood", "5" },
    { "texture", "steps", "2" },
    { "texture", "compare", "true" },
    { "maxpatch", "layer", "conv1" },
    { "rise", "masks", "40" },
    { "score-cam", "channels", "40" },
    { "occlusion", "patch", "3" },
    { "occlusion", "stride", "4" },
    { "smoothgrad", "samples", "3" },
    { "integrated-gradients", "steps", "4" },
};

#define DESCRIPTION(task, file, side, alias)                                                       \
    "{\"name\": \"one\", \"task\": \"" task "\", \"file\": \"" file "\", \"input\": {"             \
    "\"channels\": \"RGB\", \"mean\": 127.5, \"scale\": 0.02, \"size\": [" side ", " side          \
    "]}, \"aliases\": {\"conv1\": " alias "}}"

struct bytes {
    size_t arena, found;
};

static enum luc_status run_in(const struct luc_model *model, const struct luc_image *photo,
                              const struct api_params *params, bool dry, struct bytes *peak,
                              struct luc_error *err)
{
    struct luc_arena *arena = dry ? luc_arena_create_dry(LIMIT) : luc_arena_create(LIMIT);
    struct luc_arena *found = dry ? luc_arena_create_dry(LIMIT) : luc_arena_create(LIMIT);
    const struct luc_image twice[2] = { *photo, *photo };
    const struct luc_method *m = params->method;
    struct luc_result result;
    luc_result_init(&result, found);
    struct luc_run run = { .model = model,
                           .pictures = luc_source_of(twice),
                           .n_images = m->images_min > 1 ? 2 : m->images_min,
                           .input = &params->input,
                           .arena = arena,
                           .result = &result,
                           .methods = api_method_list() };
    luc_rng_seed(&run.rng, 1);
    const enum luc_status st = luc_method_run(m, &run, params->own, err);
    *peak = (struct bytes){ luc_arena_peak(arena), luc_arena_peak(found) };
    luc_result_done(&result);
    luc_arena_destroy(found);
    luc_arena_destroy(arena);
    return st;
}

/* False: the method cannot be asked of this network. */
static bool check_method(const struct luc_model *model, const struct luc_image *photo,
                         const struct luc_method *m)
{
    struct api_params params = { 0 };
    struct bytes real, dry;
    assert_int_equal(api_params_init(&params, m, NULL), LUC_OK);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strcmp(settings[i].method, m->name) == 0) {
            const enum luc_status st =
                api_params_set(&params, settings[i].key, settings[i].text, NULL);
            assert_int_equal(st, LUC_OK);
        }
    const enum luc_status st = run_in(model, photo, &params, false, &real, NULL);
    struct luc_error why = { 0 };
    const enum luc_status planned = run_in(model, photo, &params, true, &dry, &why);
    api_params_done(&params);
    if (st)
        return false;
    printf("  %-22s %9zu bytes, dry %9zu %s\n", m->name, real.arena + real.found,
           dry.arena + dry.found, planned ? why.text : "");
    if (dry.arena < real.arena || dry.found < real.found ||
        dry.arena + dry.found > real.arena + real.found + (real.arena + real.found) / 20)
        fail_msg("%s: a dry run sees %zu + %zu bytes, the real one holds %zu + %zu", m->name,
                 dry.arena, dry.found, real.arena, real.found);
    return true;
}

static struct luc_image make_photo(void)
{
    struct luc_image photo = { 0 };
    assert_int_equal(luc_image_create(SIDE, SIDE - 16, 3, &photo, NULL), LUC_OK);
    for (size_t i = 0; i < photo.width * photo.height * 3; i++)
        photo.data[i] = (uint8_t)(i * 37 % 251);
    return photo;
}

static void check_all(const char *folder, const char *description, size_t least)
{
    struct luc_model *model = NULL;
    struct luc_error err = { 0 };
    struct luc_image photo = make_photo();
    size_t n = 0;
    if (luc_model_load(folder, description, LIMIT, &model, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; api_method_at(i); i++)
        n += check_method(model, &photo, api_method_at(i)->method) ? 1 : 0;
    assert_true(n >= least);
    luc_model_destroy(model);
    luc_image_done(&photo);
}

static void dry_run__allocates_what_the_real_one_does(void **state)
{
    (void)state;
    char *folder = tiny_folder();
    tiny_write_onnx(folder, false, 0);
    check_all(folder, DESCRIPTION("classify", "tiny.onnx", "8", "\"r0\""), 14);
    tiny_remove(folder);
}

static void dry_run__on_a_network_of_any_size_too(void **state)
{
    (void)state;
    char *folder = tiny_folder();
    tiny_write_onnx(folder, true, 0);
    check_all(folder, DESCRIPTION("features", "tiny.onnx", "64", "\"r0\""), 5);
    tiny_remove(folder);
}

static void dry_run__on_squeezenet_too(void **state)
{
    const char *shared = getenv("LUCIDA_SHARED");
    char folder[512], path[600];
    (void)state;
    snprintf(folder, sizeof(folder), "%s/models", shared ? shared : "../shared");
    snprintf(path, sizeof(path), "%s/squeezenet1_1.onnx", folder);
    FILE *f = fopen(path, "rb");
    if (!f) {
        puts("skipped: needs ../shared/models/squeezenet1_1.onnx");
        skip();
    }
    fclose(f);
    check_all(folder,
              DESCRIPTION("classify", "squeezenet1_1.onnx", "96", "{\"op\": \"Relu\", \"nth\": 0}"),
              17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dry_run__allocates_what_the_real_one_does),
        cmocka_unit_test(dry_run__on_a_network_of_any_size_too),
        cmocka_unit_test(dry_run__on_squeezenet_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
