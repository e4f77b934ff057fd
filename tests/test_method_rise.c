/* rise and score-cam beside the same sums written plainly, and the runner they share. */
#include "core/ask/perturb.h"
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLANE ((size_t)LINEAR_SIZE * LINEAR_SIZE)

extern const struct luc_method luc_method_rise, luc_method_score_cam;

/* The logits of the photo seen through a mask, black where it is zero. */
static void logits_through(const struct linear_model *m, const double *mask, double *logit)
{
    for (size_t k = 0; k < LINEAR_CLASSES; k++) {
        logit[k] = 0;
        for (size_t c = 0; c < 3; c++)
            for (size_t p = 0; p < PLANE; p++)
                logit[k] +=
                    (double)linear_weight(m, k, c, p) * mask[p] * (double)m->photo.data[3 * p + c];
    }
}

static double score_through(const struct linear_model *m, const double *mask, size_t k, bool logits)
{
    double logit[LINEAR_CLASSES] = { 0 }, sum = 0;
    logits_through(m, mask, logit);
    for (size_t i = 0; i < LINEAR_CLASSES; i++)
        sum += exp(logit[i]);
    return logits ? logit[k] : exp(logit[k]) / sum;
}

/* A grid's corner points are cells wide apart: every pixel is a mean weighted by nearness. */
static void plain_mask(struct luc_rng *rng, size_t cells, double keep, double *mask)
{
    double grid[16][16], shift[2];
    const double cell = (double)LINEAR_SIZE / (double)cells;
    for (size_t y = 0; y < cells + 2; y++)
        for (size_t x = 0; x < cells + 2; x++)
            grid[y][x] = luc_rng_uniform(rng) < keep;
    shift[0] = luc_rng_uniform(rng);
    shift[1] = luc_rng_uniform(rng);
    for (size_t p = 0; p < PLANE; p++) {
        mask[p] = 0;
        for (size_t y = 0; y < cells + 2; y++)
            for (size_t x = 0; x < cells + 2; x++) {
                const double dy = ((double)(p / LINEAR_SIZE) + 0.5) / cell + shift[0] - (double)y;
                const double dx = ((double)(p % LINEAR_SIZE) + 0.5) / cell + shift[1] - (double)x;
                mask[p] += grid[y][x] * fmax(0, 1 - fabs(dy)) * fmax(0, 1 - fabs(dx));
            }
    }
}

static void check_rise(struct linear_model *m, size_t masks, const char *text, bool logits)
{
    struct luc_rng rng;
    double sum[PLANE] = { 0 }, shown[PLANE] = { 0 }, mask[PLANE];
    linear_model_again(m);
    luc_rng_seed(&m->run.rng, 9);
    luc_rng_seed(&rng, 9);
    assert_int_equal(method_run(&m->run, &luc_method_rise,
                                SETTINGS({ "target", "bee" }, { "masks", text }, { "cells", "3" },
                                         { "keep", "0.4" }, { "fill", "black" },
                                         { "score", logits ? "logit" : "probability" }),
                                NULL),
                     LUC_OK);
    for (size_t i = 0; i < masks; i++) {
        plain_mask(&rng, 3, 0.4, mask);
        const double score = score_through(m, mask, 1, logits);
        for (size_t p = 0; p < PLANE; p++) {
            sum[p] += score * mask[p];
            shown[p] += mask[p];
        }
    }
    for (size_t p = 0; p < PLANE; p++)
        assert_true(fabs((double)method_item(m, "rise")->map.data[p] - sum[p] / shown[p]) < 1e-5);
    assert_true(method_item(m, "passes")->number == (double)masks);
}

/* The linear model is declared for one picture at a time; any number makes real batches. */
static void open_batch(struct linear_model *m)
{
    m->model.graph->values[m->model.input].decl.dim[0] = 0;
}

static void rise__is_the_plain_sum_over_the_same_masks(void **state)
{
    check_rise(*state, 20, "20", false);
    open_batch(*state);
    check_rise(*state, 5, "5", false);
    check_rise(*state, 16, "16", true);
    check_rise(*state, 100, "100", false); /* several batches and a rest */
}

static void rise__is_highest_where_the_score_comes_from(void **state)
{
    struct linear_model *m = *state;
    memset(m->weights, 0, sizeof(float) * LINEAR_CLASSES * LINEAR_PIXELS);
    const size_t at = 2 * LINEAR_SIZE + 1;
    m->weights[3 * LINEAR_PIXELS + at] = 0.1f; /* class 3, red */
    linear_model_again(m);
    luc_rng_seed(&m->run.rng, 1);
    assert_int_equal(method_run(&m->run, &luc_method_rise,
                                SETTINGS({ "target", "3" }, { "masks", "1000" }, { "cells", "4" },
                                         { "fill", "black" }),
                                NULL),
                     LUC_OK);
    const float *map = method_item(m, "rise")->map.data;
    for (size_t p = 0; p < PLANE; p++)
        assert_true(map[p] <= map[at]);
}

/* What each colour counts: the increase of the dog's score when the picture is seen through it. */
static void increases(const struct linear_model *m, bool logits, double out[3])
{
    static const double none[PLANE];
    double mask[PLANE];
    for (size_t c = 0; c < 3; c++) {
        double low = 255, high = 0;
        for (size_t p = 0; p < PLANE; p++) {
            low = fmin(low, (double)m->photo.data[3 * p + c]);
            high = fmax(high, (double)m->photo.data[3 * p + c]);
        }
        for (size_t p = 0; p < PLANE; p++)
            mask[p] = ((double)m->photo.data[3 * p + c] - low) / (high - low);
        out[c] = score_through(m, mask, 3, logits) - score_through(m, none, 3, logits);
    }
}

static void check_score_cam(const struct linear_model *m, const double a[3])
{
    for (size_t p = 0; p < PLANE; p++) {
        double want = 0;
        for (size_t c = 0; c < 3; c++)
            want += a[c] * (double)m->photo.data[3 * p + c];
        assert_true(fabs((double)method_item(m, "score_cam")->map.data[p] - fmax(want, 0)) < 1e-4);
    }
    assert_true(method_item(m, "passes")->number == 4);
}

static void score_cam__is_the_plain_sum_over_the_layers_channels(void **state)
{
    struct linear_model *m = *state;
    double a[3], sum = 0;
    open_batch(m);
    assert_int_equal(method_run(&m->run, &luc_method_score_cam,
                                SETTINGS({ "target", "dog" }, { "layer", "x" }, { "fill", "black" },
                                         { "weights", "increase" }, { "score", "probability" }),
                                NULL),
                     LUC_OK);
    increases(m, false, a);
    check_score_cam(m, a);
    assert_true(fabs(method_item(m, "covered")->number - 0.2) < 1e-9);

    linear_model_again(m);
    assert_int_equal(
        method_run(&m->run, &luc_method_score_cam,
                   SETTINGS({ "target", "dog" }, { "layer", "x" }, { "fill", "black" }), NULL),
        LUC_OK);
    increases(m, true, a);
    for (size_t c = 0; c < 3; c++)
        sum += a[c] = exp(a[c]);
    for (size_t c = 0; c < 3; c++)
        a[c] /= sum;
    check_score_cam(m, a);
}

static void score_cam__uses_the_channels_of_most_energy_that_vary(void **state)
{
    struct linear_model *m = *state;
    for (size_t p = 0; p < PLANE; p++) {
        m->photo.data[3 * p] = 250; /* much energy, but the same everywhere */
        m->photo.data[3 * p + 1] = (uint8_t)(10 + p);
        m->photo.data[3 * p + 2] = (uint8_t)(100 + p);
    }
    assert_int_equal(method_run(&m->run, &luc_method_score_cam,
                                SETTINGS({ "layer", "x" }, { "channels", "0" }), NULL),
                     LUC_OK);
    assert_true(method_item(m, "passes")->number == 3);
    memset(m->weights, 0, sizeof(float) * LINEAR_CLASSES * LINEAR_PIXELS);
    for (size_t p = 0; p < PLANE; p++)
        m->weights[2 * PLANE + p] = 0.001f; /* class 0, blue */
    linear_model_again(m);
    assert_int_equal(method_run(&m->run, &luc_method_score_cam,
                                SETTINGS({ "layer", "x" }, { "channels", "1" }, { "target", "0" },
                                         { "fill", "black" }),
                                NULL),
                     LUC_OK);
    assert_true(method_item(m, "passes")->number == 2);
    assert_true(method_item(m, "score_cam")->map.data[0] > 0);
}

static void score_cam__an_empty_map_says_why(void **state)
{
    struct linear_model *m = *state;
    memset(m->photo.data, 77, LINEAR_PIXELS);
    assert_int_equal(method_run(&m->run, &luc_method_score_cam, SETTINGS({ "layer", "x" }), NULL),
                     LUC_OK);
    assert_non_null(strstr(method_item(m, "note")->text, "no channel"));
    method_check_refused(m, &luc_method_score_cam, SETTINGS({ "layer", "logits" }), LUC_SHAPE,
                         "layer");
    method_check_refused(m, &luc_method_score_cam, SETTINGS({ "layer", "fc9" }), LUC_NOT_FOUND,
                         "layer");
}

static void rise__and_score_cam_are_cancelled_at_any_tick(void **state)
{
    method_check_cancel(*state, &luc_method_rise, SETTINGS({ "masks", "50" }), 5);
    method_check_cancel(*state, &luc_method_score_cam, SETTINGS({ "layer", "x" }), 2);
}

struct seen {
    size_t made, used;
    double last;
};

static void make_one(void *ctx, size_t i, float *picture)
{
    struct seen *s = ctx;
    assert_int_equal(s->made++, i);
    memset(picture, 0, LINEAR_PIXELS * sizeof(*picture));
    picture[0] = (float)i;
}

static void use_one(void *ctx, size_t i, const struct luc_tensor *logits)
{
    struct seen *s = ctx;
    assert_int_equal(s->used++, i);
    assert_int_equal(luc_numel(&logits->shape), LINEAR_CLASSES);
    s->last = (double)logits->data[0];
}

static void perturb__shrinks_its_batch_to_the_memory_there_is(void **state)
{
    struct linear_model *m = *state;
    open_batch(m);
    const struct luc_shape shape = luc_shape4(1, 3, LINEAR_SIZE, LINEAR_SIZE);
    size_t failed = 0, passed = 0;
    for (size_t limit = 512; limit <= 32768; limit += 512) {
        struct seen seen = { 0 };
        const struct luc_perturb p = { .shape = &shape,
                                       .n = 37,
                                       .value = m->model.logits,
                                       .to = 1,
                                       .ctx = &seen,
                                       .make = make_one,
                                       .use = use_one };
        m->run.arena = luc_arena_create(limit);
        const enum luc_status st = luc_perturb_run(&m->run, &p, NULL);
        assert_int_equal(luc_arena_used(m->run.arena), 0);
        luc_arena_destroy(m->run.arena);
        assert_true(st == LUC_OK || (st == LUC_NOMEM && seen.made == 0));
        assert_true(st || (seen.made == 37 && seen.used == 37 &&
                           fabs(seen.last - 36 * (double)linear_weight(m, 0, 0, 0)) < 1e-6));
        failed += st != LUC_OK;
        passed += st == LUC_OK;
    }
    m->run.arena = m->arena;
    assert_true(failed > 0 && passed > 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)
    const struct CMUnitTest tests[] = {
        T(rise__is_the_plain_sum_over_the_same_masks),
        T(rise__is_highest_where_the_score_comes_from),
        T(score_cam__is_the_plain_sum_over_the_layers_channels),
        T(score_cam__uses_the_channels_of_most_energy_that_vary),
        T(score_cam__an_empty_map_says_why),
        T(rise__and_score_cam_are_cancelled_at_any_tick),
        T(perturb__shrinks_its_batch_to_the_memory_there_is),
    };
#undef T
    return cmocka_run_group_tests_name("method_rise", tests, NULL, NULL);
}
