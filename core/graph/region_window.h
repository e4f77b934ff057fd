/* region_window.h -- the operator that region.c puts before layers that look around: cuts a crop out
 * of a kept activation and lays the changed window over it. Not an ONNX operator, so not in ops.def. */
#ifndef LUC_GRAPH_REGION_WINDOW_H
#define LUC_GRAPH_REGION_WINDOW_H

#include "core/ops/op.h"

/* Along one axis: where crop and window begin, per grid coordinate; may be negative (padding). */
struct luc_crop_axis {
    const ptrdiff_t *crop, *window; /* [n grid coordinates] */
    size_t size;                    /* of the crop */
    const size_t *at;               /* [batch]: the grid coordinate of each slot */
};

struct luc_crop {
    struct luc_crop_axis y, x;
    float fill; /* outside the activation */
};

/* in: window [B, C, h, w], activation [1, C, H, W]; out: [B, C, y.size, x.size]. */
extern const struct luc_op luc_op_region_window;

#endif
