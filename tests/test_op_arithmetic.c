/* Operators of two broadcast inputs. */
#include "tests/optest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Shapes that meet every branch of the broadcasting loops. */
static const struct luc_shape pairs[][2] = {
    { DIMS(2, 3, 4), DIMS(2, 3, 4) },
    { DIMS(2, 3, 4), DIMS(3, 1) },
    { DIMS(2, 3, 4), DIMS(4) },
    { DIMS(2, 3, 4), SCALAR },
    { DIMS(3, 1), DIMS(2, 1, 4) },
    { SCALAR, DIMS(5) },
    { SCALAR, SCALAR },
    { DIMS(2, 1, 3), DIMS(2, 4, 1) },
    { DIMS(1, 4), DIMS(3, 1) },
};

static void check_gradients(const char *op, double lo, double hi)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        optest_gradient(&(struct optest){ .op = op,
                                          .n_in = 2,
                                          .in = { { .shape = pairs[i][0], .lo = lo, .hi = hi },
                                                  { .shape = pairs[i][1], .lo = lo, .hi = hi } } });
}

static void add__broadcasts_both_ways(void **state)
{
    (void)state;
    optest_values(&(struct optest){ .op = "Add",
                                    .n_in = 2,
                                    .in = { { .shape = DIMS(2, 1), .values = LIST(10, 20) },
                                            { .shape = DIMS(3), .values = LIST(1, 2, 3) } },
                                    .shape = { DIMS(2, 3) },
                                    .want = { LIST(11, 12, 13, 21, 22, 23) } });
    optest_refuses(&(struct optest){ .op = "Add",
                                     .n_in = 2,
                                     .in = { { .shape = DIMS(2, 3) }, { .shape = DIMS(2) } } },
                   LUC_SHAPE, "cannot broadcast 2x3 with 2");
}

static void add__backward_matches_finite_difference(void **state)
{
    (void)state;
    check_gradients("Add", 0, 0);
    /* wide enough for several blocks and pieces */
    optest_gradient(&(struct optest){
        .op = "Add",
        .n_in = 2,
        .in = { { .shape = DIMS(1, 2, 9000), .no_grad = true }, { .shape = DIMS(2, 1) } } });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__broadcasts_both_ways),
        cmocka_unit_test(add__backward_matches_finite_difference),
    };
    return cmocka_run_group_tests_name("op_arithmetic", tests, NULL, NULL);
}
