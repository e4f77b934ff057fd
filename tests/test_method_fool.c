#include "core/attack/attack.h"
#include "tests/method_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct luc_method luc_method_fool, luc_method_classify;

static int setup(void **state)
{
    method_setup(state);
    struct linear_model *m = *state; /* far from black and white */
    for (size_t i = 0; i < LINEAR_PIXELS; i++)
        m->photo.data[i] = (uint8_t)(100 + i * 29 % 47);
    return 0;
}

/* z_k of the photograph with `change` [3, h, w] added, in double. */
static double logit(const struct linear_model *m, size_t k, const float *change)
{
    double z = 0;
    const size_t plane = LINEAR_PIXELS / 3;
    for (size_t i = 0; i < LINEAR_PIXELS; i++) {
        const size_t at = 3 * (i % plane) + i / plane;
        z += (double)m->weights[k * LINEAR_PIXELS + i] *
             (m->photo.data[at] + (change ? (double)change[i] : 0));
    }
    return z;
}

static size_t top_class(const struct linear_model *m)
{
    size_t top = 0;
    for (size_t k = 1; k < LINEAR_CLASSES; k++)
        top = logit(m, k, NULL) > logit(m, top, NULL) ? k : top;
    return top;
}

static struct luc_attack begin(struct linear_model *m, struct luc_victim *v, float *clean,
                               const struct luc_attack_spec *spec)
{
    struct luc_attack a;
    struct luc_rng rng;
    luc_rng_seed(&rng, 4);
    assert_int_equal(luc_victim_open(&m->run, v, NULL), LUC_OK);
    assert_int_equal(luc_victim_picture(v, clean, NULL), LUC_OK);
    assert_int_equal(luc_attack_create(spec, v, clean, &rng, &a, NULL), LUC_OK);
    return a;
}

/* Distance from the photograph, in the l2 or the linf norm. */
static double nearest_border(const struct linear_model *m, size_t from, bool l2)
{
    double least = HUGE_VAL;
    for (size_t k = 0; k < LINEAR_CLASSES; k++) {
        double dual = 0;
        for (size_t i = 0; i < LINEAR_PIXELS; i++) {
            const double w = (double)m->weights[k * LINEAR_PIXELS + i] -
                             (double)m->weights[from * LINEAR_PIXELS + i];
            dual += l2 ? w * w : fabs(w);
        }
        dual = l2 ? sqrt(dual) : dual;
        if (k != from)
            least = fmin(least, (logit(m, from, NULL) - logit(m, k, NULL)) / dual);
    }
    return least;
}

static void deepfool__finds_the_distance_to_the_nearest_border_exactly(void **state)
{
    struct linear_model *m = *state;
    const size_t from = top_class(m);
    for (int norm = 0; norm < 2; norm++) {
        float clean[LINEAR_PIXELS];
        struct luc_victim v;
        const struct luc_attack_spec spec = { .kind = LUC_ATTACK_DEEPFOOL,
                                              .norm = norm ? LUC_NORM_L2 : LUC_NORM_LINF,
                                              .steps = 5,
                                              .classes = LINEAR_CLASSES,
                                              .from = from,
                                              .to = LUC_NONE };
        const double least = nearest_border(m, from, norm != 0);
        double got = 0;
        linear_model_again(m);
        struct luc_attack a = begin(m, &v, clean, &spec);
        luc_attack_step(&a);
        for (size_t i = 0; i < LINEAR_PIXELS; i++)
            got = norm ? got + (double)a.v[i] * (double)a.v[i] : fmax(got, fabs((double)a.v[i]));
        got = norm ? sqrt(got) : got;
        /* it goes 1e-4 of a logit past the border */
        assert_true(got >= least * 0.9999 && got < least + 1e-4 / 0.005);
        while (!a.at.finished)
            luc_attack_step(&a);
        assert_true(a.at.succeeded && a.at.best < 1.5 * least + 4);
    }
}

static void fgsm__moves_every_pixel_by_epsilon_along_the_sign(void **state)
{
    struct linear_model *m = *state;
    float clean[LINEAR_PIXELS];
    double p[LINEAR_CLASSES], sum = 0;
    struct luc_victim v;
    const size_t from = top_class(m);
    const struct luc_attack_spec spec = { .kind = LUC_ATTACK_FGSM,
                                          .norm = LUC_NORM_LINF,
                                          .epsilon = 3,
                                          .steps = 1,
                                          .from = from,
                                          .to = LUC_NONE };
    struct luc_attack a = begin(m, &v, clean, &spec);
    luc_attack_step(&a);
    for (size_t k = 0; k < LINEAR_CLASSES; k++)
        sum += p[k] = exp(logit(m, k, NULL) - logit(m, from, NULL));
    for (size_t i = 0; i < LINEAR_PIXELS; i++) {
        double g = (double)m->weights[from * LINEAR_PIXELS + i];
        for (size_t k = 0; k < LINEAR_CLASSES; k++)
            g -= p[k] / sum * (double)m->weights[k * LINEAR_PIXELS + i];
        assert_true(a.x[i] == clean[i] + (g > 0 ? -3.0f : 3.0f));
    }
}

static void pgd__stays_in_its_ball_of_whole_values(void **state)
{
    struct linear_model *m = *state;
    for (int norm = 0; norm < 2; norm++)
        for (size_t n = 1; n <= 6; n++) {
            float clean[LINEAR_PIXELS];
            struct luc_victim v;
            const struct luc_attack_spec spec = { .kind = LUC_ATTACK_PGD,
                                                  .norm = norm ? LUC_NORM_L2 : LUC_NORM_LINF,
                                                  .epsilon = 0.5 + (double)n,
                                                  .steps = 4,
                                                  .starts = 2,
                                                  .confidence = 0.999,
                                                  .from = top_class(m),
                                                  .to = LUC_NONE };
            linear_model_again(m);
            struct luc_attack a = begin(m, &v, clean, &spec);
            while (!a.at.finished) {
                double sum = 0, most = 0;
                luc_attack_step(&a);
                for (size_t i = 0; i < LINEAR_PIXELS; i++) {
                    const double d = (double)a.x[i] - (double)clean[i];
                    sum += d * d;
                    most = fmax(most, fabs((double)a.found[i] - (double)clean[i]));
                    assert_true(a.found[i] == nearbyintf(a.found[i]));
                    assert_true(norm || fabs(d) <= spec.epsilon + 1e-5);
                }
                assert_true(sqrt(sum / LINEAR_PIXELS) <= spec.epsilon + 1e-4 || !norm);
                assert_true(norm || most <= (double)n);
            }
            assert_int_equal(a.at.total, 10);
        }
}

static const char *const attacks[] = { "gradient", "fgsm", "pgd", "deepfool", "cw" };
#define N_ATTACKS 5

/* Whatever is reported is what an ordinary upload of the returned picture is told. */
static void fool__every_attack_succeeds_on_the_returned_picture(void **state)
{
    struct linear_model *m = *state;
    static const char *const targets[] = { "none", "least", "top:2" };
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < N_ATTACKS; i++) {
            struct luc_error err = { 0 };
            linear_model_again(m);
            if (method_run(&m->run, &luc_method_fool,
                           SETTINGS({ "method", attacks[i] }, { "target", targets[t] },
                                    { "epsilon", "90" }, { "steps", "60" }),
                           &err))
                fail_msg("%s", err.text);
            const double told = method_item(m, "class_index")->number;
            const double rank =
                method_item(m, "before")->table.cells[t == 1 ? 3 * 4 + 1 : 4].number;
            assert_true(method_item(m, "success")->number == 1);
            assert_true(t == 0 ? told != (double)top_class(m) : told == rank);
            assert_true(method_item(m, "linf")->number >= 1);
            assert_string_equal(luc_result_first(&m->result, LUC_ITEM_PICTURE)->key, "picture");
            struct luc_image made = { 0 };
            assert_int_equal(luc_image_create(LINEAR_SIZE, LINEAR_SIZE, 3, &made, NULL), LUC_OK);
            memcpy(made.data, method_item(m, "picture")->picture.data, LINEAR_PIXELS);
            linear_model_again(m);
            m->run.pictures = luc_source_of(&made);
            assert_int_equal(method_run(&m->run, &luc_method_classify, NULL, NULL), LUC_OK);
            assert_true(method_item(m, "class_index")->number == told);
            luc_image_done(&made);
        }
}

static void fool__from_noise_reaches_the_confidence_asked_for(void **state)
{
    struct linear_model *m = *state;
    assert_int_equal(
        method_run(&m->run, &luc_method_fool,
                   SETTINGS({ "init", "noise" }, { "target", "cat" }, { "epsilon", "255" },
                            { "confidence", "0.6" }, { "method", "gradient" }),
                   NULL),
        LUC_OK);
    assert_string_equal(method_item(m, "class")->text, "cat");
    assert_true(method_item(m, "probability")->number >= 0.6);
}

static void fool__judged_as_jpeg_goes_on_until_that_wins(void **state)
{
    struct linear_model *m = *state;
    size_t lost = 0;
    for (int i = 0; i < 2; i++)
        for (int seed = 0; seed < 8; seed++) {
            linear_model_again(m);
            luc_rng_seed(&m->run.rng, (uint64_t)seed);
            assert_int_equal(
                method_run(&m->run, &luc_method_fool,
                           SETTINGS({ "judge", i ? "jpeg" : "png" }, { "jpeg_quality", "40" },
                                    { "epsilon", "60" }, { "steps", "60" }),
                           NULL),
                LUC_OK);
            const struct luc_cell *jpeg = method_item(m, "files")->table.cells + 4;
            assert_string_equal(jpeg[0].text, "jpeg");
            lost += i == 0 && jpeg[3].number == 0;
            assert_true(i == 0 || jpeg[3].number == 1);
            assert_true(method_item(m, "success")->number == 1);
            if (i)
                assert_true(method_item(m, "probability")->number == jpeg[2].number);
        }
    assert_true(lost > 0);
}

static void fool__names_the_parameter_at_fault(void **state)
{
    struct linear_model *m = *state;
    method_check_refused(m, &luc_method_fool, SETTINGS({ "target", "unicorn" }), LUC_NOT_FOUND,
                         "target");
    method_check_refused(m, &luc_method_fool, SETTINGS({ "target", "top" }), LUC_INVALID, "target");
    method_check_refused(m, &luc_method_fool, SETTINGS({ "target", "top:9" }), LUC_RANGE, "target");
    method_check_refused(m, &luc_method_fool, SETTINGS({ "method", "cw" }, { "norm", "linf" }),
                         LUC_INVALID, "norm");
}

static void fool__can_be_cancelled_at_every_tick(void **state)
{
    method_check_cancel(*state, &luc_method_fool, SETTINGS({ "steps", "6" }, { "starts", "2" }), 2);
}

/* ---- checkpoints ---------------------------------------------------------------------------------- */

struct keeper {
    struct luc_str checkpoint;
    int left; /* ticks until it is cancelled; negative: never */
};

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

static void keep(void *ctx, const void *bytes, size_t size)
{
    struct keeper *k = ctx;
    k->checkpoint.len = 0;
    luc_str_put(&k->checkpoint, bytes, size);
}

static bool tick(void *ctx, double progress)
{
    struct keeper *k = ctx;
    assert_true(progress >= 0 && progress <= 1);
    return k->left < 0 || k->left-- > 0;
}

static enum luc_status run_kept(struct linear_model *m, struct keeper *k, const char *attack,
                                uint8_t picture[LINEAR_PIXELS], double *passes)
{
    const struct luc_run_hooks hooks = { .ctx = k,
                                         .wants_checkpoint = yes,
                                         .save = keep,
                                         .checkpoint =
                                             k->checkpoint.len ? k->checkpoint.data : NULL,
                                         .checkpoint_size = k->checkpoint.len };
    linear_model_again(m);
    luc_rng_seed(&m->run.rng, 5);
    struct luc_run_hooks own = hooks;
    struct luc_str copy = { 0 }; /* it is written over while it is read from */
    luc_str_put(&copy, k->checkpoint.data, k->checkpoint.len);
    own.checkpoint = k->checkpoint.len ? copy.data : NULL;
    m->run.hooks = &own;
    m->run.tick = tick;
    m->run.tick_ctx = k;
    const enum luc_status st =
        method_run(&m->run, &luc_method_fool,
                   SETTINGS({ "method", attack }, { "steps", "4" }, { "starts", "2" },
                            { "confidence", "0.9" }, { "epsilon", "20" }),
                   NULL);
    luc_str_done(&copy);
    if (!st) {
        memcpy(picture, method_item(m, "picture")->picture.data, LINEAR_PIXELS);
        *passes = method_item(m, "steps")->number;
    }
    return st;
}

static void fool__goes_on_from_any_checkpoint_bit_for_bit(void **state)
{
    struct linear_model *m = *state;
    for (int i = 0; i < N_ATTACKS; i++) {
        uint8_t whole[LINEAR_PIXELS], resumed[LINEAR_PIXELS];
        double steps = 0, again = 0;
        struct keeper k = { .left = -1 };
        assert_int_equal(run_kept(m, &k, attacks[i], whole, &steps), LUC_OK);
        for (int after = 1; after < (int)steps; after++) {
            k.checkpoint.len = 0;
            k.left = after + 1;
            assert_int_equal(run_kept(m, &k, attacks[i], resumed, &again), LUC_CANCELLED);
            assert_true(k.checkpoint.len > 0);
            k.left = -1;
            assert_int_equal(run_kept(m, &k, attacks[i], resumed, &again), LUC_OK);
            assert_memory_equal(whole, resumed, sizeof(whole));
            assert_true(steps == again);
        }
        k.checkpoint.data[3] ^= 1; /* of another version: ignored */
        assert_int_equal(run_kept(m, &k, attacks[i], resumed, &again), LUC_OK);
        assert_memory_equal(whole, resumed, sizeof(whole));
        luc_str_done(&k.checkpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deepfool__finds_the_distance_to_the_nearest_border_exactly,
                                        setup, method_teardown),
        cmocka_unit_test_setup_teardown(fgsm__moves_every_pixel_by_epsilon_along_the_sign, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(pgd__stays_in_its_ball_of_whole_values, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(fool__every_attack_succeeds_on_the_returned_picture, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(fool__from_noise_reaches_the_confidence_asked_for, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(fool__judged_as_jpeg_goes_on_until_that_wins, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(fool__names_the_parameter_at_fault, setup, method_teardown),
        cmocka_unit_test_setup_teardown(fool__can_be_cancelled_at_every_tick, setup,
                                        method_teardown),
        cmocka_unit_test_setup_teardown(fool__goes_on_from_any_checkpoint_bit_for_bit, setup,
                                        method_teardown),
    };
    return cmocka_run_group_tests_name("method_fool", tests, NULL, NULL);
}
