/* im2col.h -- windows of a picture as the columns of a matrix, and back.
 *
 * Row (c * kh + i) * kw + j of the matrix is tap (i, j) of channel c, column oh * win->ow + ow is
 * output (oh, ow); zero where the tap lies in the padding.
 */
#ifndef LUC_KERNELS_IM2COL_H
#define LUC_KERNELS_IM2COL_H

#include "core/kernels/window.h"

/* Rows [row, row + n_rows) and columns [col, col + n_cols) into m [n_rows, n_cols]. x is
 * [C, h, w]. */
void luc_im2col(const struct luc_window *win, const float *x, size_t row, size_t n_rows, size_t col,
                size_t n_cols, float *m);
void luc_im2col_ref(const struct luc_window *win, const float *x, size_t row, size_t n_rows,
                    size_t col, size_t n_cols, float *m);

/* The transpose of im2col: adds m to x [n_channels, h, w], but only to x's rows [h0, h1). m holds
 * the taps of those channels for outputs of rows [oh0, oh1). */
void luc_col2im(const struct luc_window *win, const float *m, size_t n_channels, size_t oh0,
                size_t oh1, size_t h0, size_t h1, float *x);
void luc_col2im_ref(const struct luc_window *win, const float *m, size_t n_channels, size_t oh0,
                    size_t oh1, size_t h0, size_t h1, float *x);

#endif
