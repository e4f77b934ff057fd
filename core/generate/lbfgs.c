#include "core/generate/lbfgs.h"

#include <math.h>
#include <string.h>

#define CURVATURE_LEAST 1e-10 /* pairs flatter than this would make the matrix indefinite */
#define ARMIJO          1e-4  /* least part of the promised decrease that a step must bring */
#define TRIES           12    /* shortenings before the curvature is forgotten */
#define SHORTER_MOST    0.5   /* each shortening leaves at most and at least this part */
#define SHORTER_LEAST   0.1

/* State: two vectors (LBFGS: last gradient, step taken) or three (SEARCH: best point, gradient
 * there, direction), then `pairs` pairs (s, y): step and change of gradient, oldest first. */
static size_t heads(const struct luc_optimiser_spec *spec)
{
    return spec->kind == LUC_LBFGS_SEARCH ? 3 : 2;
}

size_t luc_lbfgs_vectors(const struct luc_optimiser_spec *spec)
{
    return heads(spec) + 2 * spec->pairs;
}

static float *vector(const struct luc_optimiser *o, size_t i)
{
    return o->state + i * o->n;
}

static float *pair(const struct luc_optimiser *o, uint64_t i)
{
    return vector(o, heads(&o->spec) + 2 * i);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double first_rate(const struct luc_optimiser *o, const float *g)
{
    double sum = 0;
    for (size_t i = 0; i < o->n; i++)
        sum += fabs((double)g[i]);
    return o->spec.rate * fmin(1.0, 1.0 / fmax(sum, 1e-300));
}

static void axpy(float *y, double a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += (float)a * x[i];
}

/* Room for one more pair, the oldest going if need be. */
static float *next_pair(struct luc_optimiser *o)
{
    struct luc_optimiser_marks *at = &o->at;
    const size_t n = o->n, pairs = o->spec.pairs;
    if (at->count == pairs) {
        memmove(pair(o, 0), pair(o, 1), 2 * n * (pairs - 1) * sizeof(float));
        memmove(at->ys, at->ys + 1, (pairs - 1) * sizeof(at->ys[0]));
        at->count--;
    }
    return pair(o, at->count);
}

/* Takes in what a step did: it went `step` and changed the gradient from last_g to g. */
static void remember(struct luc_optimiser *o, const float *step, const float *last_g,
                     const float *g)
{
    const size_t n = o->n;
    double ys = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = (double)(g[i] - last_g[i]);
        ys += y * (double)step[i];
        yy += y * y;
    }
    if (ys <= CURVATURE_LEAST)
        return;
    float *s = next_pair(o), *y = s + n;
    memcpy(s, step, n * sizeof(*s));
    for (size_t i = 0; i < n; i++)
        y[i] = g[i] - last_g[i];
    o->at.ys[o->at.count++] = ys;
    o->at.scale = ys / yy;
}

/* d = -H g by the two-loop recursion; d comes in holding g. */
static void two_loops(const struct luc_optimiser *o, float *d)
{
    double alpha[LUC_LBFGS_PAIRS];
    const size_t n = o->n;
    const struct luc_optimiser_marks *at = &o->at;
    for (uint64_t i = at->count; i-- > 0;) {
        const float *s = pair(o, i), *y = s + n;
        alpha[i] = dot(s, d, n) / at->ys[i];
        axpy(d, -alpha[i], y, n);
    }
    for (size_t i = 0; i < n; i++)
        d[i] *= -(float)at->scale;
    for (uint64_t i = 0; i < at->count; i++) {
        const float *s = pair(o, i), *y = s + n;
        const double beta = dot(y, d, n) / at->ys[i];
        axpy(d, -alpha[i] - beta, s, n);
    }
}

void luc_lbfgs_step(struct luc_optimiser *o, float *x, float *g)
{
    const size_t n = o->n;
    float *last_g = vector(o, 0), *step = vector(o, 1);
    double rate = o->spec.rate;
    if (o->at.step > 0)
        remember(o, step, last_g, g);
    else
        rate = first_rate(o, g);
    memcpy(last_g, g, n * sizeof(*g));
    two_loops(o, g);
    for (size_t i = 0; i < n; i++) {
        step[i] = (float)rate * g[i];
        x[i] += step[i];
    }
}

/* ---- with a line search, one try for each evaluation ---- */

enum { BEST, BEST_G, DIRECTION };

/* The point x, with gradient g, becomes the best; a new direction from there. */
static void accept(struct luc_optimiser *o, const float *x, double loss, const float *g)
{
    struct luc_optimiser_marks *at = &o->at;
    const size_t n = o->n;
    float *best = vector(o, BEST), *best_g = vector(o, BEST_G), *d = vector(o, DIRECTION);
    if (at->step > 0) {
        for (size_t i = 0; i < n; i++)
            d[i] = x[i] - best[i]; /* what was gone, whatever moved x since */
        remember(o, d, best_g, g);
    }
    memcpy(best, x, n * sizeof(*best));
    memcpy(best_g, g, n * sizeof(*best_g));
    memcpy(d, g, n * sizeof(*d));
    at->loss = loss;
    at->tries = 0;
    at->reach = at->count ? o->spec.rate : first_rate(o, g);
    two_loops(o, d);
}

/* After too many tries: straight downhill from the best point, by the last length tried. */
static void forget(struct luc_optimiser *o)
{
    struct luc_optimiser_marks *at = &o->at;
    const float *best_g = vector(o, BEST_G);
    float *d = vector(o, DIRECTION);
    const double was = sqrt(dot(d, d, o->n)), is = sqrt(dot(best_g, best_g, o->n));
    for (size_t i = 0; i < o->n; i++)
        d[i] = -best_g[i];
    at->count = 0;
    at->scale = 1;
    at->tries = 0;
    at->reach *= is > 0 ? was / is : 1;
}

/* The lowest point of the parabola through the best point, its slope and the loss found. */
static double shortening(double slope, double best, double loss)
{
    const double rise = loss - best - slope; /* slope: of the whole step, negative */
    if (!isfinite(rise) || rise <= 0)
        return isfinite(loss) ? SHORTER_MOST : SHORTER_LEAST;
    return fmin(fmax(-slope / (2 * rise), SHORTER_LEAST), SHORTER_MOST);
}

void luc_lbfgs_search(struct luc_optimiser *o, float *x, double loss, float *g)
{
    struct luc_optimiser_marks *at = &o->at;
    const float *best = vector(o, BEST), *best_g = vector(o, BEST_G), *d = vector(o, DIRECTION);
    double promised = 0;
    for (size_t i = 0; at->step > 0 && i < o->n; i++)
        promised += (double)best_g[i] * ((double)x[i] - (double)best[i]);
    if (at->step == 0 || (loss < at->loss && loss <= at->loss + ARMIJO * promised)) {
        accept(o, x, loss, g);
    } else {
        at->reach *= shortening(promised, at->loss, loss);
        if (++at->tries >= TRIES)
            forget(o);
    }
    for (size_t i = 0; i < o->n; i++)
        x[i] = best[i] + (float)at->reach * d[i];
}

void luc_lbfgs_best(const struct luc_optimiser *o, float *x)
{
    memcpy(x, vector(o, BEST), o->n * sizeof(*x));
}
