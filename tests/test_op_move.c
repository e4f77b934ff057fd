/* Operators that move elements: Slice, Split, Transpose, Gather, Expand. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FAR 0x1p63f /* how INT64_MAX arrives */

static void slice__takes_ranges_of_indices(void **state)
{
    (void)state;
    struct optest t = { .op = "Slice",
                        .n_in = 5,
                        .in = { { .shape = DIMS(2, 5),
                                  .values = LIST(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) },
                                KNOWN(1, 1),
                                KNOWN(1, FAR),
                                KNOWN(1, -1),
                                KNOWN(1, 2) },
                        .shape = { DIMS(2, 2) },
                        .want = { LIST(1, 3, 6, 8) } };
    optest_values(&t);
    /* backwards from the end to before the beginning */
    t.in[1].values = LIST(-1), t.in[2].values = LIST(-FAR), t.in[4].values = LIST(-2);
    t.shape[0] = (struct luc_shape)DIMS(2, 3), t.want[0] = LIST(4, 2, 0, 9, 7, 5);
    optest_values(&t);
    /* a start before the beginning, going backwards, is the first element */
    t.in[1].values = LIST(-9), t.shape[0] = (struct luc_shape)DIMS(2, 1), t.want[0] = LIST(0, 5);
    optest_values(&t);
    /* nothing left */
    t.in[1].values = LIST(4), t.in[2].values = LIST(1), t.in[4].values = LIST(1);
    t.shape[0] = (struct luc_shape)DIMS(2, 0), t.want[0] = NULL;
    optest_values(&t);
    /* a step far past the end */
    t.in[1].values = LIST(3), t.in[2].values = LIST(FAR), t.in[4].values = LIST(FAR);
    t.shape[0] = (struct luc_shape)DIMS(2, 1), t.want[0] = LIST(3, 8);
    optest_values(&t);
    t.in[1].values = LIST(3), t.in[2].values = LIST(-FAR), t.in[4].values = LIST(-FAR);
    optest_values(&t);
}

static void slice__takes_attributes_before_opset_10(void **state)
{
    (void)state;
    optest_values(
        &(struct optest){ .op = "Slice",
                          .attrs = "starts=1,0 ends=2,-1",
                          .opset = 9,
                          .n_in = 1,
                          .in = { { .shape = DIMS(2, 3), .values = LIST(0, 1, 2, 3, 4, 5) } },
                          .shape = { DIMS(1, 2) },
                          .want = { LIST(3, 4) } });
}

static void slice__refuses_lists_that_do_not_fit(void **state)
{
    (void)state;
    struct optest t = {
        .op = "Slice",
        .n_in = 5,
        .in = { { .shape = DIMS(2, 5) }, KNOWN(1, 0), KNOWN(2, 1, 1), ABSENT, ABSENT }
    };
    optest_refuses(&t, LUC_SHAPE, "1 starts, 2 ends");
    t.in[2] = (struct gradcheck_in)KNOWN(1, 1), t.in[3] = (struct gradcheck_in)KNOWN(1, 2);
    optest_refuses(&t, LUC_SHAPE, "axis 2");
    t.in[3].values = LIST(0), t.in[4] = (struct gradcheck_in)KNOWN(1, 0);
    optest_refuses(&t, LUC_INVALID, "step of 0");
    t.in[1].known = false;
    optest_refuses(&t, LUC_UNSUPPORTED, "starts must be known");
}

static void slice__backward_matches_finite_difference(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){ .op = "Slice",
                                      .n_in = 5,
                                      .in = { { .shape = DIMS(3, 4, 5) },
                                              KNOWN(2, 1, -1),
                                              KNOWN(2, 4, 0),
                                              KNOWN(2, 1, 2),
                                              KNOWN(2, 2, -1) } });
}

static void split__cuts_into_parts(void **state)
{
    (void)state;
    struct optest t = { .op = "Split",
                        .attrs = "axis=1",
                        .n_in = 2,
                        .n_out = 2,
                        .in = { { .shape = DIMS(2, 3), .values = LIST(0, 1, 2, 3, 4, 5) },
                                KNOWN(2, 1, 2) },
                        .shape = { DIMS(2, 1), DIMS(2, 2) },
                        .want = { LIST(0, 3), LIST(1, 2, 4, 5) } };
    optest_values(&t);
    optest_gradient(&t);
    t.in[1].values = LIST(1, 1);
    optest_refuses(&t, LUC_SHAPE, "add up to 3");
    t.in[1].values = LIST(-1, 4);
    optest_refuses(&t, LUC_SHAPE, "add up to 3");
    t.n_in = 1;
    optest_refuses(&t, LUC_SHAPE, "cannot cut 3 into 2");
    t.opset = 18;
    t.shape[0] = (struct luc_shape)DIMS(2, 2), t.shape[1] = (struct luc_shape)DIMS(2, 1);
    t.want[0] = LIST(0, 1, 3, 4), t.want[1] = LIST(2, 5);
    optest_values(&t);
}

static void transpose__permutes(void **state)
{
    (void)state;
    struct optest t = { .op = "Transpose",
                        .n_in = 1,
                        .in = { { .shape = DIMS(2, 3), .values = LIST(0, 1, 2, 3, 4, 5) } },
                        .shape = { DIMS(3, 2) },
                        .want = { LIST(0, 3, 1, 4, 2, 5) } };
    optest_values(&t);
    t = (struct optest){ .op = "Transpose",
                         .attrs = "perm=0,2,3,1",
                         .n_in = 1,
                         .in = { { .shape = DIMS(1, 2, 1, 2), .values = LIST(0, 1, 2, 3) } },
                         .shape = { DIMS(1, 1, 2, 2) },
                         .want = { LIST(0, 2, 1, 3) } };
    optest_values(&t);
    t.attrs = "perm=0,1,1,2";
    optest_refuses(&t, LUC_SHAPE, "twice");
    t.attrs = "perm=1,0";
    optest_refuses(&t, LUC_SHAPE, "perm has 2");
}

static void transpose__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const perm[] = { "perm=3,1,0,2", "perm=0,2,3,1", "perm=0,1,2,3" };
    for (int i = 0; i < 3; i++)
        optest_gradient(&(struct optest){ .op = "Transpose",
                                          .attrs = perm[i],
                                          .n_in = 1,
                                          .in = { { .shape = DIMS(2, 3, 4, 2) } } });
}

static void gather__picks_rows(void **state)
{
    (void)state;
    struct optest t = { .op = "Gather",
                        .attrs = "axis=1",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 3), .values = LIST(0, 1, 2, 3, 4, 5) },
                                { .shape = DIMS(1, 2), .values = LIST(2, -3), .dtype = LUC_I64 } },
                        .shape = { DIMS(2, 1, 2) },
                        .want = { LIST(2, 0, 5, 3) } };
    optest_values(&t);
    /* unknown while planning: clamped, never out of bounds */
    t.in[1].values = LIST(99, -99);
    optest_values(&t);
    t.in[1].known = true;
    optest_refuses(&t, LUC_RANGE, "index 99 into 3");
    t.in[0].shape = (struct luc_shape)DIMS(2, 0);
    optest_refuses(&t, LUC_SHAPE, "empty");
    t = (struct optest){ .op = "Gather",
                         .n_in = 2,
                         .in = { KNOWN(3, 7, 8, 9),
                                 { .shape = SCALAR, .values = LIST(1), .dtype = LUC_I64 } },
                         .shape = { SCALAR },
                         .dtype = LUC_I64,
                         .want = { LIST(8) } };
    optest_values(&t);
}

static void gather__backward_adds_where_an_index_comes_twice(void **state)
{
    (void)state;
    optest_gradient(&(struct optest){
        .op = "Gather",
        .attrs = "axis=1",
        .n_in = 2,
        .in = { { .shape = DIMS(2, 4, 3) },
                { .shape = DIMS(2, 2), .values = LIST(3, 1, -1, 0), .dtype = LUC_I64 } } });
}

static void expand__broadcasts(void **state)
{
    (void)state;
    struct optest t = { .op = "Expand",
                        .n_in = 2,
                        .in = { { .shape = DIMS(2, 1), .values = LIST(1, 2) }, KNOWN(3, 2, 1, 3) },
                        .shape = { DIMS(2, 2, 3) },
                        .want = { LIST(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2) } };
    optest_values(&t);
    optest_gradient(&t);
    t.in[1].values = LIST(2, 3, 3);
    optest_refuses(&t, LUC_SHAPE, "broadcast");
    t.in[1].values = LIST(2, -1, 3);
    optest_refuses(&t, LUC_SHAPE, "not a size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice__takes_ranges_of_indices),
        cmocka_unit_test(slice__takes_attributes_before_opset_10),
        cmocka_unit_test(slice__refuses_lists_that_do_not_fit),
        cmocka_unit_test(slice__backward_matches_finite_difference),
        cmocka_unit_test(split__cuts_into_parts),
        cmocka_unit_test(transpose__permutes),
        cmocka_unit_test(transpose__backward_matches_finite_difference),
        cmocka_unit_test(gather__picks_rows),
        cmocka_unit_test(gather__backward_adds_where_an_index_comes_twice),
        cmocka_unit_test(expand__broadcasts),
    };
    return cmocka_run_group_tests_name("op_move", tests, NULL, NULL);
}
