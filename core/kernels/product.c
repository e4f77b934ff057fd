#include "core/kernels/product.h"
#include "core/kernels/clones.h"
#include "core/kernels/sizes.h"
#include "core/tensor/blas.h"

#define FEW      4                 /* rows for which matrix times vector is faster */
#define ONE_READ ((size_t)1 << 16) /* floats of B in a piece then: 256 KiB */

struct job {
    const struct luc_product *p;
    const float *a, *b;
    float *c;
    size_t first;                      /* batch of item 0 */
    size_t rows, n_rows, cols, n_cols; /* of a piece of C; pieces */
};

static size_t offset(const struct luc_shape *batch, const size_t *step, size_t i)
{
    size_t at = 0;
    for (size_t axis = batch->rank; axis-- > 0; i /= batch->dim[axis])
        at += i % batch->dim[axis] * step[axis];
    return at;
}

/* c [cols] += s[0] b[0..] + s[1] b[ldb..] + ..., `rows` of them, at most 4. */
LUC_CLONES static void add_rows(const float s[4], const float *b, size_t ldb, size_t rows,
                                size_t cols, float *restrict c)
{
    if (rows == 4)
        for (size_t j = 0; j < cols; j++)
            c[j] +=
                (s[0] * b[j] + s[1] * b[ldb + j]) + (s[2] * b[2 * ldb + j] + s[3] * b[3 * ldb + j]);
    else
        for (size_t l = 0; l < rows; l++)
            for (size_t j = 0; j < cols; j++)
                c[j] += s[l] * b[l * ldb + j];
}

/* A strip of columns of B goes by once, four rows at a time, for all rows of C.
 */
static void strip(const struct luc_product *p, const float *a, const float *b, float *c,
                  size_t cols)
{
    const size_t row = p->trans_a ? 1 : p->k, step = p->trans_a ? p->m : 1;
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < cols; j++)
            c[i * p->n + j] = p->beta == 0.0f ? 0.0f : p->beta * c[i * p->n + j];
    for (size_t l = 0; l < p->k; l += 4) {
        const size_t rows = luc_min(4, p->k - l);
        for (size_t i = 0; i < p->m; i++) {
            float s[4] = { 0 };
            for (size_t r = 0; r < rows; r++)
                s[r] = p->alpha * a[i * row + (l + r) * step];
            add_rows(s, b + l * p->n, p->n, rows, cols, c + i * p->n);
        }
    }
}

/* Rows of C, each the products of a row of op(A) with rows of B. */
static void dots(const struct luc_product *p, const float *a, const float *b, float *c, size_t cols)
{
    for (size_t i = 0; i < p->m; i++)
        luc_sgemv(false, cols, p->k, p->alpha, b, p->k, p->trans_a ? a + i : a + i * p->k,
                  p->trans_a ? p->m : 1, p->beta, c + i * p->n);
}

static void item(void *ctx, size_t it, size_t lane)
{
    const struct job *j = ctx;
    const struct luc_product *p = j->p;
    const size_t col = it % j->n_cols * j->cols, cols = luc_min(j->cols, p->n - col);
    const size_t row = it / j->n_cols % j->n_rows * j->rows, rows = luc_min(j->rows, p->m - row);
    const size_t batch = j->first + it / j->n_cols / j->n_rows;
    const size_t lda = p->trans_a ? p->m : p->k, ldb = p->trans_b ? p->k : p->n;
    const float *a = j->a + offset(&p->batch, p->a_step, batch);
    const float *b = j->b + offset(&p->batch, p->b_step, batch);
    float *c = j->c + offset(&p->batch, p->c_step, batch);
    (void)lane;

    if (p->m <= FEW && p->trans_b)
        dots(p, a, b + col * ldb, c + col, cols);
    else if (p->m <= FEW)
        strip(p, a, b + col, c + col, cols);
    else
        luc_sgemm(p->trans_a, p->trans_b, rows, cols, p->k, p->alpha,
                  p->trans_a ? a + row : a + row * lda, lda, p->trans_b ? b + col * ldb : b + col,
                  ldb, p->beta, c + row * p->n + col, p->n);
}

static void cut(struct job *j, size_t n_batch)
{
    const struct luc_product *p = j->p;
    const size_t want = luc_div_up(8, n_batch);
    j->rows = p->m, j->cols = luc_min(p->n, 512);
    if (p->m <= FEW && !p->trans_b)
        j->cols = luc_min(p->n, luc_min(1024, (p->n / 8 + 64) / 64 * 64));
    else if (p->m <= FEW)
        j->cols = luc_min(p->n, ONE_READ / luc_min(ONE_READ / 16, p->k ? p->k : 1));
    else if (luc_div_up(p->n, j->cols) < want && p->m >= p->n)
        j->rows = luc_div_up(p->m, luc_min(want, luc_div_up(p->m, 32)));
    else if (luc_div_up(p->n, j->cols) < want)
        j->cols = luc_div_up(p->n, luc_min(want, luc_div_up(p->n, 32)));
    j->n_rows = luc_div_up(p->m, j->rows), j->n_cols = luc_div_up(p->n, j->cols);
}

static bool repeats(const struct luc_product *p)
{
    for (size_t i = 0; i < p->batch.rank; i++)
        if (p->batch.dim[i] > 1 && p->c_step[i] == 0)
            return true;
    return false;
}

void luc_product(const struct luc_product *p, const float *a, const float *b, float *c,
                 const struct luc_threads *threads)
{
    struct job j = { .p = p, .a = a, .b = b, .c = c };
    const size_t n = luc_numel(&p->batch);
    const size_t together = repeats(p) ? 1 : n;
    if (n == 0 || p->m == 0 || p->n == 0)
        return;
    cut(&j, together);
    for (j.first = 0; j.first < n; j.first += together)
        luc_parallel_for(threads, together * j.n_rows * j.n_cols, item, &j);
}
