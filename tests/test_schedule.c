#include "core/generate/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct luc_schedule usual = { 3, { 128, 256, 512 }, { 60, 60, 60 } };

/* Seconds of the steps that are still to come, at one microsecond for each pixel. */
static double seconds(const struct luc_schedule *s, size_t at, size_t taken)
{
    double sum = 0;
    for (size_t i = at; i < s->n; i++)
        sum += 1e-6 * (double)(s->size[i] * s->size[i]) *
               (double)(i == at ? s->steps[i] - taken : s->steps[i] + 2);
    return sum;
}

static struct luc_schedule fit(size_t at, size_t taken, double left_s)
{
    struct luc_schedule s = usual;
    luc_schedule_fit(&s, &usual, at, taken, 1e-6, left_s);
    return s;
}

/* All 60 steps take 20.6 s, with setting up 21.3 s. */
static void schedule__any_budget_is_used_and_not_passed(void **state)
{
    (void)state;
    for (double left = 1; left < 80; left *= 1.3) {
        const struct luc_schedule s = fit(0, 3, left);
        assert_true(seconds(&s, 0, 3) <= left);
        assert_true(seconds(&s, 0, 3) > 0.7 * left || s.size[s.n - 1] < 512);
        for (size_t i = 0; i < s.n; i++)
            assert_in_range(s.steps[i], LUC_STEPS_FEW, 60 * LUC_STEPS_MANIFOLD);
    }
}

static void schedule__the_usual_time_gives_the_usual_steps(void **state)
{
    (void)state;
    const struct luc_schedule s = fit(0, 0, seconds(&usual, 0, 0) + 1e-9);
    assert_memory_equal(&s, &usual, sizeof(s));
}

static void schedule__little_time_makes_the_picture_smaller(void **state)
{
    (void)state;
    const struct luc_schedule less = fit(0, 3, 2.4), least = fit(0, 3, 0.9);
    assert_int_equal(less.n, 3);
    assert_in_range(less.size[2], 320, 496);
    assert_int_equal(least.n, 2);
    assert_int_equal(least.size[1], 256);
}

static void schedule__steps_that_were_taken_stay(void **state)
{
    (void)state;
    const struct luc_schedule late = fit(2, 40, -5), one = fit(0, 20, 0.01);
    assert_int_equal(late.n, 3);
    assert_int_equal(late.steps[2], 40);
    assert_int_equal(late.steps[0], 60);
    assert_int_equal(one.n, 1);
    assert_int_equal(one.steps[0], 20);
}

static void schedule__much_time_is_not_wasted(void **state)
{
    (void)state;
    assert_int_equal(fit(0, 0, 1e9).steps[2], 60 * LUC_STEPS_MANIFOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule__any_budget_is_used_and_not_passed),
        cmocka_unit_test(schedule__the_usual_time_gives_the_usual_steps),
        cmocka_unit_test(schedule__little_time_makes_the_picture_smaller),
        cmocka_unit_test(schedule__steps_that_were_taken_stay),
        cmocka_unit_test(schedule__much_time_is_not_wasted),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
