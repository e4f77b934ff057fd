/* spatial.h -- how the nodes of a graph look at places: which work place by place, which look around,
 * and how far. For engines that compute parts of a picture (region.c, tiles.c). */
#ifndef LUC_GRAPH_SPATIAL_H
#define LUC_GRAPH_SPATIAL_H

#include "core/graph/infer.h"
#include "core/kernels/window.h"

bool luc_node_is(const struct luc_node *node, const char *op);

/* An attribute by its ONNX name; NULL when the operator has none such. */
const void *luc_node_attr(const struct luc_node *node, const char *key);
/* Whether a CHOICE attribute has this value. */
bool luc_node_chose(const struct luc_node *node, const char *key, const char *value);
/* What input i is known to hold, and how many; NULL when it is absent or only known in a run. */
const float *luc_node_known(const struct luc_infos *x, const struct luc_node *node, size_t i,
                            size_t *n);

/* Every output place depends on the same place of the inputs alone (or on inputs that are the same
 * everywhere). */
bool luc_is_pointwise(const struct luc_node *node);
/* Convolution and max-pooling, with one output. */
bool luc_slides(const struct luc_node *node);

/* The window of a node that slides, for the shapes in `x`. LUC_UNSUPPORTED: not [N, C, H, W]. */
LUC_MUST_USE enum luc_status luc_node_window(const struct luc_infos *x, const struct luc_node *node,
                                             struct luc_window *win, struct luc_error *err);
/* Takes the padding out of a sliding node's attributes, here a copy of them. */
LUC_MUST_USE enum luc_status luc_unpad(const struct luc_node *node, void *attrs,
                                       struct luc_error *err);

/* Rows and columns that a Pad puts before the picture; false when they are negative, unknown, or
 * given for named axes. */
bool luc_node_pads(const struct luc_infos *x, const struct luc_node *node, ptrdiff_t before[2]);

#endif
