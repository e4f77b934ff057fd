/* loss.h -- what an optimisation wants of a layer's features F [N, C, H, W], N pictures at once.
 *
 * Pictures to be like, one at a time (N = 1); relative to their target, so that one weight serves
 * every network and layer:
 *
 *   GRAM       sum (G - G0)^2 / sum G0^2,  G = F F^T / (C H W), F as C x (H W)
 *   FEATURE    mean (F - F0)^2 / mean F0^2
 *
 * Answers to be high, summed over the pictures, so that each goes its own way (core/generate/
 * objective.c):
 *
 *   ENERGY     -mean F^2 / 2
 *   CLASS      -(F_k + sharpen * log softmax(F)_k); F: logits [N, C] or [N, C, 1, 1]
 *   CHANNEL    -mean over positions of F_k
 *   NEURON     -F_k at one position
 *   DIRECTION  -mean over positions of sum_c F_c v_c / |v|
 *
 * GUIDE        core/generate/guide.h: what a guide picture makes the layer answer (N = 1)
 * DIVERSITY    mean over pairs of pictures of the cosine of their Gram matrices: pictures not to be
 *              like one another
 *
 * Source: GRAM, FEATURE: Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural
 * Networks", 2016, arXiv:1508.06576. Differs: normalised by the target instead of by
 * 4 C^2 (H W)^2 and 2. ENERGY: Mordvintsev, Olah & Tyka, "Inceptionism", 2015. CLASS without
 * sharpen: Simonyan et al. 2013, arXiv:1312.6034, section 2. CHANNEL, NEURON, DIRECTION, DIVERSITY:
 * Olah, Mordvintsev & Schubert, "Feature Visualization", Distill 2017.
 */
#ifndef LUC_GENERATE_LOSS_H
#define LUC_GENERATE_LOSS_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/graph/exec.h"

enum luc_loss_kind {
    LUC_LOSS_GRAM,
    LUC_LOSS_FEATURE,
    LUC_LOSS_ENERGY,
    LUC_LOSS_CLASS,
    LUC_LOSS_CHANNEL,
    LUC_LOSS_NEURON,
    LUC_LOSS_DIRECTION,
    LUC_LOSS_DIVERSITY,
    LUC_LOSS_GUIDE,
};

struct luc_loss {
    enum luc_loss_kind kind;
    size_t value; /* the layer */
    double weight;
    float *target;      /* GRAM: G0 [C, C]; FEATURE: F0, like the layer; DIRECTION: v [C]; GUIDE: Y
                     [C, positions]. Borrowed */
    double size;        /* GRAM: sum G0^2; FEATURE: mean F0^2; never 0 */
    float *scratch;     /* GRAM: C * C floats and luc_gram_scratch(C); DIVERSITY: 2 * N * C * C.
                     Borrowed */
    size_t index;       /* CLASS, CHANNEL, NEURON: k, below C; GUIDE: its positions */
    size_t row, column; /* NEURON: below H and W */
    double sharpen;     /* CLASS */
    double latest;      /* the unweighted loss of the latest luc_loss_eval() */
};

/* Allocates a GRAM loss's target from the features of a style picture, and its scratch. */
LUC_MUST_USE enum luc_status luc_loss_gram(struct luc_loss *loss, size_t value, double weight,
                                           const struct luc_threads *threads,
                                           const struct luc_tensor *style, struct luc_arena *arena,
                                           struct luc_error *err);
/* Points a FEATURE loss at features that stay where they are. */
void luc_loss_feature(struct luc_loss *loss, size_t value, double weight,
                      const struct luc_tensor *content);
/* Allocates a DIVERSITY loss's scratch for n pictures of `channels` channels. */
LUC_MUST_USE enum luc_status luc_loss_diversity(struct luc_loss *loss, size_t value, double weight,
                                                size_t n, size_t channels, struct luc_arena *arena,
                                                struct luc_error *err);

/* weight * loss at `features`; adds its gradient to `gradient`. */
double luc_loss_eval(struct luc_loss *loss, const struct luc_threads *threads,
                     const struct luc_tensor *features, struct luc_tensor *gradient);
/* All losses at what the network answers now; their gradients become the seeds. The sum of the
 * weighted losses. */
double luc_losses_eval(struct luc_loss *losses, size_t n, const struct luc_threads *threads,
                       struct luc_exec *exec);

#endif
