#include "core/segment/mixture.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define ROUNDS   10
#define STARTS   3          /* the best is taken */
#define VARIANCE (1.0 / 12) /* of a colour within its step of 8 bits */

/* ---- k-means -------------------------------------------------------------------------------------- */

static double distance2(const uint8_t *rgb, const double centre[3])
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        const double d = rgb[i] - centre[i];
        sum += d * d;
    }
    return sum;
}

static double nearest(const uint8_t *rgb, double centre[][3], size_t n, uint8_t *which)
{
    double best = HUGE_VAL;
    for (size_t k = 0; k < n; k++) {
        const double d = distance2(rgb, centre[k]);
        if (d < best) {
            best = d;
            *which = (uint8_t)k;
        }
    }
    return best;
}

/* A pixel drawn with a chance proportional to its squared distance from the centres; SIZE_MAX when
 * every colour is a centre already. */
static size_t draw(const struct luc_colours *c, double centre[][3], size_t n, struct luc_rng *rng)
{
    double total = 0;
    uint8_t k = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->chosen[i] == c->which)
            total += n ? nearest(c->rgb + 3 * i, centre, n, &k) : 1;
    if (!(total > 0))
        return SIZE_MAX;
    double left = luc_rng_uniform(rng) * total;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < c->n && left >= 0; i++) {
        const double d = c->chosen[i] != c->which ? 0
                         : n                      ? nearest(c->rgb + 3 * i, centre, n, &k)
                                                  : 1;
        left -= d;
        last = d > 0 ? i : last;
    }
    return last;
}

/* One round of Lloyd's; the sum of squared distances before the centres moved. */
static double move_centres(const struct luc_colours *c, double centre[][3], size_t n)
{
    double sum[LUC_MIXTURE_MAX][3] = { { 0 } }, cost = 0;
    size_t count[LUC_MIXTURE_MAX] = { 0 };
    for (size_t i = 0; i < c->n; i++) {
        uint8_t k = 0;
        if (c->chosen[i] != c->which)
            continue;
        cost += nearest(c->rgb + 3 * i, centre, n, &k);
        count[k]++;
        for (int j = 0; j < 3; j++)
            sum[k][j] += c->rgb[3 * i + (size_t)j];
    }
    for (size_t k = 0; k < n; k++)
        for (int j = 0; j < 3 && count[k]; j++)
            centre[k][j] = sum[k][j] / (double)count[k];
    return cost;
}

/* k-means from one start; its cost, and how many centres there are: fewer than `parts` where there are
 * fewer colours. */
static double cluster(const struct luc_colours *c, size_t parts, struct luc_rng *rng,
                      double centre[][3], size_t *n)
{
    double cost = HUGE_VAL;
    for (*n = 0; *n < parts; *n += 1) {
        const size_t i = draw(c, centre, *n, rng);
        if (i == SIZE_MAX)
            break;
        for (size_t j = 0; j < 3; j++)
            centre[*n][j] = c->rgb[3 * i + j];
    }
    for (int round = 0; round < ROUNDS; round++) {
        const double before = cost;
        cost = move_centres(c, centre, *n);
        if (cost >= before)
            break;
    }
    return cost;
}

void luc_mixture_start(struct luc_mixture *m, size_t parts, const struct luc_colours *c,
                       struct luc_rng *rng, uint8_t *held)
{
    double centre[LUC_MIXTURE_MAX][3], best[LUC_MIXTURE_MAX][3], least = HUGE_VAL;
    assert(parts >= 1 && parts <= LUC_MIXTURE_MAX);
    m->n = 0;
    for (int start = 0; start < STARTS; start++) {
        size_t n = 0;
        const double cost = cluster(c, parts, rng, centre, &n);
        if (m->n == 0 || cost < least) {
            least = cost;
            m->n = n;
            memcpy(best, centre, sizeof(best));
        }
    }
    assert(m->n > 0);
    for (size_t i = 0; i < c->n; i++)
        if (c->chosen[i] == c->which)
            nearest(c->rgb + 3 * i, best, m->n, &held[i]);
    luc_mixture_learn(m, c, held);
}

/* ---- Gaussians ------------------------------------------------------------------------------------ */

struct moments {
    double n, sum[3], product[3][3];
};

/* The inverse of a symmetric positive definite matrix by cofactors; its determinant. */
static double invert(double s[3][3], double inverse[3][3])
{
    double co[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const int a = (i + 1) % 3, b = (i + 2) % 3, p = (j + 1) % 3, q = (j + 2) % 3;
            co[i][j] = s[a][p] * s[b][q] - s[a][q] * s[b][p];
        }
    const double det = s[0][0] * co[0][0] + s[0][1] * co[0][1] + s[0][2] * co[0][2];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            inverse[i][j] = co[j][i] / det;
    return det;
}

static void set_gaussian(struct luc_gaussian *g, const struct moments *m, double total)
{
    double s[3][3];
    memset(g, 0, sizeof(*g));
    if (!(m->n > 0))
        return;
    for (int i = 0; i < 3; i++)
        g->mean[i] = m->sum[i] / m->n;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            s[i][j] = m->product[i][j] / m->n - g->mean[i] * g->mean[j] + (i == j ? VARIANCE : 0);
    g->n = (size_t)m->n;
    g->constant = 0.5 * log(invert(s, g->inverse)) - log(m->n / total);
}

void luc_mixture_learn(struct luc_mixture *m, const struct luc_colours *c, const uint8_t *held)
{
    struct moments sums[LUC_MIXTURE_MAX] = { { 0 } };
    double total = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->chosen[i] != c->which)
            continue;
        const uint8_t *z = c->rgb + 3 * i;
        struct moments *s = &sums[held[i]];
        s->n++;
        for (int a = 0; a < 3; a++) {
            s->sum[a] += z[a];
            for (int b = a; b < 3; b++)
                s->product[a][b] += z[a] * z[b];
        }
        total++;
    }
    for (size_t k = 0; k < m->n; k++) {
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < a; b++)
                sums[k].product[a][b] = sums[k].product[b][a];
        set_gaussian(&m->part[k], &sums[k], total);
    }
}

double luc_mixture_cost(const struct luc_mixture *m, const uint8_t rgb[3], uint8_t *held)
{
    double best = HUGE_VAL;
    uint8_t which = 0;
    for (size_t k = 0; k < m->n; k++) {
        const struct luc_gaussian *g = &m->part[k];
        if (g->n == 0)
            continue;
        const double a = rgb[0] - g->mean[0], b = rgb[1] - g->mean[1], c = rgb[2] - g->mean[2];
        const double(*v)[3] = g->inverse;
        const double q = a * a * v[0][0] + b * b * v[1][1] + c * c * v[2][2] +
                         2 * (a * b * v[0][1] + a * c * v[0][2] + b * c * v[1][2]);
        const double d = g->constant + 0.5 * q;
        if (d < best) {
            best = d;
            which = (uint8_t)k;
        }
    }
    if (held)
        *held = which;
    return best;
}
