/* paint.h -- the picture that an optimisation makes, and the variables it is made of.
 *
 * A picture is RGB, plane after plane, 0..255: [3, H, W]; one paint may hold several, one after
 * another, each with its own variables. PIXEL: the variables are the picture
 * itself, clamped after each step. FOURIER: the variables are a spectrum of three decorrelated
 * planes, so that steps touch all frequencies alike:
 *
 *   picture = 255 * sigmoid(M * irfft2(S * scale) / 4),  scale = sqrt(H W) / max(f, 1 / max(H, W))
 *
 * f: frequency in cycles per pixel, to the power `decay`; M: colour matrix.
 * Source: Olah, Mordvintsev & Schubert, "Feature Visualization", Distill 2017, and Mordvintsev et
 * al., "Differentiable Image Parameterizations", Distill 2018.
 */
#ifndef LUC_GENERATE_PAINT_H
#define LUC_GENERATE_PAINT_H

#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/generate/fft.h"

#include <stdbool.h>

enum luc_paint_kind { LUC_PIXEL, LUC_FOURIER };

struct luc_paint_spec {
    enum luc_paint_kind kind;
    size_t height, width;
    size_t count;       /* pictures; 0 means 1 */
    double decay;       /* FOURIER; 0 means 1 */
    double coarsest;    /* FOURIER: f is taken to be at least 1 / this; 0: max(H, W) pixels */
    bool plain_colours; /* FOURIER: M is the identity, the planes are RGB */
};

struct luc_paint {
    enum luc_paint_kind kind;
    size_t height, width, count;
    size_t n, each; /* variables, of all pictures and of one */
    float *variable;
    /* private */
    bool dry; /* its arena is: nothing is set or read */
    struct luc_fft *fft;
    float *scale, *planes, *spectrum;
    double decay, coarsest, colour[3][3];
};

/* LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_paint_init(struct luc_paint *p, const struct luc_paint_spec *spec,
                                            struct luc_arena *arena, struct luc_error *err);

/* Variables such that the pictures come out (FOURIER: after clamping to 2..98 % of white). */
void luc_paint_set(struct luc_paint *p, const float *pictures);
/* FOURIER: spectrum ~ N(0, deviation^2). PIXEL: gray with that deviation of 255. */
void luc_paint_noise(struct luc_paint *p, double deviation, struct luc_rng *rng);

void luc_paint_get(struct luc_paint *p, float *pictures);
/* dL/d(pictures) -> dL/d(variable), for the pictures that luc_paint_get() gave. */
void luc_paint_backward(struct luc_paint *p, const float *pictures, const float *d_pictures,
                        float *d_variable);
/* After an optimiser's step: PIXEL clamps to 0..255. */
void luc_paint_clamp(struct luc_paint *p);

#endif
