/* sizes.h -- arithmetic on sizes, for cutting work into pieces. */
#ifndef LUC_KERNELS_SIZES_H
#define LUC_KERNELS_SIZES_H

#include <assert.h>
#include <stddef.h>

static inline size_t luc_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t luc_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Pieces of at most b that a makes. */
static inline size_t luc_div_up(size_t a, size_t b)
{
    assert(b > 0);
    return (a + b - 1) / b;
}

/* The least multiple of `unit` that is no less than a. */
static inline size_t luc_round_up(size_t a, size_t unit)
{
    return luc_div_up(a, unit) * unit;
}

#endif
