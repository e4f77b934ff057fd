#include "core/kernels/walk.h"

#include <assert.h>
#include <string.h>

struct luc_walk luc_walk_of(const struct luc_shape *s)
{
    struct luc_walk w = { .rank = s->rank };
    for (size_t i = 0; i < s->rank; i++)
        w.dim[i] = s->dim[i];
    return w;
}

void luc_walk_broadcast(struct luc_walk *w, size_t k, const struct luc_shape *s)
{
    ptrdiff_t stride = 1;
    for (size_t i = 0; i < w->rank; i++) {
        const size_t d = w->rank - 1 - i;
        const size_t size = i < s->rank ? s->dim[s->rank - 1 - i] : 1;
        w->step[k][d] = size == 1 ? 0 : stride;
        stride *= (ptrdiff_t)size;
    }
}

static bool joins(const struct luc_walk *w, size_t outer, size_t d)
{
    for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
        if (w->step[k][outer] != w->step[k][d] * (ptrdiff_t)w->dim[d])
            return false;
    return true;
}

void luc_walk_merge(struct luc_walk *w)
{
    size_t rank = 0;
    for (size_t d = 0; d < w->rank; d++) {
        if (w->dim[d] == 1)
            continue;
        const bool join = rank > 0 && joins(w, rank - 1, d);
        const size_t to = join ? rank - 1 : rank;
        w->dim[to] = join ? w->dim[to] * w->dim[d] : w->dim[d];
        for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
            w->step[k][to] = w->step[k][d];
        rank = to + 1;
    }
    if (rank == 0) {
        w->dim[0] = 1;
        for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
            w->step[k][0] = 0;
        rank = 1;
    }
    w->rank = rank;
}

/* Index `i` of the box, counted in rows first: position per dimension and offset per operand. */
static void locate(const struct luc_walk *w, size_t i, size_t *pos, ptrdiff_t *at)
{
    for (size_t d = w->rank; d-- > 0;) {
        pos[d] = i % w->dim[d];
        i /= w->dim[d];
        for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
            at[k] += (ptrdiff_t)pos[d] * w->step[k][d];
    }
}

static void advance(const struct luc_walk *w, size_t n, size_t *pos, ptrdiff_t *at)
{
    size_t d = w->rank - 1;
    pos[d] += n;
    for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
        at[k] += (ptrdiff_t)n * w->step[k][d];
    for (; d > 0 && pos[d] == w->dim[d]; d--) {
        for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
            at[k] += w->step[k][d - 1] - (ptrdiff_t)pos[d] * w->step[k][d];
        pos[d] = 0;
        pos[d - 1]++;
    }
}

/* Elements [begin, end) of the box, offsets counted from `at`. */
static void run_span(const struct luc_walk *w, size_t begin, size_t end, ptrdiff_t *at,
                     luc_walk_body *body, void *ctx)
{
    const size_t row = w->dim[w->rank - 1];
    size_t pos[LUC_MAX_RANK] = { 0 };
    assert(w->rank >= 1); /* luc_walk_merge() sees to that */
    locate(w, begin, pos, at);
    while (begin < end) {
        const size_t left = row - pos[w->rank - 1];
        const size_t n = end - begin < left ? end - begin : left;
        body(ctx, at, n);
        begin += n;
        advance(w, n, pos, at);
    }
}

static size_t box_size(const struct luc_walk *w)
{
    size_t n = 1;
    for (size_t d = 0; d < w->rank; d++)
        n *= w->dim[d];
    return n;
}

struct job {
    const struct luc_walk *walk;
    luc_walk_body *body;
    void *ctx;
    size_t split, chunk; /* luc_walk_reduce: the dimension cut, and into pieces of what size */
};

static void run_range(void *ctx, size_t begin, size_t end)
{
    const struct job *job = ctx;
    ptrdiff_t at[LUC_WALK_OPERANDS] = { 0 };
    run_span(job->walk, begin, end, at, job->body, job->ctx);
}

void luc_walk_run(const struct luc_walk *w, const struct luc_threads *threads, luc_walk_body *body,
                  void *ctx)
{
    struct job job = { w, body, ctx, 0, 0 };
    luc_ranges(threads, box_size(w), LUC_BLOCK, run_range, &job);
}

static void run_piece(void *ctx, size_t begin, size_t end)
{
    const struct job *job = ctx;
    struct luc_walk piece = *job->walk;
    ptrdiff_t at[LUC_WALK_OPERANDS];
    for (size_t k = 0; k < LUC_WALK_OPERANDS; k++)
        at[k] = (ptrdiff_t)begin * piece.step[k][job->split];
    piece.dim[job->split] = end - begin;
    run_span(&piece, 0, box_size(&piece), at, job->body, job->ctx);
}

void luc_walk_reduce(const struct luc_walk *w, size_t k, const struct luc_threads *threads,
                     luc_walk_body *body, void *ctx)
{
    const size_t n = box_size(w);
    struct job job = { w, body, ctx, 0, 0 };
    bool found = false; /* the widest dimension whose slices do not meet in operand k */
    for (size_t d = 0; d < w->rank; d++)
        if (w->step[k][d] != 0 && (!found || w->dim[d] > w->dim[job.split]))
            job.split = d, found = true;
    if (n == 0)
        return;
    const size_t slice = n / w->dim[job.split];
    job.chunk = !found ? w->dim[job.split] : slice < LUC_BLOCK ? LUC_BLOCK / slice : 1;
    luc_ranges(threads, w->dim[job.split], job.chunk, run_piece, &job);
}

struct copy {
    const float *from;
    float *to;
    ptrdiff_t from_step, to_step;
    bool add;
};

static void copy_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct copy *c = ctx;
    const float *from = c->from + at[0];
    float *to = c->to + at[1];
    if (c->from_step == 1 && c->to_step == 1 && !c->add)
        memcpy(to, from, n * sizeof(*to));
    else if (c->from_step == 1 && c->to_step == 1)
        luc_row_add(to, from, n);
    else
        for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
            to[i * c->to_step] =
                c->add ? to[i * c->to_step] + from[i * c->from_step] : from[i * c->from_step];
}

void luc_walk_copy(struct luc_walk w, const struct luc_threads *threads, const float *from,
                   float *to, bool add)
{
    luc_walk_merge(&w);
    struct copy c = { from, to, w.step[0][w.rank - 1], w.step[1][w.rank - 1], add };
    luc_walk_run(&w, threads, copy_row, &c);
}

double luc_row_sum(const float *x, size_t n)
{
    double part[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            part[k] += (double)x[i + k];
    for (; i < n; i++)
        part[i % 8] += (double)x[i];
    return ((part[0] + part[4]) + (part[1] + part[5])) +
           ((part[2] + part[6]) + (part[3] + part[7]));
}

void luc_row_add(float *y, const float *x, size_t n)
{
    LUC_IVDEP
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

struct ranges {
    luc_range_body *body;
    void *ctx;
    size_t n, block;
};

static void range_item(void *ctx, size_t item, size_t lane)
{
    const struct ranges *r = ctx;
    const size_t begin = item * r->block;
    (void)lane;
    r->body(r->ctx, begin, r->n - begin < r->block ? r->n : begin + r->block);
}

void luc_ranges(const struct luc_threads *threads, size_t n, size_t block, luc_range_body *body,
                void *ctx)
{
    struct ranges r = { body, ctx, n, block };
    luc_parallel_for(threads, n / block + (n % block != 0), range_item, &r);
}
