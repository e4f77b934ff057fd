#include "core/generate/schedule.h"

#include <math.h>

#define SETTING_UP 2.0 /* the targets at a new size cost about as much as so many steps */
#define GRAIN      16  /* pixels; sizes chosen here are multiples */
#define STEPS_MOST 10000

static double area(size_t side)
{
    return (double)side * (double)side;
}

/* Pixels times steps of what remains with these steps. */
static double work(const struct luc_schedule *s, const size_t *steps, size_t at, size_t taken)
{
    double sum = 0;
    for (size_t i = at; i < s->n; i++)
        sum +=
            area(s->size[i]) * (i == at ? (double)steps[i] - fmin((double)taken, (double)steps[i])
                                        : (double)steps[i] + SETTING_UP);
    return sum;
}

/* Makes the last size one that a few steps can be afforded at, or leaves it out. */
static void shrink(struct luc_schedule *s, double few_too_many)
{
    const size_t last = s->n - 1;
    const double pixels = area(s->size[last]) - few_too_many / (LUC_STEPS_FEW + SETTING_UP);
    const size_t side = pixels > 0 ? (size_t)(sqrt(pixels) / GRAIN) * GRAIN : 0;
    if (4 * side >= 5 * s->size[last - 1])
        s->size[last] = side;
    else
        s->n--;
}

void luc_schedule_fit(struct luc_schedule *s, const struct luc_schedule *usual, size_t at,
                      size_t taken, double seconds, double left_s)
{
    const double can = fmax(left_s, 0) / seconds; /* pixels times steps */
    const size_t few[LUC_SIZES_MAX] = { LUC_STEPS_FEW, LUC_STEPS_FEW, LUC_STEPS_FEW,
                                        LUC_STEPS_FEW };
    while (s->n > at + 1 && work(s, few, at, taken) > can)
        shrink(s, work(s, few, at, taken) - can);
    double fixed = 0, wanted = 0;
    for (size_t i = at; i < s->n; i++) {
        wanted += area(s->size[i]) * (double)usual->steps[i];
        fixed += i == at ? -area(s->size[i]) * (double)taken : SETTING_UP * area(s->size[i]);
    }
    const double share = fmin(fmax((can - fixed) / wanted, 0), LUC_STEPS_MANIFOLD);
    for (size_t i = at; i < s->n; i++) {
        const double n = fmax(floor((double)usual->steps[i] * share), LUC_STEPS_FEW);
        const size_t steps = (size_t)fmin(n, STEPS_MOST);
        s->steps[i] = i == at && steps < taken ? taken : steps;
    }
}

void luc_schedule_print(const size_t *numbers, size_t n, struct luc_str *out)
{
    for (size_t i = 0; i < n; i++)
        luc_str_printf(out, "%s%zu", i ? "," : "", numbers[i]);
}
