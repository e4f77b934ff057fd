/* npy.h -- NumPy's .npy files: raw maps for the user, golden arrays for the tests.
 *
 * Reads versions 1 to 3, little-endian, C order: float32, float64, int32, int64, uint8, int8, bool.
 * Integers that a float cannot hold exactly are refused, as everywhere in tensor.h.
 */
#ifndef LUC_TENSOR_NPY_H
#define LUC_TENSOR_NPY_H

#include "core/base/arena.h"
#include "core/base/str.h"
#include "core/tensor/tensor.h"

/* Appends a version 1.0 file, '<f4', C order. Out of memory shows in out->failed. */
void luc_npy_write(const struct luc_tensor *tensor, struct luc_str *out);

/* The tensor's data lives in `arena`; `bytes` are not kept. LUC_FORMAT, LUC_UNSUPPORTED,
 * LUC_TOO_LARGE, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_npy_read(const void *bytes, size_t size, struct luc_arena *arena,
                                          struct luc_tensor *tensor, struct luc_error *err);

#endif
