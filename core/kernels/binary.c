#include "core/kernels/binary.h"

#include <string.h>

#define PIECE 1024 /* floats; stays in the first-level cache */

struct forward {
    luc_binary_fn *f;
    const float *a, *b;
    float *y;
    size_t sa, sb;
};

static size_t inner_step(const struct luc_walk *w, size_t k)
{
    return w->step[k][w->rank - 1] != 0;
}

static struct luc_walk make_walk(const struct luc_shape *a, const struct luc_shape *b,
                                 const struct luc_shape *y)
{
    struct luc_walk w = luc_walk_of(y);
    luc_walk_broadcast(&w, 0, a);
    luc_walk_broadcast(&w, 1, b);
    luc_walk_broadcast(&w, 2, y);
    luc_walk_merge(&w);
    return w;
}

static void forward_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    const struct forward *m = ctx;
    m->f(m->a + at[0], m->sa, m->b + at[1], m->sb, m->y + at[2], n);
}

void luc_binary_forward(const struct luc_threads *threads, luc_binary_fn *f,
                        const struct luc_tensor *a, const struct luc_tensor *b,
                        const struct luc_tensor *y)
{
    const struct luc_walk w = make_walk(&a->shape, &b->shape, &y->shape);
    struct forward m = { f, a->data, b->data, y->data, inner_step(&w, 0), inner_step(&w, 1) };
    luc_walk_run(&w, threads, forward_row, &m);
}

struct backward {
    const struct luc_binary_backward *m;
    size_t sa, sb, sx;
    bool write; /* dx is written, not added to */
};

static const float *offset(const float *base, ptrdiff_t at)
{
    return base ? base + at : NULL;
}

/* One piece of a row: its gradient into dx, from `done` elements after `at`. */
static void backward_piece(const struct backward *b, const ptrdiff_t *at, size_t done, size_t n)
{
    const struct luc_binary_backward *m = b->m;
    float *dx = m->dx->data + at[m->which] + done * b->sx;
    const ptrdiff_t y_at = at[2] + (ptrdiff_t)done;
    const float *from = m->dy->data + y_at;
    float piece[PIECE];

    if (m->grad) {
        float *to = b->write ? dx : piece;
        m->grad(offset(m->a->data, at[0] + (ptrdiff_t)(done * b->sa)), b->sa,
                offset(m->b->data, at[1] + (ptrdiff_t)(done * b->sb)), b->sb,
                offset(m->y->data, y_at), from, to, n);
        from = to;
    }
    if (b->write && !m->grad)
        memcpy(dx, from, n * sizeof(*dx));
    else if (!b->write && b->sx)
        luc_row_add(dx, from, n);
    else if (!b->write)
        *dx += (float)luc_row_sum(from, n);
}

static void backward_row(void *ctx, const ptrdiff_t *at, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        part = n - done < PIECE ? n - done : PIECE;
        backward_piece(ctx, at, done, part);
    }
}

void luc_binary_backward(const struct luc_threads *threads, const struct luc_binary_backward *m)
{
    const struct luc_walk w = make_walk(&m->a->shape, &m->b->shape, &m->y->shape);
    const size_t n = luc_numel(&m->dx->shape);
    const bool reduced = n != luc_numel(&m->y->shape);
    struct backward b = { m, m->a->data ? inner_step(&w, 0) : 0, m->b->data ? inner_step(&w, 1) : 0,
                          inner_step(&w, m->which), m->fresh && !reduced };
    if (m->fresh && reduced)
        memset(m->dx->data, 0, n * sizeof(float));
    if (reduced)
        luc_walk_reduce(&w, m->which, threads, backward_row, &b);
    else
        luc_walk_run(&w, threads, backward_row, &b);
}
