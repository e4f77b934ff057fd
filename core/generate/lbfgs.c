#include "core/generate/lbfgs.h"

#include "core/generate/vector.h"

#include <math.h>
#include <string.h>

#define CURVATURE_LEAST 1e-10 /* pairs flatter than this would make the matrix indefinite */
#define ARMIJO          1e-4  /* least part of the promised decrease that a step must bring */
#define TRIES           12    /* shortenings before the curvature is forgotten */
#define SHORTER_MOST    0.5   /* each shortening leaves at most and at least this part */
#define SHORTER_LEAST   0.1

/* State: two vectors (LBFGS: last gradient, step taken) or three (SEARCH: best point, gradient
 * there, direction), then `pairs` pairs (s, y): step and change of gradient, in a ring. */
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

/* Pairs lie in a ring: the i-th oldest. */
static size_t slot(const struct luc_optimiser *o, uint64_t i)
{
    return (size_t)((o->at.first + i) % o->spec.pairs);
}

static float *pair(const struct luc_optimiser *o, uint64_t i)
{
    return vector(o, heads(&o->spec) + 2 * slot(o, i));
}

static double dot(const struct luc_optimiser *o, const float *a, const float *b)
{
    return luc_vector_dot(o->spec.threads, a, b, o->n);
}

static void copy(const struct luc_optimiser *o, const float *from, float *to)
{
    luc_vector_copy(o->spec.threads, from, to, o->n);
}

/* y += a x */
static void add(const struct luc_optimiser *o, float *y, double a, const float *x)
{
    (void)luc_vector_step(o->spec.threads, 1, y, (float)a, x, NULL, o->n);
}

static void scale(const struct luc_optimiser *o, float *y, double by)
{
    (void)luc_vector_step(o->spec.threads, (float)by, y, 0, NULL, NULL, o->n);
}

static double first_rate(const struct luc_optimiser *o, const float *g)
{
    double sum = 0, squares = 0;
    luc_vector_norms(o->spec.threads, g, o->n, &sum, &squares);
    return o->spec.rate * fmin(1.0, 1.0 / fmax(sum, 1e-300));
}

struct change {
    const float *step, *g, *last_g;
};

/* y.s and y.y of y = g - last_g. */
static void measure(void *ctx, size_t from, size_t n, double sums[2])
{
    const struct change *c = ctx;
    for (size_t i = from; i < from + n; i++) {
        const double y = (double)(c->g[i] - c->last_g[i]);
        sums[0] += y * (double)c->step[i];
        sums[1] += y * y;
    }
}

/* Takes in what a step did: it went `step` and changed the gradient from last_g to g. Room for one
 * more pair, the oldest going if need be. */
static void remember(struct luc_optimiser *o, const float *step, const float *last_g,
                     const float *g)
{
    struct luc_optimiser_marks *at = &o->at;
    struct change c = { step, g, last_g };
    double sums[2];
    luc_parts_run(o->spec.threads, o->n, measure, &c, sums);
    if (sums[0] <= CURVATURE_LEAST)
        return;
    if (at->count == o->spec.pairs) {
        at->first = slot(o, 1);
        at->count--;
    }
    float *s = pair(o, at->count), *y = s + o->n;
    copy(o, step, s);
    copy(o, g, y);
    add(o, y, -1, last_g);
    at->ys[slot(o, at->count)] = sums[0];
    at->count++;
    at->scale = sums[0] / sums[1];
}

/* d = -H g by the two-loop recursion; d comes in holding g. Each update takes the product that comes
 * next with it, so that a pair's vectors are read twice and d stays in the cache. */
static void two_loops(const struct luc_optimiser *o, float *d)
{
    double alpha[LUC_LBFGS_PAIRS];
    const struct luc_optimiser_marks *at = &o->at;
    const struct luc_threads *threads = o->spec.threads;
    const size_t n = o->n;
    double next = at->count ? dot(o, pair(o, at->count - 1), d) : 0;
    for (uint64_t i = at->count; i-- > 0;) {
        const float *y = pair(o, i) + n;
        alpha[i] = next / at->ys[slot(o, i)];
        if (i > 0)
            next = luc_vector_step(threads, 1, d, (float)-alpha[i], y, pair(o, i - 1), n);
        else
            next = luc_vector_step(threads, (float)-at->scale, d, (float)(at->scale * alpha[i]), y,
                                   y, n);
    }
    if (at->count == 0)
        scale(o, d, -at->scale);
    for (uint64_t i = 0; i < at->count; i++) {
        const double beta = next / at->ys[slot(o, i)];
        const float *then = i + 1 < at->count ? pair(o, i + 1) + n : NULL;
        next = luc_vector_step(threads, 1, d, (float)(-alpha[i] - beta), pair(o, i), then, n);
    }
}

void luc_lbfgs_step(struct luc_optimiser *o, float *x, float *g)
{
    float *last_g = vector(o, 0), *step = vector(o, 1);
    double rate = o->spec.rate;
    if (o->at.step > 0)
        remember(o, step, last_g, g);
    else
        rate = first_rate(o, g);
    copy(o, g, last_g);
    two_loops(o, g);
    copy(o, g, step);
    scale(o, step, rate);
    add(o, x, 1, step);
}

/* ---- with a line search, one try for each evaluation ---- */

enum { BEST, BEST_G, DIRECTION };

/* The point x, with gradient g, becomes the best; a new direction from there. */
static void accept(struct luc_optimiser *o, const float *x, double loss, const float *g)
{
    struct luc_optimiser_marks *at = &o->at;
    float *best = vector(o, BEST), *best_g = vector(o, BEST_G), *d = vector(o, DIRECTION);
    if (at->step > 0) {
        copy(o, x, d);
        add(o, d, -1, best); /* what was gone, whatever moved x since */
        remember(o, d, best_g, g);
    }
    copy(o, x, best);
    copy(o, g, best_g);
    copy(o, g, d);
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
    const double was = sqrt(dot(o, d, d)), is = sqrt(dot(o, best_g, best_g));
    copy(o, best_g, d);
    scale(o, d, -1);
    at->count = at->first = 0;
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
    copy(o, best, x);
    add(o, x, at->reach, d);
}

void luc_lbfgs_best(const struct luc_optimiser *o, float *x)
{
    memcpy(x, vector(o, BEST), o->n * sizeof(*x));
}
