#include "core/generate/gram.h"

#include "core/tensor/blas.h"

#define SEGMENTS_MOST 16
#define SEGMENT       4096           /* positions that one item sums over, at least */
#define PARTS         (1024u * 1024) /* floats of sums that wait to be added, where C allows */
#define BLOCK         (256u * 1024)  /* bytes of features per item backward: they stay in L2 */

/* G is cut into tiles, of which those above the diagonal and on it are computed; positions into
 * segments, whose sums are added in their order. */
struct gram_job {
    const float *features;
    float *parts, *gram; /* parts: [segments][C][C], upper halves; may be `gram` itself */
    size_t channels, pixels, segments, tile, n_tiles;
    float scale;
};

static size_t segments_most(size_t channels)
{
    const size_t n = PARTS / (channels * channels);
    return n < 1 ? 1 : n > SEGMENTS_MOST ? SEGMENTS_MOST : n;
}

size_t luc_gram_scratch(size_t channels)
{
    return segments_most(channels) * channels * channels;
}

static size_t segments_of(size_t channels, size_t pixels)
{
    const size_t n = pixels / SEGMENT, most = segments_most(channels);
    return n < 1 ? 1 : n > most ? most : n;
}

/* The k-th tile of the upper half, row by row. */
static void find_tile(size_t k, size_t n_tiles, size_t *row, size_t *column)
{
    *row = 0;
    for (size_t n = n_tiles; k >= n; n--) {
        k -= n;
        ++*row;
    }
    *column = *row + k;
}

static void gram_tile(void *ctx, size_t item, size_t lane)
{
    const struct gram_job *j = ctx;
    const size_t c = j->channels, tiles = j->n_tiles * (j->n_tiles + 1) / 2;
    const size_t segment = item / tiles;
    size_t row, column;
    (void)lane;
    find_tile(item % tiles, j->n_tiles, &row, &column);
    row *= j->tile;
    column *= j->tile;
    const size_t from = segment * j->pixels / j->segments;
    const size_t n = (segment + 1) * j->pixels / j->segments - from;
    const size_t rows = c - row < j->tile ? c - row : j->tile;
    const size_t columns = c - column < j->tile ? c - column : j->tile;
    const float *a = j->features + row * j->pixels + from;
    float *out = j->parts + (segment * c + row) * c + column;
    if (row == column)
        luc_ssyrk(rows, n, j->scale, a, j->pixels, out, c);
    else
        luc_sgemm(false, true, rows, columns, n, j->scale, a, j->pixels,
                  j->features + column * j->pixels + from, j->pixels, 0.0f, out, c);
}

/* One row of the upper half and, mirrored, one column of the lower. */
static void add_segments(void *ctx, size_t row, size_t lane)
{
    const struct gram_job *j = ctx;
    const size_t c = j->channels;
    (void)lane;
    for (size_t k = row; k < c; k++) {
        float sum = 0;
        for (size_t s = 0; s < j->segments; s++)
            sum += j->parts[(s * c + row) * c + k];
        j->gram[row * c + k] = sum;
        j->gram[k * c + row] = sum;
    }
}

void luc_gram(const struct luc_threads *threads, const struct luc_tensor *features, float *scratch,
              float *gram)
{
    const struct luc_shape *s = &features->shape;
    struct gram_job j = { .features = features->data,
                          .parts = scratch ? scratch : gram,
                          .gram = gram,
                          .channels = s->dim[1],
                          .pixels = s->dim[2] * s->dim[3],
                          .tile = s->dim[1] > 128 ? 128 : 64 };
    j.scale = (float)(1.0 / ((double)j.channels * (double)j.pixels));
    j.segments = scratch ? segments_of(j.channels, j.pixels) : 1;
    j.n_tiles = (j.channels + j.tile - 1) / j.tile;
    luc_parallel_for(threads, j.segments * j.n_tiles * (j.n_tiles + 1) / 2, gram_tile, &j);
    luc_parallel_for(threads, j.channels, add_segments, &j);
}

/* ---- back ---- */

struct gram_gradient {
    const float *features, *d_gram;
    float *gradient, scale, keep;
    size_t channels, pixels, span;
};

/* dF[:, span] += scale * d_gram F[:, span] */
static void gram_span(void *ctx, size_t item, size_t lane)
{
    const struct gram_gradient *j = ctx;
    const size_t from = item * j->span;
    const size_t n = j->pixels - from < j->span ? j->pixels - from : j->span;
    (void)lane;
    luc_sgemm(false, false, j->channels, n, j->channels, j->scale, j->d_gram, j->channels,
              j->features + from, j->pixels, j->keep, j->gradient + from, j->pixels);
}

void luc_gram_backward(const struct luc_threads *threads, const struct luc_tensor *features,
                       const float *d_gram, double scale, bool sets, float *gradient)
{
    const struct luc_shape *s = &features->shape;
    struct gram_gradient j = { .features = features->data,
                               .d_gram = d_gram,
                               .gradient = gradient,
                               .keep = sets ? 0.0f : 1.0f,
                               .channels = s->dim[1],
                               .pixels = s->dim[2] * s->dim[3] };
    j.scale = (float)(scale * 2.0 / ((double)j.channels * (double)j.pixels));
    j.span = BLOCK / sizeof(float) / j.channels / 16 * 16;
    j.span = j.span < 64 ? 64 : j.span;
    luc_parallel_for(threads, (j.pixels + j.span - 1) / j.span, gram_span, &j);
}
