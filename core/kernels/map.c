#include "core/kernels/map.h"

#define PIECE 1024 /* floats; stays in the first-level cache */

struct forward {
    luc_map_fn *f;
    const void *attrs;
    const float *x;
    float *y;
};

static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct forward *m = ctx;
    m->f(m->attrs, m->x + begin, m->y + begin, end - begin);
}

void luc_map_forward(const struct luc_threads *threads, luc_map_fn *f, const void *attrs,
                     const float *x, float *y, size_t n)
{
    struct forward m = { f, attrs, x, y };
    luc_ranges(threads, n, LUC_BLOCK, forward_range, &m);
}

static void backward_range(void *ctx, size_t begin, size_t end)
{
    const struct luc_map_backward *m = *(const struct luc_map_backward *const *)ctx;
    float piece[PIECE];
    for (size_t at = begin, n; at < end; at += n) {
        n = end - at < PIECE ? end - at : PIECE;
        float *to = m->fresh ? m->dx + at : piece;
        m->grad(m->attrs, m->x ? m->x + at : NULL, m->y ? m->y + at : NULL, m->dy + at, to, n);
        if (!m->fresh)
            luc_row_add(m->dx + at, piece, n);
    }
}

void luc_map_backward(const struct luc_threads *threads, const struct luc_map_backward *m, size_t n)
{
    luc_ranges(threads, n, LUC_BLOCK, backward_range, &m);
}
