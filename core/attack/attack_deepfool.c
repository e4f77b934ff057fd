/* attack_deepfool.c -- DEEPFOOL: the nearest border of the linearised classifier, again and again.
 *
 *   f_k = z_k - z_from (towards a wanted class: z_wanted - the highest other),  w_k = df_k / dx,  l = argmin_k |f_k| / |w_k|_q
 *   l2: r = |f_l| w_l / |w_l|_2^2     linf: r = |f_l| sign(w_l) / |w_l|_1
 *   x = x0 + (1 + overshoot) * sum of r
 *
 * Where x has crossed but its whole values have not, the overshoot doubles. */
#include "core/attack/attack.h"

#include <math.h>
#include <string.h>

#define OVERSHOOT_MIN 0.02
#define OVERSHOOT_MAX 1000.0
#define PAST          1e-4 /* logits: so that the border itself is passed */

/* The k-th class to be looked at, likeliest first, or LUC_NONE. */
static size_t candidate(const struct luc_attack *a, const float *logits, size_t after)
{
    size_t best = LUC_NONE;
    for (size_t k = 0; k < a->victim->n_classes; k++) {
        if (k == a->spec.from)
            continue;
        const bool later = after == LUC_NONE || logits[k] < logits[after] ||
                           (logits[k] == logits[after] && k > after);
        if (later && (best == LUC_NONE || logits[k] > logits[best]))
            best = k;
    }
    return best;
}

/* Gradient of z_k - z_from into a->other, and its dual norm. */
static double border(struct luc_attack *a, size_t k, size_t from)
{
    double sum = 0;
    memset(a->seed, 0, a->victim->n_classes * sizeof(float));
    a->seed[k] = 1;
    a->seed[from] = -1;
    luc_victim_gradient(a->victim, a->seed, a->other);
    for (size_t i = 0; i < a->victim->n; i++) {
        const double g = (double)a->other[i];
        sum += a->spec.norm == LUC_NORM_L2 ? g * g : fabs(g);
    }
    return a->spec.norm == LUC_NORM_L2 ? sqrt(sum) : sum;
}

/* Adds the way to the nearest border to the sum of steps, a->v. */
static void add_step(struct luc_attack *a)
{
    const float *logits = luc_attack_logits(a);
    const bool any = a->spec.to == LUC_NONE;
    const size_t from = any ? a->spec.from : luc_attack_rival(a, logits, a->spec.to);
    double least = HUGE_VAL, f = 0, size = 0;
    size_t k = LUC_NONE;
    for (size_t i = 0; i < (any ? a->spec.classes : 1); i++) {
        k = any ? candidate(a, logits, k) : a->spec.to;
        if (k == LUC_NONE)
            break;
        const double to = fabs((double)logits[k] - (double)logits[from]) + PAST;
        const double w = border(a, k, from);
        if (w > 0 && to / w < least) {
            least = to / w;
            f = to;
            size = w;
            memcpy(a->gradient, a->other, a->victim->n * sizeof(float));
        }
    }
    for (size_t i = 0; i < a->victim->n && size > 0; i++) {
        const double g = (double)a->gradient[i];
        a->v[i] += (float)(a->spec.norm == LUC_NORM_L2 ? f * g / (size * size)
                                                       : f / size * ((g > 0) - (g < 0)));
    }
}

void luc_attack_deepfool(struct luc_attack *a)
{
    const enum luc_try outcome = luc_attack_try(a);
    if (outcome == LUC_TRY_SUCCEEDED || a->at.step == a->spec.steps) {
        luc_attack_keep_try(a);
        a->at.finished = 1;
        return;
    }
    if (outcome == LUC_TRY_ROUNDED_AWAY && a->at.overshoot < OVERSHOOT_MAX)
        a->at.overshoot = fmax(2 * a->at.overshoot, OVERSHOOT_MIN);
    else
        add_step(a);
    for (size_t i = 0; i < a->victim->n; i++) {
        const float d = (float)(1 + a->at.overshoot) * a->v[i];
        a->x[i] = fminf(fmaxf(a->clean[i] + d, 0.0f), 255.0f);
    }
    a->at.step++;
}
