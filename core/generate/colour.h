/* colour.h -- moving a picture's colours: mean and covariance of RGB, and luminance.
 * Pictures are RGB, plane after plane, 0..255. */
#ifndef LUC_GENERATE_COLOUR_H
#define LUC_GENERATE_COLOUR_H

#include <stddef.h>

struct luc_colour_stats {
    double mean[3], covariance[3][3];
};

void luc_colour_measure(const float *picture, size_t pixels, struct luc_colour_stats *stats);

/* y = Ct^1/2 Cx^-1/2 (x - mx) + mt in place, symmetric roots, clamped to 5..250.
 * Source: Gatys, Bethge, Hertzmann & Shechtman, "Preserving Color in Neural Artistic Style
 * Transfer", 2016, arXiv:1606.05897, section 5.1 (image analogies' variant). */
void luc_colour_move(float *picture, size_t pixels, const struct luc_colour_stats *target);

/* The colours of `colours`, the luminance of `picture`, into `picture` (BT.601). */
void luc_colour_keep_luminance(float *picture, const float *colours, size_t pixels);

#endif
