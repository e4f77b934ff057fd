#include "core/kernels/softplus.h"

#include "core/kernels/clones.h"
#include "core/kernels/walk.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LOG2_E  1.44269504f
#define LN2_HI  0.693145752f   /* ln 2 in two parts, so that n * LN2_HI is exact */
#define LN2_LO  1.42860677e-6f /* (Cody & Waite) */
#define LOWEST  (-87.0f)       /* e^x below this is no normal float, and nothing here needs it */
#define ROUNDER 12582912.0f    /* 1.5 * 2^23: adding it rounds to an integer */

/* e^x for x <= 0: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2]. */
static inline float exp_negative(float x)
{
    const float from = x < LOWEST ? LOWEST : x;
    const float shifted = from * LOG2_E + ROUNDER;
    const float n = shifted - ROUNDER;
    const float r = (from - n * LN2_HI) - n * LN2_LO;
    const float p =
        1.0f +
        r * (1.0f +
             r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720))))));
    uint32_t bits; /* the low bits of `shifted` are n */
    float power;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 127) << 23;
    memcpy(&power, &bits, sizeof(power));
    return p * power;
}

/* ln(1 + u) for 0 <= u <= 1, as 2 artanh(u / (2 + u)). */
static inline float log_one_plus(float u)
{
    const float s = u / (2.0f + u), q = s * s;
    return 2.0f * s *
           (1.0f + q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9 + q / 11)))));
}

LUC_CLONES void luc_softplus(float beta, const float *x, float *y, size_t n)
{
    const float inverse = 1.0f / beta;
    LUC_IVDEP
    for (size_t i = 0; i < n; i++) {
        const float z = beta * x[i];
        const float part = log_one_plus(exp_negative(-fabsf(z)));
        y[i] = ((z < 0.0f ? 0.0f : z) + part) * inverse;
    }
}

LUC_CLONES void luc_softplus_grad(float beta, const float *y, const float *dy, float *dx, size_t n)
{
    LUC_IVDEP
    for (size_t i = 0; i < n; i++) {
        const float z = beta * y[i];
        /* near 0 the difference would cancel */
        const float series = z * (1.0f - z * (0.5f - z * (1.0f / 6 - z * (1.0f / 24))));
        const float slope = z < 0.05f ? series : 1.0f - exp_negative(-z);
        dx[i] = dy[i] * slope;
    }
}

void luc_softplus_ref(float beta, const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double z = (double)beta * (double)x[i];
        y[i] = (float)((fmax(z, 0) + log1p(exp(-fabs(z)))) / (double)beta);
    }
}

void luc_softplus_grad_ref(float beta, const float *y, const float *dy, float *dx, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = (float)((double)dy[i] * -expm1(-(double)beta * (double)y[i]));
}
