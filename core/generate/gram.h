/* gram.h -- Gram matrices of features F, C x (H W), and what comes back through them. */
#ifndef LUC_GENERATE_GRAM_H
#define LUC_GENERATE_GRAM_H

#include "core/base/parallel.h"
#include "core/tensor/tensor.h"

/* Floats of scratch with which luc_gram() splits its sums among threads: 4 MiB or one matrix. */
size_t luc_gram_scratch(size_t channels);

/* G = F F^T / (C H W) [C, C] of features [1, C, H, W], by its upper half. The same bits for any
 * number of threads. `scratch` NULL: not split along the sums, slower for few channels. */
void luc_gram(const struct luc_threads *threads, const struct luc_tensor *features, float *scratch,
              float *gram);

/* Adds scale * 2 d_gram F / (C H W) to the gradient, or with `sets` makes it that. d_gram is
 * symmetric. */
void luc_gram_backward(const struct luc_threads *threads, const struct luc_tensor *features,
                       const float *d_gram, double scale, bool sets, float *gradient);

#endif
