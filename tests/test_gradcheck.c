#include "tests/gradcheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void gradcheck__passes_a_correct_operator(void **state)
{
    (void)state;
    const struct gradcheck g = { .op = luc_op_find("Identity"),
                                 .n_in = 1,
                                 .in = { { .shape = luc_shape4(2, 3, 1, 2) } } };
    gradcheck_run(&g);
    gradcheck_threads(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradcheck__passes_a_correct_operator),
    };
    return cmocka_run_group_tests_name("gradcheck", tests, NULL, NULL);
}
