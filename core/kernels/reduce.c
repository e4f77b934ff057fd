#include "core/kernels/reduce.h"

struct luc_reduce luc_reduce_of(const struct luc_reduction *kind, const struct luc_shape *x,
                                const bool reduced[LUC_MAX_RANK])
{
    struct luc_shape y = *x;
    struct luc_reduce r = { .kind = kind, .walk = luc_walk_of(x), .n_in = luc_numel(x) };
    for (size_t d = 0; d < x->rank; d++)
        y.dim[d] = reduced[d] ? 1 : x->dim[d];
    r.n_out = luc_numel(&y);
    luc_walk_broadcast(&r.walk, 0, x);
    luc_walk_broadcast(&r.walk, 1, &y);
    luc_walk_merge(&r.walk);
    return r;
}

static double count_of(const struct luc_reduce *r)
{
    return r->n_out ? (double)r->n_in / (double)r->n_out : 0.0;
}

struct folding {
    const struct luc_reduction *kind;
    const float *x;
    float *y;
    ptrdiff_t y_step;
};

static void fold_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct folding *f = ctx;
    const float *x = f->x + at[0];
    float *y = f->y + at[1];
    if (!f->kind->fold && f->y_step) {
        luc_row_add(y, x, n);
    } else if (!f->kind->fold) {
        *y += (float)luc_row_sum(x, n);
    } else if (f->y_step) {
        for (size_t i = 0; i < n; i++)
            y[i] = (float)f->kind->fold((double)y[i], (double)x[i]);
    } else {
        double so_far = (double)*y;
        for (size_t i = 0; i < n; i++)
            so_far = f->kind->fold(so_far, (double)x[i]);
        *y = (float)so_far;
    }
}

void luc_reduce_forward(const struct luc_reduce *r, const struct luc_threads *threads,
                        const float *x, float *y)
{
    struct folding f = { r->kind, x, y, r->walk.step[1][r->walk.rank - 1] };
    const double n = count_of(r);
    for (size_t i = 0; i < r->n_out; i++)
        y[i] = (float)r->kind->start;
    luc_walk_reduce(&r->walk, 1, threads, fold_row, &f);
    for (size_t i = 0; r->kind->finish && i < r->n_out; i++)
        y[i] = (float)r->kind->finish((double)y[i], n);
}

struct spreading {
    const struct luc_reduce *r;
    const struct luc_reduce_backward *b;
    ptrdiff_t y_step;
    double n;
    float factor; /* the slope where it is the same everywhere */
};

static void count_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct spreading *s = ctx;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
        s->b->ties[at[1] + i * s->y_step] +=
            s->b->x[at[0] + i] == s->b->y[at[1] + i * s->y_step] ? 1.0f : 0.0f;
}

static void pick_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct spreading *s = ctx;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++) {
        const ptrdiff_t from = at[1] + i * s->y_step;
        float *dx = s->b->dx + at[0] + i;
        const float d =
            s->b->x[at[0] + i] == s->b->y[from] ? s->b->dy[from] / s->b->ties[from] : 0.0f;
        *dx = s->b->fresh ? d : *dx + d;
    }
}

static void slope_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct spreading *s = ctx;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++) {
        const ptrdiff_t from = at[1] + i * s->y_step;
        float *dx = s->b->dx + at[0] + i;
        const double slope =
            s->r->kind->slope((double)s->b->x[at[0] + i], (double)s->b->y[from], s->n);
        const float d = (float)((double)s->b->dy[from] * slope);
        *dx = s->b->fresh ? d : *dx + d;
    }
}

static void linear_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct spreading *s = ctx;
    const float *dy = s->b->dy + at[1], factor = s->factor;
    const ptrdiff_t step = s->y_step;
    float *dx = s->b->dx + at[0];
    if (s->b->fresh)
        for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
            dx[i] = dy[i * step] * factor;
    else
        for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
            dx[i] += dy[i * step] * factor;
}

void luc_reduce_backward(const struct luc_reduce *r, const struct luc_threads *threads,
                         const struct luc_reduce_backward *b)
{
    struct spreading s = { r, b, r->walk.step[1][r->walk.rank - 1], count_of(r), 1.0f };
    if (r->kind->finish)
        s.factor = (float)(1.0 / s.n);
    if (r->kind->picks) {
        for (size_t i = 0; i < r->n_out; i++)
            b->ties[i] = 0.0f;
        luc_walk_reduce(&r->walk, 1, threads, count_row, &s);
    }
    luc_walk_run(&r->walk, threads,
                 r->kind->picks   ? pick_row
                 : r->kind->slope ? slope_row
                                  : linear_row,
                 &s);
}
