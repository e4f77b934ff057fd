/* draw.h -- maps as pictures: over the photograph, as heat, as a mask.
 *
 * A map's values are scaled so that the clip percentile of their magnitudes becomes 1; unsigned
 * maps start at their smallest value. A constant map draws as zero everywhere. Signed maps are
 * drawn diverging around zero, in coolwarm, whatever the colormap.
 */
#ifndef LUC_TENSOR_DRAW_H
#define LUC_TENSOR_DRAW_H

#include "core/base/param.h"
#include "core/tensor/image.h"
#include "core/tensor/resize.h"

#include <stdbool.h>

enum luc_view {
    LUC_VIEW_OVERLAY, /* the photograph, coloured where the map is high */
    LUC_VIEW_HEATMAP, /* the map alone, in the colormap */
    LUC_VIEW_GRAY,    /* the map alone, in gray; signed: zero is mid-gray */
    LUC_VIEW_SIGNED,  /* the map alone, diverging around zero */
    LUC_VIEW_MASK,    /* the photograph where the map is high, dark elsewhere */
    LUC_VIEW_SIDE,    /* photograph and heatmap */
};

struct luc_view_params { /* rows: luc_view_rows */
    int64_t view;        /* enum luc_view */
    int64_t colormap;    /* enum luc_colormap_id */
    double alpha, clip_percentile, gamma;
};

extern const struct luc_param luc_view_rows[];

/* Where a map lies on the photo, in photo pixels. `map` is what its cells cover; `seen` is what is
 * drawn, the rest counting as zero. Where `seen` reaches past `map`, the map's rim goes on: the
 * cells of a deep layer are centred on their receptive fields, which need not cover every pixel. */
struct luc_placing {
    struct luc_box map, seen;
};

/* Draws map[height][width] in its place on the photo (NULL: on all of it), at the photo's size
 * (side-by-side: twice as wide). `photo` is RGB. Values that are not finite count as zero.
 * LUC_INVALID: the photo is not RGB or the map is empty. LUC_TOO_LARGE, LUC_NOMEM. */
LUC_MUST_USE enum luc_status luc_draw_map(const float *map, size_t width, size_t height,
                                          bool is_signed, const struct luc_image *photo,
                                          const struct luc_placing *place,
                                          const struct luc_view_params *view, struct luc_image *out,
                                          struct luc_error *err);

#endif
