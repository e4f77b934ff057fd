#include "core/generate/optimiser.h"

#include "core/generate/lbfgs.h"
#include "core/generate/vector.h"
#include "core/kernels/clones.h"

#include <assert.h>
#include <math.h>

#define DEFAULT_PAIRS 20

static size_t vectors_of(const struct luc_optimiser_spec *s)
{
    if (luc_optimiser_is_lbfgs(s))
        return luc_lbfgs_vectors(s);
    return s->kind == LUC_ADAM ? 2 : 0; /* two moments */
}

enum luc_status luc_optimiser_init(struct luc_optimiser *o, const struct luc_optimiser_spec *spec,
                                   size_t n, struct luc_arena *arena, struct luc_error *err)
{
    struct luc_optimiser fresh = { .spec = *spec, .n = n, .at = { .scale = 1 } };
    struct luc_optimiser_spec *s = &fresh.spec;
    if (s->beta1 == 0 && s->beta2 == 0 && s->epsilon == 0) {
        s->beta1 = 0.9;
        s->beta2 = 0.999;
        s->epsilon = 1e-8;
    }
    s->pairs = s->pairs ? s->pairs : DEFAULT_PAIRS;
    assert(s->pairs <= LUC_LBFGS_PAIRS);
    fresh.state_n = vectors_of(s) * n;
    fresh.state = luc_arena_alloc(arena, fresh.state_n, sizeof(float));
    if (!fresh.state)
        return luc_fail_nomem(err, "optimiser", fresh.state_n * sizeof(float));
    *o = fresh;
    return LUC_OK;
}

struct adam {
    float b1, b2, c1, c2, rate, root, epsilon;
    float *m, *v, *x;
    const float *g;
};

LUC_CLONES
static void adam_part(const struct adam *a, float *restrict m, float *restrict v, float *restrict x,
                      const float *restrict g, size_t n)
{
    const float b1 = a->b1, b2 = a->b2, c1 = a->c1, c2 = a->c2;
    const float rate = a->rate, root = a->root, epsilon = a->epsilon;
    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + c1 * g[i];
        v[i] = b2 * v[i] + c2 * g[i] * g[i];
        x[i] -= rate * m[i] / (sqrtf(v[i]) / root + epsilon);
    }
}

static void adam_body(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct adam *a = ctx;
    (void)sums;
    adam_part(a, a->m + from, a->v + from, a->x + from, a->g + from, n);
}

static void adam(struct luc_optimiser *o, float *x, const float *g)
{
    const struct luc_optimiser_spec *s = &o->spec;
    const double t = (double)o->at.step + 1;
    const double warmth = t < (double)s->warm ? t / (double)s->warm : 1;
    struct adam a = { .b1 = (float)s->beta1,
                      .b2 = (float)s->beta2,
                      .c1 = (float)(1 - s->beta1),
                      .c2 = (float)(1 - s->beta2),
                      .rate = (float)(warmth * s->rate / (1 - pow(s->beta1, t))),
                      .root = (float)sqrt(1 - pow(s->beta2, t)),
                      .epsilon = (float)s->epsilon,
                      .m = o->state,
                      .v = o->state + o->n,
                      .x = x,
                      .g = g };
    luc_parts_run(s->threads, o->n, adam_body, &a, NULL);
}

static void ascent(const struct luc_optimiser *o, float *x, const float *g)
{
    double sum = 0, squares = 0;
    luc_vector_norms(o->spec.threads, g, o->n, &sum, &squares);
    const double mean = sum / (double)(o->n ? o->n : 1);
    const double rate = o->spec.rate / (mean + 1e-12);
    (void)luc_vector_step(o->spec.threads, 1, x, (float)-rate, g, NULL, o->n);
}

void luc_optimiser_step(struct luc_optimiser *o, float *x, double loss, float *g)
{
    switch (o->spec.kind) {
    case LUC_ADAM: adam(o, x, g); break;
    case LUC_LBFGS: luc_lbfgs_step(o, x, g); break;
    case LUC_ASCENT: ascent(o, x, g); break;
    case LUC_LBFGS_SEARCH: luc_lbfgs_search(o, x, loss, g); break;
    }
    o->at.step++;
}

void luc_optimiser_best(const struct luc_optimiser *o, float *x)
{
    if (o->spec.kind == LUC_LBFGS_SEARCH && o->at.step > 0)
        luc_lbfgs_best(o, x);
}
