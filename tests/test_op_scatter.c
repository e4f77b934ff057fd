/* Operators that move elements to or from named places, and their gradients. Values are the ONNX
 * project's cases. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void gradients__match_finite_difference(void **state)
{
    (void)state;
    const struct optest cases[] = {
        { .op = "GatherElements",
          .attrs = "axis=1",
          .n_in = 2,
          .in = { { .shape = DIMS(2, 3) },
                  { .shape = DIMS(2, 4),
                    .values = LIST(0, 2, 2, -1, 1, 1, 0, 2),
                    .dtype = LUC_I64 } } },
        { .op = "GatherND",
          .n_in = 2,
          .in = { { .shape = DIMS(3, 2, 2) },
                  { .shape = DIMS(3, 1), .values = LIST(2, 0, 2), .dtype = LUC_I64 } } },
        { .op = "GatherND",
          .attrs = "batch_dims=1",
          .n_in = 2,
          .in = { { .shape = DIMS(2, 3, 2) },
                  { .shape = DIMS(2, 1), .values = LIST(1, -1), .dtype = LUC_I64 } } },
        { .op = "ScatterElements",
          .attrs = "axis=1",
          .n_in = 3,
          .in = { { .shape = DIMS(2, 4) },
                  { .shape = DIMS(2, 3), .values = LIST(0, 3, 0, -1, 1, 3), .dtype = LUC_I64 },
                  { .shape = DIMS(2, 3) } } },
        { .op = "ScatterElements",
          .attrs = "axis=0 reduction=add",
          .n_in = 3,
          .in = { { .shape = DIMS(3, 2) },
                  { .shape = DIMS(3, 2), .values = LIST(0, 2, 0, 1, 2, 2), .dtype = LUC_I64 },
                  { .shape = DIMS(3, 2) } } },
        { .op = "ScatterND",
          .n_in = 3,
          .in = { { .shape = DIMS(4, 2) },
                  { .shape = DIMS(3, 1), .values = LIST(1, 3, 1), .dtype = LUC_I64 },
                  { .shape = DIMS(3, 2) } } },
        { .op = "ScatterND",
          .attrs = "reduction=add",
          .n_in = 3,
          .in = { { .shape = DIMS(4, 2) },
                  { .shape = DIMS(3, 2), .values = LIST(1, 1, 0, 0, 1, 1), .dtype = LUC_I64 },
                  { .shape = DIMS(3) } } },
        { .op = "TopK",
          .attrs = "axis=0",
          .n_in = 2,
          .in = { { .shape = DIMS(5, 3), .distinct = true }, KNOWN(1, 2) } },
        { .op = "TopK",
          .attrs = "largest=0",
          .n_in = 2,
          .n_out = 2,
          .in = { { .shape = DIMS(3, 5), .distinct = true }, KNOWN(1, 3) } },
        { .op = "Tile", .n_in = 2, .in = { { .shape = DIMS(2, 1, 3) }, KNOWN(3, 2, 3, 1) } },
        { .op = "SpaceToDepth",
          .attrs = "blocksize=2",
          .n_in = 1,
          .in = { { .shape = DIMS(2, 3, 4, 6) } } },
        { .op = "CumSum", .n_in = 2, .in = { { .shape = DIMS(3, 4) }, KNOWN(1, 1) } },
        { .op = "CumSum",
          .attrs = "exclusive=1 reverse=1",
          .n_in = 2,
          .in = { { .shape = DIMS(3, 4, 2) }, KNOWN(1, -2) } },
        { .op = "Trilu", .n_in = 2, .in = { { .shape = DIMS(2, 3, 4) }, KNOWN(1, -1) } },
        { .op = "Trilu", .attrs = "upper=0", .n_in = 1, .in = { { .shape = DIMS(3, 3) } } },
        { .op = "CastLike",
          .n_in = 2,
          .in = { { .shape = DIMS(3) }, { .shape = DIMS(1), .no_grad = true } } },
        { .op = "Crop",
          .attrs = "border=1,2,0,1",
          .n_in = 1,
          .in = { { .shape = DIMS(2, 2, 5, 4) } } },
        { .op = "ImageScaler",
          .attrs = "scale=0.5 bias=1,2",
          .n_in = 1,
          .in = { { .shape = DIMS(2, 2, 2, 2) } } },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        optest_gradient(&cases[i]);
}

static void windows_ml__operators_match_by_hand(void **state)
{
    (void)state;
    optest_values(
        &(struct optest){ .op = "ImageScaler",
                          .attrs = "scale=2 bias=1,-1",
                          .n_in = 1,
                          .in = { { .shape = DIMS(1, 2, 1, 2), .values = LIST(1, 2, 3, 4) } },
                          .shape = { DIMS(1, 2, 1, 2) },
                          .want = { LIST(3, 5, 5, 7) } });
    struct optest t = { .op = "Crop",
                        .attrs = "border=1,0,0,1",
                        .n_in = 1,
                        .in = { { .shape = DIMS(1, 1, 3, 3),
                                  .values = LIST(1, 2, 3, 4, 5, 6, 7, 8, 9) } },
                        .shape = { DIMS(1, 1, 2, 2) },
                        .want = { LIST(2, 3, 5, 6) } };
    optest_values(&t);
    t.attrs = "border=1,1,0,0 scale=1,2", t.shape[0] = (struct luc_shape)DIMS(1, 1, 1, 2);
    t.want[0] = LIST(5, 6);
    optest_values(&t);
    t.attrs = "border=1,1,0,0 scale=3,2";
    optest_refuses(&t, LUC_SHAPE, "more than there is");
}

static void indices__outside_are_refused_when_known(void **state)
{
    (void)state;
    struct optest t = {
        .op = "GatherElements",
        .n_in = 2,
        .in = { { .shape = DIMS(2, 2) },
                { .shape = DIMS(1, 2), .values = LIST(0, 2), .dtype = LUC_I64, .known = true } }
    };
    optest_refuses(&t, LUC_RANGE, "index 2");
    t.op = "GatherND";
    optest_refuses(&t, LUC_RANGE, "index 2");
    t.op = "TopK", t.in[1] = (struct gradcheck_in)KNOWN(1, 3);
    optest_refuses(&t, LUC_RANGE, "0 to 2");
    t.op = "Tile";
    optest_refuses(&t, LUC_SHAPE, "1 repeats");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients__match_finite_difference),
        cmocka_unit_test(windows_ml__operators_match_by_hand),
        cmocka_unit_test(indices__outside_are_refused_when_known),
    };
    return cmocka_run_group_tests_name("op_scatter", tests, NULL, NULL);
}
