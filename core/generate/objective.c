#include "core/generate/objective.h"

#include "core/generate/gram.h"

#include <math.h>
#include <string.h>

#define TINY 1e-30

/* One picture's features: [C, n], n positions. */
struct slice {
    const float *f;
    float *g;
    size_t channels, n, width;
};

static struct slice slice_of(const struct luc_tensor *features, struct luc_tensor *gradient,
                             size_t picture)
{
    const struct luc_shape *s = &features->shape;
    struct slice x = { .channels = s->dim[1], .n = 1, .width = s->rank > 3 ? s->dim[3] : 1 };
    for (size_t k = 2; k < s->rank; k++)
        x.n *= s->dim[k];
    x.f = features->data + picture * x.channels * x.n;
    x.g = gradient->data + picture * x.channels * x.n;
    return x;
}

static double energy(const struct luc_loss *loss, const struct slice *x)
{
    const size_t n = x->channels * x->n;
    const float scale = (float)(loss->weight / (double)n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x->f[i] * (double)x->f[i];
        x->g[i] -= scale * x->f[i];
    }
    return -sum / (2.0 * (double)n);
}

/* f[k] + sharpen * log softmax(f)[k] */
static double class_score(const struct luc_loss *loss, const struct slice *x)
{
    const double own = (double)x->f[loss->index];
    double most = own, sum = 0;
    x->g[loss->index] -= (float)(loss->weight * (1 + loss->sharpen));
    if (loss->sharpen == 0)
        return -own;
    for (size_t c = 0; c < x->channels; c++)
        most = fmax(most, (double)x->f[c]);
    for (size_t c = 0; c < x->channels; c++)
        sum += exp((double)x->f[c] - most);
    for (size_t c = 0; c < x->channels; c++)
        x->g[c] += (float)(loss->weight * loss->sharpen * exp((double)x->f[c] - most) / sum);
    return -(own + loss->sharpen * (own - most - log(sum)));
}

static double channel_mean(const struct luc_loss *loss, const struct slice *x)
{
    const size_t from = loss->index * x->n;
    double sum = 0;
    for (size_t i = from; i < from + x->n; i++) {
        sum += (double)x->f[i];
        x->g[i] -= (float)(loss->weight / (double)x->n);
    }
    return -sum / (double)x->n;
}

static double neuron(const struct luc_loss *loss, const struct slice *x)
{
    const size_t at = loss->index * x->n + loss->row * x->width + loss->column;
    x->g[at] -= (float)loss->weight;
    return -(double)x->f[at];
}

static double direction(const struct luc_loss *loss, const struct slice *x)
{
    double squares = 0, sum = 0;
    for (size_t c = 0; c < x->channels; c++)
        squares += (double)loss->target[c] * (double)loss->target[c];
    const double unit = 1.0 / (sqrt(squares) + TINY) / (double)x->n;
    for (size_t c = 0; c < x->channels; c++) {
        const double v = (double)loss->target[c] * unit;
        for (size_t i = c * x->n; i < (c + 1) * x->n; i++) {
            sum += v * (double)x->f[i];
            x->g[i] -= (float)(loss->weight * v);
        }
    }
    return -sum;
}

double luc_objective_eval(const struct luc_loss *loss, const struct luc_tensor *features,
                          struct luc_tensor *gradient)
{
    double sum = 0;
    for (size_t p = 0; p < features->shape.dim[0]; p++) {
        const struct slice x = slice_of(features, gradient, p);
        switch (loss->kind) {
        case LUC_LOSS_ENERGY: sum += energy(loss, &x); break;
        case LUC_LOSS_CLASS: sum += class_score(loss, &x); break;
        case LUC_LOSS_CHANNEL: sum += channel_mean(loss, &x); break;
        case LUC_LOSS_NEURON: sum += neuron(loss, &x); break;
        case LUC_LOSS_DIRECTION: sum += direction(loss, &x); break;
        case LUC_LOSS_GRAM:
        case LUC_LOSS_FEATURE:
        case LUC_LOSS_DIVERSITY:
        case LUC_LOSS_GUIDE: break; /* not objectives */
        }
    }
    return sum;
}

/* ---- diversity ---- */

enum luc_status luc_loss_diversity(struct luc_loss *loss, size_t value, double weight, size_t n,
                                   size_t channels, struct luc_arena *arena, struct luc_error *err)
{
    struct luc_loss fresh = { .kind = LUC_LOSS_DIVERSITY, .value = value, .weight = weight };
    fresh.scratch = luc_arena_raw(arena, 2 * n * channels * channels, sizeof(float));
    if (!fresh.scratch)
        return luc_fail_nomem(err, "Gram matrices", 2 * n * channels * channels * sizeof(float));
    *loss = fresh;
    return LUC_OK;
}

static struct luc_tensor picture_of(const struct luc_tensor *features, size_t p)
{
    const struct luc_shape *s = &features->shape;
    const size_t height = s->rank > 2 ? s->dim[2] : 1, width = s->rank > 3 ? s->dim[3] : 1;
    return (struct luc_tensor){ luc_shape4(1, s->dim[1], height, width), LUC_F32,
                                features->data + p * s->dim[1] * height * width };
}

/* Each Gram matrix divided by its norm, in place; the norm. */
static double unit_length(float *gram, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)gram[i] * (double)gram[i];
    const double norm = sqrt(squares) + TINY;
    for (size_t i = 0; i < n; i++)
        gram[i] = (float)((double)gram[i] / norm);
    return norm;
}

/* With u_i = G_i / |G_i|:  d cos(G_i, G_j) / dG_i = (u_j - cos u_i) / |G_i|. */
double luc_diversity_eval(const struct luc_loss *loss, const struct luc_threads *threads,
                          const struct luc_tensor *features, struct luc_tensor *gradient)
{
    const size_t pictures = features->shape.dim[0], c = features->shape.dim[1], n = c * c;
    float *unit = loss->scratch, *d_gram = loss->scratch + pictures * n;
    double total = 0;
    if (pictures < 2)
        return 0;
    const double pairs = (double)pictures * (double)(pictures - 1) / 2;
    for (size_t i = 0; i < pictures; i++) {
        const struct luc_tensor f = picture_of(features, i);
        luc_gram(threads, &f, NULL, unit + i * n);
        /* the norm waits there until all units are known */
        d_gram[i * n] = (float)unit_length(unit + i * n, n);
    }
    for (size_t i = 0; i < pictures; i++) {
        const struct luc_tensor f = picture_of(features, i);
        const double norm = (double)d_gram[i * n];
        float *d = d_gram + i * n;
        memset(d, 0, n * sizeof(*d));
        for (size_t j = 0; j < pictures; j++) {
            double cosine = 0;
            for (size_t k = 0; j != i && k < n; k++)
                cosine += (double)unit[i * n + k] * (double)unit[j * n + k];
            for (size_t k = 0; j != i && k < n; k++)
                d[k] += unit[j * n + k] - (float)cosine * unit[i * n + k];
            total += cosine / 2 / pairs;
        }
        luc_gram_backward(threads, &f, d, loss->weight / pairs / norm, false,
                          picture_of(gradient, i).data);
    }
    return total;
}
