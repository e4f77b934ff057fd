#include "core/generate/guide.h"

#include "core/tensor/blas.h"

#include <assert.h>

#define BLOCK 64 /* positions whose products with the guide are held at once */

enum luc_status luc_loss_guide(struct luc_loss *loss, size_t value, double weight,
                               const struct luc_tensor *guide, struct luc_arena *arena,
                               struct luc_error *err)
{
    const size_t n = guide->shape.dim[2] * guide->shape.dim[3];
    *loss = (struct luc_loss){
        .kind = LUC_LOSS_GUIDE, .value = value, .weight = weight, .target = guide->data, .index = n
    };
    loss->scratch = luc_arena_alloc(arena, BLOCK * n, sizeof(float));
    return loss->scratch ? LUC_OK : luc_fail_nomem(err, "guide", BLOCK * n * sizeof(float));
}

static size_t best_of(const float *products, size_t n)
{
    size_t best = 0;
    for (size_t j = 1; j < n; j++)
        if (products[j] > products[best])
            best = j;
    return best;
}

double luc_guide_eval(const struct luc_loss *loss, const struct luc_tensor *features,
                      struct luc_tensor *gradient)
{
    const size_t channels = features->shape.dim[1], guides = loss->index;
    const size_t all = features->shape.dim[2] * features->shape.dim[3];
    const double size = (double)channels * (double)all;
    const float scale = (float)(loss->weight / size);
    double sum = 0;
    assert(features->shape.dim[0] == 1);
    for (size_t from = 0; from < all; from += BLOCK) {
        const size_t n = all - from < BLOCK ? all - from : BLOCK;
        luc_sgemm(true, false, n, guides, channels, 1.0f, features->data + from, all, loss->target,
                  guides, 0.0f, loss->scratch, guides);
        for (size_t i = 0; i < n; i++) {
            const float *products = loss->scratch + i * guides;
            const size_t best = best_of(products, guides);
            sum += (double)products[best];
            for (size_t c = 0; c < channels; c++)
                gradient->data[c * all + from + i] -= scale * loss->target[c * guides + best];
        }
    }
    return -sum / size;
}
