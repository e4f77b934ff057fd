/* The first steps of attacks on SqueezeNet beside PyTorch's. */
#include "core/attack/attack.h"
#include "tests/golden_util.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT    ((size_t)1 << 30)
#define WANTED   281
#define CW_STEPS 3
#define CW_BETA1 0.9f /* of its Adam */
#define DESCRIPTION                                                                                \
    "{\"name\": \"squeezenet1_1\", \"task\": \"classify\", \"file\": \"squeezenet1_1.onnx\","      \
    " \"input\": {\"channels\": \"RGB\", \"mean\": [123.675, 116.28, 103.53], \"scale\":"          \
    " [0.017124753831663668, 0.017507002801120448, 0.017429193899782137],"                         \
    " \"size\": [224, 224]}}"

struct bed {
    struct golden gold;
    struct luc_model *model;
    struct luc_image image;
    struct luc_arena *arena;
    struct luc_input_params input;
    struct luc_run run;
    struct luc_victim victim;
    float *clean;
};

static int setup(void **state)
{
    static struct bed b;
    char folder[512];
    struct luc_error err = { 0 };
    shared_file("models/squeezenet1_1.onnx", folder, sizeof(folder));
    *strrchr(folder, '/') = '\0';
    golden_open(&b.gold, "squeezenet_attack");
    if (luc_model_load(folder, DESCRIPTION, LIMIT, &b.model, &err))
        fail_msg("%s", err.text);
    assert_int_equal(luc_image_create(b.gold.width, b.gold.height, 3, &b.image, NULL), LUC_OK);
    golden_picture(&b.gold, b.image.data);
    b.arena = luc_arena_create(LIMIT);
    luc_params_default(luc_input_rows, &b.input);
    b.run = (struct luc_run){ .model = b.model,
                              .pictures = luc_source_of(&b.image),
                              .n_images = 1,
                              .input = &b.input,
                              .arena = b.arena };
    assert_int_equal(luc_victim_open(&b.run, &b.victim, &err), LUC_OK);
    b.clean = luc_arena_alloc(b.arena, b.victim.n, sizeof(float));
    assert_int_equal(luc_victim_picture(&b.victim, b.clean, &err), LUC_OK);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bed *b = *state;
    luc_arena_destroy(b->arena);
    luc_image_done(&b->image);
    luc_model_destroy(b->model);
    golden_done(&b->gold);
    return 0;
}

static struct luc_attack begin(struct bed *b, enum luc_attack_kind kind, enum luc_norm norm,
                               size_t to)
{
    const struct luc_attack_spec spec = { .kind = kind,
                                          .norm = norm,
                                          .epsilon = 8,
                                          .steps = CW_STEPS + 1,
                                          .starts = 1,
                                          .classes = 5,
                                          .from = b->gold.target,
                                          .to = to };
    struct luc_attack a;
    struct luc_rng rng;
    luc_rng_seed(&rng, 0);
    assert_int_equal(luc_attack_create(&spec, &b->victim, b->clean, &rng, &a, NULL), LUC_OK);
    return a;
}

static void compare(struct bed *b, const char *name, float *got)
{
    const struct luc_tensor t = { .shape = luc_shape4(1, 3, b->victim.height, b->victim.width),
                                  .data = got };
    golden_check(&b->gold, name, &t, 1e-3);
}

static void attack__slopes_match_pytorch(void **state)
{
    struct bed *b = *state;
    struct luc_attack a = begin(b, LUC_ATTACK_GRADIENT, LUC_NORM_L2, LUC_NONE);
    assert_int_equal(luc_attack_try(&a), LUC_TRY_FAILED);
    luc_attack_gradient(&a);
    compare(b, "leave", a.gradient);
    a = begin(b, LUC_ATTACK_GRADIENT, LUC_NORM_L2, WANTED);
    luc_victim_ask(&b->victim, b->clean);
    luc_attack_gradient(&a);
    compare(b, "towards", a.gradient);
}

static void attack__deepfools_first_step_matches_pytorch(void **state)
{
    struct bed *b = *state;
    struct luc_attack a = begin(b, LUC_ATTACK_DEEPFOOL, LUC_NORM_L2, LUC_NONE);
    luc_attack_step(&a);
    compare(b, "deepfool", a.v);
    a = begin(b, LUC_ATTACK_DEEPFOOL, LUC_NORM_LINF, LUC_NONE);
    luc_attack_step(&a);
    compare(b, "deepfool linf", a.v);
}

static void attack__cws_first_steps_match_pytorch(void **state)
{
    struct bed *b = *state;
    const size_t n = b->victim.n;
    struct luc_attack a = begin(b, LUC_ATTACK_CW, LUC_NORM_L2, LUC_NONE);
    float *slope = luc_arena_alloc(b->arena, n, sizeof(*slope));
    float *way = luc_arena_alloc(b->arena, n, sizeof(*way));
    luc_attack_step(&a);
    for (size_t i = 0; i < n; i++)
        slope[i] = a.m[i] / (1 - CW_BETA1);
    compare(b, "cw slope", slope);
    for (size_t i = 1; i < CW_STEPS; i++)
        luc_attack_step(&a);
    /* What no maximum comes from has no slope: there Adam divides rounding by rounding. */
    for (size_t i = 0; i < n; i++)
        if (fabsf(slope[i]) > 1e-6f)
            way[i] = a.w[i] - (float)atanh(0.999999 * ((double)b->clean[i] / 127.5 - 1));
    compare(b, "cw way", way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack__slopes_match_pytorch),
        cmocka_unit_test(attack__deepfools_first_step_matches_pytorch),
        cmocka_unit_test(attack__cws_first_steps_match_pytorch),
    };
    return cmocka_run_group_tests_name("golden_attack", tests, setup, teardown);
}
