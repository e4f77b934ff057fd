/* The table of `lucida run --profile`. */
#include "server/commands/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void step(struct srv_profile *p, const char *name, size_t width, bool backward, double ms)
{
    char own[128]; /* gone when the step is over, as a network's names are */
    snprintf(own, sizeof(own), "%s", name);
    const struct luc_node node = { .op = luc_op_find("Conv"), .name = own };
    const struct luc_shape shape = luc_shape4(1, 3, 2, width);
    srv_profile_step(p, &(struct luc_timing){ &node, &shape, backward, ms, 1e6 });
    memset(own, 'x', sizeof(own));
}

static char *table(const struct srv_profile *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    srv_profile_print(p, f);
    fclose(f);
    return text;
}

static void profile__equal_steps_are_one_row(void **state)
{
    (void)state;
    struct srv_profile p = { 0 };
    step(&p, "first", 4, false, 1.0);
    step(&p, "second", 4, false, 4.0);
    step(&p, "first", 4, false, 2.0);
    step(&p, "first", 4, true, 2.0);
    step(&p, "first", 5, false, 1.0);
    char *text = table(&p);
    static const char *const want[] = {
        "Conv                   first                            1x3x2x4               2      "
        "3.000      0.7   30.0\n",
        "Conv                   second                           1x3x2x4               1      "
        "4.000      0.2   40.0\n",
        "first                            1x3x2x4               1      2.000      0.5   20.0  "
        "gradient\n",
        "first                            1x3x2x5               1      1.000      1.0   10.0\n",
        "sum                                                                           5     "
        "10.000      0.5  100.0\n",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        if (!strstr(text, want[i]))
            fail_msg("missing\n%sin\n%s", want[i], text);
    free(text);
    srv_profile_done(&p);
}

static void profile__many_rows_and_long_names(void **state)
{
    (void)state;
    struct srv_profile p = { 0 };
    char name[128];
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof(name), "%090d", i);
        step(&p, name, 4, false, 0.0);
    }
    assert_int_equal(p.n, 600);
    char *text = table(&p);
    assert_non_null(strstr(text, "0599 "));
    free(text);
    srv_profile_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile__equal_steps_are_one_row),
        cmocka_unit_test(profile__many_rows_and_long_names),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
