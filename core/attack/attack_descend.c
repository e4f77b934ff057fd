/* attack_descend.c -- GRADIENT, FGSM and PGD: steps along the gradient inside a ball. */
#include "core/attack/attack.h"

#include <math.h>

/* In gray levels per value, so that both norms' numbers mean the same size of change. */
static double step_length(const struct luc_attack_spec *s)
{
    return s->kind == LUC_ATTACK_FGSM ? s->epsilon
           : s->step > 0              ? s->step
                                      : 2.5 * s->epsilon / (double)s->steps;
}

static double norm2(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

/* x -= length * direction of the gradient; nothing where it is zero. */
static void move(struct luc_attack *a)
{
    const size_t n = a->victim->n;
    const double length = step_length(&a->spec);
    const bool sign = a->spec.norm == LUC_NORM_LINF && a->spec.kind != LUC_ATTACK_GRADIENT;
    const double size = norm2(a->gradient, n);
    const double by = size > 0 ? length * sqrt((double)n) / size : 0;
    for (size_t i = 0; i < n; i++) {
        const double g = (double)a->gradient[i];
        a->x[i] -= (float)(sign ? length * ((g > 0) - (g < 0)) : by * g);
    }
}

/* Onto the ball around the picture, and into 0..255. */
static void project(struct luc_attack *a)
{
    const size_t n = a->victim->n;
    float e = (float)a->spec.epsilon, by = 1;
    if (a->spec.norm == LUC_NORM_L2) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += pow((double)a->x[i] - (double)a->clean[i], 2);
        const double rms = sqrt(sum / (double)n);
        by = rms > a->spec.epsilon ? (float)(a->spec.epsilon / rms) : 1;
        e = 255;
    }
    for (size_t i = 0; i < n; i++) {
        const float d = fminf(fmaxf(by * (a->x[i] - a->clean[i]), -e), e);
        a->x[i] = fminf(fmaxf(a->clean[i] + d, 0.0f), 255.0f);
    }
}

/* A point of the ball: uniform (linf), or a uniform direction and length (l2). */
static void start_anywhere(struct luc_attack *a)
{
    const size_t n = a->victim->n;
    const double e = a->spec.epsilon;
    for (size_t i = 0; i < n; i++)
        a->x[i] = (float)(a->spec.norm == LUC_NORM_LINF ? e * (2 * luc_rng_uniform(&a->at.rng) - 1)
                                                        : luc_rng_normal(&a->at.rng));
    double by = 1;
    if (a->spec.norm == LUC_NORM_L2)
        by = luc_rng_uniform(&a->at.rng) * e * sqrt((double)n) / norm2(a->x, n);
    for (size_t i = 0; i < n; i++)
        a->x[i] = (float)(by * (double)a->x[i]) + a->clean[i];
    project(a);
}

void luc_attack_descend(struct luc_attack *a)
{
    const bool pgd = a->spec.kind == LUC_ATTACK_PGD;
    const size_t steps = a->spec.kind == LUC_ATTACK_FGSM ? 1 : a->spec.steps;
    if (a->at.step == 0 && pgd)
        start_anywhere(a);
    if (luc_attack_try(a) == LUC_TRY_SUCCEEDED) {
        a->at.finished = 1;
        return;
    }
    if (a->at.step == steps) { /* that was the look at the last step's result */
        luc_attack_keep_try(a);
        a->at.step = 0;
        a->at.start++;
        a->at.finished = !pgd || a->at.start >= a->spec.starts;
        return;
    }
    luc_attack_gradient(a);
    move(a);
    project(a);
    a->at.step++;
}
