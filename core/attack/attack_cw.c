/* attack_cw.c -- CW: the least squared change that still wins, by Adam, for several weights c.
 *
 *   x = 127.5 (tanh w + 1),  loss = |x - x0|^2 / 255^2 + c max(z_other - z_wanted, 0)
 *
 * (without a wanted class: z_from - z_other). The second term acts as long as the whole values of x do
 * not win. c is multiplied by ten until it wins, then bisected. */
#include "core/attack/attack.h"

#include <math.h>
#include <string.h>

#define RATE       0.01
#define BETA1      0.9
#define BETA2      0.999
#define TINY       1e-8
#define NEARLY_ONE 0.999999 /* black and white are infinitely far in w */

static void begin(struct luc_attack *a)
{
    const size_t n = a->victim->n;
    memset(a->m, 0, n * sizeof(float));
    memset(a->v, 0, n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        a->w[i] = (float)atanh(NEARLY_ONE * ((double)a->clean[i] / 127.5 - 1));
    a->at.won = 0;
}

static void next_c(struct luc_attack *a)
{
    struct luc_attack_at *at = &a->at;
    if (at->won)
        at->high = at->c;
    else
        at->low = at->c;
    at->c = isfinite(at->high) ? (at->low + at->high) / 2 : 10 * at->c;
    at->step = 0;
    at->start++;
    at->finished = at->start >= a->spec.starts;
}

/* c times the gradient of the difference of logits, into a->gradient; zero once it is won. */
static void push(struct luc_attack *a, enum luc_try outcome)
{
    const float *logits = luc_attack_logits(a), c = (float)a->at.c;
    const struct luc_attack_spec *s = &a->spec;
    const size_t down = s->to == LUC_NONE ? s->from : luc_attack_rival(a, logits, s->to);
    const size_t up = s->to == LUC_NONE ? luc_attack_rival(a, logits, s->from) : s->to;
    memset(a->gradient, 0, a->victim->n * sizeof(float));
    if (outcome == LUC_TRY_SUCCEEDED)
        return;
    memset(a->seed, 0, a->victim->n_classes * sizeof(float));
    a->seed[down] = c;
    a->seed[up] = -c;
    luc_victim_gradient(a->victim, a->seed, a->gradient);
}

static void adam(struct luc_attack *a)
{
    const double t = (double)a->at.step + 1, rate = a->spec.step > 0 ? a->spec.step : RATE;
    const double by1 = 1 / (1 - pow(BETA1, t)), by2 = 1 / (1 - pow(BETA2, t));
    for (size_t i = 0; i < a->victim->n; i++) {
        const double slope = 1 - pow(tanh((double)a->w[i]), 2);
        const double change = (double)a->x[i] - (double)a->clean[i];
        const double g = 127.5 * slope * ((double)a->gradient[i] + 2 * change / (255.0 * 255.0));
        a->m[i] = (float)(BETA1 * (double)a->m[i] + (1 - BETA1) * g);
        a->v[i] = (float)(BETA2 * (double)a->v[i] + (1 - BETA2) * g * g);
        a->w[i] -= (float)(rate * by1 * (double)a->m[i] / (sqrt(by2 * (double)a->v[i]) + TINY));
    }
}

void luc_attack_cw(struct luc_attack *a)
{
    if (a->at.step == 0)
        begin(a);
    for (size_t i = 0; i < a->victim->n; i++)
        a->x[i] = (float)(127.5 * (tanh((double)a->w[i]) + 1));
    const enum luc_try outcome = luc_attack_try(a);
    a->at.won |= outcome == LUC_TRY_SUCCEEDED;
    push(a, outcome);
    adam(a);
    if (++a->at.step == a->spec.steps) {
        luc_attack_keep_try(a);
        next_c(a);
    }
}
