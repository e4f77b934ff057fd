/* raw_data.h -- little-endian arrays as model files hold them, turned into floats. */
#ifndef LUC_FORMATS_RAW_DATA_H
#define LUC_FORMATS_RAW_DATA_H

#include "core/tensor/tensor.h"

enum luc_raw_type {
    LUC_RAW_F32,
    LUC_RAW_F64,
    LUC_RAW_F16,
    LUC_RAW_BF16,
    LUC_RAW_BOOL, /* one byte, 0 or not */
    LUC_RAW_U8,
    LUC_RAW_U16,
    LUC_RAW_I8,
    LUC_RAW_I16,
    LUC_RAW_I32,
    LUC_RAW_U32,
    LUC_RAW_I64,
    LUC_RAW_U64, /* over INT64_MAX: does not survive */
};

size_t luc_raw_size(enum luc_raw_type type); /* bytes of one element */
enum luc_dtype luc_raw_dtype(enum luc_raw_type type);

float luc_f16_to_f32(uint16_t bits);
float luc_bf16_to_f32(uint16_t bits);

/* Whether a float can stand for v: exactly, or because v is one of the huge numbers that mean "to
 * the end" (INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, give or take one), which stay huge. */
bool luc_int_survives(int64_t v);

/* Reads n elements from `bytes` (any alignment) into out. LUC_UNSUPPORTED for an integer that does
 * not survive; the message names `what` and the integer. */
LUC_MUST_USE enum luc_status luc_raw_read(enum luc_raw_type type, const void *bytes, size_t n,
                                          float *out, const char *what, struct luc_error *err);

#endif
