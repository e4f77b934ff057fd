/* mixture.h -- the colours of a region as a mixture of Gaussians with full covariances.
 *
 *   D(z) = min_k ( -log w_k + log det S_k / 2 + (z - m_k)' S_k^-1 (z - m_k) / 2 )
 *
 * where the mean m_k, covariance S_k and weight w_k are those of the pixels that component k holds.
 * Each pixel is held by one component (Rother, Kolmogorov & Blake 2004, section 3: "hard" rather than
 * by shares). A colour of 8 bits stands for an interval of one step, whose variance of 1/12 is part
 * of S_k, so that no covariance is singular.
 */
#ifndef LUC_SEGMENT_MIXTURE_H
#define LUC_SEGMENT_MIXTURE_H

#include "core/base/rng.h"
#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define LUC_MIXTURE_MAX 16

struct luc_gaussian {
    size_t n;             /* pixels held; 0: takes no part */
    double mean[3];       /* R, G, B */
    double inverse[3][3]; /* of the covariance */
    double constant;      /* -log w + log det S / 2 */
};

struct luc_mixture {
    size_t n;
    struct luc_gaussian part[LUC_MIXTURE_MAX];
};

/* Pixels of a picture of which only some count: those with chosen[i] == which. */
struct luc_colours {
    const uint8_t *rgb; /* [n][3] */
    const uint8_t *chosen;
    uint8_t which;
    size_t n;
};

/* Divides the colours among `parts` components by k-means, the best of several starts by k-means++
 * (Arthur & Vassilvitskii 2007) from `rng`, and learns them; held[i] is set for each pixel that counts.
 * At least one must count. */
void luc_mixture_start(struct luc_mixture *m, size_t parts, const struct luc_colours *c,
                       struct luc_rng *rng, uint8_t *held);
/* Weights, means and covariances from which component holds which pixel. m->n stays. */
void luc_mixture_learn(struct luc_mixture *m, const struct luc_colours *c, const uint8_t *held);
/* D of one colour; *held (may be NULL) is the component. */
double luc_mixture_cost(const struct luc_mixture *m, const uint8_t rgb[3], uint8_t *held);

#endif
