/* collapse.h -- from a gradient with colour channels to one number per pixel. */
#ifndef LUC_SHOW_COLLAPSE_H
#define LUC_SHOW_COLLAPSE_H

#include "core/tensor/tensor.h"

enum luc_collapse { LUC_COLLAPSE_MAX, LUC_COLLAPSE_L2 };

/* g: [1, C, H, W]; out: [H * W]. MAX: max_c |g_c| (Simonyan 2013, section 3.1); L2: sqrt(sum_c
 * g_c^2). `keep_sign`: the magnitude takes the sign of the channel of largest magnitude (MAX) or of
 * the channels' sum (L2). */
void luc_collapse_channels(const struct luc_tensor *g, enum luc_collapse how, bool keep_sign,
                           float *out);

/* g *= x, element by element; same shapes. */
void luc_times_input(struct luc_tensor *g, const struct luc_tensor *x);

#endif
