/* regular.h -- what keeps a picture that is made by gradients from being noise.
 *
 * Penalties, added to the loss; c: the network's mean colour, d: differences on pixels / 255,
 * means over all pixels and colours of one picture:
 *
 *   l2       mean ((p - c) / 255)^2
 *   l1       mean |p - c| / 255
 *   tv       mean dx^2 + mean dy^2
 *   alpha    mean |(p - c) / 128|^a                    R_alpha
 *   beta_tv  mean (dx^2 + dy^2)^(b / 2)                R_Vbeta
 *
 * Projections, done to the picture after a step:
 *
 *   blur                 Gaussian, every few steps
 *   small_pixels         pixels whose norm |p - c| over the colours is among the smallest become c
 *   small_contributions  the same for |sum over colours of (p - c) dL/dp|
 *
 * Source: l2: Simonyan et al. 2013, arXiv:1312.6034, section 2; R_alpha, R_Vbeta: Mahendran &
 * Vedaldi 2014, arXiv:1412.0035, section 3.1; projections: Yosinski et al. 2015, arXiv:1506.06579,
 * section 3. Differs: means instead of sums, so that a weight serves any size; R_alpha is per colour.
 */
#ifndef LUC_GENERATE_REGULAR_H
#define LUC_GENERATE_REGULAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct luc_regular { /* all zero: nothing */
    float centre[3]; /* c, RGB, 0..255 */
    double l2, l1, tv;
    double alpha_weight, alpha; /* alpha at least 1 */
    double beta_tv_weight, beta;
    double blur; /* standard deviation in pixels */
    uint64_t blur_every;
    double small_pixels, small_contributions; /* percent of the pixels, below 100 */
};

/* The sum of the penalties of a picture [3, height, width] of 0..255; adds its gradient. */
double luc_regular_loss(const struct luc_regular *r, const float *picture, size_t height,
                        size_t width, float *gradient);

/* Does any projection come after step `step` (1: the first)? */
bool luc_regular_projects(const struct luc_regular *r, uint64_t step);
/* Does them. `d_loss`: dL/d(picture) without penalties; used by small_contributions only.
 * `scratch`: 2 * height * width floats, at least max(height, width). */
void luc_regular_project(const struct luc_regular *r, uint64_t step, float *picture, size_t height,
                         size_t width, const float *d_loss, float *scratch);

/* tv alone, weighted. */
double luc_total_variation(double weight, const float *picture, size_t height, size_t width,
                           float *gradient);

#endif
