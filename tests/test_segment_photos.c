/* Segmentation of real photographs beside masks drawn by hand (tests/segment/NAME.json): intersection
 * over union must stay what it was when it was compared with OpenCV's (tests/segment/compare.py).
 *
 * test_segment_photos PHOTOGRAPH X Y WIDTH HEIGHT  writes the mask that GrabCut finds inside that box
 * as a PGM to standard output: for compare.py. */
#include "core/base/file.h"
#include "core/run/method.h"
#include "core/segment/grabcut.h"
#include "core/tensor/codec.h"
#include "core/tensor/resize.h"
#include "tests/golden_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

extern const struct luc_method luc_method_segment, luc_method_saliency;

#define LIMIT ((size_t)2 << 30)
#define SIDE  320 /* pixels of the long side at most, for GrabCut alone; cat_dog has 224 */

/* Each within TOL of its number; the mean of those whose seeds come from a gradient, which differs in
 * its last bits between processors, within TOL_MEAN. */
#define TOL      0.02
#define TOL_MEAN 0.03

static const struct {
    const char *name;
    double box; /* from the box around the drawn mask */
} photos[] = {
    { "astronaut", 0.858 }, { "cat_dog", 0.403 },      { "chelsea", 0.945 }, { "coffee", 0.983 },
    { "dog", 0.709 },       { "eagle", 0.930 },        { "giraffe", 0.704 }, { "horses", 0.736 },
    { "orange", 0.934 },    { "squirrel_cls", 0.705 },
};
#define N_PHOTOS      10
#define MEAN_SALIENCY 0.501 /* SqueezeNet */

static struct luc_image decode(const char *path)
{
    struct luc_image image = { 0 };
    struct luc_error err = { 0 };
    const struct luc_decode how = { .background = { 255, 255, 255 } };
    char *bytes = NULL;
    size_t size = 0;
    if (luc_file_read(path, 1 << 24, &bytes, &size, &err) ||
        luc_image_decode(bytes, size, &how, &image, &err))
        fail_msg("%s: %s", path, err.text);
    free(bytes);
    return image;
}

/* ---- drawn masks ---------------------------------------------------------------------------------- */

/* Sets the pixels whose middle lies inside, by the even-odd rule. */
static void fill(const json_t *polygon, double scale, uint8_t value, size_t w, size_t h,
                 uint8_t *mask)
{
    const size_t n = json_array_size(polygon);
    for (size_t i = 0; i < w * h; i++) {
        const size_t column = i % w, row = i / w;
        const double x = (double)column + 0.5, y = (double)row + 0.5;
        bool inside = false;
        for (size_t k = 0; k < n; k++) {
            double p[4];
            for (size_t c = 0; c < 4; c++)
                p[c] = scale * json_number_value(
                                   json_array_get(json_array_get(polygon, (k + c / 2) % n), c % 2));
            if ((p[1] <= y) != (p[3] <= y) && x < p[0] + (y - p[1]) * (p[2] - p[0]) / (p[3] - p[1]))
                inside = !inside;
        }
        if (inside)
            mask[i] = value;
    }
}

struct drawing {
    json_t *json;
    char photograph[64];
};

static struct drawing read_drawing(const char *name)
{
    struct drawing d;
    char path[256];
    snprintf(path, sizeof(path), "tests/segment/%s.json", name);
    d.json = json_load_file(path, 0, NULL);
    assert_non_null(d.json);
    snprintf(d.photograph, sizeof(d.photograph), "images/photos/%s",
             json_string_value(json_object_get(d.json, "photograph")));
    return d;
}

static uint8_t *draw(const struct drawing *d, double scale, size_t w, size_t h)
{
    uint8_t *mask = calloc(w * h + 1, 1);
    size_t i;
    json_t *polygon;
    json_array_foreach(json_object_get(d->json, "polygons"), i, polygon)
        fill(polygon, scale, 1, w, h, mask);
    json_array_foreach(json_object_get(d->json, "holes"), i, polygon)
        fill(polygon, scale, 0, w, h, mask);
    return mask;
}

static double iou(const uint8_t *a, const uint8_t *b, size_t n)
{
    double both = 0, either = 0;
    for (size_t i = 0; i < n; i++) {
        both += a[i] && b[i];
        either += a[i] || b[i];
    }
    return either > 0 ? both / either : 1;
}

/* ---- GrabCut from a box --------------------------------------------------------------------------- */

/* The picture's mask, 0 or 1; to be freed. */
static uint8_t *cut_box(const struct luc_image *image, const size_t box[4])
{
    const size_t n = image->width * image->height;
    uint8_t *seeds = malloc(n);
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_grabcut found;
    struct luc_grabcut_spec spec = { .rgb = image->data,
                                     .width = image->width,
                                     .height = image->height,
                                     .components = 5,
                                     .iterations = 5,
                                     .gamma = LUC_GAMMA };
    luc_rng_seed(&spec.rng, 0);
    for (size_t i = 0; i < n; i++) {
        const size_t x = i % image->width, y = i / image->width;
        const bool in = x >= box[0] && x < box[0] + box[2] && y >= box[1] && y < box[1] + box[3];
        seeds[i] = in ? LUC_SEED_MAYBE_FORE : LUC_SEED_BACK;
    }
    assert_int_equal(luc_grabcut_run(&spec, seeds, arena, &found, NULL), LUC_OK);
    luc_arena_destroy(arena);
    for (size_t i = 0; i < n; i++)
        seeds[i] = LUC_SIDE(seeds[i]);
    return seeds;
}

static void box_of(const uint8_t *mask, size_t w, size_t h, size_t box[4])
{
    size_t x0 = w, y0 = h, x1 = 0, y1 = 0;
    for (size_t i = 0; i < w * h; i++)
        if (mask[i]) {
            x0 = i % w < x0 ? i % w : x0;
            x1 = i % w >= x1 ? i % w + 1 : x1;
            y0 = i / w < y0 ? i / w : y0;
            y1 = i / w + 1;
        }
    box[0] = x0;
    box[1] = y0;
    box[2] = x1 - x0;
    box[3] = y1 - y0;
}

static void grabcut__from_a_box_is_as_good_as_it_was(void **state)
{
    (void)state;
    double sum = 0;
    size_t bad = 0;
    for (size_t i = 0; i < N_PHOTOS; i++) {
        const struct drawing d = read_drawing(photos[i].name);
        char path[512];
        struct luc_image large = decode(shared_file(d.photograph, path, sizeof(path))), image;
        const size_t side = large.width > large.height ? large.width : large.height;
        const double scale = fmin(1, (double)SIDE / (double)side);
        const size_t w = (size_t)nearbyint(scale * (double)large.width);
        const size_t h = (size_t)nearbyint(scale * (double)large.height);
        size_t box[4];
        assert_int_equal(luc_image_resize(&large, NULL, w, h, LUC_BICUBIC, &image, NULL), LUC_OK);
        uint8_t *drawn = draw(&d, scale, w, h);
        box_of(drawn, w, h, box);
        uint8_t *found = cut_box(&image, box);
        const double got = iou(drawn, found, w * h);
        printf("  %-14s %.3f, was %.3f\n", photos[i].name, got, photos[i].box);
        bad += fabs(got - photos[i].box) > TOL;
        sum += got;
        free(found);
        free(drawn);
        luc_image_done(&image);
        luc_image_done(&large);
        json_decref(d.json);
    }
    printf("  mean           %.3f\n", sum / N_PHOTOS);
    assert_int_equal(bad, 0);
}

/* ---- the whole method ----------------------------------------------------------------------------- */

static double segment(const struct luc_model *model, const char *name)
{
    static const struct luc_method *const others[] = { &luc_method_saliency, NULL };
    const struct drawing d = read_drawing(name);
    char path[512];
    struct luc_image photo = decode(shared_file(d.photograph, path, sizeof(path)));
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_input_params input;
    struct luc_result result;
    struct luc_error err = { 0 };
    luc_params_default(luc_input_rows, &input);
    luc_result_init(&result, arena);
    struct luc_run run = { .model = model,
                           .pictures = luc_source_of(&photo),
                           .n_images = 1,
                           .input = &input,
                           .arena = arena,
                           .result = &result,
                           .methods = others };
    luc_rng_seed(&run.rng, 0);
    void *params = calloc(1, luc_method_segment.params_size);
    luc_params_default(luc_method_segment.params, params);
    if (luc_method_run(&luc_method_segment, &run, params, &err))
        fail_msg("%s: %s", name, err.text);
    uint8_t *drawn = draw(&d, 1, photo.width, photo.height);
    const double got =
        iou(drawn, luc_result_find(&result, "mask")->picture.data, photo.width * photo.height);
    printf("  %-14s %.3f  %s\n", name, got, luc_result_find(&result, "class")->text);
    free(drawn);
    free(params);
    luc_result_done(&result);
    luc_arena_destroy(arena);
    luc_image_done(&photo);
    json_decref(d.json);
    return got;
}

static void segment__is_as_good_as_it_was(void **state)
{
    (void)state;
    static const char description[] =
        "{\"name\": \"squeezenet1_1\", \"task\": \"classify\", \"file\": \"squeezenet1_1.onnx\","
        " \"input\": {\"channels\": \"RGB\","
        " \"mean\": [123.675, 116.28, 103.53], \"scale\":"
        " [0.017124753831663668, 0.017507002801120448, 0.017429193899782137],"
        " \"size\": [224, 224]}}";
    char folder[512];
    struct luc_model *model = NULL;
    struct luc_error err = { 0 };
    double sum = 0;
    shared_file("models/squeezenet1_1.onnx", folder, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    if (luc_model_load(folder, description, LIMIT, &model, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < N_PHOTOS; i++)
        sum += segment(model, photos[i].name);
    printf("  mean           %.3f\n", sum / N_PHOTOS);
    assert_true(fabs(sum / N_PHOTOS - MEAN_SALIENCY) <= TOL_MEAN);
    luc_model_destroy(model);
}

static int write_mask(char **argv)
{
    struct luc_image image = decode(argv[1]);
    size_t box[4];
    for (int i = 0; i < 4; i++)
        box[i] = strtoul(argv[2 + i], NULL, 10);
    uint8_t *mask = cut_box(&image, box);
    printf("P5\n%zu %zu\n255\n", image.width, image.height);
    for (size_t i = 0; i < image.width * image.height; i++)
        putchar(mask[i] ? 255 : 0);
    free(mask);
    luc_image_done(&image);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grabcut__from_a_box_is_as_good_as_it_was),
        cmocka_unit_test(segment__is_as_good_as_it_was),
    };
    if (argc == 6)
        return write_mask(argv);
    return cmocka_run_group_tests_name("segment_photos", tests, NULL, NULL);
}
