#include "core/formats/raw_data.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

size_t luc_raw_size(enum luc_raw_type type)
{
    switch (type) {
    case LUC_RAW_F64:
    case LUC_RAW_U64:
    case LUC_RAW_I64: return 8;
    case LUC_RAW_F32:
    case LUC_RAW_U32:
    case LUC_RAW_I32: return 4;
    case LUC_RAW_F16:
    case LUC_RAW_BF16:
    case LUC_RAW_I16:
    case LUC_RAW_U16: return 2;
    case LUC_RAW_BOOL:
    case LUC_RAW_U8:
    case LUC_RAW_I8: return 1;
    }
    return 1;
}

enum luc_dtype luc_raw_dtype(enum luc_raw_type type)
{
    switch (type) {
    case LUC_RAW_F32: return LUC_F32;
    case LUC_RAW_F64: return LUC_F64;
    case LUC_RAW_F16:
    case LUC_RAW_BF16: return LUC_F16;
    case LUC_RAW_BOOL: return LUC_BOOL;
    case LUC_RAW_U8: return LUC_U8;
    case LUC_RAW_I8: return LUC_I8;
    case LUC_RAW_U16: return LUC_U16;
    case LUC_RAW_I16: return LUC_I16;
    case LUC_RAW_I32: return LUC_I32;
    case LUC_RAW_U32: return LUC_U32;
    case LUC_RAW_I64: return LUC_I64;
    case LUC_RAW_U64: return LUC_U64;
    }
    return LUC_F32;
}

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

float luc_f16_to_f32(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
    const uint32_t exponent = bits >> 10 & 31u, mantissa = bits & 1023u;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000u | mantissa << 13);
    if (exponent > 0)
        return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    const float v = ldexpf((float)mantissa, -24); /* subnormal, or zero */
    return sign ? -v : v;
}

float luc_bf16_to_f32(uint16_t bits)
{
    return from_bits((uint32_t)bits << 16);
}

static bool near(int64_t v, int64_t limit)
{
    return v >= limit - 1 && v <= limit + 1; /* limit is far from int64's ends */
}

bool luc_int_survives(int64_t v)
{
    if (v >= -(int64_t)LUC_EXACT_INT && v <= (int64_t)LUC_EXACT_INT)
        return true;
    if (v <= INT64_MIN + 1 || v >= INT64_MAX - 1)
        return true;
    if (near(v, INT32_MAX) || near(v, INT32_MIN))
        return true;
    const float f = (float)v;
    return f >= -0x1p63f && f < 0x1p63f && (int64_t)f == v;
}

static float read_one(enum luc_raw_type type, const unsigned char *at)
{
    double f64;
    float f32;
    uint16_t u16;
    switch (type) {
    case LUC_RAW_F32: memcpy(&f32, at, sizeof(f32)); return f32;
    case LUC_RAW_F64: memcpy(&f64, at, sizeof(f64)); return (float)f64;
    case LUC_RAW_F16: memcpy(&u16, at, sizeof(u16)); return luc_f16_to_f32(u16);
    case LUC_RAW_BF16: memcpy(&u16, at, sizeof(u16)); return luc_bf16_to_f32(u16);
    case LUC_RAW_U16: memcpy(&u16, at, sizeof(u16)); return (float)u16;
    case LUC_RAW_I16: memcpy(&u16, at, sizeof(u16)); return (float)(int16_t)u16;
    case LUC_RAW_BOOL: return *at ? 1.0f : 0.0f;
    case LUC_RAW_U8: return (float)*at;
    case LUC_RAW_I8: return (float)(*at < 128 ? *at : *at - 256);
    case LUC_RAW_I32:
    case LUC_RAW_U32:
    case LUC_RAW_I64:
    case LUC_RAW_U64: break;
    }
    return 0;
}

static int64_t int_at(enum luc_raw_type type, const unsigned char *at)
{
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    if (type == LUC_RAW_I32) {
        memcpy(&i32, at, sizeof(i32));
        return i32;
    }
    if (type == LUC_RAW_U32) {
        memcpy(&u32, at, sizeof(u32));
        return u32;
    }
    memcpy(&i64, at, sizeof(i64)); /* U64: what is negative now is too large */
    return type == LUC_RAW_U64 && i64 < 0 ? INT64_MAX - 2 : i64;
}

enum luc_status luc_raw_read(enum luc_raw_type type, const void *bytes, size_t n, float *out,
                             const char *what, struct luc_error *err)
{
    const unsigned char *at = bytes;
    const size_t step = luc_raw_size(type);
    if (type == LUC_RAW_F32 && n > 0) {
        memcpy(out, bytes, n * sizeof(float));
        return LUC_OK;
    }
    if (type < LUC_RAW_I32) {
        for (size_t i = 0; i < n; i++)
            out[i] = read_one(type, at + i * step);
        return LUC_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t v = int_at(type, at + i * step);
        if (!luc_int_survives(v))
            return luc_fail(err, LUC_UNSUPPORTED,
                            "%s: the integer %" PRId64 " is beyond 2^24; only integers that "
                            "float32 holds exactly are supported",
                            what, v);
        out[i] = (float)v;
    }
    return LUC_OK;
}
