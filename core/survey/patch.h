/* patch.h -- what a unit of a layer looks at: its receptive field, cut out of the picture. */
#ifndef LUC_SURVEY_PATCH_H
#define LUC_SURVEY_PATCH_H

#include "core/model/receptive.h"
#include "core/run/method.h"
#include "core/tensor/resize.h"

/* A field may reach past the picture. What a drawn patch spans is as large for every unit of a
 * layer: the field's size, or the picture's where that is smaller; the part outside of the picture
 * is gray. */
struct luc_patch {
    struct luc_box in;   /* the part of the field inside the network's input, in its pixels */
    struct luc_box seen; /* the same in upload pixels */
    struct luc_box span; /* what is drawn, in upload pixels; holds `seen` */
};

void luc_patch_place(const struct luc_field *field, const struct luc_frame *frame, size_t row,
                     size_t column, struct luc_patch *patch);

/* The part `box` of `src` drawn where `seen` lies in `span`, `side` pixels square; the longer side of
 * the span fills it, what `src` does not show is gray. *tile is the caller's. */
LUC_MUST_USE enum luc_status luc_patch_draw(const struct luc_patch *patch,
                                            const struct luc_image *src, const struct luc_box *box,
                                            size_t side, struct luc_image *tile,
                                            struct luc_error *err);

#endif
