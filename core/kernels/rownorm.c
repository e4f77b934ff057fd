#include "core/kernels/rownorm.h"
#include "core/kernels/moments.h"

#include <math.h>

struct job {
    const struct luc_rownorm *n;
    const float *x, *scale, *b, *dy;
    float *y, *mean, *r, *dx, *dscale, *db;
};

struct stats {
    double mean, r;
};

static struct stats measure(const struct luc_rownorm *n, const float *x)
{
    const size_t size = n->m * n->inner;
    struct luc_moments m = { 0 };
    luc_moments_add(&m, x, size);
    const double shift = n->centre ? 0 : m.mean * m.mean;
    return (struct stats){ n->centre ? m.mean : 0,
                           1.0 / sqrt(m.m2 / (double)size + shift + n->epsilon) };
}

static void y_row(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_rownorm *n = j->n;
    const struct stats s = measure(n, j->x + i * n->m * n->inner);
    (void)lane;
    for (size_t k = 0; k < n->m; k++) {
        const size_t which = i % n->groups * n->m + k, at = (i * n->m + k) * n->inner;
        luc_normalise_row(j->x + at, n->inner, (float)((double)j->scale[which] * s.r),
                          (float)s.mean, j->b ? j->b[which] : 0.0f, false, j->y + at);
    }
    if (j->mean)
        j->mean[i] = (float)s.mean;
    if (j->r)
        j->r[i] = (float)s.r;
}

void luc_rownorm_forward(const struct luc_rownorm *n, const struct luc_threads *threads,
                         const float *x, const float *scale, const float *b, float *y, float *mean,
                         float *r)
{
    struct job j = { .n = n, .x = x, .scale = scale, .b = b, .y = y, .mean = mean, .r = r };
    luc_parallel_for(threads, n->rows, y_row, &j);
}

/* With g = scale dy: dx = r (g - mean(g) - h mean(g h)); without centre, no mean(g). */
static void dx_row(void *ctx, size_t i, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_rownorm *n = j->n;
    const size_t size = n->m * n->inner;
    const float *x = j->x + i * size, *dy = j->dy + i * size;
    const float *scale = j->scale + i % n->groups * n->m;
    const struct stats s = measure(n, x);
    double sum = 0, with_h = 0;
    (void)lane;
    for (size_t k = 0; k < size; k++) {
        const double g = (double)scale[k / n->inner] * (double)dy[k];
        sum += g;
        with_h += g * ((double)x[k] - s.mean) * s.r;
    }
    const double shared = n->centre ? sum / (double)size : 0, slope = with_h / (double)size;
    for (size_t k = 0; k < size; k++) {
        const double g = (double)scale[k / n->inner] * (double)dy[k];
        const double h = ((double)x[k] - s.mean) * s.r;
        j->dx[i * size + k] += (float)(s.r * (g - shared - slope * h));
    }
}

/* Of one scale number, over the rows that use it. */
static void dscale_item(void *ctx, size_t which, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_rownorm *n = j->n;
    const size_t size = n->m * n->inner, first = which / n->m, k = which % n->m * n->inner;
    double dscale = 0, db = 0;
    (void)lane;
    for (size_t i = first; i < n->rows; i += n->groups) {
        const struct stats s = j->dscale ? measure(n, j->x + i * size) : (struct stats){ 0 };
        for (size_t p = i * size + k; p < i * size + k + n->inner; p++) {
            db += (double)j->dy[p];
            if (j->dscale)
                dscale += (double)j->dy[p] * ((double)j->x[p] - s.mean) * s.r;
        }
    }
    if (j->dscale)
        j->dscale[which] += (float)dscale;
    if (j->db)
        j->db[which] += (float)db;
}

void luc_rownorm_backward(const struct luc_rownorm *n, const struct luc_threads *threads,
                          const float *x, const float *scale, const float *dy, float *dx,
                          float *dscale, float *db)
{
    struct job j = {
        .n = n, .x = x, .scale = scale, .dy = dy, .dx = dx, .dscale = dscale, .db = db
    };
    if (dx)
        luc_parallel_for(threads, n->rows, dx_row, &j);
    if (dscale || db)
        luc_parallel_for(threads, n->groups * n->m, dscale_item, &j);
}
