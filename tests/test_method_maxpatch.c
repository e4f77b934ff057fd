#include "core/survey/patch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* x [1, 3, any, any] -> a: two maps, the red and the green of each pixel, by 3x3 windows whose only
 * weight is the middle one. */
#define LIMIT ((size_t)64 << 20)
#define SIDE  8

extern const struct luc_method luc_method_maxpatch;

struct bench {
    struct luc_model model;
    struct luc_image photos[3];
    struct luc_arena *arena;
    struct luc_result result;
    struct luc_input_params input;
    struct luc_run run;
    size_t ticks, ticks_allowed;
};

static size_t value(struct luc_graph *g, const char *name)
{
    size_t v = LUC_NONE;
    assert_int_equal(luc_graph_value(g, name, &v, NULL), LUC_OK);
    return v;
}

static bool tick(void *ctx, double progress)
{
    struct bench *b = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return b->ticks++ < b->ticks_allowed;
}

static void again(struct bench *b)
{
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    b->arena = luc_arena_create(LIMIT);
    luc_result_init(&b->result, b->arena);
    b->ticks = 0;
    b->ticks_allowed = SIZE_MAX;
    b->run = (struct luc_run){ .model = &b->model,
                               .pictures = luc_source_of(b->photos),
                               .n_images = 1,
                               .input = &b->input,
                               .arena = b->arena,
                               .result = &b->result,
                               .tick = tick,
                               .tick_ctx = b };
}

static void begin(struct bench *b, const char *pads)
{
    memset(b, 0, sizeof(*b));
    struct luc_graph *g = luc_graph_create(LIMIT);
    const struct luc_shape any = luc_shape4(0, 3, 0, 0);
    const size_t in[2] = { value(g, "x"), value(g, "w") }, out = value(g, "a");
    struct luc_tensor w = { .shape = luc_shape4(2, 3, 3, 3) };
    void *attrs = NULL;
    w.data = luc_arena_alloc(g->arena, 54, sizeof(float));
    w.data[0 * 27 + 0 * 9 + 4] = 1;
    w.data[1 * 27 + 1 * 9 + 4] = 1;
    assert_int_equal(luc_graph_add_input(g, in[0], &any, NULL), LUC_OK);
    assert_int_equal(luc_graph_set_constant(g, in[1], &w, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_node(g, luc_op_find("Conv"), "c", in, 2, &out, 1, &attrs, NULL),
                     LUC_OK);
    assert_int_equal(luc_param_set(luc_op_find("Conv")->attrs, "pads", pads, attrs, NULL), LUC_OK);
    assert_int_equal(luc_graph_add_output(g, out, NULL), LUC_OK);
    assert_int_equal(luc_graph_finish(g, NULL), LUC_OK);
    b->model = (struct luc_model){
        .name = "colours",
        .graph = g,
        .in = { .channels = LUC_RGB, .scale = { 1, 1, 1 }, .width = SIDE, .height = SIDE },
        .input = in[0],
        .logits = LUC_NONE,
    };
    luc_params_default(luc_input_rows, &b->input);
    again(b);
}

static void end(struct bench *b)
{
    luc_result_done(&b->result);
    luc_arena_destroy(b->arena);
    for (size_t i = 0; i < 3; i++)
        luc_image_done(&b->photos[i]);
    luc_graph_destroy(b->model.graph);
}

/* A black photo; block() then gives channel c of a square of it the value v. */
static void photo(struct bench *b, size_t i, size_t width, size_t height)
{
    assert_int_equal(luc_image_create(width, height, 3, &b->photos[i], NULL), LUC_OK);
}

static void block(struct bench *b, size_t i, size_t x, size_t y, size_t side, size_t c, uint8_t v)
{
    for (size_t k = 0; k < side * side; k++)
        b->photos[i].data[3 * ((y + k / side) * b->photos[i].width + x + k % side) + c] = v;
}

static enum luc_status run(struct bench *b, const char *const (*settings)[2], struct luc_error *err)
{
    void *params = calloc(1, luc_method_maxpatch.params_size);
    luc_params_default(luc_method_maxpatch.params, params);
    assert_int_equal(luc_param_set(luc_method_maxpatch.params, "layer", "a", params, NULL), LUC_OK);
    for (; settings && (*settings)[0]; settings++)
        assert_int_equal(
            luc_param_set(luc_method_maxpatch.params, (*settings)[0], (*settings)[1], params, NULL),
            LUC_OK);
    const enum luc_status st = luc_method_run(&luc_method_maxpatch, &b->run, params, err);
    free(params);
    return st;
}

static double cell(const struct bench *b, size_t row, size_t column)
{
    const struct luc_table *t = &luc_result_find(&b->result, "patches")->table;
    assert_true(row < t->n_rows);
    return t->cells[row * t->n_columns + column].number;
}

static void check_box(const struct bench *b, size_t row, double x, double y, double w, double h)
{
    assert_true(fabs(cell(b, row, 4) - x) < 1e-9 && fabs(cell(b, row, 5) - y) < 1e-9);
    assert_true(fabs(cell(b, row, 6) - w) < 1e-9 && fabs(cell(b, row, 7) - h) < 1e-9);
}

static void maxpatch__is_the_receptive_field_in_upload_pixels_under_each_fit(void **state)
{
    static const char *const red[][2] = { { "channels", "0" }, { NULL, NULL } };
    static const struct {
        int64_t fit; /* 1 + enum luc_fit */
        size_t width, x0;
        double x, y, size;
    } cases[] = {
        { 1 + LUC_FIT_RESIZE, 16, 4, 2, 4, 6 },
        { 1 + LUC_FIT_CROP, 32, 12, 10, 4, 6 },
        { 1 + LUC_FIT_NATIVE, 16, 4, 3, 5, 3 },
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bench b;
        begin(&b, "0,0,0,0");
        photo(&b, 0, cases[i].width, 16);
        block(&b, 0, cases[i].x0, 6, 2, 0, 200);
        b.input.fit = cases[i].fit;
        assert_int_equal(run(&b, red, NULL), LUC_OK);
        check_box(&b, 0, cases[i].x, cases[i].y, cases[i].size, cases[i].size);
        end(&b);
    }
}

static void maxpatch__a_field_over_the_border_is_cut_there(void **state)
{
    static const char *const red[][2] = { { "channels", "0" }, { NULL, NULL } };
    struct bench b;
    (void)state;
    for (size_t corner = 0; corner < 2; corner++) {
        begin(&b, "1,1,1,1");
        photo(&b, 0, SIDE, SIDE);
        block(&b, 0, corner * 7, corner * 7, 1, 0, 200);
        assert_int_equal(run(&b, red, NULL), LUC_OK);
        check_box(&b, 0, (double)corner * 6, (double)corner * 6, 2, 2);
        assert_true(cell(&b, 0, 3) == 200.0);
        end(&b);
    }
}

static void three_photos(struct bench *b)
{
    for (size_t i = 0; i < 3; i++)
        photo(b, i, SIDE, SIDE);
    block(b, 0, 2, 2, 1, 0, 100);
    block(b, 1, 3, 3, 1, 0, 200);
    block(b, 1, 5, 5, 1, 0, 150);
    block(b, 2, 4, 4, 1, 1, 250);
    b->run.n_images = 3;
}

static void maxpatch__orders_by_activation_and_bounds_each_pictures_share(void **state)
{
    static const char *const one[][2] = { { "channels", "0" }, { "top", "2" }, { NULL, NULL } };
    static const char *const two[][2] = {
        { "channels", "0" }, { "top", "3" }, { "per_image", "2" }, { NULL, NULL }
    };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, one, NULL), LUC_OK);
    assert_true(cell(&b, 0, 3) == 200.0 && cell(&b, 0, 2) == 1.0 && cell(&b, 0, 1) == 0.0);
    assert_true(cell(&b, 1, 3) == 100.0 && cell(&b, 1, 2) == 0.0 && cell(&b, 1, 1) == 1.0);
    again(&b);
    b.run.n_images = 3;
    assert_int_equal(run(&b, two, NULL), LUC_OK);
    assert_true(cell(&b, 0, 3) == 200.0 && cell(&b, 1, 3) == 150.0 && cell(&b, 2, 3) == 100.0);
    check_box(&b, 1, 4, 4, 3, 3);
    end(&b);
}

static void maxpatch__shows_the_most_selective_channels_first(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    assert_int_equal(luc_result_find(&b.result, "patches")->table.n_rows, 6);
    assert_true(cell(&b, 0, 0) == 1.0 && cell(&b, 0, 2) == 2.0 && cell(&b, 0, 3) == 250.0);
    assert_true(cell(&b, 3, 0) == 0.0 && cell(&b, 3, 3) == 200.0);
    assert_non_null(luc_result_first(&b.result, LUC_ITEM_PICTURE));
    end(&b);
}

static void maxpatch__stops_at_any_tick(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    const size_t n = b.ticks;
    assert_true(n >= 4);
    for (size_t i = 0; i < n; i++) {
        again(&b);
        b.run.n_images = 3;
        b.ticks_allowed = i;
        assert_int_equal(run(&b, NULL, NULL), LUC_CANCELLED);
    }
    end(&b);
}

static void maxpatch__names_the_parameter_at_fault(void **state)
{
    static const char *const far[][2] = { { "channels", "0,2" }, { NULL, NULL } };
    static const char *const none[][2] = { { "layer", "nope" }, { NULL, NULL } };
    struct luc_error err = { 0 };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    assert_int_equal(run(&b, far, &err), LUC_RANGE);
    assert_string_equal(err.param, "channels");
    again(&b);
    assert_int_equal(run(&b, none, &err), LUC_NOT_FOUND);
    assert_string_equal(err.param, "layer");
    end(&b);
}

/* ---- ranking --------------------------------------------------------------------------------- */

static void maxpatch__ranks_by_selectivity_not_by_strength(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    for (size_t i = 0; i < 3; i++) { /* red: strong in every picture; green: in one */
        photo(&b, i, SIDE, SIDE);
        block(&b, i, 3, 3, 1, 0, (uint8_t)(240 + i));
    }
    block(&b, 2, 4, 4, 1, 1, 30);
    b.run.n_images = 3;
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    const struct luc_table *t = &luc_result_find(&b.result, "channels")->table;
    assert_int_equal(t->n_rows, 2);
    assert_true(t->cells[0].number == 1.0 && t->cells[5].number == 0.0);
    /* green: strongest answers 0, 0, 30; the best quarter of three is one of them */
    const double mean = 10, deviation = sqrt((100 + 100 + 400) / 3.0);
    assert_true(fabs(t->cells[1].number - (30 - mean) / deviation) < 1e-12);
    assert_true(fabs(t->cells[2].number - 30) < 1e-9 && fabs(t->cells[3].number - mean) < 1e-12);
    assert_true(fabs(t->cells[4].number - deviation) < 1e-12);
    end(&b);
}

static void maxpatch__reads_channels_or_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum luc_status st;
        size_t rows;
    } cases[] = {
        { "top:1", LUC_OK, 1 },       { "top:64", LUC_OK, 2 },
        { "1,0,1", LUC_OK, 3 },       { "", LUC_INVALID, 0 },
        { "top:", LUC_INVALID, 0 },   { "top:0", LUC_RANGE, 0 },
        { "top:65", LUC_RANGE, 0 },   { "top:2x", LUC_INVALID, 0 },
        { "top:-1", LUC_INVALID, 0 }, { "1,", LUC_INVALID, 0 },
        { ",1", LUC_INVALID, 0 },     { "1;0", LUC_INVALID, 0 },
        { "0, 1", LUC_INVALID, 0 },   { "2", LUC_RANGE, 0 },
        { "-1", LUC_INVALID, 0 },     { "99999999999999999999", LUC_RANGE, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const settings[][2] = { { "channels", cases[i].text }, { NULL, NULL } };
        struct luc_error err = { 0 };
        struct bench b;
        begin(&b, "0,0,0,0");
        three_photos(&b);
        assert_int_equal(run(&b, settings, &err), cases[i].st);
        if (cases[i].st)
            assert_string_equal(err.param, "channels");
        else
            assert_int_equal(luc_result_find(&b.result, "channels")->table.n_rows, cases[i].rows);
        end(&b);
    }
}

/* ---- what is kept ---------------------------------------------------------------------------- */

#define MANY 40

/* Pictures that count how many are held, and a keeper of what was found. */
struct many {
    struct luc_image images[MANY];
    bool held[MANY];
    size_t n_held, most_held, decoded;
    struct {
        char name[65];
        void *bytes;
        size_t size;
    } kept[MANY];
};

static enum luc_status get_counted(void *ctx, size_t i, const struct luc_image **image,
                                   struct luc_error *err)
{
    struct many *m = ctx;
    (void)err;
    if (!m->held[i])
        m->n_held++, m->decoded++;
    m->held[i] = true;
    m->most_held = m->n_held > m->most_held ? m->n_held : m->most_held;
    *image = &m->images[i];
    return LUC_OK;
}

static void drop_counted(void *ctx, size_t i)
{
    struct many *m = ctx;
    m->n_held -= m->held[i] ? 1 : 0;
    m->held[i] = false;
}

static void *recall(void *ctx, size_t i, const char *name, size_t *size)
{
    struct many *m = ctx;
    void *copy = NULL;
    if (m->kept[i].bytes && strcmp(m->kept[i].name, name) == 0) {
        copy = malloc(m->kept[i].size);
        assert_non_null(copy);
        memcpy(copy, m->kept[i].bytes, m->kept[i].size);
        *size = m->kept[i].size;
    }
    return copy;
}

static void keep(void *ctx, size_t i, const char *name, const void *bytes, size_t size)
{
    struct many *m = ctx;
    assert_int_equal(strlen(name), 64);
    free(m->kept[i].bytes);
    m->kept[i].bytes = malloc(size);
    assert_non_null(m->kept[i].bytes);
    memcpy(m->kept[i].bytes, bytes, size);
    m->kept[i].size = size;
    strcpy(m->kept[i].name, name);
}

/* Noise, of one size or of several. */
static void begin_many(struct bench *b, struct many *m, bool of_one_size)
{
    memset(m, 0, sizeof(*m));
    for (size_t i = 0; i < MANY; i++) {
        const size_t side = of_one_size ? SIDE : 6 + i / 3 % 4;
        assert_int_equal(luc_image_create(side, side + 1, 3, &m->images[i], NULL), LUC_OK);
        for (size_t k = 0; k < side * (side + 1) * 3; k++)
            m->images[i].data[k] = (uint8_t)((i * 7919 + k * 104729 + k * k * 31) % 251);
    }
    begin(b, "1,1,1,1");
    b->input.fit = 1 + LUC_FIT_NATIVE;
}

static void end_many(struct bench *b, struct many *m)
{
    for (size_t i = 0; i < MANY; i++) {
        luc_image_done(&m->images[i]);
        free(m->kept[i].bytes);
    }
    end(b);
}

static void look_at_many(struct bench *b, struct many *m, const struct luc_run_hooks *hooks,
                         const char *const (*settings)[2])
{
    again(b);
    b->run.pictures = (struct luc_source){ m, get_counted, drop_counted, NULL };
    b->run.n_images = MANY;
    b->run.hooks = hooks;
    assert_int_equal(run(b, settings, NULL), LUC_OK);
    assert_int_equal(m->n_held, 0);
}

static double number(const struct bench *b, const char *key)
{
    return luc_result_find(&b->result, key)->number;
}

static void maxpatch__of_many_pictures_is_what_looking_at_each_finds(void **state)
{
    static const char *const all[][2] = {
        { "channels", "0,1" }, { "top", "64" }, { "per_image", "3" }, { NULL, NULL }
    };
    (void)state;
    for (int same = 0; same < 2; same++) {
        struct many m;
        struct bench b;
        begin_many(&b, &m, same);
        look_at_many(&b, &m, NULL, all);
        assert_true(number(&b, "images_computed") == MANY && number(&b, "images_cached") == 0);
        assert_int_equal(m.most_held, 1);
        const struct luc_table *t = &luc_result_find(&b.result, "patches")->table;
        assert_int_equal(t->n_rows, 128);
        size_t of_image[MANY] = { 0 };
        for (size_t r = 0; r < 64; r++) { /* channel 0 is red */
            const struct luc_image *p = &m.images[(size_t)cell(&b, r, 2)];
            const double *at = (const double[]){ cell(&b, r, 4), cell(&b, r, 5) };
            /* the box is 3x3 around the pixel, cut at the border */
            const size_t x = at[0] > 0 ? (size_t)at[0] + 1 : (size_t)cell(&b, r, 6) - 2;
            const size_t y = at[1] > 0 ? (size_t)at[1] + 1 : (size_t)cell(&b, r, 7) - 2;
            assert_true(cell(&b, r, 3) == (double)p->data[3 * (y * p->width + x)]);
            assert_true(r == 0 || cell(&b, r, 3) <= cell(&b, r - 1, 3));
            assert_true(++of_image[(size_t)cell(&b, r, 2)] <= 3);
        }
        /* no pixel that is brighter than the last one was left out */
        for (size_t i = 0; i < MANY; i++) {
            const struct luc_image *p = &m.images[i];
            size_t brighter = 0;
            for (size_t k = 0; k < p->width * p->height; k++)
                brighter += (double)p->data[3 * k] > cell(&b, 63, 3) ? 1 : 0;
            assert_true(of_image[i] >= (brighter < 3 ? brighter : 3));
        }
        end_many(&b, &m);
    }
}

static void maxpatch__runs_no_network_over_pictures_it_knows(void **state)
{
    static const char *const plain[][2] = { { "top", "5" }, { NULL, NULL } };
    static const char *const twice[][2] = { { "top", "5" }, { "per_image", "2" }, { NULL, NULL } };
    struct many m;
    struct bench b;
    double first[40];
    (void)state;
    begin_many(&b, &m, false);
    const struct luc_run_hooks hooks = { .ctx = &m, .recall = recall, .keep = keep };
    look_at_many(&b, &m, &hooks, plain);
    assert_true(number(&b, "images_computed") == MANY && number(&b, "images_cached") == 0);
    for (size_t r = 0; r < 10; r++)
        for (size_t c = 0; c < 4; c++)
            first[4 * r + c] = cell(&b, r, c);
    look_at_many(&b, &m, &hooks, plain);
    assert_true(number(&b, "images_computed") == 0 && number(&b, "images_cached") == MANY);
    for (size_t r = 0; r < 10; r++)
        for (size_t c = 0; c < 4; c++)
            assert_true(cell(&b, r, c) == first[4 * r + c]);
    /* What is damaged, or another version's, or missing, is computed again, in its order. */
    ((char *)m.kept[7].bytes)[3] ^= 1;
    m.kept[20].size--;
    memset((char *)m.kept[21].bytes + 24, 0xff, 4); /* the first value: not a number */
    free(m.kept[39].bytes);
    m.kept[39].bytes = NULL;
    look_at_many(&b, &m, &hooks, plain);
    assert_true(number(&b, "images_computed") == 4 && number(&b, "images_cached") == MANY - 4);
    for (size_t r = 0; r < 10; r++)
        for (size_t c = 0; c < 4; c++)
            assert_true(cell(&b, r, c) == first[4 * r + c]);
    look_at_many(&b, &m, &hooks, twice); /* another question */
    assert_true(number(&b, "images_computed") == MANY);
    b.model.in.mean[1] = 1; /* another preprocessing */
    look_at_many(&b, &m, &hooks, twice);
    assert_true(number(&b, "images_computed") == MANY);
    end_many(&b, &m);
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void count_preview(void *ctx, const struct luc_image *picture)
{
    assert_true(picture->width > 96 && picture->height > 2 * 96); /* two channels, some patches */
    ++*(size_t *)ctx;
}

static void maxpatch__shows_what_it_has_after_every_picture(void **state)
{
    size_t n = 0;
    const struct luc_run_hooks hooks = { .ctx = &n,
                                         .wants_preview = always,
                                         .preview = count_preview };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    three_photos(&b);
    b.run.hooks = &hooks;
    assert_int_equal(run(&b, NULL, NULL), LUC_OK);
    assert_int_equal(n, 2); /* the last one is the answer itself */
    assert_true(cell(&b, 0, 0) == 1.0 && cell(&b, 3, 3) == 200.0);
    end(&b);
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static const uint8_t *pixel(const struct bench *b, size_t x, size_t y)
{
    const struct luc_image *s = &luc_result_find(&b->result, "sheet")->picture;
    assert_true(x < s->width && y < s->height);
    return s->data + 3 * (y * s->width + x);
}

static void maxpatch__draws_the_gradient_of_that_very_unit(void **state)
{
    static const char *const both[][2] = {
        { "channels", "0" }, { "top", "1" }, { "tile", "30" }, { "with", "both" }, { NULL, NULL }
    };
    struct bench b;
    (void)state;
    begin(&b, "0,0,0,0");
    photo(&b, 0, SIDE, SIDE);
    block(&b, 0, 4, 4, 1, 0, 200);
    assert_int_equal(run(&b, both, NULL), LUC_OK);
    /* Guided to the left: d/dx is 1 at the middle pixel's red, 0 elsewhere. */
    const uint8_t *middle = pixel(&b, 2 + 15, 2 + 15), *corner = pixel(&b, 2 + 3, 2 + 3);
    assert_true(middle[0] > 240 && abs(middle[1] - 128) < 3 && abs(middle[2] - 128) < 3);
    assert_true(abs(corner[0] - 128) < 20 && abs(corner[1] - 128) < 3);
    /* The patch to the right: red in the middle, black around. */
    assert_true(pixel(&b, 34 + 15, 17)[0] > 180 && pixel(&b, 34 + 15, 17)[1] < 3);
    assert_true(pixel(&b, 34 + 3, 5)[0] < 20);
    end(&b);
}

static void maxpatch__shows_gray_where_a_field_leaves_the_picture(void **state)
{
    static const char *const red[][2] = {
        { "channels", "0" }, { "top", "1" }, { "tile", "30" }, { NULL, NULL }
    };
    struct bench b;
    (void)state;
    begin(&b, "1,1,1,1");
    photo(&b, 0, SIDE, SIDE);
    block(&b, 0, 0, 4, 1, 0, 200); /* at the left border */
    assert_int_equal(run(&b, red, NULL), LUC_OK);
    check_box(&b, 0, 0, 3, 2, 3);
    assert_true(pixel(&b, 2 + 4, 2 + 15)[0] == 128 && pixel(&b, 2 + 9, 2 + 1)[2] == 128);
    assert_true(pixel(&b, 2 + 13, 2 + 15)[0] > 150 && pixel(&b, 2 + 28, 2 + 28)[0] < 20);
    end(&b);
}

static void patch__spans_as_much_for_every_unit_and_holds_what_is_seen(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 400; seed++) {
        const double size = 1 + seed * 37 % 90, start = -(double)(seed * 13 % 60);
        const struct luc_field f = {
            .known = true, .size = { size, size }, .stride = { 4, 4 }, .start = { start, start }
        };
        const struct luc_frame frame = { 10, 20, 80, 40, 40, 40 };
        struct luc_patch p, first;
        luc_patch_place(&f, &frame, 0, 0, &first);
        for (size_t i = 0; i < 10; i++) {
            luc_patch_place(&f, &frame, i, 9 - i, &p);
            assert_true(fabs(p.span.width - first.span.width) < 1e-9);
            assert_true(fabs(p.span.width - 2 * fmin(size, 40)) < 1e-9);
            assert_true(fabs(p.span.height - fmin(size, 40)) < 1e-9);
            assert_true(p.in.x >= 0 && p.in.y >= 0 && p.in.x + p.in.width <= 40);
            assert_true(p.in.width >= 0 && p.in.height >= 0 && p.in.y + p.in.height <= 40);
            if (p.in.width <= 0 || p.in.height <= 0)
                continue; /* a field outside of the picture */
            assert_true(p.seen.x >= p.span.x - 1e-9 && p.seen.y >= p.span.y - 1e-9);
            assert_true(p.seen.x + p.seen.width <= p.span.x + p.span.width + 1e-9);
            assert_true(p.seen.y + p.seen.height <= p.span.y + p.span.height + 1e-9);
            assert_true(fabs(p.seen.x - (10 + 2 * p.in.x)) < 1e-9);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxpatch__is_the_receptive_field_in_upload_pixels_under_each_fit),
        cmocka_unit_test(maxpatch__a_field_over_the_border_is_cut_there),
        cmocka_unit_test(maxpatch__orders_by_activation_and_bounds_each_pictures_share),
        cmocka_unit_test(maxpatch__shows_the_most_selective_channels_first),
        cmocka_unit_test(maxpatch__stops_at_any_tick),
        cmocka_unit_test(maxpatch__names_the_parameter_at_fault),
        cmocka_unit_test(maxpatch__ranks_by_selectivity_not_by_strength),
        cmocka_unit_test(maxpatch__reads_channels_or_says_what_is_wrong),
        cmocka_unit_test(maxpatch__of_many_pictures_is_what_looking_at_each_finds),
        cmocka_unit_test(maxpatch__runs_no_network_over_pictures_it_knows),
        cmocka_unit_test(maxpatch__shows_what_it_has_after_every_picture),
        cmocka_unit_test(maxpatch__draws_the_gradient_of_that_very_unit),
        cmocka_unit_test(maxpatch__shows_gray_where_a_field_leaves_the_picture),
        cmocka_unit_test(patch__spans_as_much_for_every_unit_and_holds_what_is_seen),
    };
    return cmocka_run_group_tests_name("method_maxpatch", tests, NULL, NULL);
}
