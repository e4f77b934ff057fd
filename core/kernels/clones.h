/* clones.h -- one kernel, compiled for several generations of x86-64 and chosen when the program
 * loads. Sanitizers cannot follow the choice, so there it is compiled once. */
#ifndef LUC_KERNELS_CLONES_H
#define LUC_KERNELS_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 &&           \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LUC_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define LUC_CLONES
#endif

#endif
