#include "core/kernels/resample.h"

#include "core/kernels/clones.h"
#include "core/kernels/walk.h"

#include <math.h>
#include <string.h>

#define TAPS 4 /* at most */

/* One axis: y[outer, o, inner] = sum over k of weight[o][k] * x[outer, index[o][k], inner]. */
struct pass {
    size_t outer, n_in, n_out, inner, taps;
    size_t (*index)[TAPS];
    float (*weight)[TAPS];
};

/* The passes in order, and what lies between them. */
struct sequence {
    size_t n;
    size_t axis[LUC_MAX_RANK];
    struct luc_shape shape[LUC_MAX_RANK + 1]; /* before pass i; last: the output */
    size_t between, longest;                  /* largest numel in between; largest n_out */
};

static double growth(const struct luc_resample *r, size_t d)
{
    return (double)r->out.dim[d] / (double)r->in.dim[d];
}

static struct sequence order(const struct luc_resample *r)
{
    struct sequence q = { .shape = { r->in } };
    bool done[LUC_MAX_RANK] = { false };
    for (;;) {
        size_t next = r->in.rank;
        for (size_t d = r->in.rank; d-- > 0;) /* of equals the innermost: rows stay in the cache */
            if (!done[d] && r->scale[d] != 1.0 &&
                (next == r->in.rank || growth(r, d) < growth(r, next)))
                next = d;
        if (next == r->in.rank)
            return q;
        done[next] = true;
        q.axis[q.n++] = next;
        q.shape[q.n] = q.shape[q.n - 1];
        q.shape[q.n].dim[next] = r->out.dim[next];
        q.longest = r->out.dim[next] > q.longest ? r->out.dim[next] : q.longest;
        const size_t before = q.n > 1 ? luc_numel(&q.shape[q.n - 1]) : 0;
        q.between = before > q.between ? before : q.between;
    }
}

static size_t whole_in(const struct luc_resample *r, size_t d)
{
    return r->part[d].whole_in ? r->part[d].whole_in : r->in.dim[d];
}

static double coordinate(const struct luc_resample *r, size_t d, size_t o)
{
    const double s = r->scale[d], i = (double)o;
    const double n = (double)whole_in(r, d);
    const double m = (double)(r->part[d].whole_in ? r->part[d].whole_out : r->out.dim[d]);
    switch (r->coord) {
    case LUC_HALF_PIXEL: return (i + 0.5) / s - 0.5;
    case LUC_PYTORCH_HALF_PIXEL: return m > 1.0 ? (i + 0.5) / s - 0.5 : 0.0;
    case LUC_ALIGN_CORNERS: return m > 1.0 ? i * (n - 1.0) / (n * s - 1.0) : 0.0;
    case LUC_ASYMMETRIC: return i / s;
    case LUC_TF_HALF_PIXEL: return (i + 0.5) / s;
    case LUC_HALF_PIXEL_SYMMETRIC: return n / 2.0 * (1.0 - m / (s * n)) + (i + 0.5) / s - 0.5;
    }
    return 0.0;
}

static size_t clamp(double i, size_t n)
{
    return i <= 0.0 ? 0 : i >= (double)(n - 1) ? n - 1 : (size_t)i;
}

static double round_to(enum luc_resample_round how, double x)
{
    switch (how) {
    case LUC_ROUND_PREFER_FLOOR: return ceil(x - 0.5);
    case LUC_ROUND_PREFER_CEIL: return floor(x + 0.5);
    case LUC_FLOOR: return floor(x);
    case LUC_CEIL: return ceil(x);
    }
    return x;
}

/* Keys' kernel; Keys, "Cubic convolution interpolation for digital image processing", 1981. */
static double cubic(double a, double t)
{
    t = fabs(t);
    return t <= 1.0  ? ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0
           : t < 2.0 ? ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a
                     : 0.0;
}

static void cubic_taps(const struct luc_resample *r, double x, size_t n, size_t *index,
                       float *weight)
{
    const double base = floor(x);
    double w[TAPS], sum = 0.0;
    for (size_t k = 0; k < TAPS; k++) {
        const double at = base - 1.0 + (double)k;
        const bool outside = at < 0.0 || at > (double)(n - 1);
        w[k] = outside && r->exclude_outside ? 0.0 : cubic(r->cubic_a, x - at);
        index[k] = clamp(at, n);
        sum += w[k];
    }
    for (size_t k = 0; k < TAPS; k++)
        weight[k] = (float)(r->exclude_outside ? w[k] / sum : w[k]);
}

/* Of output `o` of the whole, as indices into the whole. */
static void find_taps(const struct luc_resample *r, size_t d, size_t o, size_t *index,
                      float *weight)
{
    const size_t n = whole_in(r, d);
    /* Rounded to float32, so that 8 / 1.6f is 5 and not a little less. */
    const double x = (double)(float)coordinate(r, d, o);
    if (r->mode == LUC_CUBIC) {
        cubic_taps(r, x, n, index, weight);
    } else if (r->mode == LUC_NEAREST) {
        index[0] = clamp(round_to(r->round, x), n);
        weight[0] = 1.0f;
    } else {
        const double at = fmin(fmax(x, 0.0), (double)(n - 1));
        index[0] = clamp(floor(at), n);
        index[1] = clamp(floor(at) + 1.0, n);
        weight[1] = (float)(at - floor(at));
        weight[0] = 1.0f - weight[1];
    }
}

/* Layout of the scratch: tables of the longest axis, then two buffers for what lies between. */
static size_t table_size(const struct sequence *q)
{
    return q->longest * TAPS * (sizeof(size_t) + sizeof(float));
}

size_t luc_resample_scratch(const struct luc_resample *r)
{
    const struct sequence q = order(r);
    return table_size(&q) + 2 * q.between * sizeof(float);
}

static float *between(const struct sequence *q, void *scratch, size_t i)
{
    float *first = (float *)(void *)((char *)scratch + table_size(q));
    return first + i % 2 * q->between;
}

static const size_t n_taps[] = { [LUC_NEAREST] = 1, [LUC_LINEAR] = 2, [LUC_CUBIC] = TAPS };

void luc_resample_reach(const struct luc_resample *r, size_t d, size_t o, size_t *from, size_t *to)
{
    size_t index[TAPS];
    float weight[TAPS];
    find_taps(r, d, o, index, weight);
    *from = index[0]; /* they ascend */
    *to = index[n_taps[r->mode] - 1] + 1;
}

static struct pass make_pass(const struct luc_resample *r, const struct sequence *q, size_t i,
                             void *scratch)
{
    const size_t d = q->axis[i];
    const struct luc_shape *s = &q->shape[i];
    struct pass p = { .outer = luc_dims(s, 0, d),
                      .n_in = s->dim[d],
                      .n_out = r->out.dim[d],
                      .inner = luc_dims(s, d + 1, s->rank),
                      .taps = n_taps[r->mode],
                      .index = scratch };
    p.weight = (float(*)[TAPS])(void *)(p.index + q->longest);
    for (size_t o = 0; o < p.n_out; o++) {
        find_taps(r, d, r->part[d].out_from + o, p.index[o], p.weight[o]);
        for (size_t k = 0; k < p.taps; k++)
            p.index[o][k] -= r->part[d].in_from;
    }
    return p;
}

struct job {
    const struct pass *p;
    const float *from;
    float *to;
};

static void mix_row(float *y, const float *x, const struct pass *p, size_t o)
{
    const size_t *index = p->index[o], n = p->inner;
    const float *w = p->weight[o];
    if (p->taps == 1) {
        memcpy(y, x + index[0] * n, n * sizeof(*y));
        return;
    }
    const float *a = x + index[0] * n, *b = x + index[1] * n;
    for (size_t i = 0; i < n; i++)
        y[i] = w[0] * a[i] + w[1] * b[i];
    for (size_t k = 2; k < p->taps; k++)
        for (size_t i = 0; i < n; i++)
            y[i] += w[k] * x[index[k] * n + i];
}

/* Every element twice: y[2 i] = y[2 i + 1] = x[i]. */
LUC_CLONES static void twice(const float *x, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[2 * i] = y[2 * i + 1] = x[i];
}

static bool is_twice(const struct pass *p)
{
    for (size_t o = 0; o < p->n_out; o++)
        if (p->index[o][0] != o / 2)
            return false;
    return p->n_out == 2 * p->n_in;
}

/* Nearest along the innermost axis: whole rows. */
static void pick_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const struct pass *p = j->p;
    const bool doubled = is_twice(p);
    for (size_t r = begin; r < end; r++) {
        const float *x = j->from + r * p->n_in;
        float *y = j->to + r * p->n_out;
        if (doubled)
            twice(x, p->n_in, y);
        for (size_t o = 0; o < p->n_out && !doubled; o++)
            y[o] = x[p->index[o][0]];
    }
}

/* Rows of y: [outer, n_out]. */
static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const struct pass *p = j->p;
    for (size_t r = begin; r < end; r++)
        mix_row(j->to + r * p->inner, j->from + r / p->n_out * p->n_in * p->inner, p, r % p->n_out);
}

static void backward_range(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const struct pass *p = j->p;
    for (size_t r = begin * p->n_out; r < end * p->n_out; r++) {
        const size_t o = r % p->n_out;
        const float *dy = j->from + r * p->inner;
        float *dx = j->to + r / p->n_out * p->n_in * p->inner;
        for (size_t k = 0; k < p->taps; k++) {
            float *at = dx + p->index[o][k] * p->inner;
            const float w = p->weight[o][k];
            for (size_t i = 0; i < p->inner; i++)
                at[i] += w * dy[i];
        }
    }
}

static size_t block_of(size_t elements)
{
    return elements < LUC_BLOCK ? LUC_BLOCK / elements : 1;
}

void luc_resample_forward(const struct luc_resample *r, const struct luc_threads *threads,
                          void *scratch, const float *x, float *y)
{
    const struct sequence q = order(r);
    if (luc_numel(&r->out) == 0)
        return;
    if (q.n == 0)
        memcpy(y, x, luc_numel(&r->out) * sizeof(*y));
    for (size_t i = 0; i < q.n; i++) {
        const struct pass p = make_pass(r, &q, i, scratch);
        struct job j = { &p, x, i + 1 == q.n ? y : between(&q, scratch, i) };
        if (p.inner == 1 && p.taps == 1)
            luc_ranges(threads, p.outer, block_of(p.n_out), pick_range, &j);
        else
            luc_ranges(threads, p.outer * p.n_out, block_of(p.inner), forward_range, &j);
        x = j.to;
    }
}

void luc_resample_backward(const struct luc_resample *r, const struct luc_threads *threads,
                           void *scratch, const float *dy, float *dx)
{
    const struct sequence q = order(r);
    if (luc_numel(&r->out) == 0)
        return;
    if (q.n == 0)
        luc_row_add(dx, dy, luc_numel(&r->out));
    for (size_t i = q.n; i-- > 0;) {
        const struct pass p = make_pass(r, &q, i, scratch);
        struct job j = { &p, dy, i == 0 ? dx : between(&q, scratch, i) };
        if (i > 0)
            memset(j.to, 0, luc_numel(&q.shape[i]) * sizeof(float));
        luc_ranges(threads, p.outer, block_of(p.inner * p.n_out), backward_range, &j);
        dy = j.to;
    }
}
