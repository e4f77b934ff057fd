/* wide.h -- vectors of 16 floats for hand-written kernels. */
#ifndef LUC_KERNELS_WIDE_H
#define LUC_KERNELS_WIDE_H

#include "core/kernels/clones.h"

#include <stdbool.h>

#define LUC_LANES 16

/* LUC_LANES floats; luc_loose where the address is any float's; luc_half for processors that have
 * 16 registers of 8. */
typedef float luc_wide __attribute__((vector_size(64), may_alias));
typedef float luc_loose __attribute__((vector_size(64), aligned(4), may_alias));
typedef int luc_bits __attribute__((vector_size(64)));
typedef float luc_half __attribute__((vector_size(32), may_alias));
typedef int luc_bits_half __attribute__((vector_size(32)));
typedef float luc_loose_half __attribute__((vector_size(32), aligned(4), may_alias));

/* Macros: a function that returns such a vector has another ABI on each processor. */
#define LUC_LOAD(p)     ((luc_wide) * (const luc_loose *)(p))
#define LUC_STORE(p, v) (*(luc_loose *)(p) = (v))

#define LUC_INLINE static inline __attribute__((always_inline))
#if defined(__GNUC__) && !defined(__clang__)
#define LUC_UNROLL _Pragma("GCC unroll 32")
#else
#define LUC_UNROLL _Pragma("unroll")
#endif

/* A function marked LUC_WIDE keeps 28 vectors of 16 in registers; to be called where
 * luc_has_wide(). */
#if defined(__x86_64__) && defined(__GNUC__)
#define LUC_WIDE __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))
static inline bool luc_has_wide(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#else
#define LUC_WIDE
static inline bool luc_has_wide(void)
{
    return false;
}
#endif

#endif
