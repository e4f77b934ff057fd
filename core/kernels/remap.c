#include "core/kernels/remap.h"

#include "core/kernels/walk.h"

#include <assert.h>
#include <string.h>

struct job {
    const struct luc_remap *m;
    const float *x, *dy;
    float *y, *dx;
    float value;
    size_t mid, mid_end;  /* along the last dimension: the longest stretch of consecutive indices */
    size_t rows_per_item; /* backward: rows of one index of the leading, unmapped dimensions */
};

size_t luc_remap_tables(const struct luc_shape *out)
{
    size_t n = 1; /* a scalar counts as one dimension */
    for (size_t d = 0; d < out->rank; d++)
        n += out->dim[d];
    return n;
}

void luc_remap_init(struct luc_remap *m, const struct luc_shape *in, const struct luc_shape *out,
                    ptrdiff_t *memory)
{
    *m = (struct luc_remap){ .rank = in->rank };
    for (size_t d = 0; d < in->rank; d++) {
        m->in[d] = in->dim[d];
        m->out[d] = out->dim[d];
        m->table[d] = memory;
        memory += out->dim[d];
    }
    if (m->rank == 0) {
        m->rank = m->in[0] = m->out[0] = 1;
        m->table[0] = memory;
        memory[0] = 0;
    }
}

/* Offset of the input row that output row `r` comes from; false when it is a hole. */
static bool find_row(const struct luc_remap *m, size_t r, ptrdiff_t *at)
{
    ptrdiff_t stride = (ptrdiff_t)m->in[m->rank - 1];
    *at = 0;
    for (size_t d = m->rank - 1; d-- > 0;) {
        const ptrdiff_t i = m->table[d][r % m->out[d]];
        if (i < 0)
            return false;
        r /= m->out[d];
        *at += i * stride;
        stride *= (ptrdiff_t)m->in[d];
    }
    return true;
}

static ptrdiff_t modulo(ptrdiff_t i, ptrdiff_t n)
{
    assert(n > 0);
    return i % n < 0 ? i % n + n : i % n;
}

ptrdiff_t luc_pad_source(enum luc_pad_mode mode, ptrdiff_t i, ptrdiff_t n)
{
    if (i >= 0 && i < n)
        return i;
    if (mode == LUC_PAD_EDGE)
        return i < 0 ? 0 : n - 1;
    if (mode == LUC_PAD_WRAP)
        return modulo(i, n);
    if (mode == LUC_PAD_REFLECT && n == 1)
        return 0;
    if (mode == LUC_PAD_REFLECT) {
        const ptrdiff_t k = modulo(i, 2 * (n - 1));
        return k < n ? k : 2 * (n - 1) - k;
    }
    return -1;
}

static void fill(float *y, float value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = value;
}

static void pick(float *y, const float *x, const ptrdiff_t *table, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        y[i] = table[i] < 0 ? value : x[table[i]];
}

static void forward_rows(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const size_t width = j->m->out[j->m->rank - 1];
    const ptrdiff_t *table = j->m->table[j->m->rank - 1];
    for (size_t r = begin; r < end; r++) {
        float *y = j->y + r * width;
        ptrdiff_t at;
        if (!find_row(j->m, r, &at)) {
            fill(y, j->value, width);
            continue;
        }
        const float *x = j->x + at;
        pick(y, x, table, j->mid, j->value);
        if (j->mid_end > j->mid)
            memcpy(y + j->mid, x + table[j->mid], (j->mid_end - j->mid) * sizeof(*y));
        pick(y + j->mid_end, x, table + j->mid_end, width - j->mid_end, j->value);
    }
}

static void scatter(float *dx, const float *dy, const ptrdiff_t *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (table[i] >= 0)
            dx[table[i]] += dy[i];
}

static void backward_rows(void *ctx, size_t begin, size_t end)
{
    const struct job *j = ctx;
    const size_t width = j->m->out[j->m->rank - 1];
    const ptrdiff_t *table = j->m->table[j->m->rank - 1];
    for (size_t r = begin * j->rows_per_item; r < end * j->rows_per_item; r++) {
        const float *dy = j->dy + r * width;
        ptrdiff_t at;
        if (!find_row(j->m, r, &at))
            continue;
        float *dx = j->dx + at;
        scatter(dx, dy, table, j->mid);
        if (j->mid_end > j->mid)
            luc_row_add(dx + table[j->mid], dy + j->mid, j->mid_end - j->mid);
        scatter(dx, dy + j->mid_end, table + j->mid_end, width - j->mid_end);
    }
}

static void find_middle(struct job *j)
{
    const size_t n = j->m->out[j->m->rank - 1];
    const ptrdiff_t *table = j->m->table[j->m->rank - 1];
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (table[i] >= 0 && end < n && table[end] == table[end - 1] + 1)
            end++;
        if (table[i] >= 0 && end - i > j->mid_end - j->mid)
            j->mid = i, j->mid_end = end;
    }
}

static bool unmapped(const struct luc_remap *m, size_t d)
{
    for (size_t o = 0; o < m->out[d]; o++)
        if (m->table[d][o] != (ptrdiff_t)o)
            return false;
    return m->in[d] == m->out[d];
}

static size_t count_rows(const struct luc_remap *m, size_t from)
{
    size_t n = 1;
    for (size_t d = from; d + 1 < m->rank; d++)
        n *= m->out[d];
    return m->out[m->rank - 1] ? n : 0;
}

static size_t block_of(size_t elements)
{
    return elements && elements < LUC_BLOCK ? LUC_BLOCK / elements : 1;
}

void luc_remap_forward(const struct luc_remap *m, const struct luc_threads *threads, const float *x,
                       float *y, float value)
{
    struct job j = { .m = m, .x = x, .y = y, .value = value };
    find_middle(&j);
    luc_ranges(threads, count_rows(m, 0), block_of(m->out[m->rank - 1]), forward_rows, &j);
}

void luc_remap_backward(const struct luc_remap *m, const struct luc_threads *threads,
                        const float *dy, float *dx)
{
    struct job j = { .m = m, .dy = dy, .dx = dx };
    size_t lead = 0, items = 1; /* dimensions whose indices never meet: they go to threads */
    while (lead + 1 < m->rank && unmapped(m, lead))
        items *= m->out[lead++];
    find_middle(&j);
    j.rows_per_item = count_rows(m, lead);
    if (j.rows_per_item == 0)
        return;
    luc_ranges(threads, items, block_of(j.rows_per_item * m->out[m->rank - 1]), backward_rows, &j);
}
