#include "core/attack/attack.h"

#include "core/ask/target.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a checkpoint holds of each picture, in this order. */
#define N_KEPT 5

static void kept(const struct luc_attack *a, float *arrays[N_KEPT])
{
    float *const all[N_KEPT] = { a->x, a->found, a->m, a->v, a->w };
    memcpy(arrays, all, sizeof(all));
}

enum luc_status luc_attack_create(const struct luc_attack_spec *spec, struct luc_victim *victim,
                                  const float *clean, const struct luc_rng *rng,
                                  struct luc_attack *a, struct luc_error *err)
{
    struct luc_arena *arena = victim->run->arena;
    struct luc_attack made = { .spec = *spec, .victim = victim, .clean = clean };
    float **const pictures[] = { &made.x, &made.found,    &made.m,     &made.v,
                                 &made.w, &made.gradient, &made.other, &made.try };
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        *pictures[i] = luc_arena_alloc(arena, victim->n, sizeof(float));
        if (!*pictures[i])
            return luc_fail_nomem(err, "an attack", victim->n * sizeof(float));
    }
    made.seed = luc_arena_alloc(arena, victim->n_classes, sizeof(float));
    made.probability = luc_arena_alloc(arena, victim->n_classes, sizeof(double));
    if (!made.seed || !made.probability)
        return luc_fail_nomem(err, "an attack", victim->n_classes * sizeof(double));
    made.at = (struct luc_attack_at){
        .rng = *rng, .high = HUGE_VAL, .c = 1, .overshoot = spec->overshoot, .best = HUGE_VAL
    };
    if (!victim->dry) {
        memcpy(made.x, clean, victim->n * sizeof(float));
        memcpy(made.found, clean, victim->n * sizeof(float));
    }
    *a = made;
    return LUC_OK;
}

void luc_attack_step(struct luc_attack *a)
{
    a->at.total++;
    if (a->victim->dry)
        a->at.finished = 1;
    else if (a->spec.kind == LUC_ATTACK_DEEPFOOL)
        luc_attack_deepfool(a);
    else if (a->spec.kind == LUC_ATTACK_CW)
        luc_attack_cw(a);
    else
        luc_attack_descend(a);
}

size_t luc_attack_steps(const struct luc_attack_spec *spec)
{
    switch (spec->kind) {
    case LUC_ATTACK_FGSM: return 2;
    case LUC_ATTACK_GRADIENT:
    case LUC_ATTACK_DEEPFOOL: return spec->steps + 1;
    case LUC_ATTACK_PGD: return spec->starts * (spec->steps + 1);
    case LUC_ATTACK_CW: return spec->starts * spec->steps;
    }
    return 0;
}

/* ---- what counts ---------------------------------------------------------------------------------- */

size_t luc_attack_rival(const struct luc_attack *a, const float *logits, size_t except)
{
    size_t best = LUC_NONE;
    for (size_t k = 0; k < a->victim->n_classes; k++)
        if (k != except && (best == LUC_NONE || logits[k] > logits[best]))
            best = k;
    return best;
}

static void softmax(struct luc_attack *a, const float *logits)
{
    const struct luc_tensor row = { .shape = { 2, { 1, a->victim->n_classes } },
                                    .data = (float *)(uintptr_t)logits };
    luc_softmax(&row, a->probability);
}

bool luc_attack_wins(struct luc_attack *a, const float *logits)
{
    const struct luc_attack_spec *s = &a->spec;
    const size_t top = luc_attack_rival(a, logits, LUC_NONE);
    if (s->to == LUC_NONE ? top == s->from : top != s->to)
        return false;
    softmax(a, logits);
    return a->probability[top] >= s->confidence;
}

static double norm_of_change(const struct luc_attack *a, const float *picture)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < a->victim->n; i++) {
        const double d = (double)picture[i] - (double)a->clean[i];
        sum += d * d;
        most = fmax(most, fabs(d));
    }
    return a->spec.norm == LUC_NORM_L2 ? sqrt(sum) : most;
}

/* Whole values nearest to x, and in the linf ball where the attack keeps to it. */
static void round_picture(const struct luc_attack *a, float *to)
{
    const bool ball = a->spec.norm == LUC_NORM_LINF && a->spec.kind <= LUC_ATTACK_PGD;
    const float e = ball ? (float)floor(a->spec.epsilon) : 255.0f;
    for (size_t i = 0; i < a->victim->n; i++) {
        const float lo = fmaxf(a->clean[i] - e, 0), hi = fminf(a->clean[i] + e, 255);
        to[i] = fminf(fmaxf(nearbyintf(a->x[i]), lo), hi);
    }
}

const float *luc_attack_logits(const struct luc_attack *a)
{
    return luc_exec_value(a->victim->exec, a->victim->run->model->logits)->data;
}

enum luc_try luc_attack_try(struct luc_attack *a)
{
    if (!luc_attack_wins(a, luc_victim_ask(a->victim, a->x)))
        return LUC_TRY_FAILED;
    round_picture(a, a->try);
    const double norm = norm_of_change(a, a->try);
    if (a->at.succeeded && norm >= a->at.best)
        return LUC_TRY_SUCCEEDED;
    if (!luc_attack_wins(a, luc_victim_ask(a->victim, a->try)))
        return LUC_TRY_ROUNDED_AWAY;
    if (a->also && !a->also(a->also_ctx, a->try))
        return LUC_TRY_ROUNDED_AWAY;
    memcpy(a->found, a->try, a->victim->n * sizeof(float));
    a->at.best = norm;
    a->at.succeeded = 1;
    return LUC_TRY_SUCCEEDED;
}

void luc_attack_keep_try(struct luc_attack *a)
{
    if (!a->at.succeeded)
        round_picture(a, a->found);
}

void luc_attack_gradient(struct luc_attack *a)
{
    const struct luc_attack_spec *s = &a->spec;
    const float *logits = luc_attack_logits(a);
    const float sign = s->to == LUC_NONE ? -1.0f : 1.0f;
    softmax(a, logits);
    for (size_t k = 0; k < a->victim->n_classes; k++) {
        const double one = k == (s->to == LUC_NONE ? s->from : s->to) ? 1 : 0;
        a->seed[k] = sign * (float)(a->probability[k] - one);
    }
    luc_victim_gradient(a->victim, a->seed, a->gradient);
}

/* ---- checkpoints ---------------------------------------------------------------------------------- */

#define KEY_SIZE 256

/* What a checkpoint must agree in. */
static void print_key(const struct luc_attack *a, char key[KEY_SIZE])
{
    const struct luc_attack_spec *s = &a->spec;
    memset(key, 0, KEY_SIZE);
    snprintf(key, KEY_SIZE, "luc_attack 1: %d %d %.17g %.17g %zu %zu %zu %.17g %.17g %zu %zu %zu",
             (int)s->kind, (int)s->norm, s->epsilon, s->step, s->steps, s->starts, s->classes,
             s->overshoot, s->confidence, s->from, s->to, a->victim->n);
}

void luc_attack_save(const struct luc_attack *a, struct luc_str *out)
{
    float *arrays[N_KEPT];
    char key[KEY_SIZE];
    const uint64_t passes = a->victim->passes;
    kept(a, arrays);
    print_key(a, key);
    luc_str_put(out, key, sizeof(key));
    luc_str_put(out, &a->at, sizeof(a->at));
    luc_str_put(out, &passes, sizeof(passes));
    for (size_t i = 0; i < N_KEPT; i++)
        luc_str_put(out, arrays[i], a->victim->n * sizeof(float));
}

enum luc_status luc_attack_restore(struct luc_attack *a, const void *bytes, size_t size,
                                   struct luc_error *err)
{
    float *arrays[N_KEPT];
    const size_t picture = a->victim->n * sizeof(float);
    const char *p = bytes;
    uint64_t passes;
    char key[KEY_SIZE];
    print_key(a, key);
    if (size != sizeof(key) + sizeof(a->at) + sizeof(passes) + N_KEPT * picture ||
        memcmp(p, key, sizeof(key)) != 0)
        return luc_fail(err, LUC_FORMAT, "the checkpoint is not of this attack");
    p += sizeof(key);
    memcpy(&a->at, p, sizeof(a->at));
    memcpy(&passes, p + sizeof(a->at), sizeof(passes));
    p += sizeof(a->at) + sizeof(passes);
    a->victim->passes = passes;
    kept(a, arrays);
    for (size_t i = 0; i < N_KEPT; i++)
        memcpy(arrays[i], p + i * picture, picture);
    return LUC_OK;
}
