#include "core/generate/optimiser.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define DEFAULT_PAIRS   20
#define CURVATURE_LEAST 1e-10 /* pairs flatter than this would make the matrix indefinite */

enum luc_status luc_optimiser_init(struct luc_optimiser *o, const struct luc_optimiser_spec *spec,
                                   size_t n, struct luc_arena *arena, struct luc_error *err)
{
    struct luc_optimiser fresh = { .spec = *spec, .n = n, .scale = 1 };
    struct luc_optimiser_spec *s = &fresh.spec;
    if (s->beta1 == 0 && s->beta2 == 0 && s->epsilon == 0) {
        s->beta1 = 0.9;
        s->beta2 = 0.999;
        s->epsilon = 1e-8;
    }
    s->pairs = s->pairs ? s->pairs : DEFAULT_PAIRS;
    assert(s->pairs <= LUC_LBFGS_PAIRS);
    /* Adam: two moments. L-BFGS: the last gradient and direction, then `pairs` pairs (s, y). */
    const size_t vectors = s->kind == LUC_ADAM ? 2 : s->kind == LUC_LBFGS ? 2 + 2 * s->pairs : 0;
    fresh.state_n = vectors * n;
    fresh.state = luc_arena_alloc(arena, fresh.state_n, sizeof(float));
    if (!fresh.state)
        return luc_fail_nomem(err, "optimiser", fresh.state_n * sizeof(float));
    *o = fresh;
    return LUC_OK;
}

static void adam(struct luc_optimiser *o, float *x, const float *g)
{
    const struct luc_optimiser_spec *s = &o->spec;
    const double t = (double)o->step + 1;
    const float b1 = (float)s->beta1, b2 = (float)s->beta2, eps = (float)s->epsilon;
    const float c1 = (float)(1 - s->beta1), c2 = (float)(1 - s->beta2);
    const float rate = (float)(s->rate / (1 - pow(s->beta1, t)));
    const float root = (float)sqrt(1 - pow(s->beta2, t));
    float *m = o->state, *v = o->state + o->n;
    for (size_t i = 0; i < o->n; i++) {
        m[i] = b1 * m[i] + c1 * g[i];
        v[i] = b2 * v[i] + c2 * g[i] * g[i];
        x[i] -= rate * m[i] / (sqrtf(v[i]) / root + eps);
    }
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double norm1(const float *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)g[i]);
    return sum;
}

static void axpy(float *y, double a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += (float)a * x[i];
}

/* The i-th pair, oldest first: step s, change of gradient y. */
static float *pair(const struct luc_optimiser *o, uint64_t i)
{
    return o->state + (2 + 2 * i) * o->n;
}

/* Takes in what the last step did: s = the step taken, y = the gradient's change. */
static void remember(struct luc_optimiser *o, const float *g)
{
    const size_t n = o->n, pairs = o->spec.pairs;
    const float *last_g = o->state, *step = o->state + n;
    double ys = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = (double)(g[i] - last_g[i]);
        ys += y * (double)step[i];
        yy += y * y;
    }
    if (ys <= CURVATURE_LEAST)
        return;
    if (o->count == pairs) {
        memmove(pair(o, 0), pair(o, 1), 2 * n * (pairs - 1) * sizeof(float));
        memmove(o->ys, o->ys + 1, (pairs - 1) * sizeof(o->ys[0]));
        o->count--;
    }
    float *s = pair(o, o->count), *y = s + n;
    memcpy(s, step, n * sizeof(*s));
    for (size_t i = 0; i < n; i++)
        y[i] = g[i] - last_g[i];
    o->ys[o->count++] = ys;
    o->scale = ys / yy;
}

/* d = -H g by the two-loop recursion; d comes in holding g. */
static void two_loops(const struct luc_optimiser *o, float *d)
{
    double alpha[LUC_LBFGS_PAIRS];
    const size_t n = o->n;
    for (uint64_t i = o->count; i-- > 0;) {
        const float *s = pair(o, i), *y = s + n;
        alpha[i] = dot(s, d, n) / o->ys[i];
        axpy(d, -alpha[i], y, n);
    }
    for (size_t i = 0; i < n; i++)
        d[i] *= -(float)o->scale;
    for (uint64_t i = 0; i < o->count; i++) {
        const float *s = pair(o, i), *y = s + n;
        const double beta = dot(y, d, n) / o->ys[i];
        axpy(d, -alpha[i] - beta, s, n);
    }
}

static void lbfgs(struct luc_optimiser *o, float *x, float *g)
{
    const size_t n = o->n;
    float *last_g = o->state, *step = o->state + n;
    double rate = o->spec.rate;
    if (o->step > 0)
        remember(o, g);
    else
        rate *= fmin(1.0, 1.0 / fmax(norm1(g, n), 1e-300));
    memcpy(last_g, g, n * sizeof(*g));
    two_loops(o, g);
    for (size_t i = 0; i < n; i++) {
        step[i] = (float)rate * g[i];
        x[i] += step[i];
    }
}

static void ascent(struct luc_optimiser *o, float *x, const float *g)
{
    const double mean = norm1(g, o->n) / (double)(o->n ? o->n : 1);
    axpy(x, -o->spec.rate / (mean + 1e-12), g, o->n);
}

void luc_optimiser_step(struct luc_optimiser *o, float *x, float *g)
{
    switch (o->spec.kind) {
    case LUC_ADAM: adam(o, x, g); break;
    case LUC_LBFGS: lbfgs(o, x, g); break;
    case LUC_ASCENT: ascent(o, x, g); break;
    }
    o->step++;
}
