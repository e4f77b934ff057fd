#include "core/ask/path.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

const char *const luc_path_rule_names[] = { "gauss-legendre", "trapezoid", "riemann", NULL };

/* The i-th of n Gauss-Legendre nodes on 0..1 and its weight: a root of the Legendre polynomial P_n
 * by Newton's method, and 1 / ((1 - z^2) P_n'(z)^2). */
static void gauss_legendre(size_t n, size_t i, double *node, double *weight)
{
    double z = cos(PI * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;
    for (int turn = 0; turn < 100; turn++) {
        double p0 = 1, p1 = z;
        for (size_t k = 2; k <= n; k++) {
            const double kk = (double)k, p2 = ((2 * kk - 1) * z * p1 - (kk - 1) * p0) / kk;
            p0 = p1;
            p1 = p2;
        }
        slope = (double)n * (z * p1 - p0) / (z * z - 1);
        const double step = p1 / slope;
        z -= step;
        if (fabs(step) < 1e-15)
            break;
    }
    *node = (1 - z) / 2;
    *weight = 1 / ((1 - z * z) * slope * slope);
}

static void node_of(enum luc_path_rule rule, size_t n, size_t i, double *node, double *weight)
{
    switch (rule) {
    case LUC_PATH_GAUSS_LEGENDRE: gauss_legendre(n, i, node, weight); break;
    case LUC_PATH_TRAPEZOID:
        *node = (double)i / (double)(n - 1);
        *weight = (i == 0 || i == n - 1 ? 0.5 : 1.0) / (double)(n - 1);
        break;
    case LUC_PATH_RIEMANN:
        *node = (double)(i + 1) / (double)n;
        *weight = 1 / (double)n;
        break;
    }
}

enum luc_status luc_path_open(struct luc_path *path, struct luc_error *err)
{
    const size_t n = luc_numel(&path->baseline->shape);
    path->at = luc_arena_raw(path->g->run->arena, n, sizeof(*path->at));
    path->sum = luc_arena_alloc(path->g->run->arena, n, sizeof(*path->sum));
    if (!path->at || !path->sum)
        return luc_fail_nomem(err, "a path", n * sizeof(*path->sum));
    return LUC_OK;
}

enum luc_status luc_path_walk(struct luc_path *path, const float *x, double from, double to,
                              struct luc_error *err)
{
    const size_t n = luc_numel(&path->baseline->shape);
    const float *x0 = path->baseline->data;
    enum luc_status st = LUC_OK;
    memset(path->sum, 0, n * sizeof(*path->sum));
    for (size_t k = 0; !st && k < luc_run_turns(path->g->run, path->steps); k++) {
        double node = 0, weight = 0;
        node_of(path->rule, path->steps, k, &node, &weight);
        for (size_t i = 0; i < n; i++)
            path->at[i] = (float)((double)x0[i] + node * ((double)x[i] - (double)x0[i]));
        luc_gradient_forward(path->g, path->at);
        const struct luc_tensor *g = luc_gradient_back(path->g, LUC_RELU_PLAIN);
        for (size_t i = 0; i < n; i++)
            path->sum[i] += weight * (double)g->data[i];
        st = luc_run_tick(path->g->run, from + (to - from) * (double)(k + 1) / (double)path->steps,
                          err);
    }
    return st;
}
