/* binary.h -- y = f(a, b) with numpy broadcasting, and its gradients reduced to a's or b's shape.
 *
 * An operator gives inner loops over rows: along a row each operand either advances by one or
 * stands still (its step is 0). LUC_BINARY and LUC_BINARY_GRAD write such loops from one expression.
 */
#ifndef LUC_KERNELS_BINARY_H
#define LUC_KERNELS_BINARY_H

#include "core/kernels/walk.h"

/* y[i] = f(a[i * sa], b[i * sb]), steps 0 or 1; y may be a or b where that advances. */
typedef void luc_binary_fn(const float *a, size_t sa, const float *b, size_t sb, float *y,
                           size_t n);
/* t[i] = dy[i] * df/da (or df/db). a, b or y is NULL when reads() does not ask for it; a NULL
 * operand has step 0. */
typedef void luc_binary_grad(const float *a, size_t sa, const float *b, size_t sb, const float *y,
                             const float *dy, float *t, size_t n);

void luc_binary_forward(const struct luc_threads *threads, luc_binary_fn *f,
                        const struct luc_tensor *a, const struct luc_tensor *b,
                        const struct luc_tensor *y);

struct luc_binary_backward {
    luc_binary_grad *grad;              /* NULL: the gradient is dy itself */
    const struct luc_tensor *a, *b, *y; /* data may be NULL, shapes always right */
    const struct luc_tensor *dy;
    struct luc_tensor *dx; /* gradient of a or of b */
    size_t which;          /* 0: of a, 1: of b */
    bool fresh;            /* dx is written instead of added to */
};
void luc_binary_backward(const struct luc_threads *threads, const struct luc_binary_backward *m);

/* clang-format off */
/* `expr` in terms of p (an element of a) and q (an element of b). */
#define LUC_BINARY(name, expr)                                                                     \
    static void name(const float *a, size_t sa, const float *b, size_t sb, float *y, size_t n)     \
    {                                                                                              \
        if (sa && sb) {                                                                            \
            LUC_IVDEP                                                                              \
            for (size_t i = 0; i < n; i++) { const float p = a[i], q = b[i]; y[i] = (expr); }      \
        } else if (sa) {                                                                           \
            const float q = *b;                                                                    \
            LUC_IVDEP                                                                              \
            for (size_t i = 0; i < n; i++) { const float p = a[i]; y[i] = (expr); }                \
        } else {                                                                                   \
            const float p = *a;                                                                    \
            LUC_IVDEP                                                                              \
            for (size_t i = 0; i < n; i++) { const float q = b[i * sb]; y[i] = (expr); }           \
        }                                                                                          \
    }
/* `expr` in terms of a[i * sa], b[i * sb], y[i] and dy[i]. */
#define LUC_BINARY_GRAD(name, expr)                                                                \
    static void name(const float *a, size_t sa, const float *b, size_t sb, const float *y,         \
                     const float *dy, float *t, size_t n)                                          \
    {                                                                                              \
        (void)a, (void)sa, (void)b, (void)sb, (void)y;                                             \
        LUC_IVDEP                                                                                  \
        for (size_t i = 0; i < n; i++)                                                             \
            t[i] = (expr);                                                                         \
    }
/* clang-format on */

#endif
