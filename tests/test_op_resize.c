/* Resize and Upsample. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REALS(n, ...)                                                                              \
    {                                                                                              \
        .shape = DIMS(n), .values = LIST(__VA_ARGS__), .known = true                               \
    }

static void upsample__repeats_or_interpolates(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Upsample",
        .opset = 9,
        .n_in = 2,
        .in = { { .shape = DIMS(1, 1, 2, 2), .values = LIST(1, 2, 3, 4) }, REALS(4, 1, 1, 2, 3) },
        .shape = { DIMS(1, 1, 4, 6) },
        .want = { LIST(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4) }
    };
    optest_values(&t);
    t = (struct optest){ .op = "Upsample",
                         .attrs = "mode=linear scales=2",
                         .opset = 7,
                         .n_in = 1,
                         .in = { { .shape = DIMS(2), .values = LIST(1, 2) } },
                         .shape = { DIMS(4) },
                         .want = { LIST(1, 1.5f, 2, 2) } };
    optest_values(&t);
    t.attrs = "scales=0.5";
    optest_refuses(&t, LUC_SHAPE, "scale of 0.5");
    t.attrs = "scales=2,2";
    optest_refuses(&t, LUC_SHAPE, "2 scales for 1 axes");
}

/* [1 2 3 4], worked out by hand from the definitions */
static void resize__looks_where_the_coordinate_mode_says(void **state)
{
    (void)state;
    static const struct {
        const char *attrs;
        float scale, want[8];
        size_t n;
    } rows[] = {
        { "mode=linear", 2, { 1, 1.25f, 1.75f, 2.25f, 2.75f, 3.25f, 3.75f, 4 }, 8 },
        { "mode=linear coordinate_transformation_mode=asymmetric",
          2,
          { 1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4 },
          8 },
        { "mode=linear coordinate_transformation_mode=align_corners",
          1.75f,
          { 1, 1.5f, 2, 2.5f, 3, 3.5f, 4 },
          7 },
        { "mode=linear coordinate_transformation_mode=align_corners",
          0.625f,
          { 1, 3 }, /* 1 * (4 - 1) / (2.5 - 1) */
          2 },
        { "mode=linear coordinate_transformation_mode=pytorch_half_pixel", 0.25f, { 1 }, 1 },
        { "mode=linear", 0.25f, { 2.5f }, 1 },
        { "mode=linear", 0.5f, { 1.5f, 3.5f }, 2 },
        { "mode=nearest", 2, { 1, 1, 2, 2, 3, 3, 4, 4 }, 8 },
        { "nearest_mode=round_prefer_floor", 0.5f, { 1, 3 }, 2 },
        { "nearest_mode=round_prefer_ceil", 0.5f, { 2, 4 }, 2 },
        { "nearest_mode=floor coordinate_transformation_mode=asymmetric",
          1.6f,
          { 1, 1, 2, 2, 3, 4 },
          6 },
        { "nearest_mode=ceil coordinate_transformation_mode=asymmetric", 0.75f, { 1, 3, 4 }, 3 },
        { "coordinate_transformation_mode=tf_half_pixel_for_nn nearest_mode=floor",
          0.5f,
          { 2, 4 },
          2 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        optest_values(&(struct optest){
            .op = "Resize",
            .attrs = rows[i].attrs,
            .n_in = 3,
            .in = { { .shape = DIMS(4), .values = LIST(1, 2, 3, 4) },
                    ABSENT,
                    { .shape = DIMS(1), .values = &rows[i].scale, .known = true } },
            .shape = { DIMS(rows[i].n) },
            .want = { rows[i].want } });
}

/* Between equal neighbours cubic weights must add up to one; on a line they must keep the line. */
static void resize__cubic_keeps_a_line_inside(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Resize",
        .attrs = "mode=cubic coordinate_transformation_mode=align_corners cubic_coeff_a=-0.5",
        .n_in = 4,
        .in = { { .shape = DIMS(5), .values = LIST(0, 1, 2, 3, 4) }, ABSENT, ABSENT, KNOWN(1, 9) },
        .shape = { DIMS(9) }
    };
    /* past the border the line is bent: 4.5 -> weights -1/16, 9/16, 9/16, -1/16 of 2, 3, 4, 4 */
    t.want[0] = LIST(0, 0.4375f, 1, 1.5f, 2, 2.5f, 3, 3.5625f, 4);
    optest_values(&t);
    t.in[0].values = LIST(2, 2, 2, 2, 2), t.want[0] = LIST(2, 2, 2, 2, 2, 2, 2, 2, 2);
    optest_values(&t);
    t.attrs = "mode=cubic exclude_outside=1";
    optest_values(&t);
}

static void resize__takes_sizes_and_axes(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Resize",
        .attrs = "axes=-1",
        .opset = 18,
        .n_in = 4,
        .in = { { .shape = DIMS(2, 2), .values = LIST(1, 2, 3, 4) }, ABSENT, ABSENT, KNOWN(1, 4) },
        .shape = { DIMS(2, 4) },
        .want = { LIST(1, 1, 2, 2, 3, 3, 4, 4) }
    };
    optest_values(&t);
    /* opset 10: (x, scales), asymmetric, floor */
    t = (struct optest){ .op = "Resize",
                         .attrs = "mode=linear",
                         .opset = 10,
                         .n_in = 2,
                         .in = { { .shape = DIMS(2), .values = LIST(1, 2) }, REALS(1, 2) },
                         .shape = { DIMS(4) },
                         .want = { LIST(1, 1.5f, 2, 2) } };
    optest_values(&t);
}

static void resize__refuses_what_it_cannot_do_by_name(void **state)
{
    (void)state;
    struct optest t = { .op = "Resize",
                        .attrs = "coordinate_transformation_mode=tf_crop_and_resize",
                        .n_in = 3,
                        .in = { { .shape = DIMS(4) }, ABSENT, REALS(1, 0.5f) } };
    optest_refuses(&t, LUC_UNSUPPORTED, "tf_crop_and_resize");
    t.attrs = "antialias=1";
    optest_refuses(&t, LUC_UNSUPPORTED, "antialias");
    t.attrs = "keep_aspect_ratio_policy=not_larger";
    optest_refuses(&t, LUC_UNSUPPORTED, "keep_aspect_ratio_policy");
    t.attrs = NULL, t.in[2].values = LIST(-1);
    optest_refuses(&t, LUC_SHAPE, "scale of -1");
    t.in[2].values = LIST(9e8f), t.in[0].shape = (struct luc_shape)DIMS(400);
    optest_refuses(&t, LUC_TOO_LARGE, "2^34");
    t.n_in = 1;
    optest_refuses(&t, LUC_SHAPE, "0 scales");
}

static void resize__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const mode[] = { "mode=nearest", "mode=linear", "mode=cubic",
                                        "mode=cubic exclude_outside=1" };
    static const float scales[][4] = {
        { 1, 1, 2, 3 }, { 1, 1, 0.6f, 1.7f }, { 1, 1, 1, 0.5f }, { 2, 1.5f, 1, 2 }, { 1, 1, 1, 1 }
    };
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 5; k++)
            optest_gradient(&(struct optest){
                .op = "Resize",
                .attrs = mode[i],
                .n_in = 3,
                .in = { { .shape = DIMS(2, 2, 3, 4) },
                        ABSENT,
                        { .shape = DIMS(4), .values = scales[k], .known = true } } });
    for (int i = 0; i < 2; i++)
        optest_gradient(
            &(struct optest){ .op = "Upsample",
                              .attrs = mode[i],
                              .opset = 9,
                              .n_in = 2,
                              .in = { { .shape = DIMS(1, 2, 3, 2) }, REALS(4, 1, 1, 2, 2) } });
}

static void resize__gives_the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    optest_threads(&(struct optest){
        .op = "Resize",
        .attrs = "mode=linear",
        .n_in = 3,
        .in = { { .shape = DIMS(1, 8, 40, 50) }, ABSENT, REALS(4, 1, 1, 2.5f, 1.5f) } });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upsample__repeats_or_interpolates),
        cmocka_unit_test(resize__looks_where_the_coordinate_mode_says),
        cmocka_unit_test(resize__cubic_keeps_a_line_inside),
        cmocka_unit_test(resize__takes_sizes_and_axes),
        cmocka_unit_test(resize__refuses_what_it_cannot_do_by_name),
        cmocka_unit_test(resize__backward_matches_finite_difference),
        cmocka_unit_test(resize__gives_the_same_bits_for_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("op_resize", tests, NULL, NULL);
}
