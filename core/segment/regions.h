/* regions.h -- the connected parts of a mask, and masks as pictures. */
#ifndef LUC_SEGMENT_REGIONS_H
#define LUC_SEGMENT_REGIONS_H

#include "core/base/arena.h"
#include "core/tensor/image.h"

#include <stdbool.h>

struct luc_region {
    size_t x, y, width, height; /* the smallest box around it, px */
    size_t area;                /* px */
};

/* The parts of mask[height * width] (0: outside) that hang together over their eight neighbours,
 * largest first (ties: the upper one), at most `room` of them into regions[]; *n is how many were
 * written, *all how many there are. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_regions_find(const uint8_t *mask, size_t width, size_t height,
                                              struct luc_region *regions, size_t room, size_t *n,
                                              size_t *all, struct luc_arena *arena,
                                              struct luc_error *err);

enum luc_mask_view {
    LUC_MASK_PLAIN,   /* white on black, one channel */
    LUC_MASK_CUTOUT,  /* the photograph, transparent outside: RGBA */
    LUC_MASK_CONTOUR, /* the photograph with the mask's outline */
    LUC_MASK_BOXES,   /* the photograph with a box around each region */
};

/* A mask at the photograph's size (RGB). `regions`: those to be boxed. LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_mask_draw(const uint8_t *mask, const struct luc_image *photo,
                                           enum luc_mask_view view,
                                           const struct luc_region *regions, size_t n,
                                           struct luc_image *out, struct luc_error *err);

#endif
