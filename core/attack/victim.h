/* victim.h -- a classifier asked about pictures whose every pixel may be changed: logits of a picture,
 * and the gradient of any sum of logits with respect to its pixels.
 *
 * Pictures are RGB, plane after plane, floats of 0..255, of the network's input size; what the network
 * subtracts and divides is part of the gradient.
 */
#ifndef LUC_ATTACK_VICTIM_H
#define LUC_ATTACK_VICTIM_H

#include "core/run/method.h"

struct luc_victim {
    struct luc_run *run;
    struct luc_exec *exec;
    size_t width, height;
    size_t n;         /* floats of a picture */
    size_t n_classes; /* floats of logits and of their seed */
    size_t passes;    /* forward and backward, so far */
    bool dry;
};

/* Plans for pictures of the size that upload 0 has at the network's input. LUC_SHAPE and LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_victim_open(struct luc_run *run, struct luc_victim *v,
                                             struct luc_error *err);

/* Upload 0 as the network sees it, in whole numbers. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_victim_picture(struct luc_victim *v, float *pixels,
                                                struct luc_error *err);

/* The logits, n_classes of them; valid until the next question. */
const float *luc_victim_ask(struct luc_victim *v, const float *pixels);
/* d (sum_k seed[k] * logit_k) / d pixels for the picture asked last, as often as wanted. */
void luc_victim_gradient(struct luc_victim *v, const float *seed, float *gradient);

/* pixels, rounded, as an image; and an image of that size as pixels. */
LUC_MUST_USE enum luc_status luc_victim_image(const struct luc_victim *v, const float *pixels,
                                              struct luc_image *image, struct luc_error *err);
void luc_victim_pixels(const struct luc_victim *v, const struct luc_image *image, float *pixels);

#endif
