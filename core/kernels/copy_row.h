/* copy_row.h -- short rows of a picture into scratch, for kernels marked LUC_CLONES: too short for
 * memcpy to be worth its call, so inline, in vectors whose last overlaps the one before. */
#ifndef LUC_KERNELS_COPY_ROW_H
#define LUC_KERNELS_COPY_ROW_H

#include "core/kernels/wide.h"

#include <stddef.h>

/* to[i] = from[i] */
LUC_INLINE void luc_copy_row(float *to, const float *from, size_t n)
{
    size_t i = 0;
    for (; i + 16 < n; i += 16)
        *(luc_loose *)(to + i) = *(const luc_loose *)(from + i);
    if (n >= 16) {
        *(luc_loose *)(to + n - 16) = *(const luc_loose *)(from + n - 16);
    } else if (n >= 8) {
        *(luc_loose_half *)to = *(const luc_loose_half *)from;
        *(luc_loose_half *)(to + n - 8) = *(const luc_loose_half *)(from + n - 8);
    } else {
        for (; i < n; i++)
            to[i] = from[i];
    }
}

#if defined(__clang__) || __GNUC__ >= 12
#define LUC_ODD(a, b)  __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define LUC_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#endif

/* to[i] = from[2 * i]; reads nothing past the last of them */
LUC_INLINE void luc_halve_row(float *to, const float *from, size_t n)
{
    size_t i = 0;
#ifdef LUC_EVEN
    for (; i + 8 < n; i += 8) {
        const luc_loose_half *at = (const luc_loose_half *)(from + 2 * i);
        *(luc_loose_half *)(to + i) = LUC_EVEN(at[0], at[1]);
    }
    if (n > 8) {
        const luc_loose_half *at = (const luc_loose_half *)(from + 2 * (n - 8) - 1);
        *(luc_loose_half *)(to + n - 8) = LUC_ODD(at[0], at[1]);
        return;
    }
#endif
    for (; i < n; i++)
        to[i] = from[2 * i];
}

#endif
