/* loss.h -- what an optimisation wants of a layer's features F [1, C, H, W].
 *
 * Each loss is relative to its target, so that one weight serves every network and layer:
 *
 *   GRAM     sum (G - G0)^2 / sum G0^2,  G = F F^T / (C H W), F as C x (H W)
 *   FEATURE  mean (F - F0)^2 / mean F0^2
 *   ENERGY   -mean F^2 / 2: no target; the more a layer answers, the lower
 *
 * ENERGY is DeepDream's (Mordvintsev, Olah & Tyka, "Inceptionism", 2015). The others' source:
 * Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks", 2016,
 * arXiv:1508.06576. Differs: normalised by the target instead of by 4 C^2 (H W)^2 and 2.
 */
#ifndef LUC_GENERATE_LOSS_H
#define LUC_GENERATE_LOSS_H

#include "core/base/arena.h"
#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

enum luc_loss_kind { LUC_LOSS_GRAM, LUC_LOSS_FEATURE, LUC_LOSS_ENERGY };

struct luc_loss {
    enum luc_loss_kind kind;
    size_t value; /* the layer */
    double weight;
    float *target;  /* GRAM: G0 [C, C]; FEATURE: F0, like the layer. Borrowed */
    double size;    /* GRAM: sum G0^2; FEATURE: mean F0^2; never 0 */
    float *scratch; /* GRAM: 2 * C * C floats. Borrowed */
    double latest;  /* the unweighted loss of the latest luc_loss_eval() */
};

/* G [C, C] of features [1, C, H, W]. The same bits for any number of threads. */
void luc_gram(const struct luc_threads *threads, const struct luc_tensor *features, float *gram);

/* Allocates a GRAM loss's target from the features of a style picture, and its scratch. */
LUC_MUST_USE enum luc_status luc_loss_gram(struct luc_loss *loss, size_t value, double weight,
                                           const struct luc_threads *threads,
                                           const struct luc_tensor *style, struct luc_arena *arena,
                                           struct luc_error *err);
/* Points a FEATURE loss at features that stay where they are. */
void luc_loss_feature(struct luc_loss *loss, size_t value, double weight,
                      const struct luc_tensor *content);

/* weight * loss at `features`; adds its gradient to `gradient`. */
double luc_loss_eval(struct luc_loss *loss, const struct luc_threads *threads,
                     const struct luc_tensor *features, struct luc_tensor *gradient);

/* weight * (mean dx^2 + mean dy^2) over a picture [3, H, W] of 0..255, differences on pixels / 255;
 * adds the gradient with respect to the pixels. */
double luc_total_variation(double weight, const float *picture, size_t height, size_t width,
                           float *gradient);

#endif
