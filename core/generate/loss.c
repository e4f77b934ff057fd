#include "core/generate/loss.h"

#include "core/generate/gram.h"
#include "core/generate/guide.h"
#include "core/generate/objective.h"
#include "core/generate/vector.h"

#include <assert.h>

#define TINY 1e-30

enum luc_status luc_loss_gram(struct luc_loss *loss, size_t value, double weight,
                              const struct luc_threads *threads, const struct luc_tensor *style,
                              struct luc_arena *arena, struct luc_error *err)
{
    const size_t c = style->shape.dim[1];
    struct luc_loss fresh = { .kind = LUC_LOSS_GRAM, .value = value, .weight = weight };
    fresh.target = luc_arena_alloc(arena, c * c, sizeof(float));
    fresh.scratch = luc_arena_alloc(arena, c * c + luc_gram_scratch(c), sizeof(float));
    if (!fresh.target || !fresh.scratch)
        return luc_fail_nomem(err, "Gram matrix",
                              (2 * c * c + luc_gram_scratch(c)) * sizeof(float));
    if (!luc_arena_is_dry(arena))
        luc_gram(threads, style, fresh.scratch + c * c, fresh.target);
    fresh.size = luc_vector_dot(threads, fresh.target, fresh.target, c * c) + TINY;
    *loss = fresh;
    return LUC_OK;
}

void luc_loss_feature(struct luc_loss *loss, size_t value, double weight,
                      const struct luc_tensor *content)
{
    const size_t n = luc_numel(&content->shape);
    *loss = (struct luc_loss){
        .kind = LUC_LOSS_FEATURE,
        .value = value,
        .weight = weight,
        .target = content->data,
        .size = luc_vector_dot(NULL, content->data, content->data, n) / (double)n + TINY
    };
}

static double eval_gram(struct luc_loss *loss, const struct luc_threads *threads,
                        const struct luc_tensor *features, bool sets, struct luc_tensor *gradient)
{
    const size_t c = features->shape.dim[1];
    float *difference = loss->scratch;
    assert(features->shape.dim[0] == 1);
    luc_gram(threads, features, loss->scratch + c * c, difference);
    (void)luc_vector_step(threads, 1, difference, -1, loss->target, NULL, c * c);
    luc_gram_backward(threads, features, difference, loss->weight * 2.0 / loss->size, sets,
                      gradient->data);
    return luc_vector_dot(threads, difference, difference, c * c) / loss->size;
}

static double eval_feature(struct luc_loss *loss, const struct luc_threads *threads,
                           const struct luc_tensor *features, bool sets,
                           struct luc_tensor *gradient)
{
    const size_t n = luc_numel(&features->shape);
    const float scale = (float)(loss->weight * 2.0 / (loss->size * (double)n));
    return luc_vector_difference(threads, features->data, loss->target, scale, sets, gradient->data,
                                 n) /
           (double)n / loss->size;
}

/* With `sets` the gradient may hold anything before. */
static double eval(struct luc_loss *loss, const struct luc_threads *threads,
                   const struct luc_tensor *features, bool sets, struct luc_tensor *gradient)
{
    if (sets && loss->kind != LUC_LOSS_GRAM && loss->kind != LUC_LOSS_FEATURE)
        luc_vector_zero(threads, gradient->data, luc_numel(&gradient->shape));
    switch (loss->kind) {
    case LUC_LOSS_GRAM: loss->latest = eval_gram(loss, threads, features, sets, gradient); break;
    case LUC_LOSS_FEATURE:
        loss->latest = eval_feature(loss, threads, features, sets, gradient);
        break;
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

double luc_loss_eval(struct luc_loss *loss, const struct luc_threads *threads,
                     const struct luc_tensor *features, struct luc_tensor *gradient)
{
    return eval(loss, threads, features, false, gradient);
}

double luc_losses_eval(struct luc_loss *losses, size_t n, const struct luc_threads *threads,
                       struct luc_exec *exec)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        struct luc_tensor *seed = luc_exec_seed_raw(exec, losses[i].value);
        bool first = true; /* to write to this seed: two values may share its bytes */
        for (size_t k = 0; k < i; k++)
            first = first && luc_exec_seed_raw(exec, losses[k].value)->data != seed->data;
        total += eval(&losses[i], threads, luc_exec_value(exec, losses[i].value), first, seed);
    }
    return total;
}
