/* Einsum and GridSample: values are the ONNX project's cases, gradients are checked here. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void einsum__backward_matches_finite_difference(void **state)
{
    (void)state;
    const struct optest cases[] = {
        { .op = "Einsum",
          .attrs = "equation=ij,jk->ik",
          .n_in = 2,
          .in = { { .shape = DIMS(3, 4) }, { .shape = DIMS(4, 2) } } },
        { .op = "Einsum",
          .attrs = "equation=bij,bkj->bik",
          .n_in = 2,
          .in = { { .shape = DIMS(2, 3, 4) }, { .shape = DIMS(2, 5, 4) } } },
        { .op = "Einsum",
          .attrs = "equation=...ii->...i",
          .n_in = 1,
          .in = { { .shape = DIMS(2, 3, 3) } } },
        { .op = "Einsum", .attrs = "equation=ij->", .n_in = 1, .in = { { .shape = DIMS(3, 4) } } },
        { .op = "Einsum",
          .attrs = "equation=...j,j...->j...",
          .n_in = 2,
          .in = { { .shape = DIMS(1, 3, 4) }, { .shape = DIMS(4, 2, 3) } } },
        { .op = "Einsum",
          .attrs = "equation=ab,bc,cd",
          .n_in = 3,
          .in = { { .shape = DIMS(2, 3) }, { .shape = DIMS(3, 2) }, { .shape = DIMS(2, 4) } } },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        optest_gradient(&cases[i]);
}

static void einsum__refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct optest t = { .op = "Einsum",
                        .attrs = "equation=ij,jk->ik",
                        .n_in = 2,
                        .in = { { .shape = DIMS(3, 4) }, { .shape = DIMS(5, 2) } } };
    optest_refuses(&t, LUC_SHAPE, "long");
    t.attrs = "equation=ij,jk->iz", t.in[1].shape = (struct luc_shape)DIMS(4, 2);
    optest_refuses(&t, LUC_INVALID, "of its own");
    t.attrs = "equation=ij->i";
    optest_refuses(&t, LUC_SHAPE, "inputs");
    t.attrs = "equation=ijk,jk->i";
    optest_refuses(&t, LUC_SHAPE, "axes");
}

static void grid_sample__backward_matches_finite_difference(void **state)
{
    (void)state;
    static const char *const modes[] = { "linear", "cubic" };
    static const char *const pads[] = { "zeros", "border", "reflection" };
    static const float grid[] = { -0.61f, -0.37f, 0.13f,  0.71f, 0.42f, -0.83f,
                                  1.31f,  0.22f,  -1.42f, 0.55f, 0.07f, -1.27f };
    for (int m = 0; m < 2; m++)
        for (int p = 0; p < 3; p++)
            for (int align = 0; align < 2; align++) {
                char attrs[96];
                snprintf(attrs, sizeof(attrs), "mode=%s padding_mode=%s align_corners=%d", modes[m],
                         pads[p], align);
                optest_gradient(
                    &(struct optest){ .op = "GridSample",
                                      .attrs = attrs,
                                      .n_in = 2,
                                      .in = { { .shape = DIMS(1, 2, 4, 5) },
                                              { .shape = DIMS(1, 2, 3, 2), .values = grid } },
                                      .tol = 1e-2 });
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(einsum__backward_matches_finite_difference),
        cmocka_unit_test(einsum__refuses_what_does_not_fit),
        cmocka_unit_test(grid_sample__backward_matches_finite_difference),
    };
    return cmocka_run_group_tests_name("op_einsum", tests, NULL, NULL);
}
