/* conv_panel.h -- convolution on packed weights (tile.h): exact sums, no unrolled picture.
 *
 * Serves the forward pass of any stride and dilation, and with the weights packed mirrored the
 * gradient to the input where strides are 1. What a block of outputs reads is copied once into
 * scratch that stays in the second-level cache, with its padding, and with columns sorted so that
 * strided windows are dense; small maps without padding are read where they are.
 *
 * The split into items follows from the shapes alone.
 */
#ifndef LUC_KERNELS_CONV_PANEL_H
#define LUC_KERNELS_CONV_PANEL_H

#include "core/kernels/conv.h"
#include "core/kernels/tile.h"

/* Does it apply, and pay off beside luc_conv_y? Decided by shape alone. */
bool luc_conv_panel_pays(const struct luc_conv *g);
/* What of that can be said of the weights alone. */
bool luc_conv_panel_weights_pay(const struct luc_conv *g);
/* The convolution that the gradient to the input is; false where it is none (strides). */
bool luc_conv_panel_mirror(const struct luc_conv *g, struct luc_conv *mirrored);

/* The weights of g as panels want them; `mirror`: for the gradient. */
struct luc_weights luc_conv_panel_weights(const struct luc_conv *g, const float *w, bool mirror);

/* Bytes of scratch. */
size_t luc_conv_panel_scratch(const struct luc_conv *g, size_t lanes);
/* As luc_conv_y. `narrow`: see tile.h. */
void luc_conv_panel_y(const struct luc_conv *g, const float *x, const float *panels,
                      const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                      const struct luc_threads *threads);

#endif
