/* stages.h -- the layers that a method works on when it takes several and none is named: one for each
 * size that maps shrink to. */
#ifndef LUC_ASK_STAGES_H
#define LUC_ASK_STAGES_H

#include "core/ask/layer_list.h"
#include "core/run/method.h"

/* The last layer of each size, coarser and coarser: of those with an alias when there are any, up
 * to `depth` (0..1) of the network's convolutions. LUC_INVALID, naming `param`: the network has no
 * maps. */
LUC_MUST_USE enum luc_status luc_stages_find(struct luc_run *run, const char *param, double depth,
                                             struct luc_layer_list *list, struct luc_error *err);

/* The first layer with at least `depth` (0..1) of the network's convolutions behind it, its ReLU
 * included; of those with an alias when there are any. LUC_INVALID, naming `param`: no maps. */
LUC_MUST_USE enum luc_status luc_stages_depth(struct luc_run *run, const char *param, double depth,
                                              size_t *value, struct luc_error *err);

/* luc_layers_read(), where "auto" are the stages, weight 1 each. */
LUC_MUST_USE enum luc_status luc_stages_read(struct luc_run *run, const char *param,
                                             const char *names, struct luc_layer_list *list,
                                             struct luc_error *err);

/* A value's first alias, or its own name. */
const char *luc_layer_name(const struct luc_model *model, size_t value);

#endif
