/* conv_point.h -- 1x1 convolutions of large maps, in strips (strip.h) of the packed weights that
 * conv_panel.h reads: the picture is read where it lies, results go where they belong.
 *
 * The split into items follows from the shapes alone.
 */
#ifndef LUC_KERNELS_CONV_POINT_H
#define LUC_KERNELS_CONV_POINT_H

#include "core/kernels/conv.h"
#include "core/kernels/strip.h"

/* Can it be computed this way: no stride, no padding, no groups, and pixels enough for a strip. */
bool luc_conv_point_can(const struct luc_conv *g);
/* Where luc_conv_panel_pays(), is this faster? */
bool luc_conv_point_pays(const struct luc_conv *g);

/* Bytes of scratch. */
size_t luc_conv_point_scratch(const struct luc_conv *g, size_t lanes);
/* As luc_conv_panel_y. */
void luc_conv_point_y(const struct luc_conv *g, const float *x, const float *panels,
                      const struct luc_conv_finish *fin, float *y, bool narrow, void *scratch,
                      const struct luc_threads *threads);

#endif
