#include "core/generate/loss.h"

#include "core/generate/guide.h"
#include "core/generate/objective.h"
#include "core/tensor/blas.h"

#include <assert.h>

#define GRAM_ROWS 64   /* rows of a Gram matrix per work item */
#define SPAN      4096 /* columns of features per work item */
#define TINY      1e-30

struct gram_job {
    const float *features;
    float *gram;
    size_t channels, pixels;
};

static void gram_rows(void *ctx, size_t item, size_t lane)
{
    const struct gram_job *j = ctx;
    (void)lane;
    const size_t c = j->channels, from = item * GRAM_ROWS;
    const size_t rows = c - from < GRAM_ROWS ? c - from : GRAM_ROWS;
    const float scale = (float)(1.0 / ((double)c * (double)j->pixels));
    luc_sgemm(false, true, rows, c, j->pixels, scale, j->features + from * j->pixels, j->pixels,
              j->features, j->pixels, 0.0f, j->gram + from * c, c);
}

void luc_gram(const struct luc_threads *threads, const struct luc_tensor *features, float *gram)
{
    const struct luc_shape *s = &features->shape;
    struct gram_job j = { features->data, gram, s->dim[1], s->dim[2] * s->dim[3] };
    luc_parallel_for(threads, (j.channels + GRAM_ROWS - 1) / GRAM_ROWS, gram_rows, &j);
}

static double sum_of_squares(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sum;
}

enum luc_status luc_loss_gram(struct luc_loss *loss, size_t value, double weight,
                              const struct luc_threads *threads, const struct luc_tensor *style,
                              struct luc_arena *arena, struct luc_error *err)
{
    const size_t c = style->shape.dim[1];
    struct luc_loss fresh = { .kind = LUC_LOSS_GRAM, .value = value, .weight = weight };
    fresh.target = luc_arena_alloc(arena, c * c, sizeof(float));
    fresh.scratch = luc_arena_alloc(arena, 2 * c * c, sizeof(float));
    if (!fresh.target || !fresh.scratch)
        return luc_fail_nomem(err, "Gram matrix", 3 * c * c * sizeof(float));
    if (!luc_arena_is_dry(arena))
        luc_gram(threads, style, fresh.target);
    fresh.size = sum_of_squares(fresh.target, c * c) + TINY;
    *loss = fresh;
    return LUC_OK;
}

void luc_loss_feature(struct luc_loss *loss, size_t value, double weight,
                      const struct luc_tensor *content)
{
    const size_t n = luc_numel(&content->shape);
    *loss = (struct luc_loss){ .kind = LUC_LOSS_FEATURE,
                               .value = value,
                               .weight = weight,
                               .target = content->data,
                               .size = sum_of_squares(content->data, n) / (double)n + TINY };
}

struct gram_gradient {
    const float *features, *d_gram; /* d_gram symmetric */
    float *gradient;
    size_t channels, pixels;
    float scale;
};

/* dF[:, span] += scale * d_gram F[:, span] */
static void gram_span(void *ctx, size_t item, size_t lane)
{
    const struct gram_gradient *j = ctx;
    (void)lane;
    const size_t from = item * SPAN;
    const size_t n = j->pixels - from < SPAN ? j->pixels - from : SPAN;
    luc_sgemm(false, false, j->channels, n, j->channels, j->scale, j->d_gram, j->channels,
              j->features + from, j->pixels, 1.0f, j->gradient + from, j->pixels);
}

void luc_gram_backward(const struct luc_threads *threads, const struct luc_tensor *features,
                       const float *d_gram, double scale, float *gradient)
{
    const struct luc_shape *s = &features->shape;
    struct gram_gradient j = { .features = features->data,
                               .d_gram = d_gram,
                               .gradient = gradient,
                               .channels = s->dim[1],
                               .pixels = s->dim[2] * s->dim[3] };
    j.scale = (float)(scale * 2.0 / ((double)j.channels * (double)j.pixels));
    luc_parallel_for(threads, (j.pixels + SPAN - 1) / SPAN, gram_span, &j);
}

static double eval_gram(struct luc_loss *loss, const struct luc_threads *threads,
                        const struct luc_tensor *features, struct luc_tensor *gradient)
{
    const size_t c = features->shape.dim[1];
    float *gram = loss->scratch, *difference = loss->scratch + c * c;
    assert(features->shape.dim[0] == 1);
    luc_gram(threads, features, gram);
    for (size_t i = 0; i < c * c; i++)
        difference[i] = gram[i] - loss->target[i];
    luc_gram_backward(threads, features, difference, loss->weight * 2.0 / loss->size,
                      gradient->data);
    return sum_of_squares(difference, c * c) / loss->size;
}

static double eval_feature(struct luc_loss *loss, const struct luc_tensor *features,
                           struct luc_tensor *gradient)
{
    const size_t n = luc_numel(&features->shape);
    const float scale = (float)(loss->weight * 2.0 / (loss->size * (double)n));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float d = features->data[i] - loss->target[i];
        sum += (double)d * (double)d;
        gradient->data[i] += scale * d;
    }
    return sum / (double)n / loss->size;
}

double luc_loss_eval(struct luc_loss *loss, const struct luc_threads *threads,
                     const struct luc_tensor *features, struct luc_tensor *gradient)
{
    switch (loss->kind) {
    case LUC_LOSS_GRAM: loss->latest = eval_gram(loss, threads, features, gradient); break;
    case LUC_LOSS_FEATURE: loss->latest = eval_feature(loss, features, gradient); break;
    case LUC_LOSS_ENERGY:
    case LUC_LOSS_CLASS:
    case LUC_LOSS_CHANNEL:
    case LUC_LOSS_NEURON:
    case LUC_LOSS_DIRECTION: loss->latest = luc_objective_eval(loss, features, gradient); break;
    case LUC_LOSS_GUIDE: loss->latest = luc_guide_eval(loss, features, gradient); break;
    case LUC_LOSS_DIVERSITY:
        loss->latest = luc_diversity_eval(loss, threads, features, gradient);
        break;
    }
    return loss->weight * loss->latest;
}
