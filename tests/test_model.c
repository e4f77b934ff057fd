#include "core/model/layers.h"
#include "core/model/model.h"
#include "tests/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = tiny_folder();
    tiny_write_onnx(folder, false, 0);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    tiny_remove(folder);
    return 0;
}

static struct luc_model *must_load(const char *json)
{
    struct luc_model *m = NULL;
    struct luc_error err = { 0 };
    if (luc_model_load(folder, json, LIMIT, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

/* The tiny network with further members. */
#define WITH(members)                                                                              \
    "{\"name\": \"tiny\", \"file\": \"tiny.onnx\", \"input\": {\"size\": [8, 8]}" members "}"

static void load__finds_logits_classes_and_last_conv(void **state)
{
    (void)state;
    struct luc_model *m = must_load(TINY_DESCRIPTION("tiny"));
    size_t v = 0;
    assert_string_equal(m->name, "tiny");
    assert_string_equal(m->title, "tiny");
    assert_int_equal(strlen(m->hash), 64);
    assert_int_equal(m->task, LUC_TASK_CLASSIFY);
    assert_string_equal(m->graph->values[m->logits].name, "flat");
    assert_string_equal(m->graph->values[m->input].name, "x");
    assert_int_equal(m->n_classes, 4);
    assert_true(m->bytes > 4 * 5 * 64 * sizeof(float) && m->bytes < LIMIT);
    assert_int_equal(luc_model_layer(m, "last_conv", &v, NULL), LUC_OK);
    assert_string_equal(m->graph->values[v].name, "r0");
    luc_model_destroy(m);
}

static void load__aliases_lead_by_name_and_by_count(void **state)
{
    (void)state;
    struct luc_model *m = must_load(WITH(", \"aliases\": {\"first\": \"r0\", \"c1\": {\"op\": "
                                         "\"Conv\", \"nth\": 0}, \"last_conv\": \"c1\"}"));
    size_t v = 0;
    assert_int_equal(luc_model_layer(m, "first", &v, NULL), LUC_OK);
    assert_string_equal(m->graph->values[v].name, "r0");
    assert_int_equal(luc_model_layer(m, "c1", &v, NULL), LUC_OK); /* before the file's own names */
    assert_string_equal(m->graph->values[v].name, "c0");
    assert_int_equal(luc_model_layer(m, "last_conv", &v, NULL), LUC_OK);
    assert_string_equal(m->graph->values[v].name, "c1");
    luc_model_destroy(m);
}

static void layer__unknown_name_is_suggested(void **state)
{
    (void)state;
    struct luc_model *m = must_load(WITH(""));
    struct luc_error err = { 0 };
    size_t v = 99;
    assert_int_equal(luc_model_layer(m, "last_con", &v, &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean 'last_conv'?"));
    assert_int_equal(luc_model_layer(m, "w0", &v, &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "is a weight"));
    assert_int_equal(luc_model_layer(m, "zebra", &v, &err), LUC_NOT_FOUND);
    assert_null(strstr(err.text, "did you mean"));
    assert_int_equal(v, 99);
    luc_model_destroy(m);
}

static void labels__come_from_lists_files_and_the_program(void **state)
{
    (void)state;
    char buf[32];
    tiny_write_text(folder, "l.txt", "cat\r\nhot dog\nc\nd");
    tiny_write_text(folder, "l.json", "{\"1\": [\"n02\", \"dog\"], \"0\": \"cat\"}");
    struct luc_model *m = must_load(WITH(", \"labels\": \"l.txt\""));
    assert_string_equal(luc_model_label(m, 0, buf), "cat");
    assert_string_equal(luc_model_label(m, 3, buf), "d");
    luc_model_destroy(m);
    m = must_load(WITH(", \"labels\": \"l.json\", \"label_offset\": 1"));
    assert_string_equal(luc_model_label(m, 0, buf), "class 0");
    assert_string_equal(luc_model_label(m, 2, buf), "dog");
    assert_string_equal(luc_model_label(m, 3, buf), "class 3");
    luc_model_destroy(m);
    struct luc_error err = { 0 };
    assert_int_equal(luc_model_load(folder, WITH(", \"labels\": \"imagenet\""), LIMIT, &m, &err),
                     LUC_FORMAT);
    assert_non_null(strstr(err.text, "1000 labels from class 0 on do not fit its 4 classes"));
}

static void class__by_index_whole_label_or_one_of_its_names(void **state)
{
    (void)state;
    struct luc_model *m = must_load(WITH(", \"labels\": [\"Egyptian_cat\", \"tabby, tabby cat\", "
                                         "\"crane\", \"crane, lifting device\"]"));
    size_t c = 99;
    assert_int_equal(luc_model_class(m, "3", &c, NULL), LUC_OK);
    assert_int_equal(c, 3);
    assert_int_equal(luc_model_class(m, "egyptian CAT", &c, NULL), LUC_OK);
    assert_int_equal(c, 0);
    assert_int_equal(luc_model_class(m, "tabby_cat", &c, NULL), LUC_OK);
    assert_int_equal(c, 1);
    assert_int_equal(luc_model_class(m, "tabby, tabby cat", &c, NULL), LUC_OK);
    assert_int_equal(c, 1);
    assert_int_equal(luc_model_class(m, "crane", &c, NULL), LUC_OK); /* the whole label of one */
    assert_int_equal(c, 2);
    luc_model_destroy(m);
}

static void class__errors_help(void **state)
{
    (void)state;
    struct luc_model *m =
        must_load(WITH(", \"labels\": [\"tabby\", \"crane\", \"crane\", \"tiger cat\"]"));
    struct luc_error err = { 0 };
    size_t c = 99;
    assert_int_equal(luc_model_class(m, "crane", &c, &err), LUC_INVALID);
    assert_non_null(strstr(err.text, "one of 1, 2"));
    assert_int_equal(luc_model_class(m, "taby", &c, &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean 'tabby'?"));
    assert_int_equal(luc_model_class(m, "cat", &c, &err), LUC_NOT_FOUND);
    assert_non_null(strstr(err.text, "'tiger cat'"));
    assert_int_equal(luc_model_class(m, "4", &c, &err), LUC_RANGE);
    assert_int_equal(luc_model_class(m, "99999999999999999999999", &c, &err), LUC_RANGE);
    assert_int_equal(luc_model_class(m, "", &c, &err), LUC_NOT_FOUND);
    assert_int_equal(c, 99);
    luc_model_destroy(m);
}

static void description__errors_say_what_to_change(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        { "", "line" },
        { "[]", "must be one JSON object" },
        { "{\"name\": \"a\", \"name\": \"b\"}", "duplicate" },
        { "{}", "\"name\" must be" },
        { "{\"name\": \"a\\nb\"}", "\"name\" must be" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\"}", "\"input\" must be an object" },
        { WITH(", \"filee\": 1"), "\"filee\" is not a member" },
        { WITH(", \"task\": \"guess\""), "\"task\" must be \"classify\"" },
        { WITH(", \"format\": \"pb\""), "\"format\" must be \"onnx\"" },
        { WITH(", \"labels\": [1]"), "labels must be a list" },
        { WITH(", \"labels\": \"../l.txt\""), "../l.txt" },
        { WITH(", \"labels\": \"none.txt\""), "none.txt" },
        { WITH(", \"labels\": [\"a\"], \"label_offset\": -1"), "\"label_offset\" must be" },
        { WITH(", \"labels\": [\"a\"], \"label_offset\": 4"), "do not fit its 4 classes" },
        { WITH(", \"aliases\": {\"a\": 1}"), "\"aliases.a\" must be" },
        { WITH(", \"aliases\": {\"a\": \"r1\"}"), "did you mean 'r0'" },
        { WITH(", \"aliases\": {\"a\": \"w0\"}"), "does not compute" },
        { WITH(", \"aliases\": {\"a\": {\"op\": \"Conv\", \"nth\": 2}}"), "there are fewer" },
        { "{\"name\": \"t\", \"file\": \"/etc/passwd\", \"input\": {}}", "/etc/passwd" },
        { "{\"name\": \"t\", \"file\": \"no.onnx\", \"input\": {}}", "no.onnx" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"chanels\": \"RGB\"}}",
          "\"input.chanels\" is not a member" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"channels\": \"gray\"}}",
          "the file takes 3" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"size\": [9, 8]}}",
          "the file takes [8, 8]" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"size\": [0, 8]}}",
          "\"input.size\" must be" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"size\": [1e99, 8]}}",
          "\"input.size\" must be" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"mean\": [1, 2]}}",
          "\"input.mean\" must be" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"mean\": 1e300}}",
          "\"input.mean\" must be" },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"scale\": [1, 0, 1]}}",
          "\"input.scale\" must be other than 0" },
        { "{\"name\": \"t\", \"file\": \"l.bad\", \"input\": {}}", "l.bad" },
    };
    tiny_write_text(folder, "l.bad", "not a network");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct luc_error err = { 0 };
        struct luc_model *m = NULL;
        const enum luc_status s = luc_model_load(folder, cases[i].json, LIMIT, &m, &err);
        if (!s || m || s == LUC_INTERNAL || !strstr(err.text, cases[i].says))
            fail_msg("%s\n  says (%d): %s\n  not: %s", cases[i].json, s, err.text, cases[i].says);
    }
}

static void description__deep_or_broken_json_is_refused(void **state)
{
    (void)state;
    char *deep = malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    const char *cases[] = { deep,
                            "{\"name\": \"\xff\xfe\"}",
                            "{\"name\": \"a\\u0000b\"}",
                            "{\"name\": NaN}",
                            "{\"a\": 1e999}",
                            WITH(", \"aliases\": [[[]]]") };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct luc_error err = { 0 };
        struct luc_model *m = NULL;
        assert_int_equal(luc_model_load(folder, cases[i], LIMIT, &m, &err), LUC_FORMAT);
    }
    free(deep);
}

static void load__keeps_to_its_memory(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 40000; limit += 1000) {
        struct luc_error err = { 0 };
        struct luc_model *m = NULL;
        const enum luc_status s = luc_model_load(folder, WITH(""), limit, &m, &err);
        assert_true(s == LUC_OK || s == LUC_NOMEM || s == LUC_TOO_LARGE);
        assert_true((s == LUC_OK) == (m != NULL));
        luc_model_destroy(m);
    }
}

static void frame__follows_the_fit(void **state)
{
    (void)state;
    struct luc_model *m = must_load(WITH(""));
    struct luc_error err = { 0 };
    struct luc_frame f = { 0 };
    assert_int_equal(luc_model_frame(m, 400, 300, LUC_FIT_RESIZE, &f, NULL), LUC_OK);
    assert_true(f.x == 0 && f.y == 0 && f.width == 400 && f.height == 300);
    assert_true(f.in_width == 8 && f.in_height == 8);
    assert_int_equal(luc_model_frame(m, 400, 300, LUC_FIT_CROP, &f, NULL), LUC_OK);
    assert_true(f.x == 50 && f.y == 0 && f.width == 300 && f.height == 300);
    assert_int_equal(luc_model_frame(m, 30, 40, LUC_FIT_CROP, &f, NULL), LUC_OK);
    assert_true(f.x == 0 && f.y == 5 && f.width == 30 && f.height == 30);
    assert_int_equal(luc_model_frame(m, 400, 300, LUC_FIT_NATIVE, &f, &err), LUC_INVALID);
    assert_non_null(strstr(err.text, "8x8 pixels only"));
    luc_model_destroy(m);
}

static void frame__native_needs_a_picture_that_is_large_enough(void **state)
{
    (void)state;
    tiny_write_onnx(folder, true, 0);
    struct luc_model *m = must_load("{\"name\": \"t\", \"task\": \"features\", \"file\": "
                                    "\"tiny.onnx\", \"input\": {\"size\": null}}");
    tiny_write_onnx(folder, false, 0);
    struct luc_error err = { 0 };
    struct luc_frame f = { 0 };
    assert_int_equal(m->in.fit, LUC_FIT_NATIVE);
    assert_int_equal(luc_model_frame(m, 20, 10, LUC_FIT_RESIZE, &f, NULL), LUC_OK);
    assert_true(f.in_width == 20 && f.in_height == 10 && f.width == 20 && f.height == 10);
    assert_int_equal(luc_model_frame(m, 20, 7, LUC_FIT_NATIVE, &f, &err), LUC_RANGE);
    assert_non_null(strstr(err.text, "20x7"));
    luc_model_destroy(m);
}

static void frame__native_keeps_the_classes(void **state)
{
    (void)state;
    tiny_write_onnx(folder, true, 0);
    struct luc_model *m = must_load(WITH(""));
    tiny_write_onnx(folder, false, 0);
    struct luc_error err = { 0 };
    struct luc_frame f = { 0 };
    assert_int_equal(luc_model_frame(m, 8, 8, LUC_FIT_NATIVE, &f, NULL), LUC_OK);
    assert_int_equal(luc_model_frame(m, 20, 10, LUC_FIT_NATIVE, &f, &err), LUC_RANGE);
    assert_non_null(strstr(err.text, "classes would be others"));
    luc_model_destroy(m);
}

static void preprocess__orders_shifts_and_scales_channels(void **state)
{
    (void)state;
    uint8_t pixels[8 * 8 * 3];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50);
    const struct luc_image image = { 8, 8, 3, pixels };
    static const struct {
        const char *json;
        size_t channels;
        float want[3];
    } cases[] = {
        { WITH(""), 3, { 200, 100, 50 } },
        { "{\"name\": \"t\", \"file\": \"tiny.onnx\", \"input\": {\"channels\": \"BGR\", \"mean\": "
          "[10, 20, 30], \"scale\": [1, 2, 0.5]}}",
          3,
          { 40, 160, 85 } },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct luc_model *m = must_load(cases[i].json);
        struct luc_frame f;
        float out[3 * 64];
        assert_int_equal(luc_model_frame(m, 8, 8, m->in.fit, &f, NULL), LUC_OK);
        assert_int_equal(luc_model_preprocess(m, &image, &f, out, NULL), LUC_OK);
        for (size_t k = 0; k < cases[i].channels * 64; k++)
            assert_float_equal(out[k], cases[i].want[k / 64], 1e-4);
        luc_model_destroy(m);
    }
}

static void preprocess__takes_gray_pictures(void **state)
{
    (void)state;
    uint8_t pixels[16 * 8];
    memset(pixels, 77, sizeof(pixels));
    const struct luc_image image = { 16, 8, 1, pixels };
    struct luc_model *m = must_load(TINY_DESCRIPTION("t"));
    struct luc_frame f;
    float out[3 * 64];
    assert_int_equal(luc_model_frame(m, 16, 8, LUC_FIT_CROP, &f, NULL), LUC_OK);
    assert_int_equal(luc_model_preprocess(m, &image, &f, out, NULL), LUC_OK);
    for (size_t k = 0; k < 3 * 64; k++)
        assert_float_equal(out[k], (77 - (float)(k / 64 + 1)) * 0.5f, 1e-4);
    luc_model_destroy(m);
}

static void layers__list_what_is_computed(void **state)
{
    (void)state;
    struct luc_model *m = must_load(WITH(", \"aliases\": {\"a\": \"r0\"}"));
    struct luc_arena *arena = luc_arena_create(LIMIT);
    struct luc_layers l = { 0 };
    assert_int_equal(luc_model_layers(m, 0, 0, arena, &l, NULL), LUC_OK);
    assert_int_equal(l.n, 5);
    assert_string_equal(l.rows[1].name, "r0");
    assert_string_equal(l.rows[1].alias, "a last_conv");
    assert_string_equal(l.rows[0].op, "Conv");
    assert_int_equal(l.n_parameters, 5 * 3 * 9 + 4 * 5 * 64);
    assert_int_equal(l.rows[0].n_parameters, 5 * 3 * 9);
    assert_true(l.flops == 2.0 * 64 * 5 * 27 + 2.0 * 4 * 5 * 64);
    assert_true(l.rows[1].field.size[0] == 3 && l.rows[1].field.start[0] == -1);
    luc_arena_destroy(arena);
    luc_model_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__finds_logits_classes_and_last_conv),
        cmocka_unit_test(load__aliases_lead_by_name_and_by_count),
        cmocka_unit_test(layer__unknown_name_is_suggested),
        cmocka_unit_test(labels__come_from_lists_files_and_the_program),
        cmocka_unit_test(class__by_index_whole_label_or_one_of_its_names),
        cmocka_unit_test(class__errors_help),
        cmocka_unit_test(description__errors_say_what_to_change),
        cmocka_unit_test(description__deep_or_broken_json_is_refused),
        cmocka_unit_test(load__keeps_to_its_memory),
        cmocka_unit_test(frame__follows_the_fit),
        cmocka_unit_test(frame__native_needs_a_picture_that_is_large_enough),
        cmocka_unit_test(frame__native_keeps_the_classes),
        cmocka_unit_test(preprocess__orders_shifts_and_scales_channels),
        cmocka_unit_test(preprocess__takes_gray_pictures),
        cmocka_unit_test(layers__list_what_is_computed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
